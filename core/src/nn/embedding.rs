//! From ids to the first hidden state: `(E[id] + s · B A[id]) · scale + P[position]`.
//!
//! The pair is PEFT's on an embedding: `A: [r, v]`, `B: [d, r]`. DoRA's magnitude `m: [d]` is of
//! columns: `E[id] + s · B A[id]` times `m / ‖Eᵀ + s B A‖` by row, which is no part of the gradient
//! but through `m` (`DoraEmbeddingLayer` of PEFT 0.21.2).

use burn::tensor::{DType, Int, Tensor};
use half::{bf16, f16};

use super::{Magnitude, Pass, Weight};

#[derive(Debug, Clone)]
pub struct Embedding {
    /// Name of the module in a checkpoint.
    pub path: String,
    /// `[v, d]`
    pub table: Weight,
    pub positions: Option<Positions>,
    pub lora: Option<EmbeddingPair>,
    /// Embeddings are multiplied by this, rounded to their type first.
    pub scale: f64,
    /// The type of activations.
    pub dtype: DType,
}

/// A table of learned positions.
#[derive(Debug, Clone)]
pub struct Positions {
    pub path: String,
    /// `[n, d]`
    pub table: Weight,
}

/// The trainable update of an embedding, in f32.
#[derive(Debug, Clone)]
pub struct EmbeddingPair {
    /// `[r, v]`
    pub a: Weight,
    /// `[d, r]`
    pub b: Weight,
    /// Of the columns of the table, `[1, d]`.
    pub magnitude: Option<Magnitude>,
    pub scaling: f64,
}

impl EmbeddingPair {
    /// What becomes of the rows of `ids` of a table, `[n, d]`, in f32.
    fn put_on(&self, rows: Tensor<2>, ids: Tensor<1, Int>, table: &Weight) -> Tensor<2> {
        let [a, b] = [self.a.value(), self.b.value()];
        let low = a.clone().transpose().select(0, ids);
        let update = low.matmul(b.clone().transpose());
        let sum = rows.cast(DType::F32) + update.mul_scalar(self.scaling);
        match &self.magnitude {
            None => sum,
            Some(magnitude) => {
                sum * magnitude.scale(table.value().transpose(), [a, b], self.scaling)
            }
        }
    }
}

impl Embedding {
    /// `ids: [b, t] -> [b, t, d]`. Ids must be below the vocabulary size.
    pub fn forward(&self, ids: Tensor<2, Int>, pass: &Pass) -> Tensor<3> {
        let [b, t] = ids.dims();
        let ids = ids.reshape([b * t]);
        let dtype = self.dtype;
        let rows = self.table.value().select(0, ids.clone()).cast(dtype);
        let rows = match &self.lora {
            None => rows,
            Some(pair) => pair.put_on(rows, ids, &self.table).cast(dtype),
        };
        let [_, d] = rows.dims();
        let x = match self.scale {
            1.0 => rows,
            scale => rows.mul_scalar(rounded(scale, dtype)),
        };
        let x = x.reshape([b, t, d]);
        match (&self.positions, &pass.positions) {
            (Some(positions), Some(places)) => {
                let [rows, t] = places.dims();
                let places = places.clone().reshape([rows * t]);
                let added = positions.table.value().select(0, places).cast(dtype);
                x + added.reshape([rows, t, d])
            }
            _ => x,
        }
    }

    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        let path = &self.path;
        visit(&format!("{path}.weight"), &mut self.table);
        if let Some(pair) = &mut self.lora {
            visit(&format!("{path}.lora_embedding_A"), &mut pair.a);
            visit(&format!("{path}.lora_embedding_B"), &mut pair.b);
            if let Some(magnitude) = &mut pair.magnitude {
                let name = format!("{path}.lora_magnitude_vector");
                visit(&name, &mut magnitude.lengths);
            }
        }
        if let Some(positions) = &mut self.positions {
            visit(&format!("{}.weight", positions.path), &mut positions.table);
        }
    }

    /// A view whose trained weights are leaves of a new graph; `None` where none is trained.
    pub fn tracked(&self) -> Option<Self> {
        let mut view = self.clone();
        let mut is_trained = false;
        view.visit(&mut |_, weight| {
            is_trained |= weight.is_trained();
            weight.track();
        });
        is_trained.then_some(view)
    }
}

fn rounded(scale: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F16 => f16::from_f64(scale).to_f64(),
        DType::BF16 => bf16::from_f64(scale).to_f64(),
        _ => scale,
    }
}
