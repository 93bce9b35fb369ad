//! What the browser keeps for this page, and how much of it.

use js_sys::Reflect;
use veneer_core::protocol::tab::FaultKind;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FileSystemDirectoryHandle, StorageEstimate, StorageManager};

use super::{folder::Folder, scope, settled, text_of};
use crate::texts::faults::Sentence;

fn manager() -> Option<StorageManager> {
    storage_of(&scope().navigator())
}

/// Absent where the page is not served securely, and in browsers that lack it.
fn storage_of(navigator: &JsValue) -> Option<StorageManager> {
    let storage = Reflect::get(navigator, &"storage".into()).ok()?;
    (!storage.is_undefined()).then(|| storage.unchecked_into())
}

/// The folder in which everything of Veneer lies, or why there is none.
pub(crate) async fn root() -> Result<Folder, String> {
    let root = Folder::default().folder("veneer").await;
    root.map_err(|fault| fault.detail)
}

/// The top of the private file system, or why there is none.
pub(super) async fn top() -> Result<FileSystemDirectoryHandle, String> {
    let absent = match is_secure() {
        true => Sentence::NoFilesOfPages,
        false => Sentence::PageNotSecure,
    };
    let manager = manager().ok_or_else(|| absent.with(&[]))?;
    if !has_function(&manager, "getDirectory") || !can_write() {
        return Err(Sentence::NoFilesOfPages.with(&[]));
    }
    let top = settled(manager.get_directory()).await;
    top.map_err(|error| refused(&text_of(&error)))
}

fn is_secure() -> bool {
    let is_secure = Reflect::get(&js_sys::global(), &"isSecureContext".into());
    is_secure.is_ok_and(|is_secure| is_secure.is_truthy())
}

fn refused(why: &str) -> String {
    Sentence::FilesRefused.with(&[("why", why)])
}

/// Whether a worker can open private files for writing.
fn can_write() -> bool {
    let class = Reflect::get(&js_sys::global(), &"FileSystemFileHandle".into());
    let class = class.and_then(|class| Reflect::get(&class, &"prototype".into()));
    class.is_ok_and(|class| has_function(&class, "createSyncAccessHandle"))
}

/// Calling a function that is missing would end the worker.
fn has_function(of: &JsValue, name: &str) -> bool {
    Reflect::get(of, &name.into()).is_ok_and(|found| found.is_function())
}

/// Writes a file, and says whether the storage is full, which it still is to read from. Some browsers
/// open folders in private windows and refuse to write: those have no storage.
pub(crate) async fn probe(folder: &Folder, beginning: &str) -> Result<bool, String> {
    let name = format!("{beginning}{}", (js_sys::Math::random() * 1e15) as u64);
    let probed = folder.write_text(&name, "probe").await;
    // Left over it would only be swept later.
    folder.remove(&name).await.ok();
    match probed {
        Ok(()) => Ok(false),
        Err(fault) if fault.kind == FaultKind::StorageFull => Ok(true),
        Err(fault) => Err(refused(&fault.detail)),
    }
}

/// Asks the browser not to clear the storage by itself; it decides without saying why. Only a page
/// may ask, not its workers.
#[cfg(feature = "page")]
pub(crate) fn ask_to_persist() {
    let storage = web_sys::window().and_then(|window| storage_of(&window.navigator()));
    let Some(Ok(promise)) = storage.map(|storage| storage.persist()) else {
        return;
    };
    wasm_bindgen_futures::spawn_local(async move {
        // A refusal changes nothing: what is kept may be cleared when space runs low, and the page says so.
        JsFuture::from(promise).await.ok();
    });
}

pub(crate) async fn is_persistent() -> bool {
    let Some(Ok(promise)) = manager().map(|manager| manager.persisted()) else {
        return false;
    };
    let answer = JsFuture::from(promise).await;
    answer.is_ok_and(|answer| answer.is_truthy())
}

/// Bytes in use and allowed.
pub(crate) async fn estimate() -> Option<(u64, u64)> {
    let promise = manager()?.estimate().ok()?;
    let estimate: StorageEstimate = settled(promise).await.ok()?;
    let bytes = |number: Option<f64>| number.unwrap_or_default() as u64;
    Some((bytes(estimate.get_usage()), bytes(estimate.get_quota())))
}

/// Bytes that still fit, where the browser says so.
pub(crate) async fn room() -> Option<u64> {
    let (used, quota) = estimate().await?;
    (quota > 0).then(|| quota.saturating_sub(used))
}
