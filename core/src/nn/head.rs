//! From the last hidden states to logits: `cap((h Wᵀ + c) / divisor)`.

use burn::tensor::{DType, Tensor};

use super::{Weight, soft_cap};
use crate::arch::LogitsSpec;

#[derive(Debug, Clone)]
pub struct Head {
    /// Name of the module in a checkpoint.
    pub path: String,
    /// `[v, d]`; `None` where the head is the embedding.
    pub weight: Option<Weight>,
    /// `[1, v]`
    pub bias: Option<Weight>,
    pub spec: LogitsSpec,
}

/// A head with the matrix that it uses, outside autodiff.
#[derive(Debug, Clone)]
pub struct HeadMatrix {
    /// `[v, d]`
    pub weight: Tensor<2>,
    /// `[1, v]`
    pub bias: Option<Tensor<2>>,
    pub spec: LogitsSpec,
}

impl Head {
    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        if let Some(weight) = &mut self.weight {
            visit(&format!("{}.weight", self.path), weight);
        }
        if let Some(bias) = &mut self.bias {
            visit(&format!("{}.bias", self.path), bias);
        }
    }
}

impl HeadMatrix {
    /// Logits in f32. `hidden: [n, d] -> [n, v]`
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        let product = hidden.matmul(self.weight.clone().transpose());
        let shifted = match &self.bias {
            Some(bias) => product + bias.clone(),
            None => product,
        };
        let logits = shifted.cast(DType::F32);
        let logits = match self.spec.divisor {
            1.0 => logits,
            divisor => logits.div_scalar(divisor),
        };
        match self.spec.softcap {
            Some(cap) => soft_cap(logits, cap),
            None => logits,
        }
    }

    /// What a gradient of logits is multiplied by to be one of the product, given the logits;
    /// `None` is 1.
    pub fn slope(&self, logits: Tensor<2>) -> Option<Tensor<2>> {
        let divisor = self.spec.divisor;
        match self.spec.softcap {
            // The derivative of `cap tanh(z / cap)` is `1 − (logit / cap)²`.
            Some(cap) => {
                let square = logits.div_scalar(cap).square();
                Some(square.neg().add_scalar(1.0).div_scalar(divisor))
            }
            None if divisor == 1.0 => None,
            None => Some(logits.ones_like().div_scalar(divisor)),
        }
    }
}
