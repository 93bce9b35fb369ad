//! What lies in the file and nothing refers to: texts of a work that was stopped, of edits in quick
//! succession, of removed snapshots. It is noted before it comes to be, and removed when the project
//! is opened, and after a work was stopped: of an import that somebody stops nothing is to stay.

use std::{cell::Cell, rc::Rc};

use rusqlite::{Connection, params};

use super::{
    Project, ProjectError,
    journal::{self, Field},
    runs::Runs,
    sources::forget_unused_sources,
};

/// How many works may have left something that no action knows.
const LEFTOVERS: &str = "leftovers";

/// Whether the search index still has words of texts that were removed.
const WORDS: &str = "leftover words";

/// Records or texts that are removed in one transaction. Each takes as much room beside the file as
/// it changes, and a disk that an import has filled has little.
const AT_ONCE: usize = 4096;

/// Held by every work that has written something which nothing refers to yet; true once one of them
/// was stopped.
pub(super) type Working = Rc<Cell<bool>>;

impl Project {
    /// Whether nothing is going on whose work looks like leftovers until it is done.
    pub(super) fn is_idle(&self) -> bool {
        Rc::strong_count(&self.working) == 1
    }

    /// What cut-off works of this visit left, unless something else than the caller is going on.
    pub(super) fn remove_leftovers_of_nobody_but(
        &mut self,
        own: &Working,
    ) -> Result<(), ProjectError> {
        // One is the project's, the other the caller's.
        if Rc::strong_count(own) <= 2 {
            self.remove_leftovers()?;
        }
        Ok(())
    }

    /// What stopped works of this visit left, once nothing else is going on; whether there was any.
    pub(super) fn tidy_after_stop(&mut self) -> Result<bool, ProjectError> {
        let is_due = self.working.get() && self.is_idle();
        if is_due {
            self.remove_leftovers()?;
        }
        Ok(is_due)
    }

    pub(super) fn tidy(&mut self) -> Result<(), ProjectError> {
        self.store.settled()?;
        self.remove_leftovers()
    }

    fn remove_leftovers(&mut self) -> Result<(), ProjectError> {
        // Said once; what cannot be removed now is at the next opening.
        self.working.set(false);
        let is_noted = self.meta(LEFTOVERS)?.is_some_and(|n| n != "0");
        if !is_noted && self.meta(WORDS)?.is_none() {
            return Ok(());
        }
        let db = self.store.settled_mut()?;
        // What is deleted is overwritten, so that the texts are not in the file any more.
        db.pragma_update(None, "secure_delete", true)?;
        let removed = match is_noted {
            true => remove_all(db),
            false => Ok(()),
        };
        let removed = removed.and_then(|()| remove_words(db));
        db.pragma_update(None, "secure_delete", false)?;
        removed?;
        give_space_back(db)
    }
}

/// From here on something lies about that no action knows; the next opening removes it.
pub(super) fn note_leftovers(db: &Connection) -> Result<(), ProjectError> {
    db.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, 1) ON CONFLICT DO UPDATE SET value = value + 1",
    )?
    .execute([LEFTOVERS])?;
    Ok(())
}

/// What was noted once is in its place now.
pub(super) fn settle_leftovers(db: &Connection) -> Result<(), ProjectError> {
    db.prepare_cached("UPDATE meta SET value = value - 1 WHERE key = ?1 AND value > 0")?
        .execute([LEFTOVERS])?;
    Ok(())
}

/// Bodies that nothing refers to, with all that was derived from them.
pub(super) fn remove_unused_bodies(db: &Connection) -> Result<(), ProjectError> {
    list_unused_bodies(db)?;
    remove_listed(db, usize::MAX)?;
    Ok(())
}

/// Merges the parts of the search index into one. Words of deleted texts stay in it until then.
pub(super) fn merge_index(db: &Connection) -> Result<(), ProjectError> {
    db.execute("INSERT INTO search (search) VALUES ('optimize')", [])?;
    db.execute("DELETE FROM meta WHERE key = ?1", [WORDS])?;
    Ok(())
}

/// Where there is no room to do so, they go another time.
fn remove_words(db: &mut Connection) -> Result<(), ProjectError> {
    let is_due = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?1)";
    if !db.query_row(is_due, [WORDS], |row| row.get(0))? {
        return Ok(());
    }
    let tx = db.transaction()?;
    let merged = merge_index(&tx).and_then(|()| Ok(tx.commit()?));
    match merged {
        Err(ProjectError::Full) => Ok(()),
        merged => merged,
    }
}

