//! From the last hidden states to logits: `cap((h Wᵀ + c) / divisor)`, with a low-rank pair
//! `cap(y / divisor)` where `y` is what [`Projection`] computes.

use burn::tensor::{DType, Tensor};

use super::{LoraPair, Projection, Weight, soft_cap};
use crate::arch::LogitsSpec;

#[derive(Debug, Clone)]
pub struct Head {
    /// Name of the module in a checkpoint.
    pub path: String,
    /// `[v, d]`; `None` where the head is the embedding.
    pub weight: Option<Weight>,
    /// `[1, v]`
    pub bias: Option<Weight>,
    /// `A: [r, d]`, `B: [v, r]`. It is the head's alone, also where the matrix is the embedding's.
    pub lora: Option<LoraPair>,
    pub spec: LogitsSpec,
}

/// A head with the matrix that it uses, outside autodiff.
#[derive(Debug, Clone)]
pub struct HeadMatrix {
    /// `[v, d]`
    pub weight: Tensor<2>,
    /// `[1, v]`
    pub bias: Option<Tensor<2>>,
    /// The whole head where it has a pair; products are then its own.
    pub adapted: Option<Box<Projection>>,
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
        if let Some(pair) = &mut self.lora {
            pair.visit(&self.path, visit);
        }
    }
}

impl HeadMatrix {
    /// Logits in f32. `hidden: [n, d] -> [n, v]`
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        if let Some(adapted) = &self.adapted {
            return self.logits_of(adapted.forward_rows(hidden, None));
        }
        let product = hidden.matmul(self.weight.clone().transpose());
        self.logits_of(match &self.bias {
            Some(bias) => product + bias.clone(),
            None => product,
        })
    }

    /// What is left to do when the product, `[n, v]`, is there.
    pub fn logits_of(&self, product: Tensor<2>) -> Tensor<2> {
        let logits = product.cast(DType::F32);
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
