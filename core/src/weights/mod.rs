//! Where tensors come from: a memory map, a browser store, or a test literal.
//!
//! The model asks by its own names; a source never knows the architecture.

pub mod adapter;
pub mod adapter_config;
mod error;
pub mod gguf;
pub mod merge;
mod random;
mod raw;
mod safetensors;
pub mod shards;

pub use error::{LoadError, LoadErrors};
pub use random::RandomSource;
pub use raw::{Dtype, RawTensor};
pub use safetensors::SafetensorsSource;

/// A checkpoint's tensors by name.
pub trait WeightSource {
    /// Names in a stable order.
    fn names(&self) -> Vec<String>;

    /// One tensor as it is stored.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`] where the name is not there, [`LoadError::Dtype`] where its
    /// element type is none that weights have.
    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError>;
}
