//! Where one project lies while it is open: a pool of files that belong to this worker alone.
//!
//! The pool is a folder of the private file system, one for each project, so that two tabs can have
//! different projects open. Without that file system the project lies in memory.

use rusqlite::{Connection, OpenFlags};
use sqlite_wasm_rs::{
    WasmOsCallback,
    vfs::{
        VfsFilesManager as _,
        memvfs::MemVfsUtil,
        transfer::{DbImport, DbTransfer, ImportTarget},
    },
};
use sqlite_wasm_vfs::sahpool::{OpfsSAHError, OpfsSAHPoolCfgBuilder, OpfsSAHPoolUtil, install};
use veneer_core::{
    project::{HEADER_BYTES, Project, ProjectError, check_file},
    protocol::tab::{Fault, FaultKind},
};
use web_sys::Blob;

use super::{faults, input::BlobReader, voice::Voice};
use crate::browser::{self, locks::Lock, storage};

/// The database, its journal, and two for what SQLite needs for a moment.
const N_FILES: usize = 4;
/// Inside of the pool.
const FILE: &str = "project.sqlite";
/// Copied at once.
const CHUNK: usize = 1 << 20;
/// How long a worker that was ended may hold its files.
const PATIENCE_MS: f64 = 2000.0;
const RETRY_MS: i32 = 100;

/// How the database is used, beyond what core sets. Every page is a call to the file system, and in a
/// private window a call takes up to half a millisecond, however little is read: hence large pages,
/// which only an empty database takes over. A rollback journal lies on disk before a page of the
/// database is written, so that a tab that is killed loses nothing but what it had not finished; the
/// file itself is locked by the browser.
const SETTINGS: &str = "PRAGMA page_size = 32768; \
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE; \
    PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;";

/// The files of a project, held until it is left.
pub(super) struct Place {
    id: String,
    /// `None` is memory.
    pool: Option<OpfsSAHPoolUtil>,
    _lock: Lock,
}

impl Place {
    /// Takes hold of the files.
    ///
    /// # Errors
    /// [`FaultKind::ProjectBusy`] where another worker has them; what the browser says otherwise.
    pub(super) async fn claim(id: &str, folder: Option<&str>, lock: Lock) -> Result<Self, Fault> {
        let pool = match folder {
            Some(folder) => Some(
                pool(id, folder)
                    .await
                    .map_err(|error| faults::of_pool(&error))?,
            ),
            None => None,
        };
        Ok(Self {
            id: id.to_owned(),
            pool,
            _lock: lock,
        })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Opens the database, which is made where there is none.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(super) fn connect(&self) -> Result<Connection, ProjectError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let db = match self.pool {
            Some(_) => {
                Connection::open_with_flags_and_vfs(FILE, flags, vfs_name(&self.id).as_str())?
            }
            None => Connection::open_with_flags(memory_name(&self.id), flags)?,
        };
        db.execute_batch(SETTINGS)?;
        Ok(db)
    }

    /// Puts a database that comes from elsewhere here.
    ///
    /// # Errors
    /// Files that are no database, and what the browser says.
    pub(super) async fn fill(&self, file: &Blob, name: &str, voice: &Voice) -> Result<(), Fault> {
        check(file, name).await?;
        let n_bytes = file.size() as u64;
        match &self.pool {
            Some(pool) => {
                let copy = pool.begin_import(FILE, n_bytes);
                let copy = copy.map_err(|error| faults::of_pool(&error))?;
                fill(copy, file, name, voice, |error| faults::of_pool(&error)).await
            }
            None => {
                let memory = memory()?;
                let broken = |error: <MemVfsUtil as DbTransfer>::Error| {
                    Fault::new(FaultKind::NotData, format!("`{name}`: {error}"))
                };
                let copy = memory.begin_import(&memory_name(&self.id), n_bytes);
                fill(copy.map_err(broken)?, file, name, voice, broken).await
            }
        }
    }

    /// Gives the files back.
    pub(super) fn leave(self) {
        if let Some(pool) = &self.pool {
            // Files that cannot be given back now are so when the worker ends.
            pool.pause().ok();
        }
    }
}

