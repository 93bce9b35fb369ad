//! AdamW with decoupled decay and one global gradient clip, as torch computes them
//! (`torch/optim/adamw.py`, `torch/nn/utils/clip_grad.py`):
//!
//! `p ← p (1 − lr·wd)`, `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`,
//! `p ← p − lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)`.

use std::collections::BTreeMap;

use burn::tensor::Tensor;

use super::Gradients;
use crate::{model::Decoder, protocol::TrainJob};

/// First and second moments of every trained parameter, by name.
#[derive(Debug, Clone, Default)]
pub struct AdamW {
    pub moments: BTreeMap<String, (Tensor<2>, Tensor<2>)>,
    /// Updates done.
    pub n_updates: u64,
}

impl AdamW {
    /// One update of every trained parameter that has a gradient. `clip` multiplies all gradients.
    pub fn update(
        &mut self,
        model: &mut Decoder,
        mut gradients: Gradients,
        clip: f64,
        lr: f64,
        job: &TrainJob,
    ) {
        self.n_updates += 1;
        let n_updates = self.n_updates as f64;
        let (beta1, beta2) = (job.adam_beta1, job.adam_beta2);
        let step_size = lr / (1.0 - beta1.powf(n_updates));
        let correction2 = (1.0 - beta2.powf(n_updates)).sqrt();
        model.visit(&mut |name, weight| {
            let Some(gradient) = gradients.remove(name).filter(|_| weight.is_trained()) else {
                return;
            };
            let gradient = if clip < 1.0 {
                gradient.mul_scalar(clip)
            } else {
                gradient
            };
            let (m, v) = self
                .moments
                .remove(name)
                .unwrap_or_else(|| (gradient.zeros_like(), gradient.zeros_like()));
            let m = m.clone() + (gradient.clone() - m).mul_scalar(1.0 - beta1);
            let v = v.mul_scalar(beta2) + gradient.square().mul_scalar(1.0 - beta2);
            let denominator = v
                .clone()
                .sqrt()
                .div_scalar(correction2)
                .add_scalar(job.adam_epsilon);
            let decayed = weight.value().mul_scalar(1.0 - lr * job.weight_decay);
            weight.set(decayed - (m.clone() / denominator).mul_scalar(step_size));
            self.moments.insert(name.to_string(), (m, v));
        });
    }
}

/// L2 norm over all gradients together.
pub fn global_norm(gradients: &Gradients) -> f64 {
    let squares: Vec<Tensor<1>> = gradients
        .values()
        .map(|gradient| gradient.clone().square().sum())
        .collect();
    if squares.is_empty() {
        return 0.0;
    }
    let values = crate::model::host_f32(Tensor::cat(squares, 0));
    values.iter().map(|&x| f64::from(x)).sum::<f64>().sqrt()
}

/// What every gradient is multiplied by: `min(1, max_norm / (norm + 1e-6))`; 1 without clipping.
pub fn clip_coefficient(norm: f64, max_norm: f64) -> f64 {
    if max_norm > 0.0 {
        (max_norm / (norm + 1e-6)).min(1.0)
    } else {
        1.0
    }
}
