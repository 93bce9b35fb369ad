//! Files that the user picked or dropped, with the names of the folders they lie in.

use js_sys::{Array, Function, Promise, Reflect};
use veneer_core::protocol::tab::Origin;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransfer, File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry,
    HtmlInputElement,
};

/// Files with their names.
#[derive(Debug, Clone, Default)]
pub(super) struct Picked {
    pub(super) names: Vec<String>,
    pub(super) files: Vec<File>,
}

impl Picked {
    pub(super) fn origin(&self) -> Origin {
        Origin::Files {
            names: self.names.clone(),
        }
    }

    fn push(&mut self, name: String, file: File) {
        self.names.push(name);
        self.files.push(file);
    }
}

/// What an input holds. It is emptied, so that the same files can be picked again.
pub(super) fn of_input(input: &HtmlInputElement) -> Picked {
    let mut picked = Picked::default();
    let Some(list) = input.files() else {
        return picked;
    };
    for index in 0..list.length() {
        if let Some(file) = list.get(index) {
            picked.push(path_of(&file), file);
        }
    }
    input.set_value("");
    picked
}

/// The path below the folder that was picked, where one was.
fn path_of(file: &File) -> String {
    let path = Reflect::get(file, &"webkitRelativePath".into()).ok();
    let path = path.and_then(|path| path.as_string()).unwrap_or_default();
    match path.as_str() {
        "" => file.name(),
        _ => path,
    }
}

/// What was dropped: each folder for itself, single files together. The entries have to be taken
/// before anything is awaited, because the browser forgets them.
pub(super) fn entries_of(transfer: &DataTransfer) -> Vec<FileSystemEntry> {
    let items = transfer.items();
    (0..items.length())
        .filter_map(|index| items.get(index)?.webkit_get_as_entry().ok()?)
        .collect()
}

/// Reads dropped entries.
pub(super) async fn of_entries(entries: Vec<FileSystemEntry>) -> Vec<Picked> {
    let mut groups = Vec::new();
    let mut single = Picked::default();
    for entry in entries {
        if entry.is_directory() {
            let mut group = Picked::default();
            walk(&entry, &mut group).await;
            groups.push(group);
        } else {
            walk(&entry, &mut single).await;
        }
    }
    if !single.files.is_empty() {
        groups.push(single);
    }
    // A model has to be there before its adapters.
    groups.sort_by_key(|group| {
        use crate::state::files::Chosen;
        Chosen::of(&group.names).is_ok_and(|chosen| chosen.is_adapter())
    });
    groups
}

/// Adds a file, or all files of a folder. What cannot be read is left out and then missing.
async fn walk(entry: &FileSystemEntry, into: &mut Picked) {
    let mut waiting = vec![entry.clone()];
    while let Some(entry) = waiting.pop() {
        let path = entry.full_path().trim_start_matches('/').to_owned();
        if entry.is_file() {
            let entry: FileSystemFileEntry = entry.unchecked_into();
            let got = told(|done| entry.file_with_callback_and_callback(done, done)).await;
            if let Some(file) = got.and_then(|file| file.dyn_into::<File>().ok()) {
                into.push(path, file);
            }
            continue;
        }
        let folder: FileSystemDirectoryEntry = entry.unchecked_into();
        let reader = folder.create_reader();
        // Entries come in batches, the last of which is empty.
        loop {
            let read = |done: &Function| {
                let asked = reader.read_entries_with_callback_and_callback(done, done);
                // What cannot even be asked counts as empty.
                if asked.is_err() {
                    done.call1(&JsValue::UNDEFINED, &Array::new()).ok();
                }
            };
            let batch = told(read).await.map(|batch| Array::from(&batch));
            let Some(batch) = batch.filter(|batch| batch.length() > 0) else {
                break;
            };
            waiting.extend(
                batch
                    .iter()
                    .map(|entry| entry.unchecked_into::<FileSystemEntry>()),
            );
        }
    }
}

/// The value that a callback is called with; an error is a value that is no file and no list.
async fn told(ask: impl FnOnce(&Function)) -> Option<JsValue> {
    let mut ask = Some(ask);
    let promise = Promise::new(&mut |resolve: Function, _| {
        let done = Closure::once_into_js(move |value: JsValue| {
            resolve.call1(&JsValue::UNDEFINED, &value).ok();
        });
        if let Some(ask) = ask.take() {
            ask(done.unchecked_ref());
        }
    });
    JsFuture::from(promise).await.ok()
}
