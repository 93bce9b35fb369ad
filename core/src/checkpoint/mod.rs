//! A model as its files hold it, opened: what it is, its tensors for the engine, its text.
//!
//! Two kinds of files become the same [`Checkpoint`]: one GGUF file, or the folder that
//! transformers writes. Where the bytes lie is the caller's matter ([`ByteSource`]).

mod error;
mod folder;
mod gguf;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod open_tests;

pub use error::CheckpointError;
pub use folder::FolderFiles;

use crate::{
    arch::Arch,
    text::ModelText,
    weights::{
        ByteSource, PackedSource,
        gguf::{GgufModel, GgufSource},
    },
};

/// What is needed to run a model.
pub struct Checkpoint<'a> {
    pub arch: Arch,
    /// Under checkpoint names.
    pub weights: Box<dyn PackedSource + 'a>,
    pub text: ModelText,
}

impl<'a> Checkpoint<'a> {
    /// Opens a GGUF file. `template` takes a built-in chat template instead of the file's own.
    ///
    /// # Errors
    /// Files that are damaged or of a kind that is not supported.
    pub fn from_gguf(
        file: Box<dyn ByteSource + 'a>,
        template: Option<&str>,
    ) -> Result<Self, CheckpointError> {
        let model = GgufModel::open(file)?;
        let text = ModelText::from_gguf(&gguf::text_of(model.file())?, template)?;
        let arch = model.arch().clone();
        Self::new(arch, Box::new(model), text)
    }

    /// Opens the files of a folder. Where `files.format` is given, matrices are quantized to it
    /// as they are asked for.
    ///
    /// # Errors
    /// Files that are damaged or of a kind that is not supported.
    pub fn from_folder(files: FolderFiles<'a>) -> Result<Self, CheckpointError> {
        let (arch, weights, text) = files.open()?;
        Self::new(arch, weights, text)
    }

    fn new(
        arch: Arch,
        weights: Box<dyn PackedSource + 'a>,
        text: ModelText,
    ) -> Result<Self, CheckpointError> {
        if let Some(tokenizer) = &text.tokenizer {
            tokenizer.fits_vocab(arch.vocab_size)?;
        }
        Ok(Self {
            arch,
            weights,
            text,
        })
    }
}

/// The tokenizer and the template of a GGUF file, which may hold nothing else. `template` takes a
/// built-in chat template instead of the file's own.
///
/// # Errors
/// Files that are damaged or whose tokenizer is not supported.
pub fn gguf_text<'a>(
    file: Box<dyn ByteSource + 'a>,
    template: Option<&str>,
) -> Result<ModelText, CheckpointError> {
    let source = GgufSource::open(file)?;
    Ok(ModelText::from_gguf(&gguf::text_of(&source)?, template)?)
}

/// What a GGUF file says about text, as the file [`crate::text::GGUF_TEXT_FILE`], without its weights.
///
/// # Errors
/// Files that are damaged or whose tokenizer is not supported.
pub fn gguf_text_file<'a>(file: Box<dyn ByteSource + 'a>) -> Result<Vec<u8>, CheckpointError> {
    let source = GgufSource::open(file)?;
    let text = gguf::text_of(&source)?;
    // Refused here, where the file's name is known, rather than when it is used.
    ModelText::from_gguf(&text, None)?;
    Ok(text.to_json())
}
