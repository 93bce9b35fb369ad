//! Attention with linear biases (Press et al. 2022): `score += slope · position of the key`.
//!
//! The rounding is transformers' for Falcon: slopes, positions and their product are bf16, and the
//! product is scaled like the scores. Adding the same to all keys of a query changes nothing, so
//! the position of the query has no part in it.

use half::bf16;

/// Biases of every head.
#[derive(Debug, Clone, PartialEq)]
pub struct Alibi {
    slopes: Vec<bf16>,
    scale: f32,
}

impl Alibi {
    pub(super) fn new(n_heads: usize, head_dim: usize) -> Self {
        Self {
            slopes: slopes(n_heads).into_iter().map(bf16::from_f32).collect(),
            scale: 1.0 / (head_dim as f32).sqrt(),
        }
    }

    /// Of every head, each a bf16.
    pub fn slopes(&self) -> impl Iterator<Item = f32> {
        self.slopes.iter().map(|slope| slope.to_f32())
    }

    /// What the product of slope and position is multiplied by, as scores are.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// What is added to the scaled scores of a head with the key at a position.
    pub fn bias(&self, head: usize, position: usize) -> f32 {
        let slope = self.slopes.get(head).copied().unwrap_or(bf16::ZERO);
        let position = bf16::from_f32(position as f32);
        bf16::from_f32(slope.to_f32() * position.to_f32()).to_f32() * self.scale
    }
}

/// `2^(-8/n), 2^(-16/n), …` for a power of two; the heads beyond one take every second slope of
/// the next.
fn slopes(n_heads: usize) -> Vec<f32> {
    let whole = 1 << n_heads.max(1).ilog2();
    let base = |n: usize| (-8.0 / n as f64).exp2() as f32;
    let geometric = |base: f32, power: usize| base.powi(i32::try_from(power).unwrap_or(i32::MAX));
    let first = (1..=whole).map(|power| geometric(base(whole), power));
    let rest = (0..n_heads - whole).map(|i| geometric(base(2 * whole), 2 * i + 1));
    first.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_paper() {
        assert_eq!(slopes(4), [0.25, 0.0625, 0.015_625, 0.003_906_25]);
        assert_eq!(slopes(6)[4..], [0.5, 0.125]);
        assert_eq!(slopes(1), [2f32.powi(-8)]);
    }

    #[test]
    fn positions_beyond_256_are_rounded() {
        let alibi = Alibi::new(1, 4);
        // 257 has no bf16 of its own.
        assert_eq!(alibi.bias(0, 257), alibi.bias(0, 256));
        assert_eq!(alibi.bias(0, 256), 0.5);
    }
}
