//! From a source to the device, with one tensor in memory at a time.

use std::{borrow::Cow, ops::Range};

use super::weights::{GpuLayer, GpuLinear, GpuNorm, GpuProjection, GpuWeights};
use crate::{
    arch::{Arch, BlockModule, Module, NormPlace, NormSpec, Part},
    gpu::{Buffer, Gpu, GpuMatrix},
    infer::{
        InferError, LoadProgress, Pause,
        plan::{Layout, PlannedLayer, PlannedMatrix, PlannedProjection},
    },
    weights::{LoadError, PackedSource},
};

/// Uploads what a layout lists.
pub(super) struct Loader<'a> {
    pub(super) gpu: &'a Gpu,
    pub(super) arch: &'a Arch,
    pub(super) source: &'a dyn PackedSource,
    pub(super) pause: &'a Pause,
    pub(super) progress: &'a mut dyn FnMut(LoadProgress),
    pub(super) n_tensors_done: usize,
    pub(super) n_tensors: usize,
    pub(super) n_bytes_before: u64,
}

/// Tensors one after the other, in f32.
struct Joined {
    label: String,
    n_tensors: usize,
    values: Vec<f32>,
}

impl Joined {
    fn extend(&mut self, other: Self) {
        self.label = format!("{}, {}", self.label, other.label);
        self.n_tensors += other.n_tensors;
        self.values.extend(other.values);
    }
}

