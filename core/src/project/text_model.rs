//! Tokenizer and template that a project is written for, kept inside it.
//!
//! The files lie in `asset`, options in `meta`: neither is part of the history, as they change no
//! record. What is derived from them ([`super::checks::template`]) knows under which it was made.

use std::rc::Rc;

use rusqlite::params;
use sha2::{Digest as _, Sha256};

use super::{Project, ProjectError, checks::template, file::put_meta, hash::hex};
use crate::{
    protocol::studio::{Phrase, TextModelView, TextOptions, TrainWhat},
    text::{
        DateTime, EncodeOptions, GGUF_TEXT_FILE, ModelText, TEXT_FILES, TOKENIZER_FILES, TextFiles,
        Tokenizer, TrainOn, builtin_template_names,
    },
};

/// Names of files that are kept.
fn kept() -> impl Iterator<Item = &'static str> {
    TEXT_FILES.into_iter().chain([GGUF_TEXT_FILE])
}

/// Files of tokenizers are a few tens of megabytes at most.
const MAX_BYTES: usize = 256 << 20;

/// In front of the names of assets.
const ASSET: &str = "text/";

const NAME: &str = "text name";
const OPTIONS: &str = "text options";
/// Hash of the files.
pub(super) const PRINT: &str = "text print";

impl Project {
    /// Takes the text of a model: files of its folder, by name, other ones left aside; or the one
    /// that [`crate::text::GgufText::to_json`] makes of a GGUF file.
    ///
    /// # Errors
    /// If there is no tokenizer among them, or a file is broken.
    pub fn use_text_model(
        &mut self,
        name: &str,
        files: Vec<(String, Vec<u8>)>,
    ) -> Result<TextModelView, ProjectError> {
        let files = known_files(files)?;
        let options = self.text_options()?;
        let model = model_of(&files, options.template.as_deref())?;
        let mut hash = Sha256::new();
        for (name, bytes) in &files {
            hash.update(name);
            hash.update(Sha256::digest(bytes));
        }
        let tx = self.store.raw_mut().transaction()?;
        tx.execute(
            "DELETE FROM asset WHERE substr(name, 1, length(?1)) = ?1",
            [ASSET],
        )?;
        for (name, bytes) in &files {
            tx.prepare_cached("INSERT INTO asset (name, bytes) VALUES (?1, ?2)")?
                .execute(params![format!("{ASSET}{name}"), bytes])?;
        }
        put_meta(&tx, NAME, name)?;
        put_meta(&tx, PRINT, &hex(&hash.finalize()))?;
        tx.commit()?;
        self.replace_text(model)
    }

    /// # Errors
    /// If there is no such template.
    pub fn set_text_options(&mut self, options: TextOptions) -> Result<(), ProjectError> {
        if options == self.text_options()? {
            return Ok(());
        }
        let files = self.text_files()?;
        let json = serde_json::json!(options).to_string();
        if files.is_empty() {
            return self.set_meta(OPTIONS, &json);
        }
        let model = model_of(&files, options.template.as_deref())?;
        self.set_meta(OPTIONS, &json)?;
        self.replace_text(model)?;
        Ok(())
    }

    /// `None` where none was chosen.
    ///
    /// # Errors
    /// If its files are damaged.
    pub fn text_model(&self) -> Result<Option<TextModelView>, ProjectError> {
        let Some(model) = self.model_text()? else {
            return Ok(None);
        };
        let options = self.text_options()?;
        let n = |sql: &str| -> Result<u64, ProjectError> {
            let mut statement = self.store.settled()?.prepare_cached(sql)?;
            Ok(statement.query_row([], |row| row.get(0))?)
        };
        let end_tokens = model.end_token_ids.iter().map(|id| {
            let token = model.tokenizer.as_ref().and_then(|t| t.id_to_token(*id));
            token.unwrap_or_else(|| id.to_string())
        });
        let has_own_template = match options.template {
            None => model.template.is_some(),
            Some(_) => model_of(&self.text_files()?, None)?.template.is_some(),
        };
        Ok(Some(TextModelView {
            name: self.meta(NAME)?.unwrap_or_default(),
            templates: builtin_template_names().map(str::to_owned).collect(),
            has_own_template,
            options,
            end_tokens: end_tokens.collect(),
            n_vocab: model.tokenizer.as_ref().map_or(0, Tokenizer::vocab_size) as u64,
            n_counted: n(
                "SELECT count(*) FROM record JOIN token_count ON token_count.body = record.body
                 WHERE state = 0",
            )?,
            n_records: n("SELECT count(*) FROM record WHERE state = 0")?,
        }))
    }

    /// Tokenizer and template, read once.
    ///
    /// # Errors
    /// If their files are damaged.
    pub fn model_text(&self) -> Result<Option<Rc<ModelText>>, ProjectError> {
        if let Some(model) = &*self.text.borrow() {
            return Ok(Some(Rc::clone(model)));
        }
        let files = self.text_files()?;
        if files.is_empty() {
            return Ok(None);
        }
        let mut model = model_of(&files, self.text_options()?.template.as_deref())?;
        if let Some(template) = model.template.as_mut().filter(|it| it.asks_for_date()) {
            // The database knows the day where nothing else here does.
            let now = "SELECT unixepoch()";
            let now = self.store.raw().query_row(now, [], |row| row.get(0))?;
            template.set_date(DateTime::from_unix(now));
        }
        let model = Rc::new(model);
        *self.text.borrow_mut() = Some(Rc::clone(&model));
        Ok(Some(model))
    }

