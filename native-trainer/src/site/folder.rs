//! A site as a folder: whole or not there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::json;
use veneer_core::protocol::Site;

use super::{Content, Files, Offer, app_files};
use crate::{
    dataset::shell_word,
    merged_folder::{FolderBeside, explain_full_disk, refuse_occupied, size_text},
};

const README: &str = include_str!("hosting.md");

/// A site that was written.
pub(crate) struct SiteFolder {
    path: PathBuf,
    n_files: usize,
    n_bytes: u64,
}

impl SiteFolder {
    /// Writes everything beside and renames it at the end.
    ///
    /// # Errors
    /// A binary without the app, a folder that is in use, a model or adapter that does not fit.
    pub(crate) fn write(offer: &Offer<'_>, app: Option<&Path>, out: &Path) -> Result<Self> {
        let mut files = app_files(app)?;
        refuse_occupied(out)?;
        let beside = FolderBeside::new(out)?;
        let scratch = FolderBeside::new(out)?;
        // The app may bring a demo of its own; the offer takes its place.
        files.retain(|address, _| !address.starts_with("demo/"));
        files.extend(offer.files(scratch.path())?);
        let readme = Content::Bytes(README.as_bytes().into());
        files.insert("README.md".to_owned(), readme);
        let mut n_bytes = 0;
        for (address, content) in &files {
            let path = beside.path().join(address);
            let written = write_file(&path, content)
                .with_context(|| format!("writing `{address}` of the site"));
            n_bytes += explain_full_disk(written, content_bytes(content))?;
        }
        // All that lay there is copied: with the site's name on it nothing is unfinished.
        drop(scratch);
        beside.publish(out)?;
        Ok(Self {
            path: out.to_owned(),
            n_files: files.len(),
            n_bytes,
        })
    }

    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            println!(
                "{}",
                json!({
                    "path": self.path,
                    "files": self.n_files,
                    "bytes": self.n_bytes,
                    "list": self.path.join(Site::PATH),
                })
            );
            return;
        }
        let path = self.path.display();
        println!(
            "{path}: a site of {} files, {}",
            self.n_files,
            size_text(self.n_bytes)
        );
        let path = shell_word(&self.path);
        println!("next: veneer serve --site {path}, or put the folder on any static host");
    }
}

fn write_file(path: &Path, content: &Content) -> Result<u64> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match content {
        Content::Bytes(bytes) => {
            fs::write(path, bytes)?;
            Ok(bytes.len() as u64)
        }
        Content::File(from) => {
            fs::copy(from, path).with_context(|| format!("copying `{}`", from.display()))
        }
    }
}

fn content_bytes(content: &Content) -> u64 {
    match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::File(path) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
    }
}

/// A folder that `--to site` wrote.
///
/// # Errors
/// Folders without a page, and lists that the page would refuse.
pub(crate) fn site_files(folder: &Path) -> Result<Files> {
    let files = app_files(Some(folder))?;
    if let Some(Content::File(list)) = files.get(Site::PATH) {
        let text =
            fs::read_to_string(list).with_context(|| format!("reading `{}`", list.display()))?;
        Site::from_json(&text).with_context(|| format!("reading the list `{}`", list.display()))?;
    }
    Ok(files)
}
