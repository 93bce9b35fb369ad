//! Why files are no model that can be run.

use crate::{
    arch::ArchError,
    text::TextError,
    weights::{LoadError, gguf::GgufError},
};

/// What is wrong, as the part says it that found it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    #[error(transparent)]
    Gguf(#[from] GgufError),

    #[error(transparent)]
    Arch(#[from] ArchError),

    #[error(transparent)]
    Load(#[from] LoadError),

    #[error(transparent)]
    Text(#[from] TextError),
}
