//! The weights of a model by the place where the forward pass uses them.

use super::matrix::Matrix;
use crate::{
    arch::{Arch, LINEAR_MODULES},
    infer::LoadProgress,
    weights::{LoadError, PackedSource},
};

#[derive(Debug)]
pub(super) struct Model {
    /// `[v, d]`
    pub(super) embed_tokens: Matrix,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Vec<f32>,
    /// `[v, d]`; `None` where the head is the embedding.
    pub(super) lm_head: Option<Matrix>,
}

#[derive(Debug)]
pub(super) struct Layer {
    pub(super) input_layernorm: Vec<f32>,
    pub(super) q_proj: Linear,
    pub(super) k_proj: Linear,
    pub(super) v_proj: Linear,
    pub(super) o_proj: Linear,
    /// Weights of the norms of queries and keys per head.
    pub(super) q_norm: Option<Vec<f32>>,
    pub(super) k_norm: Option<Vec<f32>>,
    pub(super) post_attention_layernorm: Vec<f32>,
    pub(super) gate_proj: Linear,
    pub(super) up_proj: Linear,
    pub(super) down_proj: Linear,
}

#[derive(Debug)]
pub(super) struct Linear {
    pub(super) weight: Matrix,
    pub(super) bias: Option<Vec<f32>>,
    /// Place in [`Arch::linear_modules`], by which adapters know it.
    pub(super) module_idx: usize,
}

impl Model {
    /// The matrix that turns a hidden state into logits.
    pub(super) fn head(&self) -> &Matrix {
        self.lm_head.as_ref().unwrap_or(&self.embed_tokens)
    }
}

/// Reads a model's tensors, one layer at a time, and keeps all that is wrong with them.
pub(super) struct Loader<'a> {
    pub(super) arch: &'a Arch,
    pub(super) source: &'a dyn PackedSource,
    pub(super) progress: &'a mut dyn FnMut(LoadProgress),
    pub(super) n_tensors_done: usize,
    pub(super) n_bytes: u64,
    pub(super) errors: Vec<LoadError>,
}

impl Loader<'_> {
    pub(super) fn matrix(&mut self, name: &str, shape: [usize; 2]) -> Option<Matrix> {
        let matrix = Matrix::load(self.source, name, shape);
        let n_bytes = matrix.as_ref().map_or(0, Matrix::n_bytes);
        self.keep(matrix, n_bytes)
    }

    pub(super) fn vector(&mut self, name: &str, len: usize) -> Option<Vec<f32>> {
        let values = self.source.packed(name).and_then(|tensor| {
            let values = tensor.to_f32(name)?;
            if tensor.shape == [len] && values.len() == len {
                Ok(values)
            } else {
                Err(LoadError::Shape {
                    name: name.to_owned(),
                    expected: vec![len],
                    found: tensor.shape,
                })
            }
        });
        self.keep(values, 4 * len as u64)
    }

    /// Counts a tensor that is there, and notes one that is not.
    fn keep<T>(&mut self, tensor: Result<T, LoadError>, n_bytes: u64) -> Option<T> {
        match tensor {
            Ok(tensor) => {
                self.n_tensors_done += 1;
                self.n_bytes += n_bytes;
                (self.progress)(LoadProgress {
                    n_tensors_done: self.n_tensors_done,
                    n_tensors: self.arch.tensors().len(),
                    bytes_done: self.n_bytes,
                });
                Some(tensor)
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    /// `None` where a tensor is missing, which is among the errors then.
    pub(super) fn layer(&mut self, layer_idx: usize) -> Option<Layer> {
        let arch = self.arch;
        let layer = Arch::layer_path(layer_idx);
        let input_layernorm = self.vector(&format!("{layer}.input_layernorm.weight"), arch.d_model);
        let mut linears = [const { None }; LINEAR_MODULES.len()];
        for (place, linear) in linears.iter_mut().enumerate() {
            *linear = self.linear(layer_idx, place);
        }
        let mut head_norm = |which: &str| {
            let name = format!("{layer}.self_attn.{which}.weight");
            arch.qk_norm.then(|| self.vector(&name, arch.head_dim))
        };
        let (q_norm, k_norm) = (head_norm("q_norm"), head_norm("k_norm"));
        let post_attention_layernorm = self.vector(
            &format!("{layer}.post_attention_layernorm.weight"),
            arch.d_model,
        );
        let [
            q_proj,
            k_proj,
            v_proj,
            o_proj,
            gate_proj,
            up_proj,
            down_proj,
        ] = linears;
        Some(Layer {
            input_layernorm: input_layernorm?,
            q_proj: q_proj?,
            k_proj: k_proj?,
            v_proj: v_proj?,
            o_proj: o_proj?,
            q_norm: q_norm.flatten(),
            k_norm: k_norm.flatten(),
            post_attention_layernorm: post_attention_layernorm?,
            gate_proj: gate_proj?,
            up_proj: up_proj?,
            down_proj: down_proj?,
        })
    }

    fn linear(&mut self, layer_idx: usize, place: usize) -> Option<Linear> {
        let module = LINEAR_MODULES[place];
        let path = format!("{}.{}", Arch::layer_path(layer_idx), module.path);
        let (d_out, d_in) = module.shape(self.arch);
        let weight = self.matrix(&format!("{path}.weight"), [d_out, d_in]);
        let has_bias = module.has_bias(self.arch);
        let bias = has_bias.then(|| self.vector(&format!("{path}.bias"), d_out));
        Some(Linear {
            weight: weight?,
            bias: bias.flatten(),
            module_idx: layer_idx * LINEAR_MODULES.len() + place,
        })
    }
}
