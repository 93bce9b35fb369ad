//! States of the project with names, what differs between two of them, and the way back to one.

mod difference;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Project, ProjectError,
    journal::{Changes, Field},
};
use crate::protocol::studio::{ActionKind, Changed, Phrase, SnapshotKey, SnapshotView};

const COLUMNS: &str = "state, position, body, side, tags, accepted, reviewer";

impl Project {
    /// Keeps the state of now under a name, without the spaces around it.
    ///
    /// # Errors
    /// If the name is empty, or that of another snapshot.
    pub fn take_snapshot(&mut self, name: &str, now_ms: i64) -> Result<(), ProjectError> {
        let name = name.trim();
        self.check_name(name)?;
        let tx = self.store.settled_mut()?.transaction()?;
        tx.execute(
            "INSERT INTO snapshot (name, at_ms) VALUES (?1, ?2)",
            params![name, now_ms],
        )?;
        let snapshot = tx.last_insert_rowid();
        tx.execute(
            &format!(
                "INSERT INTO snapshot_record (snapshot, record, {COLUMNS})
                 SELECT ?1, id, {COLUMNS} FROM record WHERE state < 2"
            ),
            [snapshot],
        )?;
        tx.execute(
            "INSERT INTO snapshot_fact (snapshot, key, value) SELECT ?1, key, value FROM fact",
            [snapshot],
        )?;
        Ok(tx.commit()?)
    }

    /// Newest first.
    pub fn snapshots(&self) -> Result<Vec<SnapshotView>, ProjectError> {
        let mut statement = self.store.settled()?.prepare_cached(
            "SELECT id, name, at_ms, (SELECT count(*) FROM snapshot_record
                WHERE snapshot = snapshot.id AND state = 0)
             FROM snapshot ORDER BY id DESC",
        )?;
        let views = statement.query_map([], |row| {
            Ok(SnapshotView {
                snapshot: SnapshotKey(row.get(0)?),
                name: row.get(1)?,
                at_ms: row.get(2)?,
                n_records: row.get(3)?,
            })
        })?;
        Ok(views.collect::<Result<_, _>>()?)
    }

    /// # Errors
    /// If there is no such snapshot.
    pub fn delete_snapshot(&mut self, snapshot: SnapshotKey) -> Result<(), ProjectError> {
        self.check_snapshot(snapshot)?;
        let tx = self.store.settled_mut()?.transaction()?;
        tx.execute("DELETE FROM snapshot WHERE id = ?1", [snapshot.0])?;
        tx.execute(
            "DELETE FROM snapshot_record WHERE snapshot = ?1",
            [snapshot.0],
        )?;
        tx.execute(
            "DELETE FROM snapshot_fact WHERE snapshot = ?1",
            [snapshot.0],
        )?;
        // Records and texts that only the snapshot had.
        super::leftovers::note_leftovers(&tx)?;
        Ok(tx.commit()?)
    }

    /// The project becomes what it was, as one action.
    ///
    /// # Errors
    /// If there is no such snapshot.
    pub fn restore(&mut self, snapshot: SnapshotKey, now_ms: i64) -> Result<Changed, ProjectError> {
        let name = self.check_snapshot(snapshot)?;
        self.act(ActionKind::Restore, &name, now_ms, |changes| {
            for field in Field::ALL {
                let column = field.column();
                let differs = match field {
                    Field::Body => says_other("old.body", "record.body"),
                    _ => format!("old.{column} IS NOT record.{column}"),
                };
                let select = format!(
                    "SELECT old.record, old.{column} FROM snapshot_record old
                     JOIN record ON record.id = old.record
                     WHERE old.snapshot = ?1 AND {differs}"
                );
                changes.set_selected(field, &select, [snapshot.0])?;
            }
            let gone = "SELECT id, 2 FROM record WHERE state < 2 AND id NOT IN
                (SELECT record FROM snapshot_record WHERE snapshot = ?1)";
            changes.set_selected(Field::State, gone, [snapshot.0])?;
            restore_facts(changes, snapshot)
        })
    }

    fn check_name(&self, name: &str) -> Result<(), ProjectError> {
        let reason = if name.is_empty() {
            Phrase::SnapshotUnnamed.with([])
        } else if self.snapshots()?.iter().any(|other| other.name == name) {
            Phrase::SnapshotThere.with([&name])
        } else {
            return Ok(());
        };
        Err(ProjectError::CannotDo { reason })
    }

    /// Its name.
    fn check_snapshot(&self, snapshot: SnapshotKey) -> Result<String, ProjectError> {
        let mut statement = self
            .store
            .settled()?
            .prepare_cached("SELECT name FROM snapshot WHERE id = ?1")?;
        let name = statement
            .query_row([snapshot.0], |row| row.get(0))
            .optional()?;
        name.ok_or_else(|| ProjectError::CannotDo {
            reason: Phrase::SnapshotGone.with([&snapshot.0]),
        })
    }
}

/// The condition that two bodies do not say the same: what was edited and typed back has another body
/// than before.
fn says_other(one: &str, other: &str) -> String {
    let text = |body| format!("(SELECT json FROM content WHERE content.body = {body})");
    let texts = format!("{} <> {}", text(one), text(other));
    // A text that is missing is told where it is read.
    format!("({one} <> {other} AND coalesce({texts}, 1))")
}

fn restore_facts(changes: &mut Changes<'_>, snapshot: SnapshotKey) -> Result<(), ProjectError> {
    let facts = facts(
        changes.db,
        "SELECT key, NULL FROM fact WHERE key NOT IN
            (SELECT key FROM snapshot_fact WHERE snapshot = ?1)
         UNION ALL SELECT key, value FROM snapshot_fact WHERE snapshot = ?1",
        snapshot,
    )?;
    for (key, value) in facts {
        changes.fact(&key, value.as_deref())?;
    }
    Ok(())
}

type Facts = Vec<(String, Option<String>)>;

fn facts(db: &Connection, sql: &str, snapshot: SnapshotKey) -> Result<Facts, ProjectError> {
    let mut statement = db.prepare_cached(sql)?;
    let facts = statement.query_map([snapshot.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(facts.collect::<Result<_, _>>()?)
}
