//! GGUF version 3, the file format of llama.cpp and Ollama: metadata, tensor table, aligned data.
//!
//! [`GgufSource`] is the container, [`GgufModel`] what it says about a model. Which keys a file
//! must have that others shall open is [`crate::export`]'s.

mod arch;
mod cursor;
mod error;
mod model;
#[cfg(test)]
mod model_tests;
mod read;
mod rows;
mod value;
mod write;

pub use error::GgufError;
pub use model::{GgufModel, ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT};
pub use read::{GgufSource, TensorInfo};
pub use rows::to_gguf_order;
pub use value::{Value, ValueType};
pub use write::{GgufPlan, TensorEntry};

const MAGIC: [u8; 4] = *b"GGUF";
const VERSION: u32 = 3;
/// Where the metadata do not say otherwise, and what is written here.
const DEFAULT_ALIGNMENT: u64 = 32;
const ALIGNMENT_KEY: &str = "general.alignment";
/// ggml's limits; files beyond them do not open there.
const MAX_DIMENSIONS: usize = 4;
const MAX_NAME_BYTES: usize = 63;
