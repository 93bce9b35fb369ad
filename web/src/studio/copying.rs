//! The open project as a file that the user can take away.
//!
//! SQLite hands out its pages as they are after the last transaction. Nothing is written twice and
//! nothing is closed; what changes the project waits its turn until the copy is whole.
//!
//! Invariant: all pages of a copy are of one moment.

use js_sys::{Array, Uint8Array};
use rusqlite::Connection;
use veneer_core::{
    project::{Project, ProjectError},
    protocol::{
        studio::StudioOutcome,
        tab::{Fault, FaultKind},
    },
};
use web_sys::{Blob, BlobPropertyBag};

use super::{
    desk::Desk,
    voice::{Answer, Voice},
};
use crate::{browser, state::studio::naming::project_file};

/// Handed to the browser at once.
const CHUNK: u64 = 4 << 20;
const TYPE: &str = "application/vnd.sqlite3";

pub(super) async fn download(desk: &Desk, voice: &Voice) -> Result<Answer, Fault> {
    let name = project_file(&desk.opened.view()?.name);
    loop {
        // What is late would be written by who looks at the project in between.
        let work = desk.begin(Project::settle)?;
        // Where there is no room for that it stays late, which the file tells too.
        if let Err(fault) = desk.drive(work, voice).await
            && fault.kind != FaultKind::StorageFull
        {
            return Err(fault);
        }
        if let Some(chunks) = copy(desk, voice, &name).await? {
            return file(&chunks, name, TYPE);
        }
    }
}

/// All pages; `None` where something was written meanwhile.
async fn copy(desk: &Desk, voice: &Voice, name: &str) -> Result<Option<Array>, Fault> {
    let begun = desk
        .opened
        .with(|project| Moment::of(project.connection()))?;
    let Moment {
        n_pages,
        page_bytes,
        ..
    } = begun;
    let (chunks, step) = (Array::new(), (CHUNK / page_bytes).max(1));
    let mut page = 1;
    while page <= n_pages {
        let n = step.min(n_pages - page + 1);
        let bytes = desk
            .opened
            .with(|project| pages(project.connection(), page, n))?;
        chunks.push(&Uint8Array::from(bytes.as_slice()));
        page += n;
        voice.copied(name, (page - 1) * page_bytes, n_pages * page_bytes);
        desk.breathe().await;
        voice.go_on()?;
        if desk
            .opened
            .with(|project| Moment::of(project.connection()))?
            != begun
        {
            return Ok(None);
        }
    }
    Ok(Some(chunks))
}

/// A file that core made.
pub(super) fn handed_over(name: String, bytes: &[u8]) -> Result<Answer, Fault> {
    let chunks = Array::of1(&Uint8Array::from(bytes));
    file(&chunks, name, "application/octet-stream")
}

fn file(chunks: &Array, name: String, kind: &str) -> Result<Answer, Fault> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let blob = Blob::new_with_u8_array_sequence_and_options(chunks, &options);
    let blob = blob.map_err(|error| {
        let detail = format!("`{name}`: {}", browser::text_of(&error));
        Fault::new(FaultKind::StorageFull, detail)
    })?;
    Ok(Answer {
        outcome: StudioOutcome::File {
            name,
            bytes: blob.size() as u64,
        },
        file: Some(blob),
    })
}

/// The file as it is after some change.
#[derive(PartialEq, Eq)]
struct Moment {
    n_pages: u64,
    page_bytes: u64,
    n_changes: u64,
}

impl Moment {
    fn of(db: &Connection) -> Result<Self, ProjectError> {
        let number = |pragma: &str| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let mut n_changes = db.prepare_cached("SELECT total_changes()")?;
        let n_changes: i64 = n_changes.query_row([], |row| row.get(0))?;
        // None is ever negative, and a page has at least 512 bytes.
        Ok(Self {
            n_pages: number("page_count")?.unsigned_abs(),
            page_bytes: number("page_size")?.unsigned_abs().max(512),
            n_changes: n_changes.unsigned_abs(),
        })
    }
}

fn pages(db: &Connection, from: u64, n: u64) -> Result<Vec<u8>, ProjectError> {
    let mut select = db.prepare_cached(
        "SELECT data FROM sqlite_dbpage WHERE pgno BETWEEN ?1 AND ?2 ORDER BY pgno",
    )?;
    let mut rows = select.query([from as i64, (from + n - 1) as i64])?;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        let page = row.get_ref(0)?.as_blob();
        bytes.extend_from_slice(page.map_err(|error| ProjectError::Broken {
            detail: error.to_string(),
        })?);
    }
    Ok(bytes)
}
