//! One block: attention and feed-forward in the residual form of its family.

use burn::tensor::Tensor;

use super::{Attention, LayerCache, Mlp, Norm, Pass, Projection, Weight};
use crate::arch::{BlockShape, BlockSpec, NormPlace};

#[derive(Debug, Clone)]
pub struct Block {
    pub spec: BlockSpec,
    /// Those that the shape has.
    pub norms: Vec<(NormPlace, Norm)>,
    pub attention: Attention,
    pub mlp: Mlp,
}

impl Block {
    /// `x: [b, t, d] -> [b, t, d]`
    pub fn forward(&self, x: Tensor<3>, pass: &Pass, cache: Option<&mut LayerCache>) -> Tensor<3> {
        use NormPlace::{AfterAttention, AfterMlp, BeforeAttention, BeforeMlp};
        let normed = self.norm(BeforeAttention, x.clone());
        let attended = self.attention.forward(normed.clone(), pass, cache);
        match self.spec.shape {
            BlockShape::Sequential | BlockShape::PostNorm | BlockShape::Sandwich => {
                let x = self.add(x, self.norm(AfterAttention, attended));
                let y = self.mlp.forward(self.norm(BeforeMlp, x.clone()), pass);
                self.add(x, self.norm(AfterMlp, y))
            }
            BlockShape::Parallel => {
                let y = self.mlp.forward(self.norm(BeforeMlp, x.clone()), pass);
                self.add(x, attended + y)
            }
            BlockShape::ParallelOneNorm => {
                let y = self.mlp.forward(normed, pass);
                self.add(x, attended + y)
            }
        }
    }

    /// The norm of a place, or nothing where the shape has none there.
    fn norm(&self, place: NormPlace, x: Tensor<3>) -> Tensor<3> {
        match self.norms.iter().find(|(known, _)| *known == place) {
            Some((_, norm)) => norm.forward(x),
            None => x,
        }
    }

    fn add(&self, x: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        match self.spec.residual_scale {
            1.0 => x + y,
            scale => x + y.mul_scalar(scale),
        }
    }

    /// Walks over every parameter by its name in a checkpoint: what attention needs, then what the
    /// feed-forward layer needs.
    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        let is_first = |place: &NormPlace| *place == NormPlace::BeforeAttention;
        for (_, norm) in self.norms.iter_mut().filter(|(place, _)| is_first(place)) {
            norm.visit(visit);
        }
        self.visit_projections(&mut |projection| projection.visit(visit));
        let norms = [&mut self.attention.q_norm, &mut self.attention.k_norm];
        for norm in norms.into_iter().flatten() {
            norm.visit(visit);
        }
        for (_, norm) in self.norms.iter_mut().filter(|(place, _)| !is_first(place)) {
            norm.visit(visit);
        }
    }

    /// Walks over the linear layers in the order of the forward pass.
    pub fn visit_projections(&mut self, visit: &mut dyn FnMut(&mut Projection)) {
        let attention = self.attention.projections_mut().into_iter();
        attention.chain(self.mlp.projections_mut()).for_each(visit);
    }

    /// A view whose trained weights are leaves of a new graph.
    pub fn tracked(&self) -> Self {
        let mut view = self.clone();
        view.visit(&mut |_, weight| weight.track());
        view
    }
}
