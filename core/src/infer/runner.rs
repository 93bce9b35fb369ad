//! What a model on a device does, whatever the device.
//!
//! The contract of every runner:
//! - A [`Context`] holds all that lives from one call to the next: keys, values, position, the
//!   logits after the last token. Contexts used in turn do not disturb each other.
//! - The caller keeps the count: ids are below the vocabulary's size, and never more than
//!   `capacity` tokens are in a context.
//! - Where logits are equal, the token with the smaller id comes first.
//! - A call that fails, or whose future is dropped, may leave tokens behind in the context;
//!   [`Runner::truncate`] to what was there before makes it whole again.

use super::{
    EngineOptions, InferError, LoadProgress, MemoryUse, Place,
    cpu::{CpuContext, CpuRunner},
    gpu_runner::{DecodeCost, GpuContext, GpuRunner, GpuTicket},
};
use crate::{arch::Arch, sampling::TopTokens, weights::PackedSource, weights::adapter::Adapter};

/// An adapter beside the base, of the engine that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdapterId(pub(super) u32);

/// A model on a device.
#[derive(Debug)]
pub(super) enum Runner {
    Cpu(Box<CpuRunner>),
    Gpu(Box<GpuRunner>),
}

/// What a runner keeps for one session.
#[derive(Debug)]
pub(super) enum Context {
    Cpu(CpuContext),
    Gpu(GpuContext),
}

/// A request for the likeliest tokens that is under way.
#[derive(Debug)]
pub(super) enum Ticket {
    Cpu(TopTokens),
    Gpu(GpuTicket),
}

