//! The engine on the processor against the numbers of transformers and PEFT, and against itself.

mod adapters;
mod fixtures;
mod golden;
mod requests;
mod sessions;
