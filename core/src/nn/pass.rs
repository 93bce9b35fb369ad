//! What every layer of one forward pass shares: positions, who sees whom, dropout.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::Rope;
use crate::{arch::Arch, rng::Rng};

/// One forward pass over a batch.
#[derive(Debug, Clone)]
pub struct Pass {
    /// One for each of [`Arch::ropes`].
    pub ropes: Vec<Rope>,
    pub masks: Masks,
    /// Added to scores by head and key, `[b or 1, h, 1, s]`.
    pub alibi: Option<Tensor<4>>,
    /// `[b or 1, t]`, where positions have embeddings.
    pub positions: Option<Tensor<2, Int>>,
    /// `None` outside training.
    pub dropout: Option<Dropout>,
}

impl Pass {
    /// What `arch` needs for queries at the last `t` of `s` places: `[b, s]`, row major.
    /// `b` may be 1 for a batch whose rows share positions and have one segment.
    pub fn new(arch: &Arch, places: &[KeyPlace], [b, t, s]: [usize; 3], device: &Device) -> Self {
        let positions: Vec<u32> = places
            .chunks(s.max(1))
            .flat_map(|row| row[s - t..].iter().map(|place| place.position))
            .collect();
        let longest = places.iter().map(|place| place.position as usize + 1).max();
        let n_positions = longest.unwrap_or_default();
        let ropes = arch.ropes.iter();
        Self {
            ropes: ropes
                .map(|spec| Rope::new(spec, n_positions, &positions, [b, t], device))
                .collect(),
            masks: Masks::new(&arch.windows(), places, [b, t, s], device),
            alibi: alibi(arch, places, [b, s], device),
            positions: arch.embedding.n_positions.map(|n_rows| {
                let last = n_rows.saturating_sub(1);
                let rows = positions
                    .iter()
                    .map(|&position| last.min(position as usize) as i32);
                let data = TensorData::new(rows.collect::<Vec<i32>>(), [b, t]);
                Tensor::from_data(data, (device, DType::I32))
            }),
            dropout: None,
        }
    }
}

fn alibi(
    arch: &Arch,
    places: &[KeyPlace],
    [b, s]: [usize; 2],
    device: &Device,
) -> Option<Tensor<4>> {
    let alibi = arch.alibi()?;
    let mut values = Vec::with_capacity(b * arch.n_heads * s);
    for row in places.chunks(s.max(1)) {
        for head in 0..arch.n_heads {
            values.extend(
                row.iter()
                    .map(|place| alibi.bias(head, place.position as usize)),
            );
        }
    }
    let data = TensorData::new(values, [b, arch.n_heads, 1, s]);
    Some(Tensor::from_data(data, (device, DType::F32)))
}

/// Additive attention masks: one for every window that the model's layers have.
#[derive(Debug, Clone, Default)]
pub struct Masks(Vec<(Option<usize>, Option<Tensor<4>>)>);

/// Added to the score of a key that a query must not see. Finite, so that a row without any
/// visible key stays a number (an infinity would turn it, and then everything, into NaN).
const HIDDEN: f32 = f32::MIN;

impl Masks {
    /// Masks for queries at `positions` over the keys of the same rows, causal, inside a row's
    /// segment. All three slices are `[b, ·]`, row major; queries are the last `t` of `s` keys.
    ///
    /// `b` may be 1 for a batch whose rows share positions and have one segment.
    pub fn new(
        windows: &[Option<usize>],
        keys: &[KeyPlace],
        [b, t, s]: [usize; 3],
        device: &Device,
    ) -> Self {
        let mut masks: Vec<(Option<usize>, Option<Tensor<4>>)> = Vec::new();
        for &window in windows {
            if masks.iter().any(|(known, _)| *known == window) {
                continue;
            }
            let values = mask(window, keys, [b, t, s]);
            let tensor = values
                .iter()
                .any(|&x| x != 0.0)
                .then(|| Tensor::from_data(TensorData::new(values, [b, 1, t, s]), device));
            masks.push((window, tensor));
        }
        Self(masks)
    }

    /// The mask `[b or 1, 1, t, s]` of layers with this window; `None` hides nothing.
    pub fn get(&self, window: Option<usize>) -> Option<Tensor<4>> {
        self.0
            .iter()
            .find(|(known, _)| *known == window)
            .and_then(|(_, mask)| mask.clone())
    }
}

/// Where a token stands: its document inside a packed row, and its position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPlace {
    pub segment: u32,
    pub position: u32,
}

fn mask(window: Option<usize>, keys: &[KeyPlace], [b, t, s]: [usize; 3]) -> Vec<f32> {
    let mut values = vec![HIDDEN; b * t * s];
    for row in 0..b {
        let keys = &keys[row * s..(row + 1) * s];
        for (query_idx, query) in keys[s - t..].iter().enumerate() {
            let line = &mut values[(row * t + query_idx) * s..][..s];
            // Keys after the query are in its future, whatever their segment.
            for (key, value) in keys.iter().zip(line).take(s - t + query_idx + 1) {
                let distance = query.position.wrapping_sub(key.position) as usize;
                if key.segment == query.segment && window.is_none_or(|w| distance < w) {
                    *value = 0.0;
                }
            }
        }
    }
    values
}

/// Masks of LoRA's dropout, a pure function of (seed, micro-batch, module): the recomputed block
/// and the resumed run draw the same ones.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    pub seed: u64,
    /// Counts micro-batches since the start of the run.
    pub micro_batch: u64,
}

impl Dropout {
    /// Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`.
    pub fn apply(&self, x: Tensor<3>, p: f64, stream: u64) -> Tensor<3> {
        let shape = x.dims();
        let mut rng = Rng::new(
            self.seed ^ 0x6472_6f70_6f75_7400,
            (self.micro_batch << 20) | stream,
        );
        let threshold = (p * f64::from(u32::MAX)) as u32;
        let keep = (1.0 / (1.0 - p)) as f32;
        let n_elements = shape.iter().product::<usize>();
        let mask: Vec<f32> = (0..n_elements)
            .map(|_| {
                if rng.next_u32() < threshold {
                    0.0
                } else {
                    keep
                }
            })
            .collect();
        let device = x.device().without_autodiff();
        x * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(places: &[(u32, u32)]) -> Vec<KeyPlace> {
        places
            .iter()
            .map(|&(segment, position)| KeyPlace { segment, position })
            .collect()
    }

    fn seen(window: Option<usize>, keys: &[KeyPlace], t: usize) -> Vec<Vec<usize>> {
        let s = keys.len();
        let values = mask(window, keys, [1, t, s]);
        let visible = |line: &[f32]| (0..s).filter(|&i| line[i] == 0.0).collect();
        values.chunks(s).map(visible).collect()
    }

    #[test]
    fn a_window_counts_the_token_itself() {
        let keys = row(&[(0, 0), (0, 1), (0, 2)]);
        assert_eq!(seen(Some(2), &keys, 3), [vec![0], vec![0, 1], vec![1, 2]]);
    }

    #[test]
    fn packed_documents_do_not_see_each_other() {
        let keys = row(&[(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert_eq!(
            seen(None, &keys, 4),
            [vec![0], vec![0, 1], vec![2], vec![2, 3]]
        );
    }

    #[test]
    fn a_cached_query_sees_what_came_before() {
        let keys = row(&[(0, 0), (0, 1), (0, 2)]);
        assert_eq!(seen(None, &keys, 1), [vec![0, 1, 2]]);
    }
}
