//! Why a model cannot be loaded or cannot answer.

use super::plan::PlanError;
use crate::{
    gpu::GpuError,
    sampling::SamplingError,
    weights::{LoadError, LoadErrors, adapter::AdapterError},
};

/// Everything that the engine refuses or that fails in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferError {
    #[error(transparent)]
    Load(#[from] LoadErrors),

    #[error(transparent)]
    Plan(#[from] PlanError),

    #[error(transparent)]
    Gpu(#[from] GpuError),

    #[error(transparent)]
    Adapter(#[from] AdapterError),

    #[error("adapter {id} is not loaded; it was removed, or belongs to another engine")]
    UnknownAdapter { id: u32 },

    #[error(transparent)]
    Sampling(#[from] SamplingError),

    #[error("the context of 0 tokens can hold nothing; ask for at least 1 token")]
    NoContext,

    #[error("the prompt is empty; expected at least one token")]
    EmptyPrompt,

    #[error("token id {id} at position {position} is outside of the vocabulary of {vocab_size}")]
    TokenId {
        id: u32,
        position: usize,
        vocab_size: usize,
    },

    #[error(
        "the prompt has {n_prompt} tokens, the context holds {capacity}; shorten the conversation, \
         or load the model with a larger context (it was trained for {max_positions})"
    )]
    ContextFull {
        n_prompt: usize,
        capacity: usize,
        max_positions: usize,
    },

    #[error("the session belongs to another engine; open one with this engine's `new_session`")]
    OtherEngine,

    #[error(
        "the model's logits after token {position} are not finite; the weights are damaged, \
         or values beyond the range of the device's numbers occurred"
    )]
    NotFinite { position: usize },
}

impl From<LoadError> for InferError {
    fn from(error: LoadError) -> Self {
        Self::Load(error.into())
    }
}
