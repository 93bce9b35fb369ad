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

impl DocumentError {
    /// What reading failed with: another of these errors where it passed through [`std::io`].
    pub(super) fn from_read(name: &str, error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(source) => Self::Read {
                name: name.into(),
                source,
            },
        }
    }

    pub(super) fn from_data(name: &str, error: DatasetError) -> Self {
        match error {
            DatasetError::Read(source) => Self::from_read(name, source),
            other => Self::Data(other),
        }
    }

    /// For reading through [`std::io`] and [`crate::data`], which have errors of their own.
    pub(super) fn into_data(self) -> DatasetError {
        DatasetError::Read(std::io::Error::other(self))
    }

    /// The message with its causes.
    pub(super) fn full(&self) -> String {
        let mut text = self.to_string();
        let mut error: &dyn std::error::Error = self;
        while let Some(cause) = error.source() {
            let said = cause.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            error = cause;
        }
        text
    }
}
