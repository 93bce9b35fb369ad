//! `y += x`.

use super::sizes::{count, holds, some};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch, spread},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

pub(in crate::gpu) const ADD: Kernel = Kernel {
    name: "add",
    source: include_str!("../../../../shaders/add.wgsl"),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

params! {
    Params {
        n: u32,
        pad0: u32,
        pad1: u32,
        pad2: u32,
    }
}

/// `y[i] += x[i]` for the first `n` values.
#[derive(Debug, Clone, Copy)]
pub struct Add<'a> {
    pub x: &'a Buffer,
    pub y: &'a Buffer,
    pub n: usize,
}

/// # Errors
/// Where a buffer is too short.
pub fn add(gpu: &Gpu, label: &str, op: &Add<'_>) -> Result<Dispatch, GpuError> {
    some(label, "the number of values", op.n)?;
    holds(op.x, &[op.n])?;
    holds(op.y, &[op.n])?;
    let n = count(label, "the number of values", op.n)?;
    gpu.launch(&Launch {
        label,
        kernel: &ADD,
        constants: &[],
        bindings: &[op.x.whole(), op.y.whole()],
        weights: &[],
        params: Params {
            n,
            pad0: 0,
            pad1: 0,
            pad2: 0,
        },
        groups: spread(n.div_ceil(256), gpu.limits().max_workgroups),
    })
}
