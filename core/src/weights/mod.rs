//! Where tensors come from: a memory map, a browser store, or a test literal.
//!
//! The model asks by its own names; a source never knows the architecture.

use std::ops::Range;

pub mod adapter;
pub mod adapter_config;
mod bytes;
mod error;
pub mod gguf;
pub mod merge;
mod packed;
mod random;
mod raw;
mod safetensors;
pub mod shards;

pub use bytes::ByteSource;
pub use error::{LoadError, LoadErrors};
pub use packed::{AsStored, PackedInfo, PackedSource, PackedTensor, Quantizing, quantized_format};
pub use random::RandomSource;
pub use raw::{Dtype, RawInfo, RawTensor};
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

    /// Some rows of a matrix, without reading the others where the source can.
    ///
    /// # Errors
    /// As [`Self::tensor`], and [`LoadError::Rows`] where the rows are not there.
    fn tensor_rows(&self, name: &str, rows: Range<usize>) -> Result<RawTensor<'_>, LoadError> {
        packed::rows_of(self.tensor(name)?, name, rows)
    }

    /// Element type and shape of a tensor, without reading it where the source can.
    ///
    /// # Errors
    /// As [`Self::tensor`].
    fn info(&self, name: &str) -> Result<RawInfo, LoadError> {
        let tensor = self.tensor(name)?;
        Ok(RawInfo {
            dtype: tensor.dtype,
            shape: tensor.shape,
        })
    }
}

impl<S: WeightSource + ?Sized> WeightSource for &S {
    fn names(&self) -> Vec<String> {
        (**self).names()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        (**self).tensor(name)
    }

    fn tensor_rows(&self, name: &str, rows: Range<usize>) -> Result<RawTensor<'_>, LoadError> {
        (**self).tensor_rows(name, rows)
    }

    fn info(&self, name: &str) -> Result<RawInfo, LoadError> {
        (**self).info(name)
    }
}
