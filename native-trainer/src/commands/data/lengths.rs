//! Lengths in tokens, when a model or a tokenizer is at hand.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use veneer_core::{
    data::{Record, n_tokens},
    text::{EncodeOptions, ModelText, TextFiles, encode_record},
};

use crate::text_files::text_alone;

/// Where tokens are counted with.
#[derive(Debug, clap::Args)]
pub(super) struct LengthArgs {
    /// Count tokens as this model sees the records: a folder, a GGUF file, a Hub name,
    /// or `demo`
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<String>,

    /// Count the tokens of the texts with this tokenizer.json, without a chat template
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub(super) tokenizer: Option<PathBuf>,

    /// Longest record: in tokens with --model or --tokenizer (default 2048), otherwise in
    /// characters (default 20000)
    #[arg(long, value_name = "N")]
    pub(super) max_length: Option<usize>,
}

impl LengthArgs {
    pub(super) fn counter(&self) -> Result<Option<Counter>> {
        if let Some(model) = &self.model {
            let text = text_alone(model, None)?;
            text.tokenizer()?;
            let what = format!("as {model} sees them");
            return Ok(Some(Counter { text, what }));
        }
        let Some(path) = &self.tokenizer else {
            return Ok(None);
        };
        let reading = || format!("reading tokenizer `{}`", path.display());
        let json = std::fs::read(path).with_context(reading)?;
        let files = TextFiles {
            tokenizer_json: Some(&json),
            ..TextFiles::default()
        };
        let text = ModelText::from_files(files, None).with_context(reading)?;
        Ok(Some(Counter {
            text,
            what: "texts alone, no template".into(),
        }))
    }

    pub(super) fn max_length(&self, in_tokens: bool) -> usize {
        let default = if in_tokens {
            2048
        } else {
            veneer_core::data::DEFAULT_MAX_CHARS
        };
        self.max_length.unwrap_or(default)
    }
}

/// Counts tokens of records.
pub(super) struct Counter {
    text: ModelText,
    /// What is counted, for a heading.
    pub(super) what: String,
}

impl Counter {
    /// Tokens with the model's template; of the texts alone where the template cannot say.
    pub(super) fn count(&self, record: &Record) -> usize {
        let with_template = encode_record(record, &self.text, &EncodeOptions::default());
        let texts_alone = || {
            n_tokens(record, &|text| {
                let tokenizer = self.text.tokenizer().ok();
                let tokens = tokenizer.and_then(|tokenizer| tokenizer.encode(text, false).ok());
                tokens.map_or(0, |tokens| tokens.len())
            })
        };
        with_template.map_or_else(|_| texts_alone(), |prepared| prepared.encoded.len())
    }
}
