//! Causal grouped-query attention over the cache: keys shared out to splits for a single token,
//! tile by tile with an online softmax (Dao et al. 2022) for several.

use super::{
    kv_cache::KvCache,
    sizes::{count, holds, n_values, some, wrong},
};
use crate::gpu::{
    Gpu,
    buffer::Buffer,
    dispatch::{Dispatch, Launch},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    profile::GpuProfile,
};

pub(in crate::gpu) const SPLIT: Kernel = Kernel {
    name: "attention_split",
    source: concat!(
        include_str!("../../../../shaders/lib/kv_read.wgsl"),
        include_str!("../../../../shaders/lib/scores.wgsl"),
        include_str!("../../../../shaders/attention_split.wgsl"),
    ),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

pub(in crate::gpu) const COMBINE: Kernel = Kernel {
    name: "attention_combine",
    source: include_str!("../../../../shaders/attention_combine.wgsl"),
    needs: GpuProfile::BASELINE,
    params: CombineParams::LAYOUT,
};

pub(in crate::gpu) const TILED: Kernel = Kernel {
    name: "attention_tiled",
    source: concat!(
        include_str!("../../../../shaders/lib/kv_read.wgsl"),
        include_str!("../../../../shaders/lib/scores.wgsl"),
        include_str!("../../../../shaders/attention_tiled.wgsl"),
    ),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

params! {
    Params {
        n_heads: u32,
        n_kv_heads: u32,
        capacity: u32,
        window: u32,
        scale: f32,
        cap: f32,
        n_tokens: u32,
        alibi_scale: f32,
    }
}

params! {
    CombineParams {
        head_dim: u32,
        n_splits: u32,
        pad0: u32,
        pad1: u32,
    }
}

/// Lanes of `attention_split`, each with at most 8 pairs of a sum in registers.
const SPLIT_LANES: usize = 128;
/// Widest head whose 8 queries fit those registers.
pub const MAX_HEAD_DIM: usize = 256;
/// Query heads that a workgroup of `attention_split` serves together.
const MAX_HEADS_TOGETHER: usize = 8;
/// Workgroups that keep a large GPU busy while one token attends.
const WANTED_GROUPS: usize = 256;
/// Workgroup memory that every device has.
const WORKGROUP_BYTES: usize = 16384;

/// Attention of the tokens at `state[0]` and behind, whose own keys are in the cache already.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// `[t, h, k]`
    pub q: &'a Buffer,
    pub cache: &'a KvCache,
    pub state: &'a Buffer,
    /// [`attention_scratch_bytes`], shared by all layers.
    pub scratch: &'a Buffer,
    /// `[t, h, k]`
    pub out: &'a Buffer,
    pub n_heads: usize,
    pub n_tokens: usize,
    /// How many tokens back a query sees, itself included.
    pub window: Option<usize>,
    /// Mostly `1 / sqrt(k)`.
    pub scale: f32,
    /// Scores are bent to `cap · tanh(score / cap)`.
    pub cap: Option<f32>,
    pub slopes: Option<HeadSlopes<'a>>,
}

/// Attention with linear biases: `slope · position of the key · scale` is added to scores, rounded
/// as `arch::Alibi` does it.
#[derive(Debug, Clone, Copy)]
pub struct HeadSlopes<'a> {
    /// `[h]`, each a bf16.
    pub slopes: &'a Buffer,
    pub scale: f32,
}

/// Whether heads of this width can attend.
pub fn takes_heads_of(head_dim: usize) -> bool {
    head_dim.is_multiple_of(2) && (2..=MAX_HEAD_DIM).contains(&head_dim)
}

impl<'a> Attention<'a> {
    /// The value of the kernels' constant `ALIBI`.
    fn has_slopes(&self) -> f64 {
        f64::from(u8::from(self.slopes.is_some()))
    }

    fn slopes_or_any(&self) -> &'a Buffer {
        self.slopes.map_or(self.q, |alibi| alibi.slopes)
    }
}