/// Cut off in between, what is left is still noted.
fn remove_all(db: &mut Connection) -> Result<(), ProjectError> {
    let records = unused_records(db)?;
    for ids in records.rchunks(AT_ONCE) {
        let tx = db.transaction()?;
        let mut remove = tx.prepare_cached("DELETE FROM record WHERE id = ?1")?;
        for id in ids.iter().rev() {
            remove.execute([id])?;
        }
        drop(remove);
        tx.commit()?;
    }
    list_unused_bodies(db)?;
    loop {
        let tx = db.transaction()?;
        let removed = remove_listed(&tx, AT_ONCE)?;
        // A text that was typed on has left a word or two; the index is not written anew for that.
        if removed.n_indexed > 0 && !records.is_empty() {
            tx.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, 1)",
                [WORDS],
            )?;
        }
        tx.commit()?;
        if removed.n == 0 {
            break;
        }
    }
    let tx = db.transaction()?;
    forget_unused_sources(&tx)?;
    tx.execute("DELETE FROM meta WHERE key = ?1", params![LEFTOVERS])?;
    Ok(tx.commit()?)
}

/// Records that are not there and cannot come back.
fn unused_records(db: &Connection) -> Result<Vec<u64>, ProjectError> {
    let history = journal::history_of(db, Field::State)?;
    let may_come_back = |record: u64| history.iter().any(|runs| runs.has(record));
    let mut statement = db.prepare(
        "SELECT id FROM record
         WHERE state = 2 AND id NOT IN (SELECT record FROM snapshot_record) ORDER BY id",
    )?;
    let ids = statement.query_map([], |row| row.get(0))?;
    let mut ids: Vec<u64> = ids.collect::<Result<_, _>>()?;
    ids.retain(|id| !may_come_back(*id));
    Ok(ids)
}

/// Puts the bodies that nothing refers to into a table of their own.
fn list_unused_bodies(db: &Connection) -> Result<(), ProjectError> {
    db.execute_batch(
        "DROP TABLE IF EXISTS temp.remembered;
         DROP TABLE IF EXISTS temp.unused;
         CREATE TEMP TABLE remembered (body INTEGER PRIMARY KEY);
         CREATE TEMP TABLE unused (body INTEGER PRIMARY KEY);",
    )?;
    let mut remember = db.prepare("INSERT OR IGNORE INTO remembered VALUES (?1)")?;
    let history = journal::history_of(db, Field::Body)?;
    for run in history.iter().flat_map(Runs::all) {
        remember.execute([&run.value])?;
    }
    drop(remember);
    db.execute_batch(
        "INSERT INTO unused SELECT id FROM body WHERE id NOT IN (
            SELECT body FROM record UNION SELECT first_body FROM record
            UNION SELECT body FROM remembered
            UNION SELECT body FROM snapshot_record);
         DROP TABLE remembered;",
    )?;
    Ok(())
}

/// Removes the newest of the listed bodies, at most so many, with all that was derived from them; how
/// many there were. The list is gone with the last of them.
fn remove_listed(db: &Connection, most: usize) -> Result<Removed, ProjectError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let (n, first): (usize, Option<i64>) = db.query_row(
        "SELECT count(*), min(body) FROM (SELECT body FROM unused ORDER BY body DESC LIMIT ?1)",
        [most],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some(first) = first else {
        db.execute_batch("DROP TABLE unused")?;
        return Ok(Removed::default());
    };
    const SEARCH: &str = "search";
    let mut n_indexed = 0;
    for (table, key) in [
        ("finding", "body"),
        ("member", "body"),
        ("token_count", "body"),
        (SEARCH, "rowid"),
        ("content", "body"),
        ("body", "id"),
        ("unused", "body"),
    ] {
        let sql = format!(
            "DELETE FROM {table} WHERE {key} IN (SELECT body FROM unused WHERE body >= ?1)"
        );
        let n_deleted = db.execute(&sql, [first])?;
        if table == SEARCH {
            n_indexed = n_deleted;
        }
    }
    Ok(Removed { n, n_indexed })
}

/// Bodies, and those of them that the search index had.
#[derive(Default)]
struct Removed {
    n: usize,
    n_indexed: usize,
}

/// Makes the file smaller where a good part of it is empty. Where there is no room to do so, the
/// space is used again later.
fn give_space_back(db: &Connection) -> Result<(), ProjectError> {
    let number = |name: &str| -> Result<u64, ProjectError> {
        Ok(db.pragma_query_value(None, name, |row| row.get(0))?)
    };
    if number("freelist_count")? * 4 < number("page_count")? {
        return Ok(());
    }
    match db.execute_batch("VACUUM").map_err(ProjectError::from) {
        Err(ProjectError::Full) => Ok(()),
        done => done,
    }
}
