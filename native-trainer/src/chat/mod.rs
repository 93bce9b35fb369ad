//! A conversation in the terminal: what was said, what the user can ask for, how it looks.

mod command;
mod conversation;
mod turn;

pub(crate) use command::{Command, HELP};
pub(crate) use conversation::Conversation;
pub(crate) use turn::{Turn, read_turn};
