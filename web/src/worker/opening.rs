//! From what the user pointed at to the files of a model or an adapter.
//!
//! Files are copied into the store on the way, and read from where they end up; where the store is
//! full or absent they are read from where they came from, and the user is told.

use veneer_core::{
    protocol::tab::{Fault, FaultKind, Origin, RemoteFile},
    text::TEXT_FILES,
    weights::gguf::GgufModel,
};
use web_sys::{Blob, File};

use super::{
    faults,
    fetching::{Fetched, fetch},
    store::{Store, copy_in},
    voice::Voice,
};
use crate::{
    browser::{blob::BlobSource, network::fetch_if_there},
    state::{
        download::{Place, place},
        files::{ADAPTER_CONFIG, ADAPTER_WEIGHTS, CONFIG, Chosen, file_name},
        manifest::{Manifest, StoredFile},
    },
    texts::faults::Sentence,
};

/// The files of a model or an adapter.
pub(super) struct Opened {
    pub(super) name: String,
    /// Where they came from, for people.
    pub(super) source: String,
    /// Their entry in the store, where they were kept.
    pub(super) entry: Option<String>,
    /// Whether the entry came to be just now.
    pub(super) is_new: bool,
    pub(super) chosen: Chosen,
    /// In the order that `chosen` counts in.
    pub(super) files: Vec<(String, Blob)>,
    /// What the user should know.
    pub(super) notes: Vec<Fault>,
}

impl Opened {
    pub(super) fn n_bytes(&self) -> u64 {
        self.files.iter().map(|(_, blob)| blob.size() as u64).sum()
    }
}

pub(super) async fn open(
    store: &Store,
    from: Origin,
    files: Vec<File>,
    voice: &Voice,
) -> Result<Opened, Fault> {
    let opened = match from {
        Origin::Files { names } => from_user(store, &names, files, voice).await?,
        Origin::Stored { entry } => return from_store(store, &entry).await,
        Origin::Address { url } => from_address(store, &url, voice).await?,
        Origin::Listed { name, files } => {
            let source = files
                .first()
                .map(|file| folder_of(&file.url))
                .unwrap_or_default();
            from_remote(store, name, source, &files, voice).await?
        }
    };
    Ok(opened)
}