/// Memory for what the splits of a single token's attention leave.
pub fn attention_scratch_bytes(n_heads: usize, n_kv_heads: usize, head_dim: usize) -> u64 {
    let n_splits = Sharing::new(n_heads, n_kv_heads).n_splits;
    n_values(&[n_heads, n_splits, head_dim + 2, size_of::<f32>()])
}

/// # Errors
/// Where a buffer is too short, or heads cannot be shared or are too wide.
pub fn attention(gpu: &Gpu, label: &str, op: &Attention<'_>) -> Result<Vec<Dispatch>, GpuError> {
    let shape = op.cache.shape;
    some(label, "the number of tokens", op.n_tokens)?;
    if shape.n_kv_heads == 0 || !op.n_heads.is_multiple_of(shape.n_kv_heads) {
        let expected = format!("a divisor of {}", op.n_heads);
        let found = shape.n_kv_heads as u64;
        return Err(wrong(label, "the number of key heads", found, expected));
    }
    let k = shape.head_dim;
    if !takes_heads_of(k) {
        let expected = format!("even, 2 to {MAX_HEAD_DIM}");
        return Err(wrong(label, "the head width", k as u64, expected));
    }
    for rows in [op.q, op.out] {
        holds(rows, &[op.n_tokens, op.n_heads, k])?;
    }
    holds(op.state, &[2])?;
    if let Some(alibi) = op.slopes {
        holds(alibi.slopes, &[op.n_heads])?;
    }
    let params = Params {
        n_heads: count(label, "the number of heads", op.n_heads)?,
        n_kv_heads: count(label, "the number of heads", shape.n_kv_heads)?,
        capacity: count(label, "the capacity", shape.capacity)?,
        // A window that no position reaches is none.
        window: op
            .window
            .map_or(0, |window| u32::try_from(window).unwrap_or(0)),
        scale: op.scale,
        cap: op.cap.unwrap_or(0.0),
        n_tokens: count(label, "the number of tokens", op.n_tokens)?,
        alibi_scale: op.slopes.map_or(0.0, |alibi| alibi.scale),
    };
    if op.n_tokens == 1 {
        split(gpu, label, op, params)
    } else {
        Ok(vec![tiled(gpu, label, op, params)?])
    }
}

fn split(
    gpu: &Gpu,
    label: &str,
    op: &Attention<'_>,
    params: Params,
) -> Result<Vec<Dispatch>, GpuError> {
    let shape = op.cache.shape;
    let sharing = Sharing::new(op.n_heads, shape.n_kv_heads);
    holds(
        op.scratch,
        &[op.n_heads, sharing.n_splits, shape.head_dim + 2],
    )?;
    let number = |n: usize| count(label, "a constant of the kernel", n);
    let constant = |n: usize| number(n).map(f64::from);
    let partial = gpu.launch(&Launch {
        label,
        kernel: &SPLIT,
        constants: &[
            ("WORKGROUP", constant(SPLIT_LANES)?),
            ("HEAD_DIM", constant(shape.head_dim)?),
            ("N_SPLITS", constant(sharing.n_splits)?),
            ("HEADS", constant(sharing.heads_together)?),
            (
                "KV_TILE",
                constant(kv_tile(shape.head_dim, sharing.heads_together))?,
            ),
            ("KV_F16", op.cache.is_f16()),
            ("ALIBI", op.has_slopes()),
        ],
        bindings: &[
            op.q.whole(),
            op.cache.keys.whole(),
            op.cache.values.whole(),
            op.state.whole(),
            op.slopes_or_any().whole(),
            op.scratch.whole(),
        ],
        weights: &[],
        params,
        groups: [
            number(sharing.n_splits)?,
            params.n_kv_heads,
            number(sharing.groups_a_kv_head)?,
        ],
    })?;
    let combined = gpu.launch(&Launch {
        label,
        kernel: &COMBINE,
        constants: &[],
        bindings: &[op.scratch.whole(), op.out.whole()],
        weights: &[],
        params: CombineParams {
            head_dim: number(shape.head_dim)?,
            n_splits: number(sharing.n_splits)?,
            pad0: 0,
            pad1: 0,
        },
        groups: [params.n_heads, 1, 1],
    })?;
    Ok(vec![partial, combined])
}

