//! The launches of a forward pass, built once and replayed for every token.
//!
//! [`block`](super::block) has what a layer launches.

use super::{
    adapter::GpuAdapter,
    context::ContextBuffers,
    scratch::Scratch,
    weights::{GpuNorm, GpuWeights},
};
use crate::{
    arch::{Arch, NormKind},
    gpu::{
        Buffer, Dispatch, Gpu, GpuError, Linear, Rows, linear,
        ops::{
            AddPositions, Embed, Norm, NormWeights, SoftCap, add_positions, embed, norm, soft_cap,
        },
    },
};

/// Launches for a fixed number of tokens.
pub(super) struct Graph {
    /// From ids to the residual stream behind the last layer.
    pub(super) body: Vec<Dispatch>,
    /// From there to the logits of the last token.
    pub(super) head: Vec<Dispatch>,
    pub(super) n_tokens: usize,
}

/// What launches read and write.
pub(super) struct GraphBuilder<'a> {
    pub(super) gpu: &'a Gpu,
    pub(super) arch: &'a Arch,
    pub(super) weights: &'a GpuWeights,
    pub(super) scratch: &'a Scratch,
    pub(super) context: &'a ContextBuffers,
    pub(super) adapter: Option<&'a GpuAdapter>,
    pub(super) n_tokens: usize,
}

impl GraphBuilder<'_> {
    pub(super) fn build(&self) -> Result<Graph, GpuError> {
        Ok(Graph {
            body: self.body()?,
            head: self.head(self.n_tokens - 1, 1, &self.context.logits)?,
            n_tokens: self.n_tokens,
        })
    }

    pub(super) fn body(&self) -> Result<Vec<Dispatch>, GpuError> {
        let mut launches = self.embedding()?;
        for (layer_idx, layer) in self.weights.layers.iter().enumerate() {
            self.push_block(layer_idx, layer, &mut launches)?;
        }
        Ok(launches)
    }

    fn embedding(&self) -> Result<Vec<Dispatch>, GpuError> {
        let Self {
            gpu,
            weights,
            scratch,
            context,
            n_tokens,
            ..
        } = *self;
        let tokens = Embed {
            ids: &context.ids,
            table: &weights.embedding,
            x: &scratch.x,
            scale: self.arch.embedding.scale as f32,
            n_tokens,
        };
        let mut launches = embed(gpu, "embedding", &tokens)?;
        if let Some(table) = &weights.positions {
            let positions = AddPositions {
                table,
                state: &context.state,
                x: &scratch.x,
                n_tokens,
            };
            launches.extend(add_positions(gpu, "positions", &positions)?);
        }
        Ok(launches)
    }

    /// Logits of some of the rows behind the last layer. `logits: [n_rows, v]`
    pub(super) fn head(
        &self,
        first_row: usize,
        n_rows: usize,
        logits: &Buffer,
    ) -> Result<Vec<Dispatch>, GpuError> {
        let arch = self.arch;
        let normed = Norm {
            x: &self.scratch.x,
            weights: self.norm_weights(&self.weights.norm),
            out: &self.scratch.normed,
            added: None,
            d: arch.d_model,
            first_row,
            n_rows,
        };
        let mut launches = vec![norm(self.gpu, "final norm", &normed)?];
        let op = Linear {
            weight: self.weights.head(),
            x: Rows::packed(&self.scratch.normed, count(arch.d_model)),
            y: Rows::packed(logits, count(arch.vocab_size)),
            bias: self.weights.head_bias.as_ref(),
            scale: (1.0 / arch.logits.divisor) as f32,
            accumulate: false,
            n_tokens: count(n_rows),
        };
        launches.extend(linear(self.gpu, "head", &op)?);
        if let Some(cap) = arch.logits.softcap {
            let capped = SoftCap {
                x: logits,
                cap: cap as f32,
                n: n_rows * arch.vocab_size,
            };
            launches.push(soft_cap(self.gpu, "cap of logits", &capped)?);
        }
        Ok(launches)
    }

    /// A norm over the model's width, as kernels take it.
    pub(super) fn norm_weights<'n>(&self, norm: &'n GpuNorm) -> NormWeights<'n> {
        NormWeights {
            weight: &norm.weight,
            bias: norm.bias.as_ref(),
            is_centred: self.arch.norm.kind == NormKind::Layer,
            eps: self.arch.norm.eps as f32,
        }
    }
}

/// A size that the plan has compared with what the device can count.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
