//! From a source to the device, with one tensor in memory at a time.

use std::{borrow::Cow, ops::Range};

use super::weights::{GpuLayer, GpuLinear, GpuProjection, GpuWeights};
use crate::{
    arch::{Arch, BlockModule, Module, NormPlace, Part},
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

impl Loader<'_> {
    pub(super) async fn load(mut self, layout: &Layout) -> Result<GpuWeights, InferError> {
        let embedding = self.matrix(&layout.embedding).await?;
        let mut layers = Vec::with_capacity(layout.layers.len());
        for (layer_idx, planned) in layout.layers.iter().enumerate() {
            layers.push(self.layer(layer_idx, planned).await?);
        }
        let norm = self.norm(Module::FinalNorm)?;
        let head = match &layout.head {
            Some(head) => Some(self.matrix(head).await?),
            None => None,
        };
        let rope = self.arch.ropes.first();
        let frequencies = rope.map_or_else(Vec::new, |rope| rope.frequencies(1));
        let frequencies = bytemuck::cast_slice(&frequencies);
        Ok(GpuWeights {
            embedding,
            layers,
            norm,
            head,
            frequencies: self.gpu.upload("rotary frequencies", frequencies)?,
        })
    }

    async fn layer(
        &mut self,
        layer_idx: usize,
        planned: &PlannedLayer,
    ) -> Result<GpuLayer, InferError> {
        let of = |module| Module::Block(layer_idx, module);
        let input_layernorm = self.norm(of(BlockModule::Norm(NormPlace::BeforeAttention)))?;
        let qk_norm = match self.arch.attention.qk_norm {
            Some(_) => Some([
                self.norm(of(BlockModule::QueryNorm { head: None }))?,
                self.norm(of(BlockModule::KeyNorm { head: None }))?,
            ]),
            None => None,
        };
        let before_mlp = of(BlockModule::Norm(NormPlace::BeforeMlp));
        Ok(GpuLayer {
            input_layernorm,
            qk_norm,
            post_attention_layernorm: self.norm(before_mlp)?,
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

    fn norm(&mut self, module: Module) -> Result<Buffer, InferError> {
        self.vector(&[self.arch.tensor_name(module, Part::Weight)])
    }

    /// Vectors joined, in f32 whatever they are stored as.
    fn vector(&mut self, names: &[String]) -> Result<Buffer, InferError> {
        let mut values = Vec::new();
        for name in names {
            values.extend(self.source.packed(name)?.to_f32(name)?);
        }
        let label = names.join(", ");
        let buffer = self.gpu.upload(&label, bytemuck::cast_slice(&values))?;
        self.count(names.len());
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
