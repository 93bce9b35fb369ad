//! One file from the Hub into its cache, checked.

use std::{fs, io, path::Path};

use hf_hub::{
    CacheRepo, Repo,
    api::{
        Progress,
        sync::{Api, ApiError},
    },
};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest as _, Sha256};

/// Why a request to the Hub failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Api(#[from] ApiError),

    #[error("request error: {0}")]
    Request(#[from] ureq::Error),

    #[error("the answer is not a list of files: {0}")]
    Listing(serde_json::Error),

    #[error("`{file}` arrived with {found}, expected {expected}")]
    Damaged {
        file: String,
        found: String,
        expected: String,
    },

    #[error("checking the file")]
    File(#[from] io::Error),
}

impl Error {
    pub(super) fn status(&self) -> Option<u16> {
        match self.request() {
            Some(ureq::Error::StatusCode(status)) => Some(*status),
            _ => None,
        }
    }

    /// True when nothing, or nothing whole, came back.
    pub(super) fn is_connection(&self) -> bool {
        match self.request() {
            Some(ureq::Error::StatusCode(_)) => false,
            Some(_) => true,
            None => matches!(self, Self::Api(ApiError::IoError(_)) | Self::Damaged { .. }),
        }
    }

    /// True when the same request may succeed a little later.
    pub(super) fn may_pass(&self) -> bool {
        match self.status() {
            Some(status) => status == 408 || status == 429 || status >= 500,
            None => self.is_connection(),
        }
    }

    fn request(&self) -> Option<&ureq::Error> {
        match self {
            Self::Request(error) => Some(error),
            Self::Api(ApiError::RequestError(error)) => Some(error),
            _ => None,
        }
    }
}

/// A repository on the Hub and its place in the cache.
pub(super) struct Source {
    pub(super) api: Api,
    pub(super) repo: Repo,
    pub(super) cache: CacheRepo,
}

impl Source {
    /// Bring a file into `folder`, the commit's folder in the cache; a part that is here is continued.
    pub(super) fn bring(&self, name: &str, folder: &Path) -> Result<(), Error> {
        let remote = self.api.repo(self.repo.clone());
        let metadata = self.api.metadata(&remote.url(name))?;
        let size = metadata.size() as u64;
        let blob = self.cache.blob_path(metadata.etag());
        prepare_part(&blob.with_extension("part"), size)?;
        remove_if_dangling(&folder.join(name))?;

        let path = remote.download_with_progress(name, Bar::new())?;
        check(&blob, name, size, metadata.etag()).inspect_err(|_| {
            // Not to be taken for the file next time; what cannot be removed is found then.
            for path in [&path, &blob] {
                fs::remove_file(path).ok();
            }
        })
    }
}

/// `hf-hub` asks for the bytes after those that are here. A part that has them all would ask for
/// none, which servers refuse, so it gives its last byte back; a part that is too long starts anew.
fn prepare_part(part: &Path, size: u64) -> io::Result<()> {
    let Ok(there) = fs::metadata(part) else {
        return Ok(());
    };
    match there.len() {
        length if length < size => Ok(()),
        length if length == size && size > 0 => fs::OpenOptions::new()
            .write(true)
            .open(part)?
            .set_len(size - 1),
        _ => fs::remove_file(part),
    }
}

/// A link whose file was deleted from the cache would be in the way of a new one.
fn remove_if_dangling(link: &Path) -> io::Result<()> {
    if fs::symlink_metadata(link).is_ok() && !link.exists() {
        return fs::remove_file(link);
    }
    Ok(())
}

/// Large files are named by their SHA-256 on the Hub, so that their content can be checked.
fn check(blob: &Path, name: &str, size: u64, etag: &str) -> Result<(), Error> {
    let damaged = |found: String, expected: String| Error::Damaged {
        file: name.into(),
        found,
        expected,
    };
    let found = fs::metadata(blob)?.len();
    if found != size {
        return Err(damaged(format!("{found} bytes"), format!("{size}")));
    }
    let is_sha256 = etag.len() == 64 && etag.chars().all(|c| c.is_ascii_hexdigit());
    if !is_sha256 {
        return Ok(());
    }
    let mut hash = Sha256::new();
    io::copy(&mut fs::File::open(blob)?, &mut HashWriter(&mut hash))?;
    let found: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found != etag.to_ascii_lowercase() {
        return Err(damaged(format!("the SHA-256 {found}"), etag.into()));
    }
    Ok(())
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A progress bar on standard error; hidden where that is no terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        Self(ProgressBar::new(0))
    }
}

impl Progress for Bar {
    fn init(&mut self, size: usize, name: &str) {
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
        let style = ProgressStyle::with_template(template);
        self.0
            .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.0.set_length(size as u64);
        self.0.set_message(name.to_owned());
    }

    fn update(&mut self, size: usize) {
        if self.0.position() == 0 {
            // The first report is what was here before; it is no measure of the speed.
            self.0.set_position(size as u64);
            self.0.reset_eta();
        } else {
            self.0.inc(size as u64);
        }
    }

    fn finish(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_never_asks_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("x.part");
        prepare_part(&part, 10).unwrap();
        let check = |there: usize, kept: Option<u64>| {
            fs::write(&part, vec![0; there]).unwrap();
            prepare_part(&part, 10).unwrap();
            assert_eq!(fs::metadata(&part).ok().map(|part| part.len()), kept);
        };
        check(4, Some(4));
        check(10, Some(9));
        check(11, None);
    }
}
