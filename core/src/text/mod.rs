//! Messages, chat templates, tokenizers, and the mask that says which tokens are trained.

mod conversation;
mod encoded;
mod train_tokenizer;

pub use conversation::{Conversation, Message, Role};
pub use encoded::{Encoded, IGNORE_INDEX};
pub use train_tokenizer::{
    END_TOKEN, PAD_TOKEN, START_TOKEN, TokenizerFiles, TrainTokenizerError, train_tokenizer,
};
