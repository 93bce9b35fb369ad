//! The projects of this browser: a folder each, with a note of its name beside its files.
//!
//! A folder without a note never became a project, or does not want to be one any more: whoever
//! lists the projects removes it.

use std::{cell::RefCell, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use veneer_core::protocol::{
    studio::{ProjectEntry, ProjectsView},
    tab::{Fault, FaultKind},
};

use super::faults;
use crate::browser::{
    folder::Folder,
    locks::{self, Lock},
    storage,
};

/// Where the folders lie, from the root of the private file system.
const FOLDER: &str = "veneer/studio";
/// The note of a project.
const NOTE: &str = "about.json";
/// The folder in which the library keeps the files of a pool.
const FILES: &str = ".opaque";
const PROBE: &str = "probe-";

/// What begins the keys of the locks on projects.
const LOCK: &str = "project-";

#[derive(Serialize, Deserialize)]
struct Note {
    name: String,
}

/// The store, or why nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Store {
    folder: Option<Folder>,
    unavailable: Option<String>,
    /// Names of the projects of this visit, where nothing is kept.
    in_memory: RefCell<BTreeMap<String, String>>,
}

impl Store {
    /// Opens the store. A browser that keeps nothing gives a store that says so.
    pub(super) async fn open() -> Self {
        match folder().await {
            Ok(folder) => {
                folder.sweep(PROBE).await;
                Self {
                    folder: Some(folder),
                    ..Self::default()
                }
            }
            Err(why) => Self {
                unavailable: Some(why),
                ..Self::default()
            },
        }
    }

    /// Where the files of a project lie; `None` is memory.
    pub(super) fn folder_of(&self, id: &str) -> Option<String> {
        self.folder.as_ref().map(|_| format!("{FOLDER}/{id}"))
    }

    /// Whether a project of this name is kept here; where the browser does not say, it is.
    pub(super) async fn has(&self, id: &str) -> bool {
        match &self.folder {
            Some(all) => has_note(all, id).await.unwrap_or(true),
            None => self.in_memory.borrow().contains_key(id),
        }
    }

    /// Makes a folder with files in it a project, or gives it another name.
    pub(super) async fn note(&self, id: &str, name: &str) -> Result<(), Fault> {
        let Some(all) = &self.folder else {
            let mut names = self.in_memory.borrow_mut();
            names.insert(id.to_owned(), name.to_owned());
            return Ok(());
        };
        let note = Note {
            name: name.to_owned(),
        };
        let text = serde_json::to_string(&note)
            .map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))?;
        let folder = all.there(id).await.map_err(faults::of_folder)?;
        let folder = folder.ok_or_else(faults::missing)?;
        let noted = noted(&folder).await;
        if noted.is_some_and(|noted| noted.name == name) {
            return Ok(());
        }
        let written = folder.write_text(NOTE, &text).await;
        written.map_err(faults::of_folder)
    }

    /// Deletes a project whose files nobody holds. What is left of it when this is cut off goes when
    /// projects are listed next.
    pub(super) async fn delete(&self, id: &str) -> Result<(), Fault> {
        let Some(all) = &self.folder else {
            self.in_memory.borrow_mut().remove(id);
            return Ok(());
        };
        delete(all, id).await.map_err(faults::of_folder)
    }

    /// The projects, the latest first. `own` is the one that this worker has open.
    pub(super) async fn view(&self, own: Option<&str>) -> ProjectsView {
        let (used_bytes, quota_bytes) = storage::estimate().await.unwrap_or_default();
        let mut view = ProjectsView {
            projects: Vec::new(),
            unavailable: self.unavailable.clone(),
            is_full: false,
            lost: None,
            used_bytes,
            quota_bytes,
        };
        match &self.folder {
            Some(all) => {
                view.projects = projects(all, own).await;
                view.is_full = storage::probe(all, PROBE).await.unwrap_or_default();
                let is_kept = |id: &&str| view.projects.iter().any(|entry| entry.id == **id);
                view.lost = own.filter(|id| !is_kept(id)).map(str::to_owned);
            }
            None => {
                let names = self.in_memory.borrow();
                view.projects = names.iter().map(|(id, name)| in_memory(id, name)).collect();
            }
        }
        view.projects.sort_by(|a, b| {
            let newer = b.changed_ms.cmp(&a.changed_ms);
            newer.then_with(|| a.name.cmp(&b.name))
        });
        view
    }
}

/// The lock on a project, of all tabs.
pub(super) fn lock_key(id: &str) -> String {
    format!("{LOCK}{id}")
}

async fn folder() -> Result<Folder, String> {
    let root = storage::root().await?;
    let name = FOLDER.rsplit('/').next().unwrap_or(FOLDER);
    let folder = root.folder(name).await.map_err(|fault| fault.detail)?;
    storage::probe(&folder, PROBE).await?;
    Ok(folder)
}

async fn delete(all: &Folder, id: &str) -> Result<(), Fault> {
    if let Some(folder) = all.there(id).await? {
        if folder.has_file(NOTE).await? {
            folder.remove(NOTE).await?;
        }
        all.remove_folder(id).await?;
    }
    Ok(())
}

async fn has_note(all: &Folder, id: &str) -> Result<bool, Fault> {
    match all.there(id).await? {
        Some(folder) => folder.has_file(NOTE).await,
        None => Ok(false),
    }
}

async fn noted(folder: &Folder) -> Option<Note> {
    let text = folder.read_text(NOTE).await.ok()?;
    serde_json::from_str(&text).ok()
}

async fn projects(all: &Folder, own: Option<&str>) -> Vec<ProjectEntry> {
    let held = locks::held(LOCK).await;
    let mut projects = Vec::new();
    for id in all.names().await {
        let Ok(Some(folder)) = all.there(&id).await else {
            continue;
        };
        // Where the browser does not say, it may be a project.
        if let Ok(false) = folder.has_file(NOTE).await {
            remove_remains(all, &id).await;
            continue;
        }
        let note = noted(&folder).await;
        let (bytes, changed_ms) = files(&folder).await;
        projects.push(ProjectEntry {
            open_elsewhere: own != Some(id.as_str()) && held.contains(&id),
            // A note that cannot be read is written again when the project is opened.
            name: note.map_or_else(|| id.clone(), |note| note.name),
            id,
            bytes,
            changed_ms,
        });
    }
    projects
}

/// What a worker left that was ended while it made or deleted a project.
async fn remove_remains(all: &Folder, id: &str) {
    if let Ok(_lock) = Lock::take(&lock_key(id), id).await {
        // It is tried again when projects are listed next.
        all.remove_folder(id).await.ok();
    }
}

/// Bytes of a project, and when its database was written last. The database is the largest file.
async fn files(folder: &Folder) -> (u64, i64) {
    let Ok(Some(files)) = folder.there(FILES).await else {
        return (0, 0);
    };
    let (mut bytes, mut largest) = (0, (0, 0));
    for (_, file) in files.files().await {
        let n = file.size() as u64;
        bytes += n;
        largest = largest.max((n, file.last_modified() as i64));
    }
    (bytes, largest.1)
}

fn in_memory(id: &str, name: &str) -> ProjectEntry {
    ProjectEntry {
        id: id.to_owned(),
        name: name.to_owned(),
        bytes: 0,
        changed_ms: 0,
        open_elsewhere: false,
    }
}
