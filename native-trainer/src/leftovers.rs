//! What commands that were killed left behind: projects that never got their name.
//!
//! A new project grows in a hidden file beside its place ([`crate::project_file::Unborn`]). The process
//! that makes it holds it locked, and the lock ends with the process, however it ends. A file without
//! a lock is therefore nobody's.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OpenFlags};

/// How the names of such files begin.
pub(crate) const UNBORN: &str = ".veneer-project-";

/// What SQLite writes beside a file that it changes.
const JOURNAL: &str = "-journal";

/// A younger file may be about to be locked.
const SETTLED: Duration = Duration::from_secs(2);

/// Take away the projects in a folder that were never finished and that no living process holds.
///
/// What cannot be looked at or taken away stays: the command has something else to do.
pub(crate) fn clear(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(UNBORN) && !name.ends_with(JOURNAL) && is_left(&path) {
            remove(&path);
        }
    }
}

fn is_left(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = modified.map(|modified| SystemTime::now().duration_since(modified));
    // A time in the future says nothing.
    matches!(age, Ok(Ok(age)) if age >= SETTLED) && !is_held(path)
}

/// Whether a process has the file locked, or it cannot be told.
fn is_held(path: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let locked = Connection::open_with_flags(path, flags).and_then(|db| {
        db.busy_timeout(Duration::ZERO)?;
        db.execute_batch("BEGIN EXCLUSIVE; ROLLBACK")
    });
    match locked {
        Ok(()) => false,
        // Killed in its first moments, or half of it is on the disk: nobody can go on with that.
        Err(error) => !matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt)
        ),
    }
}

fn remove(path: &Path) {
    let mut journal = path.as_os_str().to_owned();
    journal.push(JOURNAL);
    // In this order: a journal alone would stay for ever.
    for path in [Path::new(&journal), path] {
        // It may be gone by now, or the folder may be closed to writing.
        fs::remove_file(path).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    /// A project's file as a process holds it, last written an hour ago.
    fn held(path: &Path) -> Connection {
        let db = Connection::open(path).expect("opened");
        db.pragma_update(None, "locking_mode", "EXCLUSIVE")
            .expect("set");
        db.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE record (id); COMMIT")
            .expect("locked");
        age(path);
        db
    }

    fn age(path: &Path) {
        let hour = Duration::from_secs(3600);
        let file = File::options().append(true).open(path).expect("opened");
        file.set_modified(SystemTime::now() - hour).expect("aged");
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        });
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn only_what_nobody_holds_is_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let in_use = held(&at(".veneer-project-used"));
        drop(held(&at(".veneer-project-left")));
        fs::write(at(".veneer-project-left-journal"), "rest").expect("written");
        fs::write(at(".veneer-project-cut"), [7; 3000]).expect("written");
        age(&at(".veneer-project-cut"));
        fs::write(at(".veneer-project-new"), "").expect("written");
        for other in [".veneer-report", "p.veneer"] {
            fs::write(at(other), "").expect("written");
            age(&at(other));
        }
        clear(folder.path());
        let left = [
            ".veneer-project-new",
            ".veneer-project-used",
            ".veneer-project-used-journal",
            ".veneer-report",
            "p.veneer",
        ];
        assert_eq!(names(folder.path()), left);
        drop(in_use);
        age(&at(".veneer-project-used"));
        clear(folder.path());
        assert!(!at(".veneer-project-used").exists());
        clear(Path::new("/there/is/no/such/folder"));
    }
}
