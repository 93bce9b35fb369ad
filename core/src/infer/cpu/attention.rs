//! Keys and values of one layer, and causal grouped-query attention over them:
//! `softmax(q kᵀ / sqrt(k)) v`.

use super::matrix::dot;

/// Rotated keys and values of the tokens so far, `[s, g, k]` each, in f32.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerCache {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// How a layer's heads see its tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    pub(super) n_heads: usize,
    pub(super) n_kv_heads: usize,
    pub(super) head_dim: usize,
    /// How many tokens back a query sees, itself included.
    pub(super) window: Option<usize>,
}

impl LayerCache {
    pub(super) fn append(&mut self, keys: &[f32], values: &[f32]) {
        self.keys.extend_from_slice(keys);
        self.values.extend_from_slice(values);
    }

    /// Forgets all but the first tokens; `d_kv` values belong to each.
    pub(super) fn truncate(&mut self, n_tokens: usize, d_kv: usize) {
        self.keys.truncate(n_tokens * d_kv);
        self.values.truncate(n_tokens * d_kv);
    }

    /// What the queries of the last tokens see. `q: [t, h, k] -> [t, h, k]`
    pub(super) fn attend(&self, q: &[f32], heads: Heads) -> Vec<f32> {
        let d_kv = heads.n_kv_heads * heads.head_dim;
        let d_q = heads.n_heads * heads.head_dim;
        let n_tokens = self.keys.len() / d_kv;
        let n_before = n_tokens - q.len() / d_q;
        let mut seen = vec![0.0; q.len()];
        for (i, (q, seen)) in q.chunks(d_q).zip(seen.chunks_mut(d_q)).enumerate() {
            let end = n_before + i + 1;
            let start = heads.window.map_or(0, |window| end.saturating_sub(window));
            let pairs = q
                .chunks(heads.head_dim)
                .zip(seen.chunks_mut(heads.head_dim));
            for (head, (q, seen)) in pairs.enumerate() {
                let kv_head = head / (heads.n_heads / heads.n_kv_heads);
                self.attend_head(q, (start, end), kv_head * heads.head_dim, d_kv, seen);
            }
        }
        seen
    }

    /// One head of one query over the tokens from `start` to `end`; its keys and values lie `at`
    /// places into each token's.
    fn attend_head(
        &self,
        q: &[f32],
        (start, end): (usize, usize),
        at: usize,
        d_kv: usize,
        seen: &mut [f32],
    ) {
        let scale = 1.0 / (q.len() as f32).sqrt();
        let of_head = |token: usize| token * d_kv + at..token * d_kv + at + q.len();
        let mut weights: Vec<f32> = (start..end)
            .map(|token| dot(q, &self.keys[of_head(token)]) * scale)
            .collect();
        softmax(&mut weights);
        for (token, weight) in (start..end).zip(weights) {
            for (seen, value) in seen.iter_mut().zip(&self.values[of_head(token)]) {
                *seen += weight * value;
            }
        }
    }
}

fn softmax(scores: &mut [f32]) {
    let max = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - max).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_averages_what_it_sees() {
        let mut cache = LayerCache::default();
        // Keys of zeros: every token weighs the same.
        cache.append(&[0.0; 6], &[1.0, 10.0, 2.0, 20.0, 6.0, 60.0]);
        let heads = Heads {
            n_heads: 2,
            n_kv_heads: 1,
            head_dim: 2,
            window: None,
        };
        let q = [1.0; 4];
        assert_eq!(cache.attend(&q, heads), [3.0, 30.0, 3.0, 30.0]);
        let window = Heads {
            window: Some(2),
            ..heads
        };
        assert_eq!(cache.attend(&q, window)[..2], [4.0, 40.0]);
        cache.truncate(1, 2);
        assert_eq!(cache.attend(&q, heads)[..2], [1.0, 10.0]);
    }
}
