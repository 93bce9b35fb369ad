//! Why a checkpoint or an adapter could not become a model.

use std::{fmt, ops::Range};

use crate::quant::QuantError;

/// One thing that is wrong with a checkpoint.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("tensor `{name}` is missing from the checkpoint")]
    MissingTensor { name: String },

    #[error("tensor `{name}` has shape {found:?}, expected {expected:?}")]
    Shape {
        name: String,
        expected: Vec<usize>,
        found: Vec<usize>,
    },

    #[error("tensor `{name}` has element type {found}, expected F32, F16 or BF16")]
    Dtype { name: String, found: String },

    #[error("tensor `{name}` is stored as {found}, which cannot be read (formats read: {known})")]
    StoredAs {
        name: String,
        found: String,
        known: String,
    },

    #[error("tensor `{name}` holds {value} at element {index}, expected finite numbers")]
    NotFinite {
        name: String,
        index: usize,
        value: f32,
    },

    #[error("tensor `{name}`: {source}")]
    Quantize {
        name: String,
        #[source]
        source: QuantError,
    },

    #[error("tensor `{name}` of shape {shape:?} has no rows {rows:?}")]
    Rows {
        name: String,
        rows: Range<usize>,
        shape: Vec<usize>,
    },

    #[error("reading {n_bytes} bytes at byte {at} of the file failed: {reason}")]
    Read {
        at: u64,
        n_bytes: usize,
        reason: String,
    },

    #[error("`{file}` is not a whole safetensors file: {reason}")]
    Format { file: String, reason: String },
}

impl LoadError {
    /// One thing the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::MissingTensor { .. } => {
                "the download may be incomplete, or config.json belongs to another model"
            }
            Self::Shape { .. } => "config.json and the weights seem to come from different models",
            Self::Dtype { .. } => "export the checkpoint as F32, F16 or BF16 safetensors",
            Self::StoredAs { .. } => {
                "take a file of the same model in another format, such as Q4_K_M"
            }
            Self::NotFinite { .. } | Self::Quantize { .. } => {
                "the checkpoint is damaged or its training diverged; use another copy"
            }
            Self::Rows { .. } => "this is a fault of Veneer; please report it",
            Self::Read { .. } => "the file may have been moved or replaced; open it again",
            Self::Format { .. } => "the file is truncated or damaged; download it again",
        }
    }
}

/// Everything that is wrong, so that it can be mended in one go.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadErrors(pub Vec<LoadError>);

impl LoadErrors {
    /// How many are printed; the rest is counted.
    const SHOWN: usize = 12;
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = &self.0;
        if let [only] = errors.as_slice() {
            return write!(f, "{only}; {}", only.hint());
        }
        write!(f, "{} problems in the checkpoint:", errors.len())?;
        for error in errors.iter().take(Self::SHOWN) {
            write!(f, "\n  {error}")?;
        }
        if errors.len() > Self::SHOWN {
            write!(f, "\n  and {} more", errors.len() - Self::SHOWN)?;
        }
        errors
            .first()
            .map_or(Ok(()), |first| write!(f, "\n  {}", first.hint()))
    }
}

impl std::error::Error for LoadErrors {}

impl From<LoadError> for LoadErrors {
    fn from(error: LoadError) -> Self {
        Self(vec![error])
    }
}
