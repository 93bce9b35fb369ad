//! The gate of a gated feed-forward layer, `silu(gate) · up` (Shazeer 2020).

use super::sizes::{count, holds, some};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

pub(in crate::gpu) const SILU_MUL: Kernel = Kernel {
    name: "silu_mul",
    source: include_str!("../../../../shaders/silu_mul.wgsl"),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

params! {
    Params {
        f: u32,
        pad0: u32,
        pad1: u32,
        pad2: u32,
    }
}

/// `a[i, c] = silu(gate_up[i, c]) · gate_up[i, f + c]`
#[derive(Debug, Clone, Copy)]
pub struct SiluMul<'a> {
    /// `[t, 2 f]`, gate first.
    pub gate_up: &'a Buffer,
    /// `[t, f]`
    pub a: &'a Buffer,
    pub n_tokens: usize,
    pub f: usize,
}

/// # Errors
/// Where a buffer is too short.
pub fn silu_mul(gpu: &Gpu, label: &str, op: &SiluMul<'_>) -> Result<Dispatch, GpuError> {
    some(label, "the feed-forward width", op.f)?;
    holds(op.gate_up, &[op.n_tokens, 2, op.f])?;
    holds(op.a, &[op.n_tokens, op.f])?;
    let f = count(label, "the feed-forward width", op.f)?;
    gpu.launch(&Launch {
        label,
        kernel: &SILU_MUL,
        constants: &[],
        bindings: &[op.gate_up.whole(), op.a.whole()],
        weights: &[],
        params: Params {
            f,
            pad0: 0,
            pad1: 0,
            pad2: 0,
        },
        groups: [
            f.div_ceil(256),
            count(label, "the number of tokens", op.n_tokens)?,
            1,
        ],
    })
}
