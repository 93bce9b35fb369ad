//! Norms, statistics in f32: root mean square (Zhang & Sennrich 2019) and layer (Ba et al. 2016),
//! in the order of operations of transformers.

use burn::tensor::{DType, Tensor};

use super::Weight;
use crate::arch::{NormKind, NormSpec};

#[derive(Debug, Clone)]
pub struct Norm {
    /// Name of the module in a checkpoint.
    pub path: String,
    /// `[1, n]`
    pub weight: Weight,
    /// `[1, n]`
    pub bias: Option<Weight>,
    pub spec: NormSpec,
}

impl Norm {
    /// Normalizes the last dimension.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut shape = [1; D];
        shape[D - 1] = self.weight.dims()[1];
        let bias = self.bias.as_ref().map(|bias| bias.value().reshape(shape));
        affine(self.spec, x, self.weight.value().reshape(shape), bias)
    }

    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        visit(&format!("{}.weight", self.path), &mut self.weight);
        if let Some(bias) = &mut self.bias {
            visit(&format!("{}.bias", self.path), bias);
        }
    }
}

/// Weight and bias have the dimensions of `x` or 1 in their place.
fn affine<const D: usize>(
    spec: NormSpec,
    x: Tensor<D>,
    weight: Tensor<D>,
    bias: Option<Tensor<D>>,
) -> Tensor<D> {
    let dtype = x.dtype();
    let normed = normalized(spec, x.cast(DType::F32));
    if spec.kind == NormKind::Rms && !spec.plus_one && bias.is_none() {
        return normed.cast(dtype) * weight.cast(dtype);
    }
    let weight = weight.cast(DType::F32);
    let weight = if spec.plus_one {
        weight.add_scalar(1.0)
    } else {
        weight
    };
    let scaled = normed * weight;
    let shifted = match bias {
        Some(bias) => scaled + bias.cast(DType::F32),
        None => scaled,
    };
    shifted.cast(dtype)
}

fn normalized<const D: usize>(spec: NormSpec, x: Tensor<D>) -> Tensor<D> {
    let x = match spec.kind {
        NormKind::Rms => x,
        NormKind::Layer => x.clone() - x.mean_dim(D - 1),
    };
    let mean_square = x.clone().square().mean_dim(D - 1);
    x * (mean_square + spec.eps).sqrt().recip()
}

/// Norm of the queries or keys of all heads, before they are rotated.
#[derive(Debug, Clone)]
pub enum HeadNorm {
    /// Each head alone, all with one weight.
    Shared(Norm),
    /// Each head alone, with a weight of its own.
    Own(Vec<Norm>),
    /// All heads together.
    Joint(Norm),
}

impl HeadNorm {
    /// `x: [b, t, heads, k] -> [b, t, heads, k]`
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Shared(norm) => norm.forward(x),
            Self::Joint(norm) => {
                let [b, t, n_heads, k] = x.dims();
                let joint = norm.forward(x.reshape([b, t, n_heads * k]));
                joint.reshape([b, t, n_heads, k])
            }
            Self::Own(norms) => {
                let [_, _, n_heads, k] = x.dims();
                let stacked =
                    |rows: Vec<Tensor<2>>| Tensor::cat(rows, 0).reshape([1, 1, n_heads, k]);
                let weights = norms.iter().map(|norm| norm.weight.value()).collect();
                let biases: Option<Vec<Tensor<2>>> = norms
                    .iter()
                    .map(|norm| norm.bias.as_ref().map(Weight::value))
                    .collect();
                let spec = norms.first().map(|norm| norm.spec);
                match spec {
                    Some(spec) => affine(spec, x, stacked(weights), biases.map(stacked)),
                    None => x,
                }
            }
        }
    }

    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        match self {
            Self::Shared(norm) | Self::Joint(norm) => norm.visit(visit),
            Self::Own(norms) => norms.iter_mut().for_each(|norm| norm.visit(visit)),
        }
    }
}