/// Forgets what a project had in memory.
///
/// # Errors
/// A fault of Veneer.
pub(super) fn forget_memory(id: &str) -> Result<(), Fault> {
    let removed = memory()?.remove(&memory_name(id));
    removed.map(drop).map_err(|never| match never {})
}

/// Closes the database of a project.
pub(super) fn disconnect(project: Project) {
    // A connection that cannot be closed is dropped, which closes it as far as can be.
    drop(project.into_connection().close());
}

async fn pool(id: &str, folder: &str) -> Result<OpfsSAHPoolUtil, OpfsSAHError> {
    let options = OpfsSAHPoolCfgBuilder::new()
        .vfs_name(&vfs_name(id))
        .directory(folder)
        .initial_capacity(N_FILES)
        .build();
    let since = browser::now_ms();
    loop {
        let opened = match install::<WasmOsCallback>(&options, false).await {
            // Where the project was open before, its pool only rests.
            Ok(pool) => pool.resume().await.map(|()| pool),
            Err(error) => Err(error),
        };
        match opened {
            Err(error) if faults::may_pass(&error) && browser::now_ms() - since < PATIENCE_MS => {
                browser::sleep(RETRY_MS).await;
            }
            opened => return opened,
        }
    }
}

/// Looks before anything is copied.
async fn check(file: &Blob, name: &str) -> Result<(), Fault> {
    use std::io::Read as _;
    let n_bytes = file.size() as u64;
    let mut head = Vec::new();
    let read = BlobReader::new(file.clone())
        .and_then(|reader| reader.take(HEADER_BYTES).read_to_end(&mut head));
    read.map_err(|error| Fault::new(FaultKind::NotData, format!("`{name}`: {error}")))?;
    check_file(&head, n_bytes).map_err(|error| faults::of_project(&error))?;
    match storage::room().await {
        Some(room) if room < n_bytes => Err(Fault::new(
            FaultKind::StorageFull,
            format!("`{name}` has {n_bytes} bytes, the browser has room for {room}"),
        )),
        _ => Ok(()),
    }
}

async fn fill<T: ImportTarget>(
    mut copy: DbImport<T>,
    file: &Blob,
    name: &str,
    voice: &Voice,
    fault: impl Fn(T::Error) -> Fault,
) -> Result<(), Fault> {
    use std::io::Read as _;
    let unreadable =
        |error: std::io::Error| Fault::new(FaultKind::NotData, format!("`{name}`: {error}"));
    let mut reader = BlobReader::new(file.clone()).map_err(unreadable)?;
    let mut chunk = vec![0; CHUNK];
    let (mut at, n_bytes) = (0, file.size() as u64);
    while at < n_bytes {
        let n = usize::try_from(n_bytes - at).map_or(CHUNK, |left| left.min(CHUNK));
        reader.read_exact(&mut chunk[..n]).map_err(unreadable)?;
        copy.write(&chunk[..n]).map_err(&fault)?;
        at += n as u64;
        voice.copied(name, at, n_bytes);
        browser::breathe().await;
        // What was copied goes with the copy when it is dropped.
        voice.go_on()?;
    }
    copy.finish().map_err(&fault)
}

fn vfs_name(id: &str) -> String {
    format!("veneer-{id}")
}

/// Of a file in SQLite's own file system in memory, which keeps it when it is closed.
fn memory_name(id: &str) -> String {
    format!("{id}.sqlite")
}

#[expect(
    unsafe_code,
    reason = "the library has no other way to its files in memory"
)]
fn memory() -> Result<MemVfsUtil, Fault> {
    // Opening any connection has SQLite install its file systems.
    let opened = Connection::open_in_memory();
    opened.map_err(|error| faults::of_project(&error.into()))?;
    // SAFETY: SQLite is used by the one thread of this worker alone, which also installed it.
    let memory = unsafe { MemVfsUtil::get() };
    memory.map_err(|error| Fault::new(FaultKind::Internal, error.to_string()))
}
