//! A quantized model with its adapters, answering token by token.
//!
//! [`Engine`] knows prompts, turns and sampling; a [`runner`] knows one model on one device. Both
//! runners compute the same numbers, the one on the processor in code that a reader can check.

mod cpu;
mod engine;
mod error;
mod generate;
mod gpu_runner;
mod options;
pub mod plan;
mod runner;
mod session;
mod text_stream;

#[cfg(test)]
mod tests;

pub use engine::{Engine, LoadProgress, MemoryUse, Place};
pub use error::InferError;
pub use generate::{Cancel, GenerateRequest, Generated, NewToken, StopReason};
pub use gpu_runner::DecodeCost;
pub use options::{EngineOptions, KvFormat, Pause};
pub use runner::AdapterId;
pub use session::Session;
pub use text_stream::{Piece, TextStream};