fn tiled(gpu: &Gpu, label: &str, op: &Attention<'_>, params: Params) -> Result<Dispatch, GpuError> {
    let head_dim = count(label, "the head width", op.cache.shape.head_dim)?;
    let n_rows = op.n_tokens * op.n_heads / op.cache.shape.n_kv_heads;
    gpu.launch(&Launch {
        label,
        kernel: &TILED,
        constants: &[
            ("HEAD_DIM", f64::from(head_dim)),
            ("KV_F16", op.cache.is_f16()),
            ("ALIBI", op.has_slopes()),
        ],
        bindings: &[
            op.q.whole(),
            op.cache.keys.whole(),
            op.cache.values.whole(),
            op.state.whole(),
            op.slopes_or_any().whole(),
            op.out.whole(),
        ],
        weights: &[],
        params,
        groups: [
            count(label, "the number of rows", n_rows.div_ceil(32))?,
            params.n_kv_heads,
            head_dim.div_ceil(128),
        ],
    })
}

/// How one token's attention is shared out to workgroups.
#[derive(Debug, PartialEq)]
struct Sharing {
    heads_together: usize,
    groups_a_kv_head: usize,
    n_splits: usize,
}

impl Sharing {
    fn new(n_heads: usize, n_kv_heads: usize) -> Self {
        let heads_a_kv = (n_heads / n_kv_heads.max(1)).max(1);
        let groups_a_kv_head = heads_a_kv.div_ceil(MAX_HEADS_TOGETHER);
        let n_groups = groups_a_kv_head * n_kv_heads.max(1);
        Self {
            heads_together: heads_a_kv.div_ceil(groups_a_kv_head),
            groups_a_kv_head,
            n_splits: (WANTED_GROUPS / n_groups).clamp(8, 32),
        }
    }
}

/// Keys of a tile of `attention_split`: a power of two that fits workgroup memory by the formula of
/// its header.
fn kv_tile(head_dim: usize, heads_together: usize) -> usize {
    let queries = heads_together * (4 * head_dim + 12);
    let key = 4 * (head_dim + 2 + heads_together);
    let fitting = WORKGROUP_BYTES.saturating_sub(queries) / key;
    1 << fitting.clamp(1, 32).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_shared_out_evenly() {
        let sharing = |h, g| {
            let s = Sharing::new(h, g);
            (s.heads_together, s.groups_a_kv_head, s.n_splits)
        };
        assert_eq!(sharing(32, 8), (4, 1, 32));
        assert_eq!(sharing(14, 2), (7, 1, 32));
        assert_eq!(sharing(12, 1), (6, 2, 32));
        assert_eq!(sharing(32, 32), (1, 1, 8));
    }

    #[test]
    fn every_head_width_fits_the_memory_of_every_device() {
        for k in (2..=MAX_HEAD_DIM).step_by(2) {
            for heads in 1..=MAX_HEADS_TOGETHER {
                let tile = kv_tile(k, heads);
                let n_bytes = 4 * heads * k + 4 * tile * (k + 2 + heads) + 12 * heads;
                assert!(n_bytes <= 16384, "{heads} heads of {k}: {n_bytes}");
                assert!((heads * k / 2).div_ceil(SPLIT_LANES) <= 8, "{k}");
            }
        }
        let tiles = [(64, 4), (128, 4), (256, 8), (2, 1)].map(|(k, heads)| kv_tile(k, heads));
        assert_eq!(tiles, [32, 16, 4, 32]);
    }
}
