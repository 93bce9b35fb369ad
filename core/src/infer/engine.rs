//! A model on a device, its adapters and its sessions.

use std::{fmt, rc::Rc};

use super::{
    AdapterId, DecodeCost, EngineOptions, InferError, Session,
    plan::{Plan, PlanError},
    runner::Runner,
};
use crate::{
    arch::Arch,
    gpu::{Gpu, GpuLimits},
    weights::{PackedSource, adapter::Adapter},
};

/// Where a model runs.
#[derive(Debug, Clone)]
pub enum Place {
    /// On the processor, on one thread.
    Cpu,
    Gpu(Gpu),
}

/// How far loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadProgress {
    pub n_tensors_done: usize,
    pub n_tensors: usize,
    /// Bytes of weights on the device so far.
    pub bytes_done: u64,
}

/// Bytes that are allocated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryUse {
    pub weights: u64,
    pub adapters: u64,
    /// Scratch that all sessions share.
    pub activations: u64,
    /// Each session at its full context.
    pub per_session: u64,
}

/// A loaded model. Sessions may generate in turn; nothing but adapters changes after loading.
pub struct Engine {
    arch: Arch,
    options: EngineOptions,
    pub(super) runner: Runner,
    /// Submit a token's successor before the token was read.
    pub(super) ahead: bool,
    adapters: Vec<AdapterId>,
    n_adapters_ever: u32,
    identity: Rc<()>,
}

impl Engine {
    /// Puts a model's tensors on a device.
    ///
    /// # Errors
    /// Every tensor that is missing or has another shape than `arch` says, at once; what the
    /// device refuses.
    pub async fn load(
        place: Place,
        arch: Arch,
        source: &dyn PackedSource,
        options: &EngineOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, InferError> {
        let mut options = options.clone();
        options.capacity = options.capacity.min(arch.max_positions);
        options.prefill_chunk = options.prefill_chunk.clamp(1, options.capacity.max(1));
        if options.capacity == 0 {
            return Err(InferError::NoContext);
        }
        let runner = Runner::load(place, &arch, source, &options, progress).await?;
        Ok(Self {
            arch,
            options,
            ahead: runner.runs_ahead(),
            runner,
            adapters: Vec::new(),
            n_adapters_ever: 0,
            identity: Rc::new(()),
        })
    }

    /// Every buffer that [`Self::load`] and one session take, with its size; without limits as the
    /// processor keeps them.
    ///
    /// # Errors
    /// Where they do not fit, with what would; tensors that are missing or of another shape.
    pub fn plan(
        arch: &Arch,
        source: &dyn PackedSource,
        options: &EngineOptions,
        limits: Option<&GpuLimits>,
    ) -> Result<Plan, PlanError> {
        Plan::of_source(arch, source, options, limits)
    }

    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    /// Tokens that a session holds.
    pub fn capacity(&self) -> usize {
        self.options.capacity
    }

    /// Prompt tokens that go through the model at once.
    pub fn prefill_chunk(&self) -> usize {
        self.options.prefill_chunk
    }

    /// Puts an adapter beside the base; requests name it by the id.
    ///
    /// # Errors
    /// [`AdapterError::OtherModel`](crate::weights::adapter::AdapterError) with every mismatch, and
    /// `OnlyMerged` where the adapter is more than pairs of linear layers.
    pub fn add_adapter(&mut self, adapter: &Adapter) -> Result<AdapterId, InferError> {
        adapter.only_pairs(&self.arch)?;
        adapter.check_fits(|name| self.arch.tensor_shape(name))?;
        let id = AdapterId(self.n_adapters_ever);
        self.runner.add_adapter(id, adapter)?;
        self.n_adapters_ever += 1;
        self.adapters.push(id);
        Ok(id)
    }

    /// Frees an adapter. Requests that name it fail from now on.
    pub fn remove_adapter(&mut self, id: AdapterId) {
        if self.adapters.contains(&id) {
            self.adapters.retain(|held| *held != id);
            self.runner.remove_adapter(id);
        }
    }

    /// An empty context.
    ///
    /// # Errors
    /// Where the device has no memory for it.
    pub fn new_session(&self) -> Result<Session, InferError> {
        let context = self.runner.new_context()?;
        Ok(Session::new(context, self.identity.clone()))
    }

    /// What each further token of a session costs; `None` on the processor.
    ///
    /// # Errors
    /// Where the session or the adapter is not of this engine.
    pub fn decode_cost(
        &self,
        session: &mut Session,
        adapter: Option<AdapterId>,
    ) -> Result<Option<DecodeCost>, InferError> {
        self.runner.decode_cost(&mut session.context, adapter)
    }

    pub fn memory(&self) -> MemoryUse {
        self.runner.memory()
    }

    /// Refuses what would not fit or is not there, before anything runs.
    pub(super) fn check(
        &self,
        session: &Session,
        prompt_ids: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        if !Rc::ptr_eq(&session.home, &self.identity) {
            return Err(InferError::OtherEngine);
        }
        if let Some(id) = adapter.filter(|id| !self.adapters.contains(id)) {
            return Err(InferError::UnknownAdapter { id: id.0 });
        }
        if prompt_ids.is_empty() {
            return Err(InferError::EmptyPrompt);
        }
        let vocab_size = self.arch.vocab_size;
        if let Some(position) = prompt_ids.iter().position(|id| *id as usize >= vocab_size) {
            return Err(InferError::TokenId {
                id: prompt_ids[position],
                position,
                vocab_size,
            });
        }
        if prompt_ids.len() > self.capacity() {
            return Err(InferError::ContextFull {
                n_prompt: prompt_ids.len(),
                capacity: self.capacity(),
                max_positions: self.arch.max_positions,
            });
        }
        Ok(())
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("arch", &self.arch)
            .field("capacity", &self.capacity())
            .field("adapters", &self.adapters)
            .finish_non_exhaustive()
    }
}
