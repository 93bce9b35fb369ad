//! Projects come to be, are opened, closed, copied and deleted.
//!
//! Another project takes the place of the open one only when it is open itself: a request that fails
//! leaves what was open as it was. What cannot become a project leaves nothing behind.

use veneer_core::{
    project::{Project, ProjectError},
    protocol::{
        studio::{ProjectView, Sample, StudioOutcome},
        tab::{Fault, FaultKind},
    },
};
use web_sys::File;

use super::{
    desk::Desk,
    faults,
    opened::Open,
    place::{self, Place},
    store::lock_key,
    voice::Voice,
};
use crate::browser::{self, locks::Lock};

/// How often a lock is tried that a worker may hold which was just ended.
const TRIES: usize = 4;
const RETRY_MS: i32 = 150;
/// How long another tab may take to give a project up.
const HAND_OVER_MS: u32 = 10_000;

pub(super) async fn create(desk: &Desk, name: &str) -> Result<ProjectView, Fault> {
    let open = make(desk, name).await?;
    take_place(desk, open).await
}

/// A new project with records of Veneer's own.
pub(super) async fn create_sample(
    desk: &Desk,
    sample: Sample,
    voice: &Voice,
) -> Result<ProjectView, Fault> {
    let open = make(desk, sample_name(sample)).await?;
    // Steps of a work go to the open project.
    let before = desk.opened.swap(Some(open));
    let filled = match desk.begin(|project| project.import_sample(sample, desk.now_ms())) {
        Ok(work) => desk.drive(work, voice).await,
        Err(fault) => Err(fault),
    };
    match filled {
        Ok(_) => {
            close(desk, before).await;
            desk.opened.view()
        }
        Err(fault) => {
            if let Some(open) = desk.opened.swap(before) {
                let id = open.id.clone();
                open.close();
                remove(desk, &id).await;
            }
            Err(fault)
        }
    }
}

pub(super) async fn open(desk: &Desk, id: &str, take_over: bool) -> Result<ProjectView, Fault> {
    if desk.opened.id().as_deref() == Some(id) {
        return desk.opened.view();
    }
    let store = desk.store();
    if !store.has(id).await {
        return Err(faults::missing());
    }
    let lock = lock(desk, id, take_over).await?;
    let place = Place::claim(id, store.folder_of(id).as_deref(), lock).await?;
    let open = read(place).map_err(|(fault, place)| {
        place.leave();
        fault
    })?;
    let view = take_place(desk, open).await?;
    // The list of projects shows an older name until the next time.
    store.note(id, &view.name).await.ok();
    Ok(view)
}

/// A file of the user becomes a project of this browser.
pub(super) async fn open_file(
    desk: &Desk,
    name: &str,
    file: &File,
    voice: &Voice,
) -> Result<ProjectView, Fault> {
    let place = claim_new(desk).await?;
    let filled = place.fill(file, name, voice).await;
    let opened = match filled {
        Ok(()) => read(place).and_then(check),
        Err(fault) => Err((fault, place)),
    };
    let open = keep(desk, opened).await?;
    take_place(desk, open).await
}

pub(super) async fn rename(desk: &Desk, name: &str) -> Result<ProjectView, Fault> {
    desk.opened.with(|project| project.rename(name))?;
    let view = desk.opened.view()?;
    desk.store().note(&view.id, &view.name).await?;
    Ok(view)
}

pub(super) async fn delete(desk: &Desk, id: &str) -> Result<(), Fault> {
    if desk.opened.id().as_deref() == Some(id) {
        close(desk, desk.opened.swap(None)).await;
    }
    let _lock = lock(desk, id, false).await?;
    let store = desk.store();
    if store.folder_of(id).is_none() {
        place::forget_memory(id)?;
    }
    store.delete(id).await
}

pub(super) async fn projects(desk: &Desk) -> StudioOutcome {
    let own = desk.opened.id();
    StudioOutcome::Projects(desk.store().view(own.as_deref()).await)
}