impl Loader<'_> {
    pub(super) async fn load(mut self, layout: &Layout) -> Result<GpuWeights, InferError> {
        let embedding = self.matrix(&layout.embedding).await?;
        let positions = match &layout.positions {
            Some(positions) => Some(self.matrix(positions).await?),
            None => None,
        };
        let mut layers = Vec::with_capacity(layout.layers.len());
        for (layer_idx, planned) in layout.layers.iter().enumerate() {
            layers.push(self.layer(layer_idx, planned).await?);
        }
        let norm = self.norm(Module::FinalNorm)?;
        let head = match &layout.head {
            Some(head) => Some(self.matrix(head).await?),
            None => None,
        };
        let head_bias = match self.arch.logits.has_bias {
            true => Some(self.vector(&[self.arch.tensor_name(Module::Head, Part::Bias)])?),
            false => None,
        };
        let slopes = match self.arch.alibi() {
            Some(alibi) => {
                let slopes: Vec<f32> = alibi.slopes().collect();
                let bytes = bytemuck::cast_slice(&slopes);
                Some(self.gpu.upload("slopes of heads", bytes)?)
            }
            None => None,
        };
        Ok(GpuWeights {
            embedding,
            positions,
            layers,
            norm,
            head,
            head_bias,
            slopes,
        })
    }

    async fn layer(
        &mut self,
        layer_idx: usize,
        planned: &PlannedLayer,
    ) -> Result<GpuLayer, InferError> {
        Ok(GpuLayer {
            before_attention: self.block_norm(layer_idx, NormPlace::BeforeAttention)?,
            after_attention: self.block_norm(layer_idx, NormPlace::AfterAttention)?,
            before_mlp: self.block_norm(layer_idx, NormPlace::BeforeMlp)?,
            after_mlp: self.block_norm(layer_idx, NormPlace::AfterMlp)?,
            qk_norm: self.qk_norm(layer_idx)?,
            qkv: self.projection(&planned.qkv).await?,
            output: self.projection(&planned.output).await?,
            gate_up: self.projection(&planned.gate_up).await?,
            down: self.projection(&planned.down).await?,
        })
    }

    async fn projection(
        &mut self,
        planned: &PlannedProjection,
    ) -> Result<GpuProjection, InferError> {
        let mut matrices = Vec::with_capacity(planned.matrices.len());
        for matrix in &planned.matrices {
            matrices.push(GpuLinear {
                weight: self.matrix(matrix).await?,
                bias: match matrix.biases.is_empty() {
                    true => None,
                    false => Some(self.vector(&matrix.biases)?),
                },
                column: matrix.column,
            });
        }
        Ok(GpuProjection {
            n_out: planned.n_out,
            matrices,
        })
    }

    async fn matrix(&mut self, planned: &PlannedMatrix) -> Result<GpuMatrix, InferError> {
        let shape = [planned.n_rows, planned.n_cols].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let source = self.source;
        let matrix = GpuMatrix::upload_rows(
            self.gpu,
            &planned.label,
            planned.format,
            shape,
            &mut |rows| joined_rows(source, planned, rows.start as usize..rows.end as usize),
        )?;
        self.count(planned.tensors.len());
        (self.pause)().await;
        Ok(matrix)
    }

    fn block_norm(
        &mut self,
        layer_idx: usize,
        place: NormPlace,
    ) -> Result<Option<GpuNorm>, InferError> {
        if !self.arch.block.shape.norms().contains(&place) {
            return Ok(None);
        }
        let module = Module::Block(layer_idx, BlockModule::Norm(place));
        self.norm(module).map(Some)
    }

    fn norm(&mut self, module: Module) -> Result<GpuNorm, InferError> {
        let spec = self.arch.norm;
        let weight = self.norm_weights(&[module], spec)?;
        Ok(GpuNorm {
            weight: self.upload(&weight)?,
            bias: match spec.has_bias {
                true => Some(self.vector(&[self.arch.tensor_name(module, Part::Bias)])?),
                false => None,
            },
        })
    }

    /// Queries' norms, then keys': all weights, then all biases.
    fn qk_norm(&mut self, layer_idx: usize) -> Result<Option<Buffer>, InferError> {
        let Some(spec) = self.arch.attention.qk_norm else {
            return Ok(None);
        };
        let is_qk_norm = |module: &BlockModule| {
            matches!(
                module,
                BlockModule::QueryNorm { .. } | BlockModule::KeyNorm { .. }
            )
        };
        let modules = self.arch.block_modules().into_iter().filter(is_qk_norm);
        let modules: Vec<Module> = modules.map(|m| Module::Block(layer_idx, m)).collect();
        let mut joined = self.norm_weights(&modules, spec.norm)?;
        if spec.norm.has_bias {
            let names = modules.iter();
            let names = names.map(|module| self.arch.tensor_name(*module, Part::Bias));
            joined.extend(self.joined(&names.collect::<Vec<_>>())?);
        }
        self.upload(&joined).map(Some)
    }

    /// Weights joined, the one of weights around one added.
    fn norm_weights(&mut self, modules: &[Module], spec: NormSpec) -> Result<Joined, InferError> {
        let names = modules.iter();
        let names = names.map(|module| self.arch.tensor_name(*module, Part::Weight));
        let mut weights = self.joined(&names.collect::<Vec<_>>())?;
        if spec.plus_one {
            weights.values.iter_mut().for_each(|weight| *weight += 1.0);
        }
        Ok(weights)
    }

    /// Vectors one after the other, in f32 whatever they are stored as.
    fn vector(&mut self, names: &[String]) -> Result<Buffer, InferError> {
        let joined = self.joined(names)?;
        self.upload(&joined)
    }

    fn joined(&mut self, names: &[String]) -> Result<Joined, InferError> {
        let mut values = Vec::new();
        for name in names {
            values.extend(self.source.packed(name)?.to_f32(name)?);
        }
        Ok(Joined {
            label: names.join(", "),
            n_tensors: names.len(),
            values,
        })
    }

    fn upload(&mut self, joined: &Joined) -> Result<Buffer, InferError> {
        let bytes = bytemuck::cast_slice(&joined.values);
        let buffer = self.gpu.upload(&joined.label, bytes)?;
        self.count(joined.n_tensors);
        Ok(buffer)
    }

    fn count(&mut self, n_tensors: usize) {
        self.n_tensors_done += n_tensors;
        (self.progress)(LoadProgress {
            n_tensors_done: self.n_tensors_done,
            n_tensors: self.n_tensors,
            bytes_done: self.gpu.n_bytes_in_use() - self.n_bytes_before,
        });
    }
}

/// Rows of a matrix, from the tensors that they lie in.
fn joined_rows<'a>(
    source: &'a dyn PackedSource,
    planned: &PlannedMatrix,
    rows: Range<usize>,
) -> Result<Cow<'a, [u8]>, InferError> {
    let mut joined = Cow::Borrowed(&[][..]);
    for (name, rows) in planned.parts(rows) {
        let tensor = source.packed_rows(name, rows)?;
        if tensor.format != planned.format {
            return Err(LoadError::Dtype {
                name: name.to_owned(),
                found: tensor.format.name().to_owned(),
            }
            .into());
        }
        if joined.is_empty() {
            joined = tensor.bytes;
        } else {
            joined.to_mut().extend_from_slice(&tensor.bytes);
        }
    }
    Ok(joined)
}
