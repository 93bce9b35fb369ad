//! Queries and keys normalized where the model does, rotated (Su et al. 2021, halves paired as
//! GPT-NeoX and transformers do), and keys and values put into the cache.

use super::{
    kv_cache::KvCache,
    sizes::{count, holds, wrong},
};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

pub(in crate::gpu) const ROPE_APPEND: Kernel = Kernel {
    name: "rope_append",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce.wgsl"),
        include_str!("../../../../shaders/lib/sin_cos.wgsl"),
        include_str!("../../../../shaders/rope_append.wgsl"),
    ),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

pub(in crate::gpu) const ROPE_APPEND_SUBGROUPS: Kernel = Kernel {
    name: "rope_append, subgroups",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce_subgroups.wgsl"),
        include_str!("../../../../shaders/lib/sin_cos.wgsl"),
        include_str!("../../../../shaders/rope_append.wgsl"),
    ),
    needs: GpuProfile {
        subgroups: true,
        f16: false,
    },
    params: Params::LAYOUT,
};

params! {
    Params {
        n_heads: u32,
        n_kv_heads: u32,
        capacity: u32,
        eps: f32,
        factor: f32,
        pad0: u32,
        pad1: u32,
        pad2: u32,
    }
}

/// Lanes that share a head.
const WORKGROUP: f64 = 64.0;

/// How the first values of every head turn, halves against each other.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// Angular frequencies `[n_rotated / 2]`, as `RopeSpec::frequencies` gives them.
    pub frequencies: &'a Buffer,
    /// Values of a head that turn, an even number; the others pass.
    pub n_rotated: usize,
    /// Cosines and sines are multiplied by this.
    pub factor: f32,
}

/// Norms of queries and keys before they turn.
#[derive(Debug, Clone, Copy)]
pub struct QkNorm<'a> {
    /// Weights of queries, weights of keys, then their biases likewise where there are some.
    pub weights: &'a Buffer,
    pub heads: NormedHeads,
    /// LayerNorm: the mean is taken off first.
    pub is_centred: bool,
    pub has_bias: bool,
    pub eps: f32,
}

/// Which values are normalized together, and with which weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormedHeads {
    /// Each head alone, all of a kind with one weight `[k]`.
    OneWeight,
    /// Each head alone, with a weight of its own: `[h, k]` and `[g, k]`.
    OwnWeight,
    /// All heads of a kind together: `[h k]` and `[g k]`.
    Together,
}

/// The tokens at `state[0]` and behind: `qkv` to `q` and the cache.
#[derive(Debug, Clone, Copy)]
pub struct RopeAppend<'a> {
    /// `[t, (h + 2 g) k]`: queries, keys, values.
    pub qkv: &'a Buffer,
    /// Heads of `qkv` stand by groups: a group's queries, its key, its value, then the next.
    pub is_grouped: bool,
    /// `None` turns nothing.
    pub rotation: Option<Rotation<'a>>,
    pub state: &'a Buffer,
    pub norm: Option<QkNorm<'a>>,
    /// `[t, h, k]`
    pub q: &'a Buffer,
    pub cache: &'a KvCache,
    pub n_heads: usize,
    pub n_tokens: usize,
}

impl NormedHeads {
    /// The kernel's number for it.
    fn number(self) -> f64 {
        match self {
            Self::OneWeight => 1.0,
            Self::OwnWeight => 2.0,
            Self::Together => 3.0,
        }
    }
}

/// # Errors
/// Where a buffer is too short, a width odd, or more is to be rotated than there is.
pub fn rope_append(gpu: &Gpu, label: &str, op: &RopeAppend<'_>) -> Result<Dispatch, GpuError> {
    let shape = op.cache.shape;
    let (h, g, k) = (op.n_heads, shape.n_kv_heads, shape.head_dim);
    check(label, op)?;
    let n_rotated = op.rotation.map_or(0, |rotation| rotation.n_rotated);
    let flag = |is_set: bool| f64::from(u8::from(is_set));
    gpu.launch(&Launch {
        label,
        kernel: if gpu.profile().subgroups {
            &ROPE_APPEND_SUBGROUPS
        } else {
            &ROPE_APPEND
        },
        constants: &[
            ("WORKGROUP", WORKGROUP),
            ("HEAD_DIM", f64::from(count(label, "the head width", k)?)),
            (
                "ROTATED",
                f64::from(count(label, "the rotated width", n_rotated)?),
            ),
            ("NORM", op.norm.map_or(0.0, |norm| norm.heads.number())),
            ("CENTRED", flag(op.norm.is_some_and(|norm| norm.is_centred))),
            ("BIASED", flag(op.norm.is_some_and(|norm| norm.has_bias))),
            ("GROUPED", flag(op.is_grouped)),
            ("KV_F16", op.cache.is_f16()),
        ],
        bindings: &[
            op.qkv.whole(),
            op.rotation
                .map_or(op.qkv, |rotation| rotation.frequencies)
                .whole(),
            op.state.whole(),
            op.norm.map_or(op.qkv, |norm| norm.weights).whole(),
            op.q.whole(),
            op.cache.keys.whole(),
            op.cache.values.whole(),
        ],
        weights: &[],
        params: Params {
            n_heads: count(label, "the number of heads", h)?,
            n_kv_heads: count(label, "the number of heads", g)?,
            capacity: count(label, "the capacity", shape.capacity)?,
            eps: op.norm.map_or(0.0, |norm| norm.eps),
            factor: op.rotation.map_or(1.0, |rotation| rotation.factor),
            pad0: 0,
            pad1: 0,
            pad2: 0,
        },
        groups: [
            count(label, "the number of heads", h + 2 * g)?,
            count(label, "the number of tokens", op.n_tokens)?,
            1,
        ],
    })
}

fn check(label: &str, op: &RopeAppend<'_>) -> Result<(), GpuError> {
    let shape = op.cache.shape;
    let (h, g, k) = (op.n_heads, shape.n_kv_heads, shape.head_dim);
    if k == 0 || !k.is_multiple_of(2) {
        return Err(wrong(label, "the head width", k as u64, "even, at least 2"));
    }
    if g == 0 || !h.is_multiple_of(g) {
        let expected = format!("a divisor of {h}");
        return Err(wrong(label, "the number of key heads", g as u64, expected));
    }
    if let Some(rotation) = op.rotation {
        let n_rotated = rotation.n_rotated;
        if n_rotated == 0 || !n_rotated.is_multiple_of(2) || n_rotated > k {
            let expected = format!("even, 2 to {k}");
            let found = n_rotated as u64;
            return Err(wrong(label, "the rotated width", found, expected));
        }
        holds(rotation.frequencies, &[n_rotated / 2])?;
    }
    if let Some(norm) = op.norm {
        let n_weights = match norm.heads {
            NormedHeads::OneWeight => 2,
            NormedHeads::OwnWeight | NormedHeads::Together => h + g,
        };
        let n_parts = if norm.has_bias { 2 } else { 1 };
        holds(norm.weights, &[n_parts, n_weights, k])?;
    }
    holds(op.qkv, &[op.n_tokens, h + 2 * g, k])?;
    holds(op.state, &[2])?;
    holds(op.q, &[op.n_tokens, h, k])
}
