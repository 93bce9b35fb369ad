//! Rotation of queries and keys by their positions.

use crate::arch::RopeSpec;

/// Cosines and sines of the call's positions, `[t, n_pairs]`.
pub(super) struct Rope {
    cos: Vec<f32>,
    sin: Vec<f32>,
    n_pairs: usize,
}

impl Rope {
    /// Angles of `t` positions from `first` on, in f32 as transformers computes them, of a text
    /// that will have `n_positions`.
    pub(super) fn new(spec: &RopeSpec, n_positions: usize, first: usize, t: usize) -> Self {
        let frequencies = spec.frequencies(n_positions);
        let factor = spec.attention_factor as f32;
        let angles = (first..first + t).flat_map(|position| {
            let angle = move |frequency| position as f32 * frequency;
            frequencies.iter().map(angle)
        });
        let scaled = |(sin, cos): (f32, f32)| (sin * factor, cos * factor);
        let (sin, cos) = angles.map(f32::sin_cos).map(scaled).unzip();
        Self {
            cos,
            sin,
            n_pairs: frequencies.len(),
        }
    }

    /// Turns the halves of the first values of every head against each other; the others stay.
    /// `x: [t, heads, k]`, `width = heads k`
    pub(super) fn rotate(&self, x: &mut [f32], width: usize, head_dim: usize) {
        let cos = self.cos.chunks(self.n_pairs);
        let angles = cos.zip(self.sin.chunks(self.n_pairs));
        for (x, (cos, sin)) in x.chunks_mut(width).zip(angles) {
            for head in x.chunks_mut(head_dim) {
                let (first, second) = head[..2 * self.n_pairs].split_at_mut(self.n_pairs);
                for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_values_turn() {
        let rope = Rope::new(&RopeSpec::plain(10_000.0, 2), 1, 0, 2);
        let mut x = [1.0, 0.0, 5.0, 6.0, 1.0, 0.0, 5.0, 6.0];
        rope.rotate(&mut x, 4, 4);
        assert_eq!(x[..4], [1.0, 0.0, 5.0, 6.0]);
        assert_eq!(x[4..], [1f32.cos(), 1f32.sin(), 5.0, 6.0]);
    }
}
