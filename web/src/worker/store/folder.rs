//! A folder of the private file system.

use js_sys::{AsyncIterator, Function, IteratorNext, Reflect};
use veneer_core::protocol::tab::{Fault, FaultKind};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemSyncAccessHandle,
};

use super::super::{browser, source::BlobSource};
use super::refused;

#[derive(Debug, Clone)]
pub(super) struct Folder {
    handle: FileSystemDirectoryHandle,
}

impl Folder {
    pub(super) fn new(handle: FileSystemDirectoryHandle) -> Self {
        Self { handle }
    }

    /// A folder in it, made where it is not there.
    pub(super) async fn folder(&self, name: &str) -> Result<Self, Fault> {
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let promise = self
            .handle
            .get_directory_handle_with_options(name, &options);
        let handle = browser::settled(promise).await;
        handle.map(Self::new).map_err(|error| refused(name, &error))
    }

    /// A file that is there.
    pub(super) async fn file(&self, name: &str) -> Result<File, Fault> {
        let handle: FileSystemFileHandle = browser::settled(self.handle.get_file_handle(name))
            .await
            .map_err(|error| refused(name, &error))?;
        let file = browser::settled(handle.get_file()).await;
        file.map_err(|error| refused(name, &error))
    }

    pub(super) async fn read_text(&self, name: &str) -> Result<String, Fault> {
        let blob = self.file(name).await?.into();
        let unreadable = |detail: String| Fault::new(FaultKind::StoreDamaged, detail);
        let bytes = BlobSource::new(blob).and_then(|source| source.whole());
        let bytes = bytes.map_err(|error| unreadable(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| unreadable(format!("`{name}`: {error}")))
    }

    /// Opens a file for writing; only one tab can at a time.
    pub(super) async fn writable(&self, name: &str) -> Result<FileSystemSyncAccessHandle, Fault> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let promise = self.handle.get_file_handle_with_options(name, &options);
        let handle: FileSystemFileHandle = browser::settled(promise)
            .await
            .map_err(|error| refused(name, &error))?;
        let opened = browser::settled(handle.create_sync_access_handle()).await;
        opened.map_err(|error| refused(name, &error))
    }

    /// Replaces a small file.
    pub(super) async fn write_text(&self, name: &str, text: &str) -> Result<(), Fault> {
        let handle = self.writable(name).await?;
        let bytes = js_sys::Uint8Array::from(text.as_bytes());
        let written = handle
            .truncate_with_u32(0)
            .and_then(|()| handle.write_with_js_u8_array(&bytes))
            .and_then(|_| handle.flush());
        handle.close();
        written.map_err(|error| refused(name, &error))
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), Fault> {
        let removed = browser::settled::<JsValue>(self.handle.remove_entry(name)).await;
        removed.map(drop).map_err(|error| refused(name, &error))
    }

    /// Gives a file another place and name.
    pub(super) async fn move_to(&self, name: &str, folder: &Self, new: &str) -> Result<(), Fault> {
        let refused = |error: JsValue| refused(name, &error);
        let handle: JsValue = browser::settled(self.handle.get_file_handle(name))
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
        let moved = browser::settled::<JsValue>(promise.map_err(refused)?.unchecked_into()).await;
        moved.map(drop).map_err(refused)
    }

    /// Names of what is in it.
    pub(super) async fn names(&self) -> Vec<String> {
        let keys: AsyncIterator = self.handle.keys();
        let mut names = Vec::new();
        while let Ok(promise) = keys.next() {
            let Ok(next) = browser::settled::<IteratorNext>(promise.unchecked_into()).await else {
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

    /// Bytes of the files whose names end so.
    pub(super) async fn n_bytes(&self, ending: &str) -> u64 {
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
    pub(super) async fn sweep(&self, beginning: &str) {
        for name in self.names().await {
            if name.starts_with(beginning) {
                self.remove(&name).await.ok();
            }
        }
    }
}
