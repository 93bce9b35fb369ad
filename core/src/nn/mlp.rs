//! Gated feed-forward layer: `down(silu(gate(x)) · up(x))` (Shazeer 2020).

use burn::tensor::{Tensor, activation::silu};

use super::{Pass, Projection};

#[derive(Debug, Clone)]
pub struct GatedMlp {
    pub gate_proj: Projection,
    pub up_proj: Projection,
    pub down_proj: Projection,
}

impl GatedMlp {
    /// `x: [b, t, d] -> [b, t, d]`
    pub fn forward(&self, x: Tensor<3>, pass: &Pass) -> Tensor<3> {
        let gate = silu(self.gate_proj.forward(x.clone(), pass));
        self.down_proj
            .forward(gate * self.up_proj.forward(x, pass), pass)
    }
}
