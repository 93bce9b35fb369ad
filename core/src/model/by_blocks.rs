//! Answers of a model that need not fit into memory: a block at a time, for all texts.

use burn::tensor::{DType, Device, Tensor};

use super::{
    adapter::{check_fits, put_on_block},
    decoder::rows_of,
    load::{Builder, check_shapes},
};
use crate::{
    arch::Arch,
    nn::Pass,
    weights::{
        LoadErrors, WeightSource,
        adapter::{Adapter, AdapterError},
    },
};

/// A model in its files, with what answers.
pub struct ByBlocks<'a> {
    pub arch: &'a Arch,
    pub source: &'a dyn WeightSource,
    pub adapter: Option<&'a Adapter>,
    pub device: &'a Device,
    pub dtype: DType,
}

/// Why a model cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum ByBlocksError {
    #[error(transparent)]
    Load(#[from] LoadErrors),
    #[error(transparent)]
    Adapter(#[from] AdapterError),
}

impl ByBlocks<'_> {
    /// Logits of every position of each text, `[t, v]` row major: those of
    /// [`super::Decoder::sequence_logits`], in the memory of embedding, head and one block.
    /// `progress` hears of every block.
    ///
    /// # Errors
    /// Tensors that are missing, misshapen or not finite; an adapter of another model.
    pub fn sequence_logits(
        &self,
        texts: &[Vec<u32>],
        progress: &mut dyn FnMut(),
    ) -> Result<Vec<Vec<Vec<f32>>>, ByBlocksError> {
        check_shapes(self.arch, self.source)?;
        if let Some(adapter) = self.adapter {
            check_fits(adapter, self.arch)?;
        }
        let builder = Builder {
            arch: self.arch,
            device: self.device,
            dtype: self.dtype,
            source: self.source,
            packing: None,
        };
        let mut around = builder.without_blocks().map_err(LoadErrors::from)?;
        if let Some(adapter) = self.adapter {
            around.put_around_blocks(adapter);
        }
        let begin = |ids: &Vec<u32>| {
            let pass = around.pass_after(0, ids.len());
            let x = around
                .embedding
                .forward(around.ids(&[ids], ids.len()), &pass);
            (pass, x)
        };
        let mut running: Vec<(Pass, Tensor<3>)> = texts.iter().map(begin).collect();
        for layer_idx in 0..self.arch.n_layers {
            let mut block = builder.block(layer_idx).map_err(LoadErrors::from)?;
            if let Some(adapter) = self.adapter {
                put_on_block(&mut block, adapter, self.device);
            }
            for (pass, x) in &mut running {
                *x = block.forward(x.clone(), pass, None);
            }
            progress();
        }
        let logits = |(_, x): (Pass, Tensor<3>)| {
            let [_, t, d] = x.dims();
            rows_of(around.logits(x.reshape([t, d])))
        };
        Ok(running.into_iter().map(logits).collect())
    }
}