    /// Template, length and what is trained, as they were chosen for the project.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn text_options(&self) -> Result<TextOptions, ProjectError> {
        let json = self.meta(OPTIONS)?;
        // Options of another version are taken as none.
        Ok(json
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default())
    }

    /// As training has them, so that both say the same of a record.
    pub(super) fn encode_options(&self) -> Result<EncodeOptions, ProjectError> {
        let options = self.text_options()?;
        Ok(EncodeOptions {
            train_on: match options.train_on {
                TrainWhat::All => TrainOn::All,
                TrainWhat::Assistant => TrainOn::Assistant,
                TrainWhat::Last => TrainOn::Last,
            },
            max_length: Some(options.max_length as usize),
            n_vocab: self.n_vocab()?,
            ..EncodeOptions::default()
        })
    }

    /// What the tokens of a text depend on besides it; `None` where no model is chosen.
    pub(super) fn text_settings(&self) -> Result<Option<String>, ProjectError> {
        let Some(print) = self.meta(PRINT)? else {
            return Ok(None);
        };
        let options = serde_json::json!(self.text_options()?);
        Ok(Some(format!("{print} {options}")))
    }

    fn replace_text(&mut self, model: ModelText) -> Result<TextModelView, ProjectError> {
        *self.text.borrow_mut() = Some(Rc::new(model));
        template::begin_again(self)?;
        self.text_model()?.ok_or_else(|| ProjectError::Broken {
            detail: "the model's files were not kept".into(),
        })
    }

    /// Entries of the model's own vocabulary, which may be more than the tokenizer's.
    fn n_vocab(&self) -> Result<Option<usize>, ProjectError> {
        let Some(config) = self.text_file("config.json")? else {
            return Ok(None);
        };
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap_or_default();
        let n = config.get("vocab_size").and_then(|n| n.as_u64());
        Ok(n.and_then(|n| usize::try_from(n).ok()))
    }

    fn text_files(&self) -> Result<Vec<(&'static str, Vec<u8>)>, ProjectError> {
        let mut files = Vec::new();
        for name in kept() {
            files.extend(self.text_file(name)?.map(|bytes| (name, bytes)));
        }
        Ok(files)
    }

    fn text_file(&self, name: &str) -> Result<Option<Vec<u8>>, ProjectError> {
        use rusqlite::OptionalExtension as _;
        let mut statement = self
            .store
            .raw()
            .prepare_cached("SELECT bytes FROM asset WHERE name = ?1")?;
        let bytes = statement.query_row([format!("{ASSET}{name}")], |row| row.get(0));
        Ok(bytes.optional()?)
    }
}

/// The files that say something about text, in the order of [`kept`].
fn known_files(
    files: Vec<(String, Vec<u8>)>,
) -> Result<Vec<(&'static str, Vec<u8>)>, ProjectError> {
    let refuse = |reason: String| Err(ProjectError::CannotDo { reason });
    let n_bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let mut known = Vec::new();
    for (path, bytes) in files {
        let own_name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let place = kept().enumerate().find(|(_, name)| *name == own_name);
        known.extend(place.map(|place| (place, bytes)));
    }
    known.sort_by_key(|(place, _)| *place);
    known.dedup_by_key(|(place, _)| *place);
    let known = known.into_iter().map(|((_, name), bytes)| (name, bytes));
    let known: Vec<(&str, Vec<u8>)> = known.collect();
    let is_tokenizer = |name| name == GGUF_TEXT_FILE || TOKENIZER_FILES.contains(&name);
    if !known.iter().any(|(name, _)| is_tokenizer(*name)) {
        let names = match names.as_slice() {
            [] => Phrase::None.with([]),
            names => names.join(", "),
        };
        return refuse(Phrase::NoTokenizerAmong.with([&names]));
    }
    if n_bytes > MAX_BYTES {
        return refuse(Phrase::TokenizerTooLarge.with([&n_bytes, &MAX_BYTES]));
    }
    Ok(known)
}

fn model_of(
    files: &[(&'static str, Vec<u8>)],
    template: Option<&str>,
) -> Result<ModelText, ProjectError> {
    let file = |name: &str| {
        let found = files.iter().find(|(other, _)| *other == name);
        found.map(|(_, bytes)| bytes.as_slice())
    };
    if let Some(json) = file(GGUF_TEXT_FILE) {
        return Ok(ModelText::from_gguf_json(json, template)?);
    }
    Ok(ModelText::from_files(TextFiles::found(file), template)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::{in_memory, text_files};

    /// Whatever fails on the way, files and fingerprint are those of one model.
    #[test]
    fn files_come_with_their_fingerprint_or_not_at_all() {
        let print_of = |files| {
            let mut project = in_memory(1);
            project.use_text_model("other", files).unwrap();
            project.meta(PRINT).unwrap()
        };
        let mut other = text_files();
        other.pop();
        let prints = [print_of(text_files()), print_of(other.clone())];
        assert_ne!(prints[0], prints[1]);
        for n_good in 0..4 {
            let mut project = in_memory(1);
            project.use_text_model("tiny", text_files()).unwrap();
            let mut n_commits = 0;
            let fails = move || {
                n_commits += 1;
                n_commits > n_good
            };
            let db = project.store.raw_mut();
            db.commit_hook(Some(fails)).unwrap();
            let done = project.use_text_model("other", other.clone());
            let db = project.store.raw_mut();
            db.commit_hook(None::<fn() -> bool>).unwrap();
            assert!(n_good > 0 || done.is_err());
            let is_new = project.text_files().unwrap().len() == other.len();
            let print = project.meta(PRINT).unwrap();
            assert_eq!(print, prints[usize::from(is_new)], "{n_good} commits");
            let name = project.meta(NAME).unwrap();
            assert_eq!(name.as_deref() == Some("other"), is_new);
        }
    }
}
