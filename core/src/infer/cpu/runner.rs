//! The runner's side of the contract: contexts, adapters, chunks.

use std::{collections::BTreeMap, fmt};

use super::{
    adapter::CpuAdapter,
    attention::LayerCache,
    forward::Pass,
    model::{Loader, Model},
    rope::Rope,
};
use crate::{
    arch::{Arch, Module, Part},
    infer::{AdapterId, EngineOptions, InferError, LoadProgress, MemoryUse, Pause},
    sampling::TopTokens,
    weights::{LoadErrors, PackedSource, adapter::Adapter},
};

/// Tokens that share a pass over the weights; others wait at most this long for a pause.
const TOKENS_AT_ONCE: usize = 16;

/// A model in memory.
pub(in crate::infer) struct CpuRunner {
    arch: Arch,
    model: Model,
    adapters: BTreeMap<AdapterId, CpuAdapter>,
    capacity: usize,
    weight_bytes: u64,
    pause: Pause,
}

/// One session's tokens.
#[derive(Debug)]
pub(in crate::infer) struct CpuContext {
    layers: Vec<LayerCache>,
    /// How many have keys and values.
    n_tokens: usize,
    /// The length of text for which the keys are rotated.
    n_rotated_for: usize,
    /// After the last token.
    logits: Vec<f32>,
    /// What [`CpuRunner::step`] runs.
    chosen: Option<u32>,
}

