//! Values bent below a cap in magnitude, as Gemma 2 does with its logits.

use super::sizes::{count, holds, some};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch, spread},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

pub(in crate::gpu) const SOFT_CAP: Kernel = Kernel {
    name: "soft_cap",
    source: include_str!("../../../../shaders/soft_cap.wgsl"),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

params! {
    Params {
        n: u32,
        cap: f32,
        pad0: u32,
        pad1: u32,
    }
}

/// `x[i] = cap · tanh(x[i] / cap)` for the first `n` values.
#[derive(Debug, Clone, Copy)]
pub struct SoftCap<'a> {
    pub x: &'a Buffer,
    pub cap: f32,
    pub n: usize,
}

/// # Errors
/// Where the buffer is too short.
pub fn soft_cap(gpu: &Gpu, label: &str, op: &SoftCap<'_>) -> Result<Dispatch, GpuError> {
    some(label, "the number of values", op.n)?;
    holds(op.x, &[op.n])?;
    let n = count(label, "the number of values", op.n)?;
    gpu.launch(&Launch {
        label,
        kernel: &SOFT_CAP,
        constants: &[],
        bindings: &[op.x.whole()],
        weights: &[],
        params: Params {
            n,
            cap: op.cap,
            pad0: 0,
            pad1: 0,
        },
        groups: spread(n.div_ceil(256), gpu.limits().max_workgroups),
    })
}
