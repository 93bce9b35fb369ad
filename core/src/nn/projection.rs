//! A linear layer with an optional low-rank pair:
//! `y = x Wᵀ + c + s · (drop(x) Aᵀ) Bᵀ` (Hu et al. 2021, as PEFT's `lora.Linear` computes it), or
//! with DoRA's magnitude `m` (Liu et al. 2024)
//! `y = x Wᵀ + c + (n − 1) · drop(x) Wᵀ + n · s · (drop(x) Aᵀ) Bᵀ`, where `n = m / ‖W + s B A‖` by
//! row is no part of the gradient but through `m`.
//!
//! The update is applied to the activations, never to the weight, so no gradient of size
//! `d_out × d_in` is formed while the weight is frozen. A packed weight is unpacked once a pass.

use burn::tensor::{DType, Tensor, module::linear};

use super::{Dropout, Pass, Weight};

#[derive(Debug, Clone)]
pub struct Projection {
    /// Name of the module in a checkpoint.
    pub path: String,
    /// `[d_out, d_in]`
    pub weight: Weight,
    /// `[1, d_out]`
    pub bias: Option<Weight>,
    pub lora: Option<LoraPair>,
}

/// The trainable update of one projection, in f32 whatever the base's type.
#[derive(Debug, Clone)]
pub struct LoraPair {
    /// `[r, d_in]`
    pub a: Weight,
    /// `[d_out, r]`
    pub b: Weight,
    pub magnitude: Option<Magnitude>,
    /// `alpha / r`, or `alpha / sqrt(r)` (rsLoRA).
    pub scaling: f64,
    /// Probability with which an input of `a` is dropped while training.
    pub dropout: f64,
    /// Which stream of random numbers its dropout takes.
    pub stream: u64,
}

/// DoRA's length of every row.
#[derive(Debug, Clone)]
pub struct Magnitude {
    /// `[1, d_out]`
    pub lengths: Weight,
    /// Squared length of every row of the base, `[1, d_out]`.
    pub base_squares: Tensor<2>,
}

impl Projection {
    /// `x: [b, t, d_in] -> [b, t, d_out]`
    pub fn forward(&self, x: Tensor<3>, pass: &Pass) -> Tensor<3> {
        self.forward_with(x, pass.dropout.as_ref())
    }

    /// The same for one list of rows. `x: [n, d_in] -> [n, d_out]`
    pub fn forward_rows(&self, x: Tensor<2>, dropout: Option<&Dropout>) -> Tensor<2> {
        let [n, _] = x.dims();
        let y = self.forward_with(x.unsqueeze(), dropout);
        let [_, _, d_out] = y.dims();
        y.reshape([n, d_out])
    }

    fn forward_with(&self, x: Tensor<3>, dropout: Option<&Dropout>) -> Tensor<3> {
        let dtype = x.dtype();
        let bias = self.bias.as_ref();
        let bias = bias.map(|bias| bias.value_as(dtype).reshape([-1]));
        let weight = self.weight.value_as(dtype);
        let Some(pair) = &self.lora else {
            return linear(x, weight.transpose(), bias);
        };
        let dropped = match dropout {
            Some(dropout) if pair.dropout > 0.0 => {
                Some(dropout.apply(x.clone().cast(DType::F32), pair.dropout, pair.stream))
            }
            _ => None,
        };
        match &pair.magnitude {
            None => {
                let base = linear(x.clone(), weight.transpose(), bias);
                let update = pair.update(dropped.unwrap_or_else(|| x.cast(DType::F32)));
                (base.cast(DType::F32) + update).cast(dtype)
            }
            Some(magnitude) => self.with_magnitude(x, weight, dropped, (pair, magnitude)),
        }
    }

    fn with_magnitude(
        &self,
        x: Tensor<3>,
        weight: Tensor<2>,
        dropped: Option<Tensor<3>>,
        (pair, magnitude): (&LoraPair, &Magnitude),
    ) -> Tensor<3> {
        let dtype = x.dtype();
        let base_of =
            |x: Tensor<3>| linear(x.cast(dtype), weight.clone().transpose(), None).cast(DType::F32);
        let [d_out, _] = weight.dims();
        let halves = [pair.a.value(), pair.b.value()];
        let scale = magnitude.scale(weight.clone(), halves, pair.scaling);
        let scale = scale.reshape([1, 1, d_out]);
        let base = base_of(x.clone());
        let y = match dropped {
            None => scale * (base + pair.update(x.cast(DType::F32))),
            Some(dropped) => {
                let moved = base_of(dropped.clone());
                base - moved.clone() + scale * (moved + pair.update(dropped))
            }
        };
        let y = match &self.bias {
            Some(bias) => y + bias.value_as(DType::F32).reshape([1, 1, d_out]),
            None => y,
        };
        y.cast(dtype)
    }

    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        let path = &self.path;
        visit(&format!("{path}.weight"), &mut self.weight);
        if let Some(bias) = &mut self.bias {
            visit(&format!("{path}.bias"), bias);
        }
        if let Some(pair) = &mut self.lora {
            pair.visit(path, visit);
        }
    }
}

impl LoraPair {
    /// Walks over the parameters of the pair of the module at `path`.
    pub fn visit(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Weight)) {
        visit(&format!("{path}.lora_A.weight"), &mut self.a);
        visit(&format!("{path}.lora_B.weight"), &mut self.b);
        if let Some(magnitude) = &mut self.magnitude {
            let name = format!("{path}.lora_magnitude_vector");
            visit(&name, &mut magnitude.lengths);
        }
    }

    /// `s · (x Aᵀ) Bᵀ`
    fn update(&self, x: Tensor<3>) -> Tensor<3> {
        let low = linear(x, self.a.value().transpose(), None);
        linear(low, self.b.value().transpose(), None).mul_scalar(self.scaling)
    }
}

impl Magnitude {
    /// `m / ‖W + s B A‖` by row, `[1, d_out]`, for `A: [r, d_in]` and `B: [d_out, r]`.
    pub fn scale(&self, weight: Tensor<2>, halves: [Tensor<2>; 2], s: f64) -> Tensor<2> {
        self.lengths.value() / self.row_lengths(weight, halves, s)
    }

    /// `‖W + s B A‖` by row, `[1, d_out]`, outside the gradient. The sum itself is never formed:
    /// `‖w‖² + 2s b·(A w) + s² b·(A Aᵀ b)`.
    fn row_lengths(&self, weight: Tensor<2>, halves: [Tensor<2>; 2], s: f64) -> Tensor<2> {
        let plain = |value: Tensor<2>| value.cast(DType::F32).without_autodiff();
        let w = plain(weight);
        let [a, b] = halves.map(plain);
        let crossed = w.matmul(a.clone().transpose()).mul_scalar(2.0 * s);
        let squared = b
            .clone()
            .matmul(a.clone().matmul(a.transpose()))
            .mul_scalar(s * s);
        let added = (b * (crossed + squared)).sum_dim(1).transpose();
        // A row of zeros has a length of 0 to be divided by.
        let squares = self.base_squares.clone() + added;
        squares.clamp_min(f32::MIN_POSITIVE).sqrt()
    }
}

/// Squared length of every row, `[n, m] -> [1, n]`, f32.
pub fn row_squares(matrix: Tensor<2>) -> Tensor<2> {
    matrix.cast(DType::F32).square().sum_dim(1).transpose()
}