impl CpuRunner {
    pub(in crate::infer) async fn load(
        arch: &Arch,
        source: &dyn PackedSource,
        options: &EngineOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, InferError> {
        let mut loader = Loader {
            arch,
            source,
            progress,
            n_tensors: arch.tensors().len(),
            n_tensors_done: 0,
            n_bytes: 0,
            errors: Vec::new(),
        };
        let table = [arch.vocab_size, arch.d_model];
        let embed_tokens = loader.matrix(Module::Embedding, table);
        let positions = arch.embedding.n_positions;
        let positions = positions.map(|n| loader.matrix(Module::Positions, [n, arch.d_model]));
        let modules = arch.linear_modules();
        let mut layers = Vec::with_capacity(arch.n_layers);
        for layer_idx in 0..arch.n_layers {
            layers.extend(loader.layer(layer_idx, &modules));
            (options.pause)().await;
        }
        let norm = loader.norm(Module::FinalNorm, arch.norm, arch.d_model);
        let lm_head = match arch.tie_embeddings {
            true => None,
            false => loader.matrix(Module::Head, table),
        };
        let has_bias = arch.logits.has_bias;
        let head_bias = has_bias.then(|| loader.vector(Module::Head, Part::Bias, arch.vocab_size));
        match (embed_tokens, norm) {
            (Some(embed_tokens), Some(norm)) if loader.errors.is_empty() => Ok(Self {
                arch: arch.clone(),
                model: Model {
                    embed_tokens,
                    positions: positions.flatten(),
                    layers,
                    norm,
                    lm_head,
                    head_bias: head_bias.flatten(),
                },
                adapters: BTreeMap::new(),
                capacity: options.capacity,
                weight_bytes: loader.n_bytes,
                pause: options.pause.clone(),
            }),
            _ => Err(LoadErrors(loader.errors).into()),
        }
    }

    pub(in crate::infer) fn new_context(&self) -> CpuContext {
        CpuContext {
            layers: vec![LayerCache::default(); self.arch.n_layers],
            n_tokens: 0,
            n_rotated_for: 0,
            logits: Vec::new(),
            chosen: None,
        }
    }

    pub(in crate::infer) fn truncate(&self, context: &mut CpuContext, n_tokens: usize) {
        for layer in &mut context.layers {
            layer.truncate(n_tokens, self.arch.d_kv());
        }
        context.n_tokens = context.n_tokens.min(n_tokens);
    }

    pub(in crate::infer) async fn extend(
        &self,
        context: &mut CpuContext,
        ids: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        let n_passes = ids.len().div_ceil(TOKENS_AT_ONCE);
        for (index, ids) in ids.chunks(TOKENS_AT_ONCE).enumerate() {
            let is_last = index + 1 == n_passes;
            let rows = if is_last { Rows::Last } else { Rows::None };
            context.logits = self.run(context, ids, adapter, rows)?;
            (self.pause)().await;
        }
        Ok(())
    }

    pub(in crate::infer) async fn extend_scored(
        &self,
        context: &mut CpuContext,
        ids: &[u32],
        adapter: Option<AdapterId>,
        on_logits: &mut dyn FnMut(&[f32]),
    ) -> Result<(), InferError> {
        let v = self.arch.vocab_size;
        for ids in ids.chunks(TOKENS_AT_ONCE) {
            let mut logits = self.run(context, ids, adapter, Rows::All)?;
            logits.chunks(v).for_each(&mut *on_logits);
            logits.drain(..logits.len() - v);
            context.logits = logits;
            (self.pause)().await;
        }
        Ok(())
    }

    /// Runs the token that was found likeliest.
    pub(in crate::infer) fn step(
        &self,
        context: &mut CpuContext,
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        if let Some(id) = context.chosen.take() {
            context.logits = self.run(context, &[id], adapter, Rows::Last)?;
        }
        Ok(())
    }

    /// Runs tokens that follow those of the context.
    fn run(
        &self,
        context: &mut CpuContext,
        ids: &[u32],
        adapter: Option<AdapterId>,
        rows: Rows,
    ) -> Result<Vec<f32>, InferError> {
        let (pass, hidden) = self.hidden(context, ids, adapter)?;
        Ok(match rows {
            Rows::None => Vec::new(),
            Rows::Last => pass.logits(&hidden[hidden.len() - self.arch.d_model..]),
            Rows::All => pass.logits(&hidden),
        })
    }

    /// Hidden states of tokens that follow those of the context.
    fn hidden(
        &self,
        context: &mut CpuContext,
        ids: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<(Pass<'_>, Vec<f32>), InferError> {
        let adapter = match adapter {
            None => None,
            Some(id) => {
                Some(self.adapters.get(&id)).ok_or(InferError::UnknownAdapter { id: id.0 })?
            }
        };
        let (first, n_positions) = (context.n_tokens, context.n_rotated_for);
        let rope = |spec| Rope::new(spec, n_positions, first, ids.len());
        let pass = Pass {
            arch: &self.arch,
            model: &self.model,
            adapter,
            ropes: self.arch.ropes.iter().map(rope).collect(),
            alibi: self.arch.alibi(),
            first,
        };
        let hidden = pass.hidden(ids, &mut context.layers);
        context.n_tokens += ids.len();
        Ok((pass, hidden))
    }

    pub(in crate::infer) fn add_adapter(&mut self, id: AdapterId, adapter: &Adapter) {
        let modules = self.arch.linear_modules().into_iter();
        let modules: Vec<String> = modules.map(|module| module.path).collect();
        self.adapters.insert(id, CpuAdapter::new(adapter, &modules));
    }

    pub(in crate::infer) fn remove_adapter(&mut self, id: AdapterId) {
        self.adapters.remove(&id);
    }

    pub(in crate::infer) fn memory(&self) -> MemoryUse {
        let kv_values = 2 * self.arch.n_layers * self.arch.d_kv() * self.capacity;
        let widest = 2 * self.arch.d_ff + 2 * self.arch.d_model + self.arch.d_q();
        MemoryUse {
            weights: self.weight_bytes,
            adapters: self.adapters.values().map(CpuAdapter::n_bytes).sum(),
            activations: 4 * (TOKENS_AT_ONCE * widest) as u64,
            per_session: 4 * (kv_values + self.arch.vocab_size) as u64,
        }
    }
}

/// Whose logits are wanted.
#[derive(Debug, Clone, Copy)]
enum Rows {
    None,
    Last,
    All,
}

impl CpuContext {
    /// Of an empty context: how long its text will be.
    pub(in crate::infer) fn rotate_for(&mut self, n_positions: usize) {
        self.n_rotated_for = n_positions;
    }

    pub(in crate::infer) fn logits(&self) -> &[f32] {
        &self.logits
    }

    pub(in crate::infer) fn top(&mut self, n_top: usize) -> TopTokens {
        let top = TopTokens::of(&self.logits, n_top);
        self.chosen = top.ids.first().copied();
        top
    }
}

impl fmt::Debug for CpuRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuRunner")
            .field("weight_bytes", &self.weight_bytes)
            .finish_non_exhaustive()
    }
}
