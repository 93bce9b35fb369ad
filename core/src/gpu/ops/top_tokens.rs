//! The likeliest tokens, their logits and the log of the sum of exponentials, so that only a few
//! words are read back for each token. Of equal logits the lowest id counts as the larger.

use super::sizes::{count, holds, n_values, some, wrong};
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

pub(in crate::gpu) const SLICE: Kernel = Kernel {
    name: "top_tokens_slice",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce.wgsl"),
        include_str!("../../../../shaders/top_tokens_slice.wgsl"),
    ),
    needs: GpuProfile::BASELINE,
    params: SliceParams::LAYOUT,
};

pub(in crate::gpu) const SLICE_SUBGROUPS: Kernel = Kernel {
    name: "top_tokens_slice, subgroups",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce_subgroups.wgsl"),
        include_str!("../../../../shaders/top_tokens_slice.wgsl"),
    ),
    needs: SUBGROUPS,
    params: SliceParams::LAYOUT,
};

pub(in crate::gpu) const MERGE: Kernel = Kernel {
    name: "top_tokens_merge",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce.wgsl"),
        include_str!("../../../../shaders/top_tokens_merge.wgsl"),
    ),
    needs: GpuProfile::BASELINE,
    params: MergeParams::LAYOUT,
};

pub(in crate::gpu) const MERGE_SUBGROUPS: Kernel = Kernel {
    name: "top_tokens_merge, subgroups",
    source: concat!(
        include_str!("../../../../shaders/lib/reduce_subgroups.wgsl"),
        include_str!("../../../../shaders/top_tokens_merge.wgsl"),
    ),
    needs: SUBGROUPS,
    params: MergeParams::LAYOUT,
};

params! {
    SliceParams {
        n_logits: u32,
        slice_len: u32,
        pad0: u32,
        pad1: u32,
    }
}

params! {
    MergeParams {
        n_slices: u32,
        advance: u32,
        pad0: u32,
        pad1: u32,
    }
}

/// Lanes of a workgroup; the merge gives each lane one slice.
const LANES: usize = 256;
/// Logits that make a slice worth a workgroup.
const SLICE_LEN: usize = 1024;
/// Most tokens that are looked for.
const MAX_TOP: usize = 64;

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopShape {
    n_logits: usize,
    n_top: usize,
}

/// The likeliest tokens, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    pub ids: Vec<u32>,
    pub logits: Vec<f32>,
    /// A logit minus this is the token's log-probability.
    pub log_sum_exp: f32,
}

impl TopShape {
    /// The best `n_top` of `n_logits`, at least 1 and at most 64 and all of them.
    pub fn new(n_logits: usize, n_top: usize) -> Self {
        Self {
            n_logits,
            n_top: n_top.clamp(1, MAX_TOP).min(n_logits.max(1)),
        }
    }

    pub fn n_top(&self) -> usize {
        self.n_top
    }

    fn n_slices(&self) -> usize {
        self.n_logits.div_ceil(self.slice_len())
    }

    fn slice_len(&self) -> usize {
        self.n_logits.div_ceil(LANES).max(SLICE_LEN)
    }

    fn candidates_dims(&self) -> [usize; 2] {
        [self.n_slices(), 2 * self.n_top + 2]
    }

    /// Memory for what the slices leave.
    pub fn candidates_bytes(&self) -> u64 {
        n_values(&self.candidates_dims()) * 4
    }

    /// Length of the result, to be read back.
    pub fn result_bytes(&self) -> u64 {
        n_values(&[1 + 2 * self.n_top, 4])
    }

