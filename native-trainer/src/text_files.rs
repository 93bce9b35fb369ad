//! What a model's folder or GGUF file says about text: tokenizer, template, end tokens.

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use veneer_core::{
    checkpoint::{gguf_text, gguf_text_file},
    text::{DateTime, GGUF_TEXT_FILE, ModelText, TEXT_FILES, TOKENIZER_FILES, TextFiles},
};

use crate::{engine_model::map_gguf, model_dir::ModelDir, model_run::is_gguf};

/// Where transformers keeps templates beside the main one.
const MORE_TEMPLATES: &str = "additional_chat_templates";

/// A longer template is no template.
const MAX_TEMPLATE_BYTES: u64 = 4 << 20;

/// Reads a model's tokenizer, template and end tokens.
pub(crate) fn model_text(dir: &ModelDir, template: Option<&str>) -> Result<ModelText> {
    let known = known_files(dir)?;
    let mut files = TextFiles::found(|wanted| {
        let found = known.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, bytes)| bytes.as_slice())
    });
    let has_tokenizer = files.tokenizer_json.is_some() || files.sentence_piece.is_some();
    let other = match has_tokenizer {
        true => None,
        false => only_model_file(dir)?,
    };
    if let Some((name, bytes)) = &other {
        files.sentence_piece = Some((name, bytes));
    }
    let more_templates = more_templates(dir)?;
    files.more_templates = &more_templates;
    let mut text = ModelText::from_files(files, template).with_context(|| {
        format!(
            "reading the tokenizer and template of model `{}`",
            dir.name()
        )
    })?;
    set_date(&mut text);
    Ok(text)
}

/// Other templates fall back to a date that is written in them: their text stays the same from day
/// to day, and a run that goes on tomorrow goes on with the same tokens.
fn set_date(text: &mut ModelText) {
    if let Some(template) = text.template.as_mut().filter(|it| it.asks_for_date()) {
        template.set_date(now());
    }
}

/// What a GGUF file says about text; its weights need not be there.
pub(crate) fn text_of_gguf(name: &str, template: Option<&str>) -> Result<ModelText> {
    let bytes = map_gguf(Path::new(name))?;
    let text = gguf_text(Box::new(&*bytes), template);
    let mut text = text.with_context(|| format!("reading the tokenizer of `{name}`"))?;
    if text.tokenizer.is_none() {
        bail!("`{name}` holds no tokenizer: it takes token ids only");
    }
    set_date(&mut text);
    Ok(text)
}

/// As [`model_text`], for a GGUF file or a folder that may hold nothing else; where there is a
/// config, the tokenizer has to fit it.
pub(crate) fn text_alone(name: &str, template: Option<&str>) -> Result<ModelText> {
    if is_gguf(name) {
        return text_of_gguf(name, template);
    }
    let dir = ModelDir::resolve_text(name)?;
    let text = model_text(&dir, template)?;
    if let (Some(config), Some(tokenizer)) = (dir.read("config.json")?, &text.tokenizer) {
        let config: Value = serde_json::from_slice(&config)
            .with_context(|| format!("reading config.json of model `{name}`"))?;
        let size = config.get("vocab_size");
        let size = size.or_else(|| config.get("text_config")?.get("vocab_size"));
        let size = size.and_then(Value::as_u64);
        if let Some(n_vocab) = size.and_then(|size| usize::try_from(size).ok()) {
            tokenizer.fits_vocab(n_vocab)?;
        }
    }
    Ok(text)
}

/// The date that some templates write.
pub(crate) fn now() -> DateTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let secs = since.map_or(0, |since| since.as_secs());
    DateTime::from_unix(i64::try_from(secs).unwrap_or(0))
}

/// Those of [`TEXT_FILES`] that are there, of the tokenizers only the first.
pub(crate) fn known_files(dir: &ModelDir) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let mut known: Vec<(&str, Vec<u8>)> = Vec::new();
    for name in TEXT_FILES {
        let is_tokenizer = |name| TOKENIZER_FILES.contains(&name);
        if is_tokenizer(name) && known.iter().any(|(name, _)| is_tokenizer(name)) {
            continue;
        }
        known.extend(dir.read(name)?.map(|bytes| (name, bytes)));
    }
    Ok(known)
}

