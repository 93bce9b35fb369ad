//! The activation of a feed-forward layer: alone, or on a gate, `act(gate) · up` (Shazeer 2020).

use super::sizes::{count, holds, some};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

pub(in crate::gpu) const ACTIVATE: Kernel = Kernel {
    name: "activate",
    source: concat!(
        include_str!("../../../../shaders/lib/erf.wgsl"),
        include_str!("../../../../shaders/activate.wgsl"),
    ),
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

/// What is applied to every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Silu,
    /// With the error function.
    Gelu,
    /// By the approximation with tanh.
    GeluTanh,
    Relu,
}

impl Activation {
    /// The kernel's number for it.
    fn number(self) -> f64 {
        match self {
            Self::Silu => 0.0,
            Self::Gelu => 1.0,
            Self::GeluTanh => 2.0,
            Self::Relu => 3.0,
        }
    }
}

/// `a[i, c] = act(x[i, c])`, or of a gate `act(x[i, c]) · x[i, f + c]`.
#[derive(Debug, Clone, Copy)]
pub struct Activate<'a> {
    pub activation: Activation,
    pub is_gated: bool,
    /// `[t, f]`, gated `[t, 2 f]`, gate first.
    pub x: &'a Buffer,
    /// `[t, f]`
    pub a: &'a Buffer,
    pub n_tokens: usize,
    pub f: usize,
}

/// # Errors
/// Where a buffer is too short.
pub fn activate(gpu: &Gpu, label: &str, op: &Activate<'_>) -> Result<Dispatch, GpuError> {
    some(label, "the feed-forward width", op.f)?;
    let n_parts = if op.is_gated { 2 } else { 1 };
    holds(op.x, &[op.n_tokens, n_parts, op.f])?;
    holds(op.a, &[op.n_tokens, op.f])?;
    let f = count(label, "the feed-forward width", op.f)?;
    gpu.launch(&Launch {
        label,
        kernel: &ACTIVATE,
        constants: &[
            ("ACTIVATION", op.activation.number()),
            ("GATED", f64::from(u8::from(op.is_gated))),
        ],
        bindings: &[op.x.whole(), op.a.whole()],
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
