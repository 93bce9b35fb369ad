//! A model's tensors on the device, by the place where the forward pass uses them.

use crate::gpu::{Buffer, GpuMatrix};

pub(super) struct GpuWeights {
    /// `[v, d]`
    pub(super) embedding: GpuMatrix,
    pub(super) layers: Vec<GpuLayer>,
    pub(super) norm: Buffer,
    /// `[v, d]`; `None` where the head is the embedding.
    pub(super) head: Option<GpuMatrix>,
    /// Angular frequencies, `[k / 2]`.
    pub(super) frequencies: Buffer,
}

pub(super) struct GpuLayer {
    pub(super) input_layernorm: Buffer,
    /// Weights of the norms of queries and keys, where the model has them.
    pub(super) qk_norm: Option<[Buffer; 2]>,
    pub(super) post_attention_layernorm: Buffer,
    pub(super) qkv: GpuProjection,
    pub(super) output: GpuProjection,
    pub(super) gate_up: GpuProjection,
    pub(super) down: GpuProjection,
}

/// Matrices that read the same activations and write one output side by side.
pub(super) struct GpuProjection {
    pub(super) n_out: usize,
    pub(super) matrices: Vec<GpuLinear>,
}

/// A matrix with the place of its output.
pub(super) struct GpuLinear {
    pub(super) weight: GpuMatrix,
    /// As long as the matrix has rows.
    pub(super) bias: Option<Buffer>,
    /// First column that it writes.
    pub(super) column: usize,
}

impl GpuWeights {
    pub(super) fn head(&self) -> &GpuMatrix {
        self.head.as_ref().unwrap_or(&self.embedding)
    }
}
