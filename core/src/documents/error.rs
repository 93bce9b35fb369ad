//! Why a file or a part of it cannot be read.

use crate::data::DatasetError;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    #[error("`{name}` cannot be read")]
    Read {
        name: String,
        #[source]
        source: std::io::Error,
    },

    /// What is broken and where, in words of the format.
    #[error("`{name}` is not a readable {kind}: {detail}")]
    Broken {
        name: String,
        kind: &'static str,
        detail: String,
    },

    /// Larger inside than is safe to unpack.
    #[error("`{name}` would unpack to {found} bytes, at most {limit} are read; it may be a bomb")]
    TooLarge {
        name: String,
        found: u64,
        limit: u64,
    },

    #[error("`{name}` has no text: {reason}")]
    NoText { name: String, reason: String },

    #[error("`{name}`: {reason}")]
    Unsupported { name: String, reason: String },

    #[error("`{name}` contains `{member}`, a path that leads out of the archive")]
    Traversal { name: String, member: String },

    #[error("{reason}")]
    Reading { reason: String },

    #[error(transparent)]
    Data(#[from] DatasetError),
}
