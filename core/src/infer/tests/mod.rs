//! The engine on the processor against the numbers of transformers and PEFT, and against itself.

mod adapters;
mod ahead;
mod fixtures;
mod golden;
mod peft_losses;
mod quantized;
mod requests;
mod sessions;
