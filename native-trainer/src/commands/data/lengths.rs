//! Lengths in tokens, when a model or a tokenizer is at hand.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
};

use anyhow::{Context as _, Result, bail};
use veneer_core::{
    data::{DEFAULT_MAX_CHARS, Record, n_tokens},
    text::{EncodeOptions, ModelText, TextFiles, encode_record},
};

use crate::{
    input,
    project_file::{self, OWN_TEMPLATE, TEMPLATE_WITHOUT_MODEL},
    text_files::text_alone,
};

/// The longest record in tokens, as the trainer takes it.
const MAX_TOKENS: usize = 2048;

/// Where tokens are counted with.
#[derive(Debug, clap::Args)]
pub(super) struct LengthArgs {
    /// Count tokens as this model sees the records: a folder, a GGUF file, a Hub name,
    /// or `demo`
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<String>,

    /// Built-in chat template in place of the model's own, for a model without one too; of a project
    /// it is kept from then on, and `own` takes back to the model's
    #[arg(long, value_name = "NAME", visible_alias = "template")]
    pub(super) chat_template: Option<String>,

    /// Count the tokens of the texts with this tokenizer.json, without a chat template
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    pub(super) tokenizer: Option<PathBuf>,

    /// Longest record: in tokens with --model or --tokenizer or a project's model (default 2048, or
    /// what the project says), otherwise in characters (default 20000)
    #[arg(long, value_name = "N")]
    pub(super) max_length: Option<usize>,
}

impl LengthArgs {
    /// What counts tokens, for a project its own model where no other is named.
    pub(super) fn counter(&self, data: &Path) -> Result<Option<Counter>> {
        if let Some(model) = &self.model {
            let template = self.chat_template.as_deref();
            let text = text_alone(model, template.filter(|name| *name != OWN_TEMPLATE))?;
            text.tokenizer()?;
            return Ok(Some(Counter::of_model(text.into(), model)));
        }
        if self.chat_template.is_some() {
            bail!("{TEMPLATE_WITHOUT_MODEL}");
        }
        let Some(path) = &self.tokenizer else {
            return of_project(data);
        };
        let reading = || format!("reading tokenizer `{}`", path.display());
        let json = std::fs::read(path).with_context(reading)?;
        let files = TextFiles {
            tokenizer_json: Some(&json),
            ..TextFiles::default()
        };
        let text = ModelText::from_files(files, None).with_context(reading)?;
        Ok(Some(Counter {
            text: text.into(),
            what: "texts alone, no template".into(),
            max_length: MAX_TOKENS,
        }))
    }

    /// In tokens with a counter, otherwise in characters.
    pub(super) fn max_length(&self, counter: Option<&Counter>) -> usize {
        let default = counter.map_or(DEFAULT_MAX_CHARS, |counter| counter.max_length);
        self.max_length.unwrap_or(default)
    }
}

fn of_project(data: &Path) -> Result<Option<Counter>> {
    if !input::is_project(data) {
        return Ok(None);
    }
    let project = project_file::open(data)?;
    let (Some(text), Some(model)) = (project.model_text()?, project.text_model()?) else {
        return Ok(None);
    };
    Ok(Some(Counter {
        max_length: model.options.max_length as usize,
        ..Counter::of_model(text, &model.name)
    }))
}

/// Counts tokens of records.
pub(super) struct Counter {
    text: Rc<ModelText>,
    /// What is counted, for a heading.
    pub(super) what: String,
    /// The longest record, where nobody says otherwise.
    max_length: usize,
}

impl Counter {
    fn of_model(text: Rc<ModelText>, name: &str) -> Self {
        Self {
            text,
            what: format!("as {name} sees them"),
            max_length: MAX_TOKENS,
        }
    }

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
