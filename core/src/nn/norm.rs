//! Root-mean-square normalization: `y = x / sqrt(mean(x²) + eps) · w`, statistics in f32
//! (Zhang & Sennrich 2019; order of operations as in transformers' `LlamaRMSNorm`).

use burn::tensor::{DType, Tensor};

use super::Weight;

#[derive(Debug, Clone)]
pub struct RmsNorm {
    /// `[1, d]`
    pub weight: Weight,
    pub eps: f64,
}

impl RmsNorm {
    /// Normalizes the last dimension.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let dtype = x.dtype();
        let x = x.cast(DType::F32);
        let mean_square = x.clone().square().mean_dim(D - 1);
        let normed = x * (mean_square + self.eps).sqrt().recip();
        let d = self.weight.value().dims()[1];
        let mut shape = [1; D];
        shape[D - 1] = d;
        normed.cast(dtype) * self.weight.value().reshape(shape)
    }

    pub fn visit(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Weight)) {
        visit(&format!("{path}.weight"), &mut self.weight);
    }
}
