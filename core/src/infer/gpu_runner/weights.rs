//! A model's tensors on the device, by the place where the forward pass uses them.

use crate::gpu::{Buffer, GpuMatrix};

pub(super) struct GpuWeights {
    /// `[v, d]`
    pub(super) embedding: GpuMatrix,
    /// A row for each learned position.
    pub(super) positions: Option<GpuMatrix>,
    pub(super) layers: Vec<GpuLayer>,
    pub(super) norm: GpuNorm,
    /// `[v, d]`; `None` where the head is the embedding.
    pub(super) head: Option<GpuMatrix>,
    /// `[v]`
    pub(super) head_bias: Option<Buffer>,
    /// Of ALiBi, `[h]`.
    pub(super) slopes: Option<Buffer>,
}

/// A block. Norms that its shape does not have are `None`.
pub(super) struct GpuLayer {
    pub(super) before_attention: Option<GpuNorm>,
    pub(super) after_attention: Option<GpuNorm>,
    pub(super) before_mlp: Option<GpuNorm>,
    pub(super) after_mlp: Option<GpuNorm>,
    /// Norms of queries and keys in one: their weights, then their biases.
    pub(super) qk_norm: Option<Buffer>,
    pub(super) qkv: GpuProjection,
    pub(super) output: GpuProjection,
    pub(super) gate_up: GpuProjection,
    pub(super) down: GpuProjection,
}

/// A norm over the model's width, `[d]` each.
pub(super) struct GpuNorm {
    /// What is multiplied with, the one of weights around one included.
    pub(super) weight: Buffer,
    pub(super) bias: Option<Buffer>,
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
