//! Root-mean-square normalization of rows (Zhang & Sennrich 2019) after a residual sum.

use super::sizes::{count, holds, some};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

const SUBGROUPS: GpuProfile = GpuProfile {
    subgroups: true,
    f16: false,
};

pub(in crate::gpu) const ADD_RMS_NORM: Kernel = Kernel {
    name: "add_rms_norm",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce.wgsl"),
        include_str!("../../../../shaders/add_rms_norm.wgsl"),
    ),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

pub(in crate::gpu) const ADD_RMS_NORM_SUBGROUPS: Kernel = Kernel {
    name: "add_rms_norm, subgroups",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce_subgroups.wgsl"),
        include_str!("../../../../shaders/add_rms_norm.wgsl"),
    ),
    needs: SUBGROUPS,
    params: Params::LAYOUT,
};

params! {
    Params {
        d: u32,
        eps: f32,
        pad0: u32,
        pad1: u32,
    }
}

/// `x += delta; out = x / sqrt(mean(x²) + eps) · weight`, row by row.
#[derive(Debug, Clone, Copy)]
pub struct AddRmsNorm<'a> {
    /// `[t, d]`, read and written.
    pub x: &'a Buffer,
    /// `[t, d]`
    pub delta: &'a Buffer,
    /// `[d]`
    pub weight: &'a Buffer,
    /// `[t, d]`
    pub out: &'a Buffer,
    pub n_tokens: usize,
    pub d: usize,
    pub eps: f32,
}

/// # Errors
/// Where a buffer is too short.
pub fn add_rms_norm(gpu: &Gpu, label: &str, op: &AddRmsNorm<'_>) -> Result<Dispatch, GpuError> {
    some(label, "the width", op.d)?;
    for rows in [op.x, op.delta, op.out] {
        holds(rows, &[op.n_tokens, op.d])?;
    }
    holds(op.weight, &[op.d])?;
    gpu.launch(&Launch {
        label,
        kernel: if gpu.profile().subgroups {
            &ADD_RMS_NORM_SUBGROUPS
        } else {
            &ADD_RMS_NORM
        },
        constants: &[],
        bindings: &[
            op.x.whole(),
            op.delta.whole(),
            op.weight.whole(),
            op.out.whole(),
        ],
        weights: &[],
        params: Params {
            d: count(label, "the width", op.d)?,
            eps: op.eps,
            pad0: 0,
            pad1: 0,
        },
        groups: [count(label, "the number of tokens", op.n_tokens)?, 1, 1],
    })
}