async fn from_user(
    store: &Store,
    names: &[String],
    files: Vec<File>,
    voice: &Voice,
) -> Result<Opened, Fault> {
    if names.len() != files.len() {
        let detail = format!("{} names came for {} files", names.len(), files.len());
        return Err(Fault::new(FaultKind::Internal, detail));
    }
    let chosen = Chosen::of(names)?;
    if let Chosen::Gguf(index) = chosen {
        check_gguf(&files[index])?;
    }
    let mut name = chosen.title(names);
    let mut taken = Vec::new();
    let mut stored = Vec::new();
    let mut not_kept = None;
    for index in chosen.indices() {
        let file_name = file_name(&names[index]).to_owned();
        let file = &files[index];
        let mut blob: Blob = file.clone().into();
        if store.is_available() && not_kept.is_none() {
            match copy_in(store, file, &file_name, voice).await {
                Ok((copy, note)) => {
                    blob = copy;
                    stored.push(note);
                }
                Err(fault) if is_about_the_store(&fault) => not_kept = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        taken.push((file_name, blob));
    }
    if name.is_empty() {
        name = default_name(&chosen);
    }
    let source = source_of(names, &chosen);
    finish(store, name, source, taken, (stored, not_kept)).await
}

async fn from_store(store: &Store, entry: &str) -> Result<Opened, Fault> {
    let manifest = store.manifest(entry).await?;
    let mut files = Vec::new();
    for file in &manifest.files {
        files.push((file.name.clone(), store.file(file).await?));
    }
    let chosen = chosen(&files)?;
    Ok(Opened {
        name: manifest.name,
        source: manifest.source,
        entry: Some(entry.to_owned()),
        is_new: false,
        chosen,
        files,
        notes: Vec::new(),
    })
}

async fn from_address(store: &Store, address: &str, voice: &Voice) -> Result<Opened, Fault> {
    match place(address)? {
        Place::File { url, sha256 } => {
            let path = url.split('?').next().unwrap_or(&url);
            let name = file_name(path).to_owned();
            let title = name.trim_end_matches(".gguf").to_owned();
            let remote = RemoteFile {
                name,
                url: url.clone(),
                bytes: None,
                sha256,
            };
            from_remote(store, title, url, &[remote], voice).await
        }
        Place::Folder { url } => {
            let files = list_folder(&url, voice).await?;
            let trimmed = url.trim_end_matches('/');
            let name = trimmed.trim_end_matches("/resolve/main");
            from_remote(
                store,
                file_name(name).to_owned(),
                url.clone(),
                &files,
                voice,
            )
            .await
        }
    }
}

/// Which files a folder on the web has: servers do not list them, so the known names are tried.
async fn list_folder(url: &str, voice: &Voice) -> Result<Vec<RemoteFile>, Fault> {
    let remote = |name: &str| RemoteFile {
        name: name.to_owned(),
        url: format!("{url}{name}"),
        bytes: None,
        sha256: None,
    };
    if fetch_if_there(&remote(CONFIG).url, voice.patience())
        .await?
        .is_none()
    {
        if fetch_if_there(&remote(ADAPTER_CONFIG).url, voice.patience())
            .await?
            .is_some()
        {
            return Ok(vec![remote(ADAPTER_CONFIG), remote(ADAPTER_WEIGHTS)]);
        }
        let values = [("model", CONFIG), ("adapter", ADAPTER_CONFIG), ("url", url)];
        let detail = Sentence::NothingThere.with(&values);
        return Err(Fault::new(FaultKind::NotAModel, detail));
    }
    let mut files = vec![remote(CONFIG)];
    for name in TEXT_FILES.into_iter().filter(|name| *name != CONFIG) {
        if fetch_if_there(&remote(name).url, voice.patience())
            .await?
            .is_some()
        {
            files.push(remote(name));
        }
    }
    let index = fetch_if_there(
        &remote("model.safetensors.index.json").url,
        voice.patience(),
    )
    .await?;
    match index {
        Some(index) => files.extend(shards(&index)?.iter().map(|name| remote(name))),
        None => files.push(remote("model.safetensors")),
    }
    Ok(files)
}

/// The files that an index names.
fn shards(index: &[u8]) -> Result<Vec<String>, Fault> {
    let broken = |what: &str| {
        let detail = format!("model.safetensors.index.json {what}");
        Fault::new(FaultKind::BrokenFile, detail)
    };
    let index: serde_json::Value =
        serde_json::from_slice(index).map_err(|error| broken(&error.to_string()))?;
    let map = index["weight_map"].as_object();
    let map = map.ok_or_else(|| broken("has no `weight_map`"))?;
    let mut names: Vec<String> = map
        .values()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.iter().any(|name| name.contains(['/', '?', '#'])) {
        true => Err(broken("names files outside of its folder")),
        false => Ok(names),
    }
}

async fn from_remote(
    store: &Store,
    name: String,
    source: String,
    files: &[RemoteFile],
    voice: &Voice,
) -> Result<Opened, Fault> {
    let mut taken = Vec::new();
    let mut stored = Vec::new();
    let mut reason = None;
    for remote in files {
        let Fetched {
            blob,
            stored: note,
            not_kept,
        } = fetch(store, remote, voice).await?;
        reason = reason.or(not_kept);
        taken.push((remote.name.clone(), blob));
        stored.push(note);
    }
    finish(store, name, source, taken, (stored, reason)).await
}

/// Writes the note of the entry, where all of its files were kept.
async fn finish(
    store: &Store,
    name: String,
    source: String,
    files: Vec<(String, Blob)>,
    (stored, mut not_kept): (Vec<StoredFile>, Option<Fault>),
) -> Result<Opened, Fault> {
    let chosen = chosen(&files)?;
    let (mut entry, mut is_new) = (None, false);
    if store.is_available() && not_kept.is_none() && stored.len() == files.len() {
        let manifest = Manifest {
            version: Manifest::VERSION,
            name: name.clone(),
            is_adapter: chosen.is_adapter(),
            source: source.clone(),
            files: stored,
        };
        is_new = store.manifest(&manifest.entry()).await.is_err();
        match store.keep(&manifest).await {
            Ok(()) => entry = Some(manifest.entry()),
            Err(fault) => not_kept = Some(fault),
        }
    }
    Ok(Opened {
        name,
        source,
        entry,
        is_new,
        chosen,
        files,
        notes: not_kept.into_iter().collect(),
    })
}

/// Looks at the header before gigabytes are copied.
fn check_gguf(file: &File) -> Result<(), Fault> {
    let source = BlobSource::new(file.clone().into()).map_err(|error| faults::of_load(&error))?;
    let model = GgufModel::open(Box::new(source));
    model.map(drop).map_err(|error| faults::of_gguf(&error))
}

fn chosen(files: &[(String, Blob)]) -> Result<Chosen, Fault> {
    let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    Chosen::of(&names)
}

/// Faults that leave the file itself readable.
fn is_about_the_store(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        FaultKind::StorageFull
            | FaultKind::StoreBusy
            | FaultKind::StoreUnavailable
            | FaultKind::StoreDamaged
    )
}

fn default_name(chosen: &Chosen) -> String {
    match chosen.is_adapter() {
        true => "adapter".to_owned(),
        false => "model".to_owned(),
    }
}

fn source_of(names: &[String], chosen: &Chosen) -> String {
    let first = chosen.indices().first().map(|index| names[*index].as_str());
    let first = first.unwrap_or_default();
    match folder_of(first) {
        folder if folder.is_empty() => first.to_owned(),
        folder => folder,
    }
}

fn folder_of(path: &str) -> String {
    path[..path.len() - file_name(path).len()].to_owned()
}
