//! Why the GPU could not be opened, or did not do what it was asked.

use crate::quant::QuantError;

/// Where a request to the GPU ended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    #[error("no GPU was found: {detail}")]
    NoAdapter { detail: String },

    #[error("no GPU is called `{wanted}` (found: {found})")]
    UnknownAdapter { wanted: String, found: String },

    #[error("`{adapter}` has no {feature}, which was asked for")]
    MissingFeature {
        adapter: String,
        feature: &'static str,
    },

    #[error("`{adapter}` could not be opened: {detail}")]
    Open { adapter: String, detail: String },

    #[error("`{label}` needs {n_bytes} bytes in one piece, the GPU allows {limit} ({limit_name})")]
    TooLarge {
        label: String,
        n_bytes: u64,
        limit: u64,
        limit_name: &'static str,
    },

    #[error("`{label}` is empty, expected at least one byte")]
    Empty { label: String },

    #[error(
        "bytes {at} to {end} of `{label}` were addressed, it has {len}; \
         offsets must be multiples of {alignment}"
    )]
    Range {
        label: String,
        at: u64,
        end: u64,
        len: u64,
        alignment: u64,
    },

    #[error("`{label}`: {what} is {found}, expected {expected}")]
    Shape {
        label: String,
        what: &'static str,
        found: u64,
        expected: String,
    },

    #[error("`{label}` is stored as {format}, which the GPU has no kernel for")]
    Format { label: String, format: &'static str },

    #[error("kernel `{kernel}` needs {needs}, which this device was opened without")]
    Profile {
        kernel: &'static str,
        needs: &'static str,
    },

    #[error("`{label}` cannot be read")]
    Weights {
        label: String,
        #[source]
        source: QuantError,
    },

    #[error("the GPU is out of memory: {detail}")]
    OutOfMemory { detail: String },

    #[error("the GPU refused a command: {detail}")]
    Refused { detail: String },

    #[error("the GPU was lost: {detail}")]
    Lost { detail: String },

    #[error("results could not be read back from `{label}`: {detail}")]
    Read { label: String, detail: String },
}

impl GpuError {
    /// One thing the user can do about it, shown on its own line.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoAdapter { .. } => {
                Some("run on the processor, or use a browser and a driver with WebGPU")
            }
            Self::TooLarge { .. } | Self::OutOfMemory { .. } => {
                Some("a smaller model, a shorter context or fewer bits per weight may fit")
            }
            Self::Lost { .. } => Some("load the model again; what was written so far is kept"),
            _ => None,
        }
    }

    /// Whether the device is gone for good and everything on it with it.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}
