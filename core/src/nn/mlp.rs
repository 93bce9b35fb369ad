//! Feed-forward layer: `down(f(up x))`, or gated, `down(f(gate x) · up x)` (Shazeer 2020).

use burn::tensor::Tensor;

use super::{Pass, Projection, activate};
use crate::arch::Activation;

#[derive(Debug, Clone)]
pub struct Mlp {
    pub input: MlpInput,
    pub down: Projection,
    pub activation: Activation,
}

/// What leads from the width of the model to that of the layer.
#[derive(Debug, Clone)]
pub enum MlpInput {
    Plain(Projection),
    /// Gate, up.
    Gated(Box<[Projection; 2]>),
    /// All of gate, then all of up, in one module.
    FusedGated(Projection),
}

impl Mlp {
    /// `x: [b, t, d] -> [b, t, d]`
    pub fn forward(&self, x: Tensor<3>, pass: &Pass) -> Tensor<3> {
        let act = |x| activate(self.activation, x);
        let wide = match &self.input {
            MlpInput::Plain(up) => act(up.forward(x, pass)),
            MlpInput::Gated(two) => {
                let [gate, up] = two.as_ref();
                act(gate.forward(x.clone(), pass)) * up.forward(x, pass)
            }
            MlpInput::FusedGated(both) => {
                let both = both.forward(x, pass);
                let f = both.dims()[2] / 2;
                act(both.clone().narrow(2, 0, f)) * both.narrow(2, f, f)
            }
        };
        self.down.forward(wide, pass)
    }

    /// The linear layers in the order of the forward pass.
    pub fn projections_mut(&mut self) -> Vec<&mut Projection> {
        let mut projections = match &mut self.input {
            MlpInput::Plain(one) | MlpInput::FusedGated(one) => vec![one],
            MlpInput::Gated(two) => two.iter_mut().collect(),
        };
        projections.push(&mut self.down);
        projections
    }
}
