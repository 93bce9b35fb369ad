//! A folder of the private file system.

use js_sys::{AsyncIterator, Function, IteratorNext, Reflect};
use veneer_core::protocol::tab::{Fault, FaultKind};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemRemoveOptions, FileSystemSyncAccessHandle,
};

use super::{blob::BlobSource, name_of, settled, storage, text_of};

/// A folder by its way from the top of the private file system. Whatever is done with it begins at the
/// top again: a browser whose storage was cleared answers no question about a folder that was looked
/// up before, ever, and after one such question none of this origin.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    way: Vec<Step>,
}

/// One folder further down.
#[derive(Debug, Clone)]
struct Step {
    name: String,
    /// It is made where it is not there.
    is_made: bool,
}

impl Folder {
    fn step(&self, name: &str, is_made: bool) -> Self {
        let mut way = self.way.clone();
        way.push(Step {
            name: name.to_owned(),
            is_made,
        });
        Self { way }
    }

    /// `None` where it is not there.
    async fn found(&self) -> Result<Option<FileSystemDirectoryHandle>, Fault> {
        let mut at = storage::top()
            .await
            .map_err(|why| Fault::new(FaultKind::StoreUnavailable, why))?;
        for Step { name, is_made } in &self.way {
            let options = FileSystemGetDirectoryOptions::new();
            options.set_create(*is_made);
            let next = settled(at.get_directory_handle_with_options(name, &options)).await;
            match if_there(name, next)? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    async fn handle(&self) -> Result<FileSystemDirectoryHandle, Fault> {
        let name = self.way.last().map_or("", |step| &step.name);
        self.found().await?.ok_or_else(|| {
            let detail = format!("`{name}`: the folder is not there any more");
            Fault::new(FaultKind::StoreDamaged, detail)
        })
    }

    /// A folder in it, made where it is not there.
    pub(crate) async fn folder(&self, name: &str) -> Result<Self, Fault> {
        let folder = self.step(name, true);
        folder.handle().await.map(|_| folder)
    }

    /// A file that is there.
    pub(crate) async fn file(&self, name: &str) -> Result<File, Fault> {
        file_in(&self.handle().await?, name).await
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
        let folder = self.handle().await?;
        let promise = folder.get_file_handle_with_options(name, &options);
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
        let folder = self.handle().await?;
        let removed = settled::<JsValue>(folder.remove_entry(name)).await;
        removed.map(drop).map_err(|error| refused(name, &error))
    }

    /// Gives a file another place and name.
    pub(crate) async fn move_to(&self, name: &str, folder: &Self, new: &str) -> Result<(), Fault> {
        let refused = |error: JsValue| refused(name, &error);
        let (from, to) = (self.handle().await?, folder.handle().await?);
        let handle: JsValue = settled(from.get_file_handle(name)).await.map_err(refused)?;
        let function = Reflect::get(&handle, &"move".into()).map_err(refused)?;
        let function = function.dyn_into::<Function>().map_err(|_| {
            Fault::new(
                FaultKind::StoreUnavailable,
                "this browser cannot rename stored files",
            )
        })?;
        let promise = function.call2(&handle, &to, &JsValue::from_str(new));
        let moved = settled::<JsValue>(promise.map_err(refused)?.unchecked_into()).await;
        moved.map(drop).map_err(refused)
    }

    /// Names of what is in it: nothing where it is not there.
    pub(crate) async fn names(&self) -> Vec<String> {
        match self.handle().await {
            Ok(handle) => names_in(&handle).await,
            Err(_) => Vec::new(),
        }
    }

    /// The files in it, with their names.
    pub(crate) async fn files(&self) -> Vec<(String, File)> {
        let mut files = Vec::new();
        let Ok(handle) = self.handle().await else {
            return files;
        };
        for name in names_in(&handle).await {
            if let Ok(file) = file_in(&handle, &name).await {
                files.push((name, file));
            }
        }
        files
    }

    /// A folder that is there; `None` where it is not.
    pub(crate) async fn there(&self, name: &str) -> Result<Option<Self>, Fault> {
        let folder = self.step(name, false);
        let found = folder.found().await?;
        Ok(found.map(|_| folder))
    }

    /// Whether a file is in it, as far as the browser says: where it does not, nothing may be given up.
    pub(crate) async fn has_file(&self, name: &str) -> Result<bool, Fault> {
        let Some(folder) = self.found().await? else {
            return Ok(false);
        };
        let handle = settled::<FileSystemFileHandle>(folder.get_file_handle(name)).await;
        Ok(if_there(name, handle)?.is_some())
    }

    /// Removes a folder with everything in it.
    pub(crate) async fn remove_folder(&self, name: &str) -> Result<(), Fault> {
        let options = FileSystemRemoveOptions::new();
        options.set_recursive(true);
        let folder = self.handle().await?;
        let promise = folder.remove_entry_with_options(name, &options);
        let removed = settled::<JsValue>(promise).await;
        removed.map(drop).map_err(|error| refused(name, &error))
    }

    /// Bytes of the files whose names end so.
    pub(crate) async fn n_bytes(&self, ending: &str) -> u64 {
        let files = self.files().await;
        let of_these = files.iter().filter(|(name, _)| name.ends_with(ending));
        of_these.map(|(_, file)| file.size() as u64).sum()
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

async fn file_in(folder: &FileSystemDirectoryHandle, name: &str) -> Result<File, Fault> {
    let handle: FileSystemFileHandle = settled(folder.get_file_handle(name))
        .await
        .map_err(|error| refused(name, &error))?;
    let file = settled(handle.get_file()).await;
    file.map_err(|error| refused(name, &error))
}

async fn names_in(folder: &FileSystemDirectoryHandle) -> Vec<String> {
    let keys: AsyncIterator = folder.keys();
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

/// Apart from other refusals, whether something is not there.
fn if_there<T>(name: &str, found: Result<T, JsValue>) -> Result<Option<T>, Fault> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if name_of(&error) == "NotFoundError" => Ok(None),
        Err(error) => Err(refused(name, &error)),
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
