//! Notes which rows of a database change, as SQLite reports them.

use std::sync::{Arc, Mutex, PoisonError, atomic::Ordering};

use rusqlite::Connection;

use super::super::{ProjectError, store::Store};

/// More changes than this are not told apart.
const MOST: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) records: Vec<i64>,
    pub(super) bodies: Vec<i64>,
    pub(super) token_counts: Vec<i64>,
    /// Too many to tell apart, or made by another connection.
    pub(super) all: bool,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            records,
            bodies,
            token_counts,
            all,
        } = self;
        records.is_empty() && bodies.is_empty() && token_counts.is_empty() && !all
    }
}

/// Without a trigger SQLite empties a whole table without telling of its rows.
const TELL_ALL: &str = "
    CREATE TEMP TRIGGER IF NOT EXISTS record_goes AFTER DELETE ON main.record
        WHEN 0 BEGIN SELECT 1; END;
    CREATE TEMP TRIGGER IF NOT EXISTS body_goes AFTER DELETE ON main.body
        WHEN 0 BEGIN SELECT 1; END;
    CREATE TEMP TRIGGER IF NOT EXISTS token_count_goes AFTER DELETE ON main.token_count
        WHEN 0 BEGIN SELECT 1; END;";

/// The connection keeps the other end of this.
pub(super) struct Marks {
    changes: Arc<Mutex<Changes>>,
    /// SQLite's number for changes by others.
    data_version: Option<i64>,
}

impl Marks {
    pub(super) fn set_on(store: &mut Store) -> Result<Self, ProjectError> {
        let is_known = store.is_known();
        let db = store.raw_mut();
        db.execute_batch(TELL_ALL)?;
        let changes = Arc::new(Mutex::new(Changes::default()));
        let noted = Arc::clone(&changes);
        db.update_hook(Some(move |_, _: &str, table: &str, row: i64| {
            if is_known.load(Ordering::Relaxed) {
                return;
            }
            let mut changes = noted.lock().unwrap_or_else(PoisonError::into_inner);
            let rows = match table {
                "record" => &mut changes.records,
                "body" => &mut changes.bodies,
                "token_count" => &mut changes.token_counts,
                _ => return,
            };
            if rows.len() < MOST {
                rows.push(row);
            } else {
                changes.all = true;
            }
        }))?;
        Ok(Self {
            changes,
            data_version: None,
        })
    }

    /// What changed since the last time, each row once and in order.
    pub(super) fn take(&mut self, db: &Connection) -> Result<Changes, ProjectError> {
        let mut changes = {
            let mut noted = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *noted)
        };
        let version = db
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        let before = self.data_version.replace(version);
        changes.all |= before.is_some_and(|before| before != version);
        for rows in [
            &mut changes.records,
            &mut changes.bodies,
            &mut changes.token_counts,
        ] {
            rows.sort_unstable();
            rows.dedup();
        }
        Ok(changes)
    }
}
