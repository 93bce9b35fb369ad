//! Why a model cannot be put on a device, in numbers.

use super::{advice::Alternative, table::bytes_text};
use crate::{
    gpu::GpuError,
    weights::{LoadError, LoadErrors},
};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    #[error(transparent)]
    Load(#[from] LoadErrors),

    #[error(
        "this `{model_type}` model does not run on the GPU: its heads are {head_dim} values wide, \
         the kernels take even widths up to {widest}; the processor runs it"
    )]
    NoKernels {
        model_type: &'static str,
        head_dim: usize,
        widest: usize,
    },

    /// A matrix that no kernel takes.
    #[error(transparent)]
    Matrix(#[from] GpuError),

    #[error(
        "a context of {capacity} tokens filled in chunks of {prefill_chunk} holds nothing; \
         both must be at least 1 (the model was made for up to {longest} tokens)"
    )]
    NoContext {
        capacity: usize,
        prefill_chunk: usize,
        longest: usize,
    },

    #[error(
        "{label} need {} in one buffer, the device allows {}; {}",
        bytes_text(*.needed), bytes_text(*.allowed), advice_text(.alternatives)
    )]
    Buffer {
        label: String,
        needed: u64,
        allowed: u64,
        alternatives: Vec<Alternative>,
    },

    #[error(
        "the model needs {} ({} weights, {} context of {capacity} tokens, {} working memory), \
         {} are available; {}",
        bytes_text(.weights + .kv_cache + .working),
        bytes_text(*.weights), bytes_text(*.kv_cache), bytes_text(*.working),
        bytes_text(*.available), advice_text(.alternatives)
    )]
    Total {
        weights: u64,
        kv_cache: u64,
        working: u64,
        capacity: usize,
        available: u64,
        alternatives: Vec<Alternative>,
    },
}

fn advice_text(alternatives: &[Alternative]) -> String {
    if alternatives.is_empty() {
        return "nothing of this model fits: use a smaller model".to_owned();
    }
    let texts: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
    format!("what fits: {}", texts.join("; or "))
}

impl PlanError {
    /// Whether the processor takes what the kernels of a GPU do not.
    pub fn is_for_want_of_kernels(&self) -> bool {
        matches!(
            self,
            Self::NoKernels { .. } | Self::Matrix(GpuError::Shape { .. } | GpuError::Format { .. })
        )
    }
}

impl From<LoadError> for PlanError {
    fn from(error: LoadError) -> Self {
        Self::Load(error.into())
    }
}
