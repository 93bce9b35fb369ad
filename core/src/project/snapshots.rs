//! States of the project with names, what differs between two of them, and the way back to one.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    Project, ProjectError,
    content::read_body,
    journal::{Changes, Field},
};
use crate::{
    data::Body,
    protocol::studio::{
        ActionKind, Changed, Difference, DifferenceKind, RecordDifference, RecordKey, SnapshotKey,
        SnapshotView,
    },
    text::Record,
};

/// Records of a difference that are shown.
const SHOWN: usize = 200;

const COLUMNS: &str = "state, position, body, side, tags, accepted, reviewer";

impl Project {
    pub fn take_snapshot(&mut self, name: &str, now_ms: i64) -> Result<(), ProjectError> {
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

    /// `None` is the project as it is now.
    ///
    /// # Errors
    /// If there is no such snapshot.
    pub fn compare(
        &self,
        before: Option<SnapshotKey>,
        after: Option<SnapshotKey>,
    ) -> Result<Difference, ProjectError> {
        for snapshot in [before, after].into_iter().flatten() {
            self.check_snapshot(snapshot)?;
        }
        let sql = format!(
            "SELECT coalesce(b.record, a.record) AS record, b.body, a.body,
                CASE WHEN b.record IS NULL THEN 1 WHEN a.record IS NULL THEN 2
                    WHEN a.body <> b.body THEN 0 ELSE 3 END AS kind
             FROM ({}) b FULL JOIN ({}) a ON a.record = b.record
             WHERE b.record IS NULL OR a.record IS NULL OR a.body <> b.body
                OR a.position <> b.position OR a.side IS NOT b.side OR a.tags <> b.tags
                OR a.reviewer <> b.reviewer
             ORDER BY kind, coalesce(a.position, b.position), record",
            state_of(before),
            state_of(after)
        );
        let mut statement = self.store.settled()?.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut difference = Difference::default();
        while let Some(row) = rows.next()? {
            let kind = kind_of(row.get(3)?);
            *counter(&mut difference, kind) += 1;
            if difference.records.len() < SHOWN {
                difference.records.push(self.record_difference(row, kind)?);
            }
        }
        Ok(difference)
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
                let select = format!(
                    "SELECT old.record, old.{column} FROM snapshot_record old
                     JOIN record ON record.id = old.record
                     WHERE old.snapshot = ?1 AND old.{column} IS NOT record.{column}"
                );
                changes.set_selected(field, &select, [snapshot.0])?;
            }
            let gone = "SELECT id, 2 FROM record WHERE state < 2 AND id NOT IN
                (SELECT record FROM snapshot_record WHERE snapshot = ?1)";
            changes.set_selected(Field::State, gone, [snapshot.0])?;
            restore_facts(changes, snapshot)
        })
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
            reason: format!("snapshot {} is gone; choose another one", snapshot.0),
        })
    }

    fn record_difference(
        &self,
        row: &Row<'_>,
        kind: DifferenceKind,
    ) -> Result<RecordDifference, ProjectError> {
        let text = |body: Option<i64>| match body {
            Some(body) => read_body(self.store.settled()?, body).map(|(record, _)| plain(&record)),
            None => Ok(String::new()),
        };
        Ok(RecordDifference {
            record: RecordKey(row.get(0)?),
            kind,
            before: text(row.get(1)?)?,
            after: text(row.get(2)?)?,
        })
    }
}

/// The records outside the trash at a time. The number comes from a type, not from text.
fn state_of(snapshot: Option<SnapshotKey>) -> String {
    let columns = "position, body, side, tags, reviewer";
    match snapshot {
        None => format!("SELECT id AS record, {columns} FROM record WHERE state = 0"),
        Some(SnapshotKey(id)) => format!(
            "SELECT record, {columns} FROM snapshot_record WHERE snapshot = {id} AND state = 0"
        ),
    }
}

fn kind_of(number: i64) -> DifferenceKind {
    match number {
        0 => DifferenceKind::Edited,
        1 => DifferenceKind::Added,
        2 => DifferenceKind::Removed,
        _ => DifferenceKind::Moved,
    }
}

fn counter(difference: &mut Difference, kind: DifferenceKind) -> &mut u64 {
    match kind {
        DifferenceKind::Added => &mut difference.n_added,
        DifferenceKind::Removed => &mut difference.n_removed,
        DifferenceKind::Edited => &mut difference.n_edited,
        DifferenceKind::Moved => &mut difference.n_moved,
    }
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

/// The texts, one message after the other.
fn plain(record: &Record) -> String {
    match &record.body {
        Body::Chat(chat) => {
            let lines = chat.messages.iter().map(|message| {
                let calls = message.tool_calls.iter().map(ToString::to_string);
                let calls: Vec<String> = calls.collect();
                let text = [message.text()]
                    .into_iter()
                    .chain(calls.iter().map(String::as_str));
                let text: Vec<&str> = text.filter(|text| !text.is_empty()).collect();
                format!("{}: {}", message.role.name(), text.join("\n"))
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        Body::Text { prompt, completion } => format!("{prompt}{completion}"),
        Body::Tokens(encoded) => {
            let ids = encoded.input_ids.iter().map(u32::to_string);
            ids.collect::<Vec<_>>().join(" ")
        }
    }
}
