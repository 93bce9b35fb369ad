//! Models and adapters in the private file system of this page (OPFS).
//!
//! `files/<sha256>` holds bytes, `entries/<entry>.json` says which files make a model, `parts/` holds
//! downloads on their way. A file gets its place in `files/` only after its hash was computed.

mod folder;
mod part;

use veneer_core::protocol::tab::{Fault, FaultKind, StoreView};
use web_sys::{Blob, FileSystemDirectoryHandle, StorageEstimate, StorageManager};

pub(super) use part::{Part, copy_in, hash_of};

use super::{browser, faults, locks::Lock};
use crate::state::manifest::{Manifest, StoredFile, no_longer_needed};
use folder::Folder;

/// What the name of a part begins with that cannot go on after its tab is closed.
const COPY: &str = "copy-";

/// The store, or why there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct Store {
    folders: Option<Folders>,
    unavailable: Option<String>,
}

#[derive(Debug, Clone)]
struct Folders {
    files: Folder,
    entries: Folder,
    parts: Folder,
}

fn manager() -> Option<StorageManager> {
    let navigator = browser::scope().navigator();
    // Absent where the page is not served securely.
    let storage = js_sys::Reflect::get(&navigator, &"storage".into()).ok()?;
    (!storage.is_undefined()).then(|| navigator.storage())
}

impl Store {
    /// Opens the store. A browser that keeps nothing gives a store that says so.
    pub(super) async fn open() -> Self {
        match Folders::open().await {
            Ok(folders) => {
                folders.parts.sweep(COPY).await;
                Self {
                    folders: Some(folders),
                    unavailable: None,
                }
            }
            Err(why) => Self {
                folders: None,
                unavailable: Some(why),
            },
        }
    }

    pub(super) fn is_available(&self) -> bool {
        self.folders.is_some()
    }

    /// Asks the browser not to clear the store by itself; it decides without saying why.
    pub(super) async fn ask_to_persist(&self) {
        if let Some(Ok(promise)) = manager().map(|manager| manager.persist()) {
            wasm_bindgen_futures::JsFuture::from(promise).await.ok();
        }
    }

    /// Bytes that still fit, where the browser says so.
    pub(super) async fn room(&self) -> Option<u64> {
        let (used, quota) = estimate().await?;
        (quota > 0).then(|| quota.saturating_sub(used))
    }

    /// The store as the page shows it.
    pub(super) async fn view(&self) -> StoreView {
        let Some(folders) = &self.folders else {
            return StoreView {
                unavailable: self.unavailable.clone().or_else(|| Some(String::new())),
                ..StoreView::default()
            };
        };
        let (used_bytes, quota_bytes) = estimate().await.unwrap_or_default();
        let mut entries: Vec<_> = self.manifests().await.iter().map(Manifest::view).collect();
        entries.sort_by(|a, b| (a.is_adapter, &a.name).cmp(&(b.is_adapter, &b.name)));
        StoreView {
            unavailable: None,
            used_bytes,
            quota_bytes,
            persistent: is_persistent().await,
            entries,
            partial_bytes: folders.parts.n_bytes(".part").await,
        }
    }

    pub(super) async fn manifests(&self) -> Vec<Manifest> {
        let Some(folders) = &self.folders else {
            return Vec::new();
        };
        let mut manifests = Vec::new();
        for name in folders.entries.names().await {
            let text = folders.entries.read_text(&name).await;
            manifests.extend(text.ok().and_then(|text| Manifest::from_json(&text)));
        }
        manifests
    }

    pub(super) async fn manifest(&self, entry: &str) -> Result<Manifest, Fault> {
        let text = self.folders()?.entries.read_text(&note_name(entry)).await?;
        Manifest::from_json(&text).ok_or_else(|| {
            Fault::new(
                FaultKind::StoreDamaged,
                format!("the note of entry `{entry}` is unreadable"),
            )
        })
    }

    /// The bytes of a file, if they are there and as many as they should be.
    pub(super) async fn file(&self, file: &StoredFile) -> Result<Blob, Fault> {
        let damaged = |what: String| Fault::new(FaultKind::StoreDamaged, what);
        let found = self.folders()?.files.file(&file.sha256).await;
        let blob =
            found.map_err(|_| damaged(format!("`{}` is not in the store any more", file.name)))?;
        if blob.size() as u64 != file.bytes {
            return Err(damaged(format!(
                "`{}` has {} bytes in the store, expected {}",
                file.name,
                blob.size(),
                file.bytes
            )));
        }
        Ok(blob.into())
    }

