//! RMSNorm (Zhang & Sennrich 2019) and LayerNorm (Ba et al. 2016) of rows.

use super::sizes::{count, holds, some};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

pub(in crate::gpu) const NORM: Kernel = Kernel {
    name: "norm",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce.wgsl"),
        include_str!("../../../../shaders/norm.wgsl"),
    ),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

pub(in crate::gpu) const NORM_SUBGROUPS: Kernel = Kernel {
    name: "norm, subgroups",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce_subgroups.wgsl"),
        include_str!("../../../../shaders/norm.wgsl"),
    ),
    needs: GpuProfile {
        subgroups: true,
        f16: false,
    },
    params: Params::LAYOUT,
};

params! {
    Params {
        d: u32,
        first_row: u32,
        eps: f32,
        scale: f32,
    }
}

/// What a norm multiplies with, and which norm it is.
#[derive(Debug, Clone, Copy)]
pub struct NormWeights<'a> {
    /// `[d]`; weights around one have it added already.
    pub weight: &'a Buffer,
    /// `[d]`
    pub bias: Option<&'a Buffer>,
    /// LayerNorm: the mean is taken off first.
    pub is_centred: bool,
    pub eps: f32,
}

/// `out[i] = norm(x[first_row + i])` for `n_rows` rows.
#[derive(Debug, Clone, Copy)]
pub struct Norm<'a> {
    pub weights: NormWeights<'a>,
    /// `[at least first_row + n_rows, d]`
    pub x: &'a Buffer,
    /// `[n_rows, d]`, another buffer than `x`.
    pub out: &'a Buffer,
    /// Add this many times the norm to what `out` holds, instead of replacing it.
    pub added: Option<f32>,
    pub d: usize,
    /// The last token's row, where only the head follows.
    pub first_row: usize,
    pub n_rows: usize,
}

/// # Errors
/// Where a buffer is too short.
pub fn norm(gpu: &Gpu, label: &str, op: &Norm<'_>) -> Result<Dispatch, GpuError> {
    let NormWeights {
        weight,
        bias,
        is_centred,
        eps,
    } = op.weights;
    some(label, "the width", op.d)?;
    holds(op.x, &[op.first_row.saturating_add(op.n_rows), op.d])?;
    holds(weight, &[op.d])?;
    holds(bias.unwrap_or(weight), &[op.d])?;
    holds(op.out, &[op.n_rows, op.d])?;
    let flag = |is_set: bool| f64::from(u8::from(is_set));
    gpu.launch(&Launch {
        label,
        kernel: if gpu.profile().subgroups {
            &NORM_SUBGROUPS
        } else {
            &NORM
        },
        constants: &[
            ("CENTRED", flag(is_centred)),
            ("BIASED", flag(bias.is_some())),
            ("ADDED", flag(op.added.is_some())),
        ],
        bindings: &[
            op.x.whole(),
            weight.whole(),
            bias.unwrap_or(weight).whole(),
            op.out.whole(),
        ],
        weights: &[],
        params: Params {
            d: count(label, "the width", op.d)?,
            first_row: count(label, "the first row", op.first_row)?,
            eps,
            scale: op.added.unwrap_or(1.0),
        },
        groups: [count(label, "the number of rows", op.n_rows)?, 1, 1],
    })
}
