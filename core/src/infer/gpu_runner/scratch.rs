//! Activations of one forward pass. Launches run in order, so all sessions share them.

use crate::{
    arch::Arch,
    gpu::{Buffer, Gpu, GpuError},
    infer::plan::ScratchSizes,
};

pub(super) struct Scratch {
    /// Residual stream `[c, d]`.
    pub(super) x: Buffer,
    /// `[c, d]`; also what a norm after a block reads.
    pub(super) normed: Buffer,
    /// `[c, (h + 2g) k]`
    pub(super) qkv: Buffer,
    /// Rotated queries `[c, h k]`.
    pub(super) q: Buffer,
    /// What the splits of one token's attention leave.
    pub(super) splits: Buffer,
    /// `[c, h k]`
    pub(super) attended: Buffer,
    /// `[c, 2f]`, without a gate `[c, f]`.
    pub(super) gate_up: Buffer,
    /// `[c, f]`
    pub(super) gated: Buffer,
}

impl Scratch {
    /// For chunks of `n_tokens`.
    pub(super) fn new(gpu: &Gpu, arch: &Arch, n_tokens: usize) -> Result<Self, GpuError> {
        let sizes = ScratchSizes::new(arch, n_tokens);
        Ok(Self {
            x: gpu.empty("residual stream", sizes.x)?,
            normed: gpu.empty("normed", sizes.normed)?,
            qkv: gpu.empty("queries, keys, values", sizes.qkv)?,
            q: gpu.empty("rotated queries", sizes.q)?,
            splits: gpu.empty("splits of attention", sizes.splits)?,
            attended: gpu.empty("attended", sizes.attended)?,
            gate_up: gpu.empty("gate and up", sizes.gate_up)?,
            gated: gpu.empty("gated", sizes.gated)?,
        })
    }
}