/// What a project keeps of a model: the files of its folder that are about text, or what a GGUF file
/// says about text.
pub(crate) fn for_project(name: &str) -> Result<Vec<(String, Vec<u8>)>> {
    if is_gguf(name) {
        let bytes = map_gguf(Path::new(name))?;
        let text = gguf_text_file(Box::new(&*bytes));
        let text = text.with_context(|| format!("reading the tokenizer of `{name}`"))?;
        return Ok(vec![(GGUF_TEXT_FILE.to_owned(), text)]);
    }
    let dir = ModelDir::resolve_text(name)?;
    let known = known_files(&dir)?.into_iter();
    let mut files: Vec<(String, Vec<u8>)> = known
        .map(|(file, bytes)| (file.to_owned(), bytes))
        .collect();
    let is_tokenizer = |(name, _): &(String, _)| TOKENIZER_FILES.contains(&name.as_str());
    if !files.iter().any(is_tokenizer)
        && let Some((_, bytes)) = only_model_file(&dir)?
    {
        let [_, sentence_piece, ..] = TOKENIZER_FILES;
        files.push((sentence_piece.to_owned(), bytes));
    }
    Ok(files)
}

/// The file that holds a model's tokens, and its name.
pub(crate) fn tokenizer_file(dir: &ModelDir) -> Result<Option<(String, Vec<u8>)>> {
    for name in TOKENIZER_FILES {
        if let Some(bytes) = dir.read(name)? {
            return Ok(Some((name.to_owned(), bytes)));
        }
    }
    only_model_file(dir)
}

/// A SentencePiece file under a name of its own: the only `*.model` of the folder.
fn only_model_file(dir: &ModelDir) -> Result<Option<(String, Vec<u8>)>> {
    let names = dir.file_names()?;
    let mut models = names.iter().filter(|name| name.ends_with(".model"));
    match (models.next(), models.next()) {
        (Some(name), None) => Ok(dir.read(name)?.map(|bytes| (name.clone(), bytes))),
        _ => Ok(None),
    }
}

fn more_templates(dir: &ModelDir) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = dir.path().join(MORE_TEMPLATES);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let reading = || format!("reading `{}`", folder.display());
    let mut templates = Vec::new();
    for entry in fs::read_dir(&folder).with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        let name = path
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        let is_template = path.extension().is_some_and(|end| end == "jinja");
        let size = fs::metadata(&path).with_context(reading)?.len();
        if let Some(name) = name.filter(|_| is_template && size <= MAX_TEMPLATE_BYTES) {
            templates.push((name, fs::read(&path).with_context(reading)?));
        }
    }
    templates.sort();
    Ok(templates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_beside_the_main_one_are_read_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(MORE_TEMPLATES)).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("chat_template.jinja", "main");
        write("additional_chat_templates/tool_use.jinja", "tools");
        write("additional_chat_templates/notes.txt", "no");
        let dir = ModelDir::resolve_text(folder.path().to_str().unwrap()).unwrap();
        let templates = more_templates(&dir).unwrap();
        assert_eq!(templates, [("tool_use".to_owned(), b"tools".to_vec())]);
        let text = model_text(&dir, None).unwrap();
        assert_eq!(text.template().unwrap().source(), "main");
    }

    #[test]
    fn a_tokenizer_that_is_larger_than_the_config_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let tokenizer = include_bytes!("../../tests/fixtures/tokenizers/unigram/tokenizer.json");
        let write = |name: &str, bytes: &[u8]| {
            fs::write(folder.path().join(name), bytes).unwrap();
        };
        write("tokenizer.json", tokenizer);
        let name = folder.path().to_str().unwrap();
        assert!(text_alone(name, None).is_ok());
        write("config.json", br#"{"text_config": {"vocab_size": 100}}"#);
        let error = format!("{:#}", text_alone(name, None).unwrap_err());
        assert!(error.contains("vocabulary has 100 entries"), "{error}");
    }

    #[test]
    fn a_gguf_file_brings_its_own_text() {
        let files = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/gguf_text");
        let text = text_alone(&format!("{files}/t5.gguf"), Some("plain")).unwrap();
        let tokens = text.tokenizer().unwrap().encode("bank", false).unwrap();
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        let decoded = text.tokenizer().unwrap().decode(&ids, false);
        assert_eq!(decoded.unwrap(), "bank");
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("model.gguf");
        fs::write(&broken, b"GGUF\x03").unwrap();
        let error = text_alone(broken.to_str().unwrap(), None).unwrap_err();
        assert!(format!("{error:#}").contains("model.gguf"), "{error:#}");
    }

    #[test]
    fn the_only_model_file_counts_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rinna.model"), "no pieces").unwrap();
        let dir = ModelDir::resolve_text(folder.path().to_str().unwrap()).unwrap();
        let error = format!("{:#}", model_text(&dir, None).unwrap_err());
        assert!(error.contains("`rinna.model`"), "{error}");
    }
}
