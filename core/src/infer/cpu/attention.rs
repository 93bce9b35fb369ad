//! Keys and values of one layer, and causal grouped-query attention over them:
//! `softmax(s q kᵀ) v` with a scale `s`, scores capped and biased where the model does that.

use super::matrix::dot;
use crate::arch::Alibi;

/// Rotated keys and values of the tokens so far, `[s, g, k]` each, in f32.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerCache {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// How a layer's heads see its tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads<'a> {
    pub(super) n_heads: usize,
    pub(super) n_kv_heads: usize,
    pub(super) head_dim: usize,
    /// How many tokens back a query sees, itself included.
    pub(super) window: Option<usize>,
    pub(super) scale: f32,
    pub(super) softcap: Option<f32>,
    pub(super) alibi: Option<&'a Alibi>,
}

impl Heads<'_> {
    /// Where the key of a query head starts in a token's keys, and how many values a token has.
    fn place(&self, head: usize) -> (usize, usize) {
        let kv_head = head / (self.n_heads / self.n_kv_heads);
        (kv_head * self.head_dim, self.n_kv_heads * self.head_dim)
    }

    /// The score of a key, by its product with the query.
    fn score(&self, product: f32, head: usize, position: usize) -> f32 {
        let mut score = product * self.scale;
        if let Some(softcap) = self.softcap {
            score = softcap * (score / softcap).tanh();
        }
        match self.alibi {
            Some(alibi) => score + alibi.bias(head, position),
            None => score,
        }
    }
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
    pub(super) fn attend(&self, q: &[f32], heads: &Heads<'_>) -> Vec<f32> {
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
                let mut scores = self.scores(q, (start, end), head, heads);
                softmax(&mut scores);
                self.add_values(&scores, start, heads.place(head), seen);
            }
        }
        seen
    }

    /// Scores of one head of one query with the keys from `start` to `end`.
    fn scores(
        &self,
        q: &[f32],
        (start, end): (usize, usize),
        head: usize,
        heads: &Heads<'_>,
    ) -> Vec<f32> {
        let (at, d_kv) = heads.place(head);
        let key = |token: usize| &self.keys[token * d_kv + at..][..q.len()];
        let score = |token: usize| heads.score(dot(q, key(token)), head, token);
        (start..end).map(score).collect()
    }

    /// Adds the weighted values of the tokens from `start` on.
    fn add_values(
        &self,
        weights: &[f32],
        start: usize,
        (at, d_kv): (usize, usize),
        seen: &mut [f32],
    ) {
        for (token, weight) in (start..).zip(weights) {
            let values = &self.values[token * d_kv + at..][..seen.len()];
            for (seen, value) in seen.iter_mut().zip(values) {
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
            scale: 0.5,
            softcap: None,
            alibi: None,
        };
        let q = [1.0; 4];
        assert_eq!(cache.attend(&q, &heads), [3.0, 30.0, 3.0, 30.0]);
        let window = Heads {
            window: Some(2),
            ..heads
        };
        assert_eq!(cache.attend(&q, &window)[..2], [4.0, 40.0]);
        cache.truncate(1, 2);
        assert_eq!(cache.attend(&q, &heads)[..2], [1.0, 10.0]);
    }
}
