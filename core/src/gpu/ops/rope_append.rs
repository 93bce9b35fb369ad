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
    }
}

/// Lanes that share a head.
const WORKGROUP: f64 = 64.0;

/// Weights of the norm that Qwen3 puts on every head before it is rotated.
#[derive(Debug, Clone, Copy)]
pub struct QkNorm<'a> {
    /// `[k]`
    pub q: &'a Buffer,
    /// `[k]`
    pub k: &'a Buffer,
    pub eps: f32,
}

/// The tokens at `state[0]` and behind: `qkv` to `q` and the cache.
#[derive(Debug, Clone, Copy)]
pub struct RopeAppend<'a> {
    /// `[t, (h + 2 g) k]`: queries, keys, values.
    pub qkv: &'a Buffer,
    /// Angular frequencies `[k / 2]`, as `RopeSpec::frequencies` gives them.
    pub frequencies: &'a Buffer,
    pub state: &'a Buffer,
    pub norm: Option<QkNorm<'a>>,
    /// `[t, h, k]`
    pub q: &'a Buffer,
    pub cache: &'a KvCache,
    pub n_heads: usize,
    pub n_tokens: usize,
}

/// # Errors
/// Where a buffer is too short or the head width is odd.
pub fn rope_append(gpu: &Gpu, label: &str, op: &RopeAppend<'_>) -> Result<Dispatch, GpuError> {
    let shape = op.cache.shape;
    let k = shape.head_dim;
    if k == 0 || !k.is_multiple_of(2) {
        return Err(wrong(label, "the head width", k as u64, "even, at least 2"));
    }
    let n_slots = op.n_heads + 2 * shape.n_kv_heads;
    holds(op.qkv, &[op.n_tokens, n_slots, k])?;
    holds(op.frequencies, &[k / 2])?;
    holds(op.state, &[2])?;
    holds(op.q, &[op.n_tokens, op.n_heads, k])?;
    if let Some(norm) = op.norm {
        holds(norm.q, &[k])?;
        holds(norm.k, &[k])?;
    }
    let unused = op.frequencies;
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
            ("NORMED", f64::from(u8::from(op.norm.is_some()))),
            ("KV_F16", op.cache.is_f16()),
        ],
        bindings: &[
            op.qkv.whole(),
            op.frequencies.whole(),
            op.state.whole(),
            op.norm.map_or(unused, |norm| norm.q).whole(),
            op.norm.map_or(unused, |norm| norm.k).whole(),
            op.q.whole(),
            op.cache.keys.whole(),
            op.cache.values.whole(),
        ],
        weights: &[],
        params: Params {
            n_heads: count(label, "the number of heads", op.n_heads)?,
            n_kv_heads: count(label, "the number of heads", shape.n_kv_heads)?,
            capacity: count(label, "the capacity", shape.capacity)?,
            eps: op.norm.map_or(0.0, |norm| norm.eps),
        },
        groups: [
            count(label, "the number of heads", n_slots)?,
            count(label, "the number of tokens", op.n_tokens)?,
            1,
        ],
    })
}
