//! What keeps a model from becoming a GGUF file.

use std::io;

use crate::{
    quant::QuantError,
    text::TextError,
    weights::{LoadError, gguf::GgufError},
};

/// Why a model cannot be exported, or an exported file not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    #[error(transparent)]
    Load(#[from] LoadError),

    #[error(transparent)]
    Gguf(#[from] GgufError),

    #[error("writing the file failed")]
    Io(#[from] io::Error),

    #[error("tensor `{name}`: {source}; the checkpoint is damaged or its training diverged")]
    Quantize {
        name: String,
        #[source]
        source: QuantError,
    },

    #[error(
        "tensor `{name}` is not in the file as it was written: value {index} is {found}, \
         expected {expected}; the disk may be failing"
    )]
    Differs {
        name: String,
        index: usize,
        found: f32,
        expected: f32,
    },

    #[error("GGUF has no name for tensor `{name}`")]
    NoName { name: String },

    #[error(
        "a GGUF file of this `{model_type}` model cannot be written: it has {part}, which the \
         format does not know there; write a folder of safetensors instead"
    )]
    NoMapping {
        model_type: &'static str,
        part: &'static str,
    },

    #[error("{file} is not valid JSON")]
    Json {
        file: &'static str,
        #[source]
        source: serde_json::Error,
    },

    #[error(transparent)]
    Text(#[from] TextError),

    #[error(
        "`{file}` has no form in a GGUF file: {detail}; write a folder of safetensors, or say \
         --without-tokenizer"
    )]
    PieceFile { file: String, detail: String },

    #[error("tokenizer.json: {field} is {found}, expected {expected}")]
    Tokenizer {
        field: String,
        found: String,
        expected: String,
    },

    #[error(
        "the tokenizer has token {id} (`{token}`), the model only {vocab_size} rows; \
         the tokenizer and config.json come from different models"
    )]
    TokenBeyondVocabulary {
        token: String,
        id: u64,
        vocab_size: usize,
    },

    #[error(
        "llama.cpp knows no name for the way this tokenizer splits text ({found}); the file would \
         open there and write other tokens. If you know that one of its names fits, give it \
         with --tokenizer-pre NAME (known here: {known})"
    )]
    PreTokenizer { found: String, known: String },
}
