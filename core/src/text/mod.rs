//! Messages, chat templates, tokenizers, and the mask that says which tokens are trained.

mod conversation;
mod encoded;

pub use conversation::{Conversation, Message, Role};
pub use encoded::{Encoded, IGNORE_INDEX};
