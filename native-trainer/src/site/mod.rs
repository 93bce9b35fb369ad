//! What a static host gives: the web app with a model beside it.
//!
//! One table from address to content, which `veneer serve` answers from and `veneer export --to
//! site` writes to a folder, so that both give the same page.

mod app;
mod folder;
mod http;
mod offer;
mod response;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

pub(crate) use app::app_files;
pub(crate) use folder::{SiteFolder, site_files};
pub(crate) use http::Server;
pub(crate) use offer::{Offer, OfferText};

/// What stands under an address.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Bytes(Cow<'static, [u8]>),
    File(PathBuf),
}

/// Addresses are relative to the site's root, with `/` between folders.
pub(crate) type Files = BTreeMap<String, Content>;

/// Every file below a folder. What starts with a dot is left out, and links to folders too.
pub(crate) fn folder_files(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let listed = list(folder, "", &mut files);
    listed.with_context(|| format!("reading folder `{}`", folder.display()))?;
    Ok(files)
}

fn list(folder: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue; // no address can name it
        };
        if name.starts_with('.') {
            continue;
        }
        let address = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{address}/"), files)?;
        } else if entry.path().is_file() {
            files.insert(address, Content::File(entry.path()));
        }
    }
    Ok(())
}
