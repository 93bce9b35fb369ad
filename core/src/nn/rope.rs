//! Rotary position embedding: halves `(x₁, x₂)` of the rotated part of each head become
//! `(x₁ cos − x₂ sin, x₂ cos + x₁ sin)` (Su et al. 2021, paired as GPT-NeoX and transformers do).

use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::arch::RopeSpec;

/// Cosines and sines of one pass, `[b or 1, 1, t, rotated / 2]`.
#[derive(Debug, Clone)]
pub struct Rope {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

impl Rope {
    /// Angles for `positions: [b, t]` (row major) in f32, as transformers computes them.
    /// `n_positions` is the length of the longest text.
    pub fn new(
        spec: &RopeSpec,
        n_positions: usize,
        positions: &[u32],
        [b, t]: [usize; 2],
        device: &Device,
    ) -> Self {
        let frequencies = &spec.frequencies(n_positions);
        let factor = spec.attention_factor as f32;
        let angles = positions.iter().flat_map(|&position| {
            frequencies
                .iter()
                .map(move |frequency| position as f32 * frequency)
        });
        let (sin, cos): (Vec<f32>, Vec<f32>) = angles
            .map(f32::sin_cos)
            .map(|(sin, cos)| (sin * factor, cos * factor))
            .unzip();
        let tensor = |values| {
            let data = TensorData::new(values, [b, 1, t, frequencies.len()]);
            Tensor::from_data(data, (device, DType::F32))
        };
        Self {
            cos: tensor(cos),
            sin: tensor(sin),
        }
    }

    /// `x: [b, heads, t, k] -> [b, heads, t, k]`; what is not rotated passes.
    pub fn rotate(&self, x: Tensor<4>) -> Tensor<4> {
        let dtype = x.dtype();
        let k = x.dims()[3];
        let half = self.cos.dims()[3];
        let cos = self.cos.clone().cast(dtype);
        let sin = self.sin.clone().cast(dtype);
        let first = x.clone().narrow(3, 0, half);
        let second = x.clone().narrow(3, half, half);
        let rotated_first = first.clone() * cos.clone() - second.clone() * sin.clone();
        let rotated_second = second * cos + first * sin;
        let mut parts = vec![rotated_first, rotated_second];
        if k > 2 * half {
            parts.push(x.narrow(3, 2 * half, k - 2 * half));
        }
        Tensor::cat(parts, 3)
    }
}
