//! Keys and values of the tokens that one layer has seen.

use super::sizes::n_values;
use crate::gpu::{Gpu, buffer::Buffer, error::GpuError};

/// How cached keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvFormat {
    /// Two halves in a word: half the memory and half the traffic.
    #[default]
    F16,
    F32,
}

/// `[capacity, g, k]`, for the keys and again for the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KvShape {
    /// Tokens that have room.
    pub capacity: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub format: KvFormat,
}

impl KvShape {
    /// Bytes of the keys; the values take as many.
    pub fn n_bytes(&self) -> u64 {
        let n_values = n_values(&[self.capacity, self.n_kv_heads, self.head_dim]);
        match self.format {
            KvFormat::F16 => n_values.saturating_mul(2),
            KvFormat::F32 => n_values.saturating_mul(4),
        }
    }
}

/// One layer's cache. What lies at a position and behind is forgotten by writing there again.
#[derive(Debug, Clone)]
pub struct KvCache {
    pub shape: KvShape,
    pub keys: Buffer,
    pub values: Buffer,
}

impl KvCache {
    /// # Errors
    /// Where it is larger than the device allows, or empty.
    pub fn new(gpu: &Gpu, label: &str, shape: KvShape) -> Result<Self, GpuError> {
        Ok(Self {
            shape,
            keys: gpu.empty(&format!("{label} keys"), shape.n_bytes())?,
            values: gpu.empty(&format!("{label} values"), shape.n_bytes())?,
        })
    }

    /// The value of the kernels' constant `KV_F16`.
    pub(super) fn is_f16(&self) -> f64 {
        f64::from(u8::from(self.shape.format == KvFormat::F16))
    }
}
