//! The weights of a model by the place where the forward pass uses them.

use super::{matrix::Matrix, norm::Norm};
use crate::{
    arch::{
        Arch, BlockModule, LinearModule, LinearRole, MlpLayout, Module, NormPlace, NormSpec, Part,
        QkNormOver, QkvLayout,
    },
    infer::LoadProgress,
    weights::{LoadError, PackedSource},
};

#[derive(Debug)]
pub(super) struct Model {
    /// `[v, d]`
    pub(super) embed_tokens: Matrix,
    /// A row for each learned position.
    pub(super) positions: Option<Matrix>,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Norm,
    /// `[v, d]`; `None` where the head is the embedding.
    pub(super) lm_head: Option<Matrix>,
    pub(super) head_bias: Option<Vec<f32>>,
}

/// A block. Norms that its shape does not have are `None`, and change nothing.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) before_attention: Option<Norm>,
    pub(super) after_attention: Option<Norm>,
    pub(super) before_mlp: Option<Norm>,
    pub(super) after_mlp: Option<Norm>,
    pub(super) qkv: Qkv,
    /// Norms of queries and keys: none, one, or one a head.
    pub(super) query_norms: Vec<Norm>,
    pub(super) key_norms: Vec<Norm>,
    pub(super) output: Linear,
    pub(super) mlp: Mlp,
}

#[derive(Debug)]
pub(super) enum Qkv {
    Separate { q: Linear, k: Linear, v: Linear },
    Joint(Linear),
}

#[derive(Debug)]
pub(super) enum Mlp {
    Plain {
        up: Linear,
        down: Linear,
    },
    Gated {
        gate: Linear,
        up: Linear,
        down: Linear,
    },
    JointGated {
        gate_up: Linear,
        down: Linear,
    },
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
    pub(super) n_tensors: usize,
    pub(super) n_tensors_done: usize,
    pub(super) n_bytes: u64,
    pub(super) errors: Vec<LoadError>,
}

impl Loader<'_> {
    pub(super) fn matrix(&mut self, module: Module, shape: [usize; 2]) -> Option<Matrix> {
        let name = self.arch.tensor_name(module, Part::Weight);
        let matrix = Matrix::load(self.source, &name, shape);
        let n_bytes = matrix.as_ref().map_or(0, Matrix::n_bytes);
        self.keep(matrix, n_bytes)
    }

    pub(super) fn vector(&mut self, module: Module, part: Part, len: usize) -> Option<Vec<f32>> {
        let name = self.arch.tensor_name(module, part);
        let values = self.source.packed(&name).and_then(|tensor| {
            let values = tensor.to_f32(&name)?;
            if tensor.shape == [len] && values.len() == len {
                Ok(values)
            } else {
                Err(LoadError::Shape {
                    name,
                    expected: vec![len],
                    found: tensor.shape,
                })
            }
        });
        self.keep(values, 4 * len as u64)
    }

    pub(super) fn norm(&mut self, module: Module, spec: NormSpec, len: usize) -> Option<Norm> {
        let weight = self.vector(module, Part::Weight, len);
        let bias = spec
            .has_bias
            .then(|| self.vector(module, Part::Bias, len))
            .flatten();
        Some(Norm::new(spec, weight?, bias))
    }

    /// Counts a tensor that is there, and notes one that is not.
    fn keep<T>(&mut self, tensor: Result<T, LoadError>, n_bytes: u64) -> Option<T> {
        match tensor {
            Ok(tensor) => {
                self.n_tensors_done += 1;
                self.n_bytes += n_bytes;
                (self.progress)(LoadProgress {
                    n_tensors_done: self.n_tensors_done,
                    n_tensors: self.n_tensors,
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
    pub(super) fn layer(&mut self, layer_idx: usize, modules: &[LinearModule]) -> Option<Layer> {
        let arch = self.arch;
        let before_attention = self.block_norm(layer_idx, NormPlace::BeforeAttention);
        let after_attention = self.block_norm(layer_idx, NormPlace::AfterAttention);
        let before_mlp = self.block_norm(layer_idx, NormPlace::BeforeMlp);
        let after_mlp = self.block_norm(layer_idx, NormPlace::AfterMlp);
        let query = |head| BlockModule::QueryNorm { head };
        let query_norms = self.head_norms(layer_idx, query, arch.n_heads);
        let key = |head| BlockModule::KeyNorm { head };
        let key_norms = self.head_norms(layer_idx, key, arch.n_kv_heads);
        let mut linears = Vec::new();
        for (module_idx, module) in modules.iter().enumerate() {
            if module.layer_idx == layer_idx {
                linears.push((module.role, self.linear(module, module_idx)));
            }
        }
        let mut take = |role: LinearRole| {
            let place = linears.iter().position(|(of, _)| *of == role)?;
            linears.swap_remove(place).1
        };
        let qkv = match arch.attention.qkv {
            QkvLayout::Separate => Qkv::Separate {
                q: take(LinearRole::Query)?,
                k: take(LinearRole::Key)?,
                v: take(LinearRole::Value)?,
            },
            QkvLayout::Grouped | QkvLayout::Stacked => Qkv::Joint(take(LinearRole::QueryKeyValue)?),
        };
        let output = take(LinearRole::AttentionOutput)?;
        let mlp = match arch.mlp.layout {
            MlpLayout::Plain => Mlp::Plain {
                up: take(LinearRole::Up)?,
                down: take(LinearRole::Down)?,
            },
            MlpLayout::Gated => Mlp::Gated {
                gate: take(LinearRole::Gate)?,
                up: take(LinearRole::Up)?,
                down: take(LinearRole::Down)?,
            },
            MlpLayout::FusedGated => Mlp::JointGated {
                gate_up: take(LinearRole::GateUp)?,
                down: take(LinearRole::Down)?,
            },
        };
        Some(Layer {
            before_attention,
            after_attention,
            before_mlp,
            after_mlp,
            qkv,
            query_norms,
            key_norms,
            output,
            mlp,
        })
    }

    fn block_norm(&mut self, layer_idx: usize, place: NormPlace) -> Option<Norm> {
        let arch = self.arch;
        if !arch.block.shape.norms().contains(&place) {
            return None;
        }
        let module = Module::Block(layer_idx, BlockModule::Norm(place));
        self.norm(module, arch.norm, arch.d_model)
    }

    fn head_norms(
        &mut self,
        layer_idx: usize,
        module: impl Fn(Option<usize>) -> BlockModule,
        n_heads: usize,
    ) -> Vec<Norm> {
        let head_dim = self.arch.head_dim;
        let Some(spec) = self.arch.attention.qk_norm else {
            return Vec::new();
        };
        let mut norm = |head, len| {
            let module = Module::Block(layer_idx, module(head));
            self.norm(module, spec.norm, len)
        };
        match spec.over {
            QkNormOver::Head => norm(None, head_dim).into_iter().collect(),
            QkNormOver::AllHeads => norm(None, n_heads * head_dim).into_iter().collect(),
            QkNormOver::OwnHead => (0..n_heads)
                .filter_map(|head| norm(Some(head), head_dim))
                .collect(),
        }
    }

    fn linear(&mut self, module: &LinearModule, module_idx: usize) -> Option<Linear> {
        let place = Module::Block(module.layer_idx, BlockModule::Linear(module.role));
        let weight = self.matrix(place, [module.d_out, module.d_in]);
        let bias = module
            .has_bias
            .then(|| self.vector(place, Part::Bias, module.d_out));
        Some(Linear {
            weight: weight?,
            bias: bias.flatten(),
            module_idx,
        })
    }
}
