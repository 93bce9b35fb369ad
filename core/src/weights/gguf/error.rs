//! What can be wrong with a GGUF file, or with what should become one.

use super::ValueType;
use crate::weights::LoadError;

/// Why a GGUF file cannot be read or written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    #[error("not a GGUF file: it starts with {found:02x?}, expected `GGUF`")]
    Magic { found: Vec<u8> },

    #[error("GGUF version {found} is not supported, expected 2 or 3; convert the model again")]
    Version { found: u32 },

    #[error(
        "the file ends inside {what}: {needed} bytes are needed at byte {at}, {available} are \
         left; the download may be incomplete, fetch the file again"
    )]
    Truncated {
        what: String,
        at: u64,
        needed: u64,
        available: u64,
    },

    #[error(
        "{what} has the size {found}, at most {limit} is expected; the file is damaged, fetch it again"
    )]
    TooLarge {
        what: String,
        found: u64,
        limit: u64,
    },

    #[error("{what} is not UTF-8 at byte {at}; the file is damaged, fetch it again")]
    NotUtf8 { what: String, at: u64 },

    #[error("metadata `{key}` has type {found}, which GGUF does not define; the file is damaged")]
    UnknownType { key: String, found: u32 },

    #[error("metadata `{key}` is an array of arrays, which llama.cpp does not read either")]
    NestedArray { key: String },

    #[error("the metadata describe a model that cannot be: {reason}")]
    Arch { reason: String },

    #[error("metadata `{key}` is missing; the file is no model, or of an unknown kind")]
    MissingKey { key: String },

    #[error("metadata `{key}` is {found}, expected {expected}")]
    WrongValue {
        key: String,
        found: String,
        expected: &'static str,
    },

    #[error("array `{key}` holds a {found:?} between values of type {expected:?}")]
    MixedArray {
        key: String,
        expected: ValueType,
        found: ValueType,
    },

    #[error("the name `{name}` appears twice")]
    Duplicate { name: String },

    #[error("tensor `{name}`: {reason}")]
    Tensor { name: String, reason: String },

    #[error("GGUF architecture `{found}` is not supported (supported: {supported})")]
    Architecture { found: String, supported: String },

    #[error(transparent)]
    Load(#[from] LoadError),
}
