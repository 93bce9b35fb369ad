//! A folder of the private file system.

use js_sys::{AsyncIterator, Function, IteratorNext, Reflect};
use veneer_core::protocol::tab::{Fault, FaultKind};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemRemoveOptions, FileSystemSyncAccessHandle,
};

use super::{blob::BlobSource, name_of, settled, text_of};

#[derive(Debug, Clone)]
pub(crate) struct Folder {
    handle: FileSystemDirectoryHandle,
}

impl Folder {
    pub(crate) fn new(handle: FileSystemDirectoryHandle) -> Self {
        Self { handle }
    }

    /// A folder in it, made where it is not there.
    pub(crate) async fn folder(&self, name: &str) -> Result<Self, Fault> {
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let promise = self
            .handle
            .get_directory_handle_with_options(name, &options);
        let handle = settled(promise).await;
        handle.map(Self::new).map_err(|error| refused(name, &error))
    }

    /// A file that is there.
    pub(crate) async fn file(&self, name: &str) -> Result<File, Fault> {
        let handle: FileSystemFileHandle = settled(self.handle.get_file_handle(name))
            .await
            .map_err(|error| refused(name, &error))?;
        let file = settled(handle.get_file()).await;
        file.map_err(|error| refused(name, &error))
    }

    pub(crate) async fn read_text(&self, name: &str) -> Result<String, Fault> {
        let blob = self.file(name).await?.into();
        let unreadable = |detail: String| Fault::new(FaultKind::StoreDamaged, detail);
        let bytes = BlobSource::new(blob).and_then(|source| source.whole());
        let bytes = bytes.map_err(|error| unreadable(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| unreadable(format!("`{name}`: {error}")))
    }

    /// Opens a file for writing; only one tab can at a time.
    pub(crate) async fn writable(&self, name: &str) -> Result<FileSystemSyncAccessHandle, Fault> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let promise = self.handle.get_file_handle_with_options(name, &options);
        let handle: FileSystemFileHandle = settled(promise)
            .await
            .map_err(|error| refused(name, &error))?;
        let opened = settled(handle.create_sync_access_handle()).await;
        opened.map_err(|error| refused(name, &error))
    }

    /// Replaces a small file. Where there is no room for it, what was there stays.
    pub(crate) async fn write_text(&self, name: &str, text: &str) -> Result<(), Fault> {
        let handle = self.writable(name).await?;
        let bytes = js_sys::Uint8Array::from(text.as_bytes());
        let written = handle
            .write_with_js_u8_array(&bytes)
            .and_then(|_| handle.truncate_with_u32(bytes.length()))
            .and_then(|()| handle.flush());
        handle.close();
        written.map_err(|error| refused(name, &error))
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), Fault> {
        let removed = settled::<JsValue>(self.handle.remove_entry(name)).await;
        removed.map(drop).map_err(|error| refused(name, &error))
    }

    /// Gives a file another place and name.
    pub(crate) async fn move_to(&self, name: &str, folder: &Self, new: &str) -> Result<(), Fault> {
        let refused = |error: JsValue| refused(name, &error);
        let handle: JsValue = settled(self.handle.get_file_handle(name))
            .await
            .map_err(refused)?;
        let function = Reflect::get(&handle, &"move".into()).map_err(refused)?;
        let function = function.dyn_into::<Function>().map_err(|_| {
            Fault::new(
                FaultKind::StoreUnavailable,
                "this browser cannot rename stored files",
            )
        })?;
        let promise = function.call2(&handle, &folder.handle, &JsValue::from_str(new));
        let moved = settled::<JsValue>(promise.map_err(refused)?.unchecked_into()).await;
        moved.map(drop).map_err(refused)
    }

    /// Names of what is in it.
    pub(crate) async fn names(&self) -> Vec<String> {
        let keys: AsyncIterator = self.handle.keys();
        let mut names = Vec::new();
        while let Ok(promise) = keys.next() {
            let Ok(next) = settled::<IteratorNext>(promise.unchecked_into()).await else {
                break;
            };
            if next.done() {
                break;
            }
            names.extend(next.value().as_string());
        }
        names.sort_unstable();
        names
    }

    /// A folder that is there; `None` where it is not.
    pub(crate) async fn there(&self, name: &str) -> Option<Self> {
        let handle = settled(self.handle.get_directory_handle(name)).await;
        handle.ok().map(Self::new)
    }

    /// Removes a folder with everything in it.
    pub(crate) async fn remove_folder(&self, name: &str) -> Result<(), Fault> {
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        let promise = self.handle.remove_entry_with_options(name, &options);
        let removed = settled::<JsValue>(promise).await;
        removed.map(drop).map_err(|error| refused(name, &error))
    }

    /// Bytes of the files whose names end so.
    pub(crate) async fn n_bytes(&self, ending: &str) -> u64 {
        let mut sum = 0;
        for name in self
            .names()
            .await
            .iter()
            .filter(|name| name.ends_with(ending))
        {
            sum += self.file(name).await.map_or(0, |file| file.size() as u64);
        }
        sum
    }

    /// Removes what a closed tab left; what another tab has open stays, because it is locked.
    pub(crate) async fn sweep(&self, beginning: &str) {
        for name in self.names().await {
            if name.starts_with(beginning) {
                self.remove(&name).await.ok();
            }
        }
    }
}

/// What the private file system says about `what`.
pub(crate) fn refused(what: &str, error: &JsValue) -> Fault {
    let kind = match name_of(error).as_str() {
        "QuotaExceededError" => FaultKind::StorageFull,
        "NoModificationAllowedError" | "InvalidStateError" => FaultKind::StoreBusy,
        "SecurityError" | "NotAllowedError" => FaultKind::StoreUnavailable,
        _ => FaultKind::StoreDamaged,
    };
    Fault::new(kind, format!("`{what}`: {}", text_of(error)))
}