    /// The result as the GPU left it.
    ///
    /// # Errors
    /// Where it is too short, or a token is none: then not all logits were numbers.
    pub fn read(&self, bytes: &[u8]) -> Result<Top, GpuError> {
        let words: Vec<u32> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|&word| u32::from_le_bytes(word))
            .collect();
        let broken = |what, found| wrong("top tokens", what, found, "whole and finite logits");
        let [log_sum_exp, rest @ ..] = words.as_slice() else {
            return Err(broken("the length of the result", bytes.len() as u64));
        };
        if rest.len() < 2 * self.n_top {
            return Err(broken("the length of the result", bytes.len() as u64));
        }
        let (ids, logits) = rest.split_at(self.n_top);
        if let Some(&id) = ids.iter().find(|&&id| id as usize >= self.n_logits) {
            return Err(broken("a token", u64::from(id)));
        }
        Ok(Top {
            ids: ids.to_vec(),
            logits: logits[..self.n_top]
                .iter()
                .map(|&bits| f32::from_bits(bits))
                .collect(),
            log_sum_exp: f32::from_bits(*log_sum_exp),
        })
    }
}

/// From logits to the next input: `ids[0]` becomes the best token, and `state` moves on.
#[derive(Debug, Clone, Copy)]
pub struct TopTokens<'a> {
    /// `[v]`
    pub logits: &'a Buffer,
    pub shape: TopShape,
    /// [`TopShape::candidates_bytes`]
    pub candidates: &'a Buffer,
    /// [`TopShape::result_bytes`], for [`TopShape::read`].
    pub result: &'a Buffer,
    pub ids: &'a Buffer,
    pub state: &'a Buffer,
    /// How far `state[0]` moves: the tokens of the graph that made the logits.
    pub advance: usize,
}

/// # Errors
/// Where a buffer is too short.
pub fn top_tokens(gpu: &Gpu, label: &str, op: &TopTokens<'_>) -> Result<[Dispatch; 2], GpuError> {
    let shape = op.shape;
    some(label, "the number of logits", shape.n_logits)?;
    holds(op.logits, &[shape.n_logits])?;
    holds(op.candidates, &shape.candidates_dims())?;
    holds(op.result, &[1 + 2 * shape.n_top])?;
    holds(op.ids, &[1])?;
    holds(op.state, &[2])?;
    let subgroups = gpu.profile().subgroups;
    let n_slices = count(label, "the number of slices", shape.n_slices())?;
    let n_top = f64::from(count(label, "the number of tokens", shape.n_top)?);
    let slices = gpu.launch(&Launch {
        label,
        kernel: if subgroups { &SLICE_SUBGROUPS } else { &SLICE },
        constants: &[("N_TOP", n_top)],
        bindings: &[op.logits.whole(), op.candidates.whole()],
        weights: &[],
        params: SliceParams {
            n_logits: count(label, "the number of logits", shape.n_logits)?,
            slice_len: count(label, "the length of a slice", shape.slice_len())?,
            pad0: 0,
            pad1: 0,
        },
        groups: [n_slices, 1, 1],
    })?;
    let merged = gpu.launch(&Launch {
        label,
        kernel: if subgroups { &MERGE_SUBGROUPS } else { &MERGE },
        constants: &[("N_TOP", n_top)],
        bindings: &[
            op.candidates.whole(),
            op.result.whole(),
            op.ids.whole(),
            op.state.whole(),
        ],
        weights: &[],
        params: MergeParams {
            n_slices,
            advance: count(label, "the step", op.advance)?,
            pad0: 0,
            pad1: 0,
        },
        groups: [1, 1, 1],
    })?;
    Ok([slices, merged])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slice_has_a_lane_and_no_slice_is_empty() {
        for n_logits in [1, 2, 1023, 1024, 1025, 151_936, 262_144, 262_145, 1_000_000] {
            let shape = TopShape::new(n_logits, 1);
            assert!(shape.n_slices() <= LANES, "{n_logits}");
            assert!((shape.n_slices() - 1) * shape.slice_len() < n_logits);
        }
    }

    #[test]
    fn a_result_that_names_no_token_is_refused() {
        let shape = TopShape::new(3, 2);
        let bytes = |words: [u32; 5]| words.map(u32::to_le_bytes).concat();
        let one = 1.0f32.to_bits();
        let top = shape.read(&bytes([one, 2, 0, one, one])).unwrap();
        assert_eq!((top.ids, top.log_sum_exp), (vec![2, 0], 1.0));
        assert!(shape.read(&bytes([one, 2, u32::MAX, one, one])).is_err());
        assert!(shape.read(&[0; 12]).is_err());
    }
}
