//! A file on its way into the store.

use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use veneer_core::{
    protocol::tab::{Fault, FaultKind, Stage},
    weights::ByteSource,
};
use web_sys::{Blob, File, FileSystemReadWriteOptions, FileSystemSyncAccessHandle};

use super::{
    super::{faults, voice::Voice},
    Store,
};
use crate::{
    browser::{
        self,
        blob::BlobSource,
        folder::{Folder, refused},
        locks::Lock,
        storage,
    },
    state::{
        download::PartNote,
        manifest::{StoredFile, hex},
    },
};

/// A tab that was closed a moment ago holds its locks until its workers are gone.
const CLOSING_MS: u32 = 3_000;

/// Bytes that are copied and hashed at once.
const CHUNK: usize = 4 << 20;

/// An open part. Closing or dropping it keeps what was written.
pub(in super::super) struct Part {
    folder: Folder,
    name: String,
    handle: FileSystemSyncAccessHandle,
    n_bytes: u64,
    lock: Lock,
}

/// A part that is not written any more.
pub(super) struct Closed {
    pub(super) name: String,
    pub(super) n_bytes: u64,
    /// Until the file has its place.
    _lock: Option<Lock>,
}

pub(super) fn note_name(part: &str) -> String {
    format!("{part}.json")
}

impl Drop for Part {
    fn drop(&mut self) {
        // What cannot be flushed is noticed when the part is read again.
        self.handle.flush().ok();
        self.handle.close();
    }
}

impl Part {
    pub(super) async fn open(folder: &Folder, name: &str) -> Result<Self, Fault> {
        let lock = match Lock::take(name, name).await {
            Ok(lock) => lock,
            Err(fault) => Lock::wait(name, CLOSING_MS).await.ok_or(fault)?,
        };
        let name = format!("{name}.part");
        let handle = folder.writable(&name).await?;
        let n_bytes = handle.get_size().map_err(|error| refused(&name, &error))? as u64;
        Ok(Self {
            folder: folder.clone(),
            name,
            handle,
            n_bytes,
            lock,
        })
    }

    pub(in super::super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// What the part is a part of, where it is known.
    pub(in super::super) async fn note(&self) -> Option<PartNote> {
        let text = self.folder.read_text(&note_name(&self.name)).await.ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(in super::super) async fn set_note(&self, note: &PartNote) -> Result<(), Fault> {
        let text = serde_json::to_string(note)
            .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
        self.folder.write_text(&note_name(&self.name), &text).await
    }

    /// Forgets what was written.
    pub(in super::super) fn clear(&mut self) -> Result<(), Fault> {
        let cleared = self.handle.truncate_with_u32(0);
        cleared.map_err(|error| refused(&self.name, &error))?;
        self.n_bytes = 0;
        Ok(())
    }

    /// Adds bytes at the end.
    pub(in super::super) fn append(&mut self, bytes: &Uint8Array) -> Result<(), Fault> {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(self.n_bytes as f64);
        let written = self
            .handle
            .write_with_js_u8_array_and_options(bytes, &options);
        let written = written.map_err(|error| refused(&self.name, &error))?;
        if written as u64 != u64::from(bytes.length()) {
            let detail = format!("{written} of {} bytes were written", bytes.length());
            return Err(Fault::new(FaultKind::StorageFull, detail));
        }
        self.n_bytes += u64::from(bytes.length());
        Ok(())
    }

    /// The hash of what is there, to go on from.
    pub(in super::super) async fn hash(&self, what: &str, voice: &Voice) -> Result<Sha256, Fault> {
        let mut hash = Sha256::new();
        let chunk = Uint8Array::new_with_length(CHUNK as u32);
        let mut bytes = vec![0; CHUNK];
        let mut at = 0;
        while at < self.n_bytes {
            let n = (self.n_bytes - at).min(CHUNK as u64) as usize;
            let options = FileSystemReadWriteOptions::new();
            options.set_at(at as f64);
            let part = chunk.subarray(0, n as u32);
            let read = self
                .handle
                .read_with_js_u8_array_and_options(&part, &options);
            let read = read.map_err(|error| refused(&self.name, &error))?;
            if read as usize != n {
                let detail = format!("`{}` ended at byte {at}", self.name);
                return Err(Fault::new(FaultKind::StoreDamaged, detail));
            }
            part.copy_to(&mut bytes[..n]);
            hash.update(&bytes[..n]);
            at += n as u64;
            voice.progress(Stage::Verifying, what, at, self.n_bytes);
            browser::breathe().await;
            voice.go_on()?;
        }
        Ok(hash)
    }

    /// Throws the part away.
    pub(in super::super) async fn remove(self) {
        let folder = self.folder.clone();
        let closed = self.close();
        // Left over it would only be swept later.
        folder.remove(&closed.name).await.ok();
        folder.remove(&note_name(&closed.name)).await.ok();
    }

    pub(super) fn close(mut self) -> Closed {
        Closed {
            name: self.name.clone(),
            n_bytes: self.n_bytes,
            _lock: Some(std::mem::replace(&mut self.lock, Lock::none())),
        }
    }
}

/// Copies a file of the user into the store and computes its hash on the way.
pub(in super::super) async fn copy_in(
    store: &Store,
    file: &File,
    name: &str,
    voice: &Voice,
) -> Result<(Blob, StoredFile), Fault> {
    let source = BlobSource::new(file.clone().into()).map_err(|error| faults::of_load(&error))?;
    if storage::room()
        .await
        .is_some_and(|room| room < source.len())
    {
        let detail = format!("`{name}` has {} bytes, fewer are left", source.len());
        return Err(Fault::new(FaultKind::StorageFull, detail));
    }
    let mut part = store.fresh_part().await?;
    match copy(&source, &mut part, name, voice).await {
        Ok(sha256) => {
            let bytes = part.n_bytes();
            let blob = store.adopt(part, &sha256).await?;
            let stored = StoredFile {
                name: name.to_owned(),
                sha256,
                bytes,
                url: None,
            };
            Ok((blob, stored))
        }
        Err(fault) => {
            part.remove().await;
            Err(fault)
        }
    }
}

async fn copy(
    source: &BlobSource,
    part: &mut Part,
    name: &str,
    voice: &Voice,
) -> Result<String, Fault> {
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < source.len() {
        let n = (source.len() - at).min(CHUNK as u64) as usize;
        let bytes = source
            .read(at, n)
            .map_err(|error| faults::of_load(&error))?;
        hash.update(&bytes);
        part.append(&Uint8Array::from(&*bytes))?;
        at += n as u64;
        voice.progress(Stage::Copying, name, at, source.len());
        browser::breathe().await;
        voice.go_on()?;
    }
    Ok(hex(&hash.finalize()))
}

/// The hash of a file as it is now.
pub(in super::super) async fn hash_of(
    blob: Blob,
    name: &str,
    voice: &Voice,
) -> Result<String, Fault> {
    let source = BlobSource::new(blob).map_err(|error| faults::of_load(&error))?;
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < source.len() {
        let n = (source.len() - at).min(CHUNK as u64) as usize;
        hash.update(
            source
                .read(at, n)
                .map_err(|error| faults::of_load(&error))?,
        );
        at += n as u64;
        voice.progress(Stage::Verifying, name, at, source.len());
        browser::breathe().await;
        voice.go_on()?;
    }
    Ok(hex(&hash.finalize()))
}