/// Closes a project. One whose files were deleted is let go of as it is, until the worker ends: Chromium
/// 156 itself ends where a file is closed whose storage was cleared.
pub(super) async fn close(desk: &Desk, open: Option<Open>) {
    let Some(open) = open else { return };
    if desk.store().has(&open.id).await {
        open.close();
    } else {
        open.abandon();
    }
}

async fn take_place(desk: &Desk, open: Open) -> Result<ProjectView, Fault> {
    close(desk, desk.opened.swap(Some(open))).await;
    desk.opened.view()
}

/// An empty project.
async fn make(desk: &Desk, name: &str) -> Result<Open, Fault> {
    let place = claim_new(desk).await?;
    let made = place.connect();
    let made = made.and_then(|db| Project::create(db, name, desk.now_ms()));
    keep(desk, with_place(place, made)).await
}

/// Makes what was opened a project of this browser; what was not leaves nothing behind.
async fn keep(desk: &Desk, opened: Result<Open, (Fault, Place)>) -> Result<Open, Fault> {
    let open = match opened {
        Ok(open) => open,
        Err((fault, place)) => {
            let id = place.id().to_owned();
            place.leave();
            remove(desk, &id).await;
            return Err(fault);
        }
    };
    match note(desk, &open).await {
        Ok(()) => Ok(open),
        Err(fault) => {
            let id = open.id.clone();
            open.close();
            remove(desk, &id).await;
            Err(fault)
        }
    }
}

async fn note(desk: &Desk, open: &Open) -> Result<(), Fault> {
    let name = open.view()?.name;
    desk.store().note(&open.id, &name).await
}

/// What is left then goes when projects are listed next.
async fn remove(desk: &Desk, id: &str) {
    let store = desk.store();
    if store.folder_of(id).is_none() {
        place::forget_memory(id).ok();
    }
    store.delete(id).await.ok();
}

/// Opens what lies in a place.
fn read(place: Place) -> Result<Open, (Fault, Place)> {
    let opened = place.connect().and_then(Project::open);
    with_place(place, opened)
}

/// Looks through every page of a database that came from elsewhere.
fn check(open: Open) -> Result<Open, (Fault, Place)> {
    let Err(error) = open.project.verify() else {
        return Ok(open);
    };
    let Open { project, place, .. } = open;
    place::disconnect(project);
    Err((faults::of_project(&error), place))
}

fn with_place(place: Place, opened: Result<Project, ProjectError>) -> Result<Open, (Fault, Place)> {
    match opened {
        Ok(project) => Ok(Open {
            id: place.id().to_owned(),
            project,
            place,
        }),
        Err(error) => Err((faults::of_project(&error), place)),
    }
}

async fn claim_new(desk: &Desk) -> Result<Place, Fault> {
    let id = new_id(desk.now_ms());
    let lock = lock(desk, &id, false).await?;
    let store = desk.store();
    let claimed = Place::claim(&id, store.folder_of(&id).as_deref(), lock).await;
    if claimed.is_err() {
        remove(desk, &id).await;
    }
    claimed
}

/// The lock on a project, which another tab may have to give up.
async fn lock(desk: &Desk, id: &str, take_over: bool) -> Result<Lock, Fault> {
    let key = lock_key(id);
    for _ in 0..TRIES {
        if let Ok(lock) = Lock::take(&key, id).await {
            return Ok(lock);
        }
        if take_over {
            break;
        }
        browser::sleep(RETRY_MS).await;
    }
    let detail = match take_over {
        false => "another tab has the project open",
        true => {
            desk.tidings.want(id);
            if let Some(lock) = Lock::wait(&key, HAND_OVER_MS).await {
                return Ok(lock);
            }
            "the tab that has the project open does not give it up; close that tab"
        }
    };
    Err(Fault::new(FaultKind::ProjectBusy, detail))
}

/// Sorts by when the project came to be, and is the same in no two tabs.
fn new_id(now_ms: i64) -> String {
    let chance = (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{now_ms:x}-{chance:08x}")
}

fn sample_name(sample: Sample) -> &'static str {
    match sample {
        Sample::Bank => "Bank sample",
        Sample::Bond => "Bond sample",
    }
}
