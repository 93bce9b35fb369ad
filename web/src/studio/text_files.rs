//! A model's files about text: from the user, from an address, or from what the chat keeps.
//!
//! Of a model only these are read; of a GGUF file only what stands before its weights.

use std::borrow::Cow;

use veneer_core::{
    checkpoint::gguf_text_file,
    protocol::tab::{Fault, FaultKind, RemoteFile},
    text::{GGUF_TEXT_FILE, TEXT_FILES},
    weights::{ByteSource, LoadError},
};
use web_sys::{Blob, File};

use super::voice::Voice;
use crate::{
    browser::{blob::BlobSource, network, storage},
    faults,
    state::{files::file_name, studio::naming::model_title},
};

/// More has no tokenizer.
const MAX_BYTES: u64 = 256 << 20;
/// What is asked of a GGUF file at an address first; larger vocabularies take another try.
const HEAD_BYTES: u64 = 16 << 20;
/// Files by name.
pub(super) type TextFiles = Vec<(String, Vec<u8>)>;

/// The files of the user that say something about text.
pub(super) fn of_user(names: &[String], files: Vec<File>) -> Result<TextFiles, Fault> {
    let mut found = Vec::new();
    for (name, file) in names.iter().zip(files) {
        if is_wanted(name) {
            found.push((kept_name(name), read(name, file.into())?));
        }
    }
    some(found)
}

/// The same by addresses; what the chat keeps in this browser is taken from there.
pub(super) async fn at(files: &[RemoteFile], voice: &Voice) -> Result<TextFiles, Fault> {
    let mut found = Vec::new();
    for remote in files.iter().filter(|remote| is_wanted(&remote.name)) {
        voice.copied(&remote.name, 0, remote.bytes.unwrap_or(0));
        let name = file_name(&remote.name).to_owned();
        let bytes = match kept(remote).await {
            Some(blob) => Some(read(&name, blob)?),
            None if is_gguf(&name) => Some(head(remote, voice).await?),
            None => network::fetch_if_there(&remote.url, voice.patience()).await?,
        };
        found.extend(bytes.map(|bytes| (kept_name(&name), bytes)));
    }
    some(found)
}

/// What a model of the user is called.
pub(super) fn title(names: &[String]) -> String {
    let of_text = names.iter().find(|name| is_wanted(name));
    of_text.map_or_else(String::new, |path| model_title(path))
}

fn is_gguf(name: &str) -> bool {
    name.to_lowercase().ends_with(".gguf")
}

/// What a file is called in a project.
fn kept_name(name: &str) -> String {
    match is_gguf(name) {
        true => GGUF_TEXT_FILE.to_owned(),
        false => file_name(name).to_owned(),
    }
}

fn is_wanted(name: &str) -> bool {
    let name = file_name(name);
    is_gguf(name) || TEXT_FILES.contains(&name)
}

fn some(found: TextFiles) -> Result<TextFiles, Fault> {
    match found.is_empty() {
        false => Ok(found),
        true => {
            let detail = format!(
                "there is no GGUF file and none of {} among the files",
                TEXT_FILES.join(", ")
            );
            Err(Fault::new(FaultKind::NotAModel, detail))
        }
    }
}

fn read(name: &str, blob: Blob) -> Result<Vec<u8>, Fault> {
    let source = BlobSource::new(blob).map_err(|error| faults::of_load(&error))?;
    if is_gguf(name) {
        return text_of(Box::new(source));
    }
    if source.len() > MAX_BYTES {
        let detail = format!(
            "`{name}` has {} bytes, at most {MAX_BYTES} are read",
            source.len()
        );
        return Err(Fault::new(FaultKind::TooLarge, detail));
    }
    source.whole().map_err(|error| faults::of_load(&error))
}

/// A file that the chat keeps, by its hash.
async fn kept(remote: &RemoteFile) -> Option<Blob> {
    let sha256 = remote.sha256.as_deref()?;
    let files = storage::root().await.ok()?.there("files").await.ok()??;
    Some(files.file(sha256).await.ok()?.into())
}

/// What a GGUF file says about text, without its weights.
fn text_of(file: Box<dyn ByteSource + '_>) -> Result<Vec<u8>, Fault> {
    gguf_text_file(file).map_err(|error| faults::of_checkpoint(&error))
}

/// A GGUF file at an address, without its weights: as much of it is asked for as that takes.
async fn head(remote: &RemoteFile, voice: &Voice) -> Result<Vec<u8>, Fault> {
    let mut n_bytes = HEAD_BYTES;
    loop {
        let head = network::fetch_head(&remote.url, n_bytes, voice.patience()).await?;
        let head = Head {
            n_bytes: head.n_bytes,
            bytes: head.bytes,
        };
        let is_all = head.n_bytes == head.bytes.len() as u64;
        let text = text_of(Box::new(head));
        if text.is_ok() || is_all || n_bytes >= MAX_BYTES {
            return text;
        }
        n_bytes *= 4;
    }
}

/// The first bytes of a file.
struct Head {
    bytes: Vec<u8>,
    /// Of the whole file.
    n_bytes: u64,
}

impl ByteSource for Head {
    fn len(&self) -> u64 {
        self.n_bytes
    }

    fn read(&self, at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError> {
        let from = usize::try_from(at).ok();
        let there = from.and_then(|from| self.bytes.get(from..from.checked_add(n_bytes)?));
        there.map(Cow::Borrowed).ok_or_else(|| LoadError::Read {
            at,
            n_bytes,
            reason: format!("only {} bytes were fetched", self.bytes.len()),
        })
    }
}
