//! The folder that transformers writes: config.json, safetensors, the files of the tokenizer.

use super::CheckpointError;
use crate::{
    arch::Arch,
    quant::Format,
    text::{ModelText, TextFiles},
    weights::{AsStored, ByteSource, PackedSource, Quantizing, SafetensorsSource},
};

/// The files of a folder, as far as they are needed.
pub struct FolderFiles<'a> {
    pub config_json: &'a [u8],
    pub text: TextFiles<'a>,
    /// Takes a built-in chat template instead of the model's own.
    pub template: Option<&'a str>,
    /// Safetensors files by name, one or all shards.
    pub weights: Vec<(String, Box<dyn ByteSource + 'a>)>,
    /// What matrices become; `None` leaves every tensor as it is.
    pub format: Option<Format>,
}

type Parts<'a> = (Arch, Box<dyn PackedSource + 'a>, ModelText);

impl<'a> FolderFiles<'a> {
    pub(super) fn open(self) -> Result<Parts<'a>, CheckpointError> {
        let arch = Arch::from_json(self.config_json)?;
        let text = ModelText::from_files(self.text, self.template)?;
        let source = SafetensorsSource::open(self.weights)?;
        let weights: Box<dyn PackedSource + 'a> = match self.format {
            Some(format) => Box::new(Quantizing { source, format }),
            None => Box::new(AsStored(source)),
        };
        Ok((arch, weights, text))
    }
}