impl Runner {
    pub(super) async fn load(
        place: Place,
        arch: &Arch,
        source: &dyn PackedSource,
        options: &EngineOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, InferError> {
        match place {
            Place::Cpu => CpuRunner::load(arch, source, options, progress)
                .await
                .map(|runner| Self::Cpu(Box::new(runner))),
            Place::Gpu(gpu) => GpuRunner::load(gpu, arch, source, options, progress)
                .await
                .map(|runner| Self::Gpu(Box::new(runner))),
        }
    }

    /// An empty context for `options.capacity` tokens.
    pub(super) fn new_context(&self) -> Result<Context, InferError> {
        match self {
            Self::Cpu(runner) => Ok(Context::Cpu(runner.new_context())),
            Self::Gpu(runner) => runner.new_context().map(Context::Gpu),
        }
    }

    /// Forgets all but the first `n_tokens`.
    pub(super) fn truncate(
        &self,
        context: &mut Context,
        n_tokens: usize,
    ) -> Result<(), InferError> {
        match (self, context) {
            (Self::Cpu(runner), Context::Cpu(context)) => {
                runner.truncate(context, n_tokens);
                Ok(())
            }
            (Self::Gpu(_), Context::Gpu(context)) => {
                context.truncate(n_tokens);
                Ok(())
            }
            _ => Err(InferError::OtherEngine),
        }
    }

    /// Says how long the text of an empty context will be, for which it is rotated from its first
    /// token on; until then it is one of no tokens.
    pub(super) fn rotate_for(
        &self,
        context: &mut Context,
        n_positions: usize,
    ) -> Result<(), InferError> {
        match (self, context) {
            (Self::Cpu(_), Context::Cpu(context)) => {
                context.rotate_for(n_positions);
                Ok(())
            }
            (Self::Gpu(runner), Context::Gpu(context)) => runner.rotate_for(context, n_positions),
            _ => Err(InferError::OtherEngine),
        }
    }

    /// Runs `ids`, at most a prefill chunk of them, after what the context holds; the logits after
    /// the last are in the context then.
    pub(super) async fn extend(
        &self,
        context: &mut Context,
        ids: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        match (self, context) {
            (Self::Cpu(runner), Context::Cpu(context)) => {
                runner.extend(context, ids, adapter).await
            }
            (Self::Gpu(runner), Context::Gpu(context)) => {
                runner.extend(context, ids, adapter).await
            }
            _ => Err(InferError::OtherEngine),
        }
    }

    /// As [`Self::extend`], and hands out the logits after every one of `ids`.
    pub(super) async fn extend_scored(
        &self,
        context: &mut Context,
        ids: &[u32],
        adapter: Option<AdapterId>,
        on_logits: &mut dyn FnMut(&[f32]),
    ) -> Result<(), InferError> {
        match (self, context) {
            (Self::Cpu(runner), Context::Cpu(context)) => {
                runner.extend_scored(context, ids, adapter, on_logits).await
            }
            (Self::Gpu(runner), Context::Gpu(context)) => {
                runner.extend_scored(context, ids, adapter, on_logits).await
            }
            _ => Err(InferError::OtherEngine),
        }
    }

    /// The logits after the last token of the context.
    pub(super) async fn logits(&self, context: &mut Context) -> Result<Vec<f32>, InferError> {
        match (self, context) {
            (Self::Cpu(_), Context::Cpu(context)) => Ok(context.logits().to_vec()),
            (Self::Gpu(runner), Context::Gpu(context)) => runner.logits(context).await,
            _ => Err(InferError::OtherEngine),
        }
    }

    /// Finds the `n_top` likeliest tokens; the likeliest is what [`Self::submit_step`] runs.
    /// At most [`Self::max_top`].
    pub(super) fn submit_sample(
        &self,
        context: &mut Context,
        n_top: usize,
    ) -> Result<Ticket, InferError> {
        match (self, context) {
            (Self::Cpu(_), Context::Cpu(context)) => Ok(Ticket::Cpu(context.top(n_top))),
            (Self::Gpu(runner), Context::Gpu(context)) => {
                runner.submit_sample(context, n_top).map(Ticket::Gpu)
            }
            _ => Err(InferError::OtherEngine),
        }
    }

    /// Runs the token that the last [`Self::submit_sample`] found likeliest, without waiting for
    /// anyone to read it.
    pub(super) fn submit_step(
        &self,
        context: &mut Context,
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        match (self, context) {
            (Self::Cpu(runner), Context::Cpu(context)) => runner.step(context, adapter),
            (Self::Gpu(runner), Context::Gpu(context)) => runner.submit_step(context, adapter),
            _ => Err(InferError::OtherEngine),
        }
    }

    /// Waits for an answer. Tickets of a context are taken in their order.
    pub(super) async fn take(&self, ticket: Ticket) -> Result<TopTokens, InferError> {
        match (self, ticket) {
            (Self::Cpu(_), Ticket::Cpu(top)) => Ok(top),
            (Self::Gpu(runner), Ticket::Gpu(ticket)) => runner.take(ticket).await,
            _ => Err(InferError::OtherEngine),
        }
    }

    /// Whether steps run while the caller does something else, so that the next is worth
    /// submitting before the last was read.
    pub(super) fn runs_ahead(&self) -> bool {
        match self {
            Self::Cpu(_) => false,
            Self::Gpu(_) => true,
        }
    }

    /// The most tokens that [`Self::submit_sample`] finds.
    pub(super) fn max_top(&self) -> usize {
        match self {
            Self::Cpu(_) => usize::MAX,
            Self::Gpu(runner) => runner.max_top(),
        }
    }

    /// Puts an adapter, known to fit the base, beside it.
    pub(super) fn add_adapter(
        &mut self,
        id: AdapterId,
        adapter: &Adapter,
    ) -> Result<(), InferError> {
        match self {
            Self::Cpu(runner) => {
                runner.add_adapter(id, adapter);
                Ok(())
            }
            Self::Gpu(runner) => runner.add_adapter(id, adapter),
        }
    }

    pub(super) fn remove_adapter(&mut self, id: AdapterId) {
        match self {
            Self::Cpu(runner) => runner.remove_adapter(id),
            Self::Gpu(runner) => runner.remove_adapter(id),
        }
    }

    pub(super) fn memory(&self) -> MemoryUse {
        match self {
            Self::Cpu(runner) => runner.memory(),
            Self::Gpu(runner) => runner.memory(),
        }
    }

    /// What a token costs on a GPU; the processor launches nothing.
    pub(super) fn decode_cost(
        &self,
        context: &mut Context,
        adapter: Option<AdapterId>,
    ) -> Result<Option<DecodeCost>, InferError> {
        match (self, context) {
            (Self::Cpu(_), Context::Cpu(_)) => Ok(None),
            (Self::Gpu(runner), Context::Gpu(context)) => {
                runner.decode_cost(context, adapter).map(Some)
            }
            _ => Err(InferError::OtherEngine),
        }
    }
}
