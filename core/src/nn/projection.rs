//! A linear layer with an optional low-rank pair:
//! `y = x Wᵀ + c + s · (drop(x) Aᵀ) Bᵀ` (Hu et al. 2021, as PEFT's `lora.Linear` computes it).
//!
//! The update is applied to the activations, never to the weight, so no gradient of size
//! `d_out × d_in` is formed while the weight is frozen.

use burn::tensor::{DType, Tensor, module::linear};

use super::{Pass, Weight};

#[derive(Debug, Clone)]
pub struct Projection {
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
    /// `alpha / r`, or `alpha / sqrt(r)` (rsLoRA).
    pub scaling: f64,
    /// Probability with which an input of `a` is dropped while training.
    pub dropout: f64,
    /// Which stream of random numbers its dropout takes.
    pub stream: u64,
}

impl Projection {
    /// `x: [b, t, d_in] -> [b, t, d_out]`
    pub fn forward(&self, x: Tensor<3>, pass: &Pass) -> Tensor<3> {
        let bias = self.bias.as_ref().map(|bias| bias.value().reshape([-1]));
        let base = linear(x.clone(), self.weight.value().transpose(), bias);
        match &self.lora {
            None => base,
            Some(pair) => {
                let dtype = base.dtype();
                let update = pair.forward(x.cast(DType::F32), pass);
                (base.cast(DType::F32) + update).cast(dtype)
            }
        }
    }

    pub fn visit(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Weight)) {
        visit(&format!("{path}.weight"), &mut self.weight);
        if let Some(bias) = &mut self.bias {
            visit(&format!("{path}.bias"), bias);
        }
        if let Some(pair) = &mut self.lora {
            visit(&format!("{path}.lora_A.weight"), &mut pair.a);
            visit(&format!("{path}.lora_B.weight"), &mut pair.b);
        }
    }
}

impl LoraPair {
    fn forward(&self, x: Tensor<3>, pass: &Pass) -> Tensor<3> {
        let x = match &pass.dropout {
            Some(dropout) if self.dropout > 0.0 => dropout.apply(x, self.dropout, self.stream),
            _ => x,
        };
        let low = linear(x, self.a.value().transpose(), None);
        linear(low, self.b.value().transpose(), None).mul_scalar(self.scaling)
    }
}