    /// Begins or goes on with a part.
    pub(super) async fn part(&self, name: &str) -> Result<Part, Fault> {
        Part::open(&self.folders()?.parts, name).await
    }

    /// A part for a copy that cannot go on later.
    pub(super) async fn fresh_part(&self) -> Result<Part, Fault> {
        let name = format!("{COPY}{}", (js_sys::Math::random() * 1e15) as u64);
        self.part(&name).await
    }

    /// Gives a finished part its place under its hash.
    pub(super) async fn adopt(&self, part: Part, sha256: &str) -> Result<Blob, Fault> {
        let folders = self.folders()?;
        let file = part.close();
        if let Ok(there) = folders.files.file(sha256).await
            && there.size() as u64 == file.n_bytes
        {
            folders.parts.remove(&file.name).await.ok();
        } else {
            folders
                .parts
                .move_to(&file.name, &folders.files, sha256)
                .await?;
        }
        folders
            .parts
            .remove(&part::note_name(&file.name))
            .await
            .ok();
        Ok(folders.files.file(sha256).await?.into())
    }

    /// Writes the note that makes files an entry.
    pub(super) async fn keep(&self, manifest: &Manifest) -> Result<(), Fault> {
        let text = serde_json::to_string(manifest)
            .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
        let folders = self.folders()?;
        folders
            .entries
            .write_text(&note_name(&manifest.entry()), &text)
            .await
    }

    /// Deletes an entry with the files that no other one needs.
    pub(super) async fn delete(&self, entry: &str) -> Result<(), Fault> {
        let folders = self.folders()?;
        let manifest = self.manifest(entry).await;
        let _lock = Lock::take(entry, entry).await?;
        if let Ok(manifest) = manifest {
            for sha256 in no_longer_needed(&manifest, &self.manifests().await) {
                // A file that is gone already is what was wanted.
                folders.files.remove(&sha256).await.ok();
            }
        }
        folders.entries.remove(&note_name(entry)).await
    }

    /// Removes bytes that turned out to be damaged.
    pub(super) async fn discard(&self, sha256: &str) -> Result<(), Fault> {
        self.folders()?.files.remove(sha256).await
    }

    fn folders(&self) -> Result<&Folders, Fault> {
        self.folders.as_ref().ok_or_else(|| {
            let why = self.unavailable.clone().unwrap_or_default();
            Fault::new(FaultKind::StoreUnavailable, why)
        })
    }
}

impl Folders {
    async fn open() -> Result<Self, String> {
        let manager = manager().ok_or("the page is not served over https or from this machine")?;
        let text = |error| browser::text_of(&error);
        let root: FileSystemDirectoryHandle = browser::settled(manager.get_directory())
            .await
            .map_err(text)?;
        let root = Folder::new(root)
            .folder("veneer")
            .await
            .map_err(fault_text)?;
        let folders = Self {
            files: root.folder("files").await.map_err(fault_text)?,
            entries: root.folder("entries").await.map_err(fault_text)?,
            parts: root.folder("parts").await.map_err(fault_text)?,
        };
        // Some browsers open folders in private windows and refuse the first write.
        let probe = format!("{COPY}probe-{}", (js_sys::Math::random() * 1e15) as u64);
        let probed = folders.parts.write_text(&probe, "probe").await;
        probed.map_err(fault_text)?;
        folders.parts.remove(&probe).await.ok();
        Ok(folders)
    }
}

fn fault_text(fault: Fault) -> String {
    fault.detail
}

fn note_name(entry: &str) -> String {
    format!("{entry}.json")
}

/// Bytes in use and allowed.
async fn estimate() -> Option<(u64, u64)> {
    let promise = manager()?.estimate().ok()?;
    let estimate: StorageEstimate = browser::settled(promise).await.ok()?;
    let bytes = |number: Option<f64>| number.unwrap_or_default() as u64;
    Some((bytes(estimate.get_usage()), bytes(estimate.get_quota())))
}

async fn is_persistent() -> bool {
    let Some(Ok(promise)) = manager().map(|manager| manager.persisted()) else {
        return false;
    };
    let answer = wasm_bindgen_futures::JsFuture::from(promise).await;
    answer.is_ok_and(|answer| answer.is_truthy())
}

/// What the file system refused.
fn refused(what: &str, error: &wasm_bindgen::JsValue) -> Fault {
    faults::of_store(what, error)
}
