//! The journal: the only way to change a record or a fact, and the way back.
//!
//! A `change` holds the other value of one column of one record. Undoing an action and doing it again
//! are therefore the same: the values in place and those in the journal change places, column by
//! column, for all records at once.

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::{Project, ProjectError};
use crate::protocol::studio::{ActionKind, ActionView, Changed};

/// A column of `record` that may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    State,
    Position,
    Body,
    Side,
    Tags,
    Accepted,
    Reviewer,
}

impl Field {
    pub(super) const ALL: [Self; 7] = [
        Self::State,
        Self::Position,
        Self::Body,
        Self::Side,
        Self::Tags,
        Self::Accepted,
        Self::Reviewer,
    ];

    pub(super) fn column(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Position => "position",
            Self::Body => "body",
            Self::Side => "side",
            Self::Tags => "tags",
            Self::Accepted => "accepted",
            Self::Reviewer => "reviewer",
        }
    }
}

/// What an action changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub(super) action: i64,
    pub(super) touched: Vec<Field>,
}

/// Changes of one action, inside its transaction.
pub(super) struct Changes<'a> {
    /// For what an action brings along: names of tags, bodies, sources.
    pub(super) db: &'a Connection,
    action: i64,
    touched: Vec<Field>,
}

impl Changes<'_> {
    pub(super) fn set(
        &mut self,
        field: Field,
        record: u64,
        value: impl ToSql,
    ) -> Result<(), ProjectError> {
        self.set_each(field, [(record, value)])
    }

    pub(super) fn set_all(
        &mut self,
        field: Field,
        records: &[u64],
        value: impl ToSql,
    ) -> Result<(), ProjectError> {
        self.set_each(field, records.iter().map(|record| (*record, &value)))
    }

    /// A value for each record; each record once.
    pub(super) fn set_each<V: ToSql>(
        &mut self,
        field: Field,
        values: impl IntoIterator<Item = (u64, V)>,
    ) -> Result<(), ProjectError> {
        let mut insert = self
            .db
            .prepare_cached("INSERT INTO pending (record, value) VALUES (?1, ?2)")?;
        for (record, value) in values {
            insert.execute(params![record, value])?;
        }
        drop(insert);
        self.set_pending(field)
    }

    /// The values that a `SELECT` of records and values gives.
    pub(super) fn set_selected(
        &mut self,
        field: Field,
        select: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<(), ProjectError> {
        let insert = format!("INSERT INTO pending (record, value) {select}");
        self.db.prepare_cached(&insert)?.execute(parameters)?;
        self.set_pending(field)
    }

    /// Sets a fact, or takes it away.
    pub(super) fn fact(&mut self, key: &str, value: Option<&str>) -> Result<(), ProjectError> {
        let before = fact(self.db, key)?;
        if before.as_deref() == value {
            return Ok(());
        }
        self.db
            .prepare_cached(
                "INSERT INTO fact_change (action, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![self.action, key, before])?;
        set_fact(self.db, key, value)
    }

    /// What already has its value is no change; the first value before the action is the one kept.
    fn set_pending(&mut self, field: Field) -> Result<(), ProjectError> {
        let column = field.column();
        let keep = format!(
            "INSERT INTO change (action, field, record, value)
             SELECT ?1, '{column}', record.id, record.{column}
             FROM pending CROSS JOIN record ON record.id = pending.record
             WHERE record.{column} IS NOT pending.value ON CONFLICT DO NOTHING"
        );
        let n_kept = self.db.prepare_cached(&keep)?.execute([self.action])?;
        let update = format!(
            "UPDATE record SET {column} = pending.value FROM pending
             WHERE pending.record = record.id AND record.{column} IS NOT pending.value"
        );
        let n_set = self.db.prepare_cached(&update)?.execute([])?;
        clear_pending(self.db)?;
        if n_kept + n_set > 0 && !self.touched.contains(&field) {
            self.touched.push(field);
        }
        Ok(())
    }
}

impl Project {
    /// One undoable action, in one transaction. An action that changes nothing leaves no trace.
    pub(super) fn act(
        &mut self,
        kind: ActionKind,
        detail: &str,
        now_ms: i64,
        change: impl FnOnce(&mut Changes<'_>) -> Result<(), ProjectError>,
    ) -> Result<Changed, ProjectError> {
        let done = self.act_quietly(kind, detail, now_ms, change)?;
        self.changed(done.as_ref())
    }

    /// The same, with the current list left as it is. `None` where nothing changed.
    pub(super) fn act_quietly(
        &mut self,
        kind: ActionKind,
        detail: &str,
        now_ms: i64,
        change: impl FnOnce(&mut Changes<'_>) -> Result<(), ProjectError>,
    ) -> Result<Option<Done>, ProjectError> {
        let tx = self.db.transaction()?;
        tx.prepare_cached(
            "INSERT INTO action (kind, detail, n_records, at_ms) VALUES (?1, ?2, 0, ?3)",
        )?
        .execute(params![kind_name(kind), detail, now_ms])?;
        let action = tx.last_insert_rowid();
        let mut changes = Changes {
            db: &tx,
            action,
            touched: Vec::new(),
        };
        change(&mut changes)?;
        let touched = changes.touched;
        let n_records: u64 = tx
            .prepare_cached("SELECT count(DISTINCT record) FROM change WHERE action = ?1")?
            .query_row([action], |row| row.get(0))?;
        let with_facts: bool = tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM fact_change WHERE action = ?1)")?
            .query_row([action], |row| row.get(0))?;
        if n_records == 0 && !with_facts {
            tx.rollback()?;
            return Ok(None);
        }
        tx.prepare_cached("UPDATE action SET n_records = ?2 WHERE id = ?1")?
            .execute(params![action, n_records])?;
        drop_undone(&tx)?;
        tx.commit()?;
        self.forget_counts(&touched);
        Ok(Some(Done { action, touched }))
    }

    pub fn undo(&mut self) -> Result<Changed, ProjectError> {
        self.swap_next("SELECT max(id) FROM action WHERE undone = 0")
    }

    pub fn redo(&mut self) -> Result<Changed, ProjectError> {
        self.swap_next("SELECT min(id) FROM action WHERE undone = 1")
    }

    /// The latest actions, newest first, the undone ones among them.
    pub fn history(&self, n: u64) -> Result<Vec<ActionView>, ProjectError> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let sql = format!("{ACTION} ORDER BY id DESC LIMIT ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        let actions = statement.query_map([n], action_view)?;
        Ok(actions.collect::<Result<_, _>>()?)
    }

    /// The result of an action: the project and the list as they are now.
    pub(super) fn changed(&mut self, done: Option<&Done>) -> Result<Changed, ProjectError> {
        let touched = done.map_or(&[][..], |done| &done.touched);
        let list = self.relist_after(touched)?;
        let action = match done {
            Some(done) => self.action(done.action)?,
            None => None,
        };
        Ok(Changed {
            n_records: action.as_ref().map_or(0, |action| action.n_records),
            action,
            project: self.view()?,
            list,
        })
    }

    pub(super) fn action(&self, id: i64) -> Result<Option<ActionView>, ProjectError> {
        let sql = format!("{ACTION} WHERE id = ?1");
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([id], action_view).optional()?)
    }

    fn swap_next(&mut self, which: &str) -> Result<Changed, ProjectError> {
        let tx = self.db.transaction()?;
        let action: Option<i64> = tx.prepare_cached(which)?.query_row([], |row| row.get(0))?;
        let Some(action) = action else {
            drop(tx);
            return self.changed(None);
        };
        let touched = swap(&tx, action)?;
        tx.prepare_cached("UPDATE action SET undone = 1 - undone WHERE id = ?1")?
            .execute([action])?;
        tx.commit()?;
        self.forget_counts(&touched);
        self.changed(Some(&Done { action, touched }))
    }
}

const ACTION: &str = "SELECT id, kind, detail, n_records, at_ms, undone FROM action";

fn action_view(row: &Row<'_>) -> rusqlite::Result<ActionView> {
    Ok(ActionView {
        action: row.get(0)?,
        what: kind_of(row.get_ref(1)?.as_str()?),
        detail: row.get(2)?,
        n_records: row.get(3)?,
        at_ms: row.get(4)?,
        undone: row.get(5)?,
    })
}

fn swap(db: &Connection, action: i64) -> Result<Vec<Field>, ProjectError> {
    let mut touched = Vec::new();
    for field in Field::ALL {
        let column = field.column();
        let keep = format!(
            "INSERT INTO pending (record, value) SELECT record.id, record.{column}
             FROM change CROSS JOIN record ON record.id = change.record
             WHERE change.action = ?1 AND change.field = '{column}'"
        );
        if db.prepare_cached(&keep)?.execute([action])? == 0 {
            continue;
        }
        let put = format!(
            "UPDATE record SET {column} = change.value FROM change
             WHERE change.action = ?1 AND change.field = '{column}' AND change.record = record.id"
        );
        db.prepare_cached(&put)?.execute([action])?;
        let remember = format!(
            "UPDATE change SET value = pending.value FROM pending
             WHERE change.action = ?1 AND change.field = '{column}' AND change.record = pending.record"
        );
        db.prepare_cached(&remember)?.execute([action])?;
        clear_pending(db)?;
        touched.push(field);
    }
    swap_facts(db, action)?;
    Ok(touched)
}

fn swap_facts(db: &Connection, action: i64) -> Result<(), ProjectError> {
    let mut statement =
        db.prepare_cached("SELECT key, value FROM fact_change WHERE action = ?1")?;
    let facts = statement.query_map([action], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let facts: Vec<(String, Option<String>)> = facts.collect::<Result<_, _>>()?;
    for (key, value) in facts {
        let now = fact(db, &key)?;
        set_fact(db, &key, value.as_deref())?;
        db.prepare_cached("UPDATE fact_change SET value = ?3 WHERE action = ?1 AND key = ?2")?
            .execute(params![action, key, now])?;
    }
    Ok(())
}

/// What was undone cannot be done again after something else was done. Records that only undone
/// actions had brought go with them, unless a snapshot has them.
fn drop_undone(db: &Connection) -> Result<(), ProjectError> {
    let any: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM action WHERE undone = 1)")?
        .query_row([], |row| row.get(0))?;
    if !any {
        return Ok(());
    }
    db.execute_batch(
        "DELETE FROM record WHERE state = 2
            AND id IN (SELECT record FROM change JOIN action ON action.id = change.action
                WHERE field = 'state' AND undone = 1)
            AND id NOT IN (SELECT record FROM change JOIN action ON action.id = change.action
                WHERE field = 'state' AND undone = 0)
            AND id NOT IN (SELECT record FROM snapshot_record);
         DELETE FROM change WHERE action IN (SELECT id FROM action WHERE undone = 1);
         DELETE FROM fact_change WHERE action IN (SELECT id FROM action WHERE undone = 1);
         DELETE FROM action WHERE undone = 1;",
    )?;
    super::file::note_leftovers(db)
}

fn clear_pending(db: &Connection) -> Result<(), ProjectError> {
    db.prepare_cached("DELETE FROM pending")?.execute([])?;
    Ok(())
}

/// A setting that belongs to the history.
pub(super) fn fact(db: &Connection, key: &str) -> Result<Option<String>, ProjectError> {
    let mut statement = db.prepare_cached("SELECT value FROM fact WHERE key = ?1")?;
    let value = statement.query_row([key], |row| row.get(0)).optional()?;
    Ok(value.flatten())
}

fn set_fact(db: &Connection, key: &str, value: Option<&str>) -> Result<(), ProjectError> {
    match value {
        Some(value) => db
            .prepare_cached("INSERT OR REPLACE INTO fact (key, value) VALUES (?1, ?2)")?
            .execute([key, value])?,
        None => db
            .prepare_cached("DELETE FROM fact WHERE key = ?1")?
            .execute([key])?,
    };
    Ok(())
}

const KINDS: [(ActionKind, &str); 16] = [
    (ActionKind::Import, "import"),
    (ActionKind::Edit, "edit"),
    (ActionKind::Add, "add"),
    (ActionKind::Tag, "tag"),
    (ActionKind::Untag, "untag"),
    (ActionKind::Trash, "trash"),
    (ActionKind::TakeBack, "take_back"),
    (ActionKind::Move, "move"),
    (ActionKind::Replace, "replace"),
    (ActionKind::Assign, "assign"),
    (ActionKind::Fix, "fix"),
    (ActionKind::Accept, "accept"),
    (ActionKind::Split, "split"),
    (ActionKind::Freeze, "freeze"),
    (ActionKind::Restore, "restore"),
    (ActionKind::Settings, "settings"),
];

fn kind_name(kind: ActionKind) -> &'static str {
    let known = KINDS.iter().find(|(known, _)| *known == kind);
    known.map_or("edit", |(_, name)| name)
}

/// A kind that this version does not know is an edit.
fn kind_of(name: &str) -> ActionKind {
    let known = KINDS.iter().find(|(_, known)| *known == name);
    known.map_or(ActionKind::Edit, |(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::in_memory;

    fn sides(project: &Project) -> Vec<Option<i64>> {
        let mut statement = project
            .db
            .prepare("SELECT side FROM record ORDER BY id")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn what_was_done_is_undone_and_done_again() {
        let mut project = in_memory(3);
        let act = |project: &mut Project, records: &[u64], side: i64| {
            let change = |changes: &mut Changes<'_>| changes.set_all(Field::Side, records, side);
            project.act(ActionKind::Split, "", 5, change).unwrap()
        };
        assert_eq!(act(&mut project, &[1, 2], 0).n_records, 2);
        assert_eq!(act(&mut project, &[2, 3], 1).n_records, 2);
        assert_eq!(sides(&project), [Some(0), Some(1), Some(1)]);
        assert!(
            act(&mut project, &[2, 3], 1).action.is_none(),
            "nothing changes"
        );
        let undone = project.undo().unwrap();
        assert!(undone.action.unwrap().undone && undone.project.redo.is_some());
        assert_eq!(sides(&project), [Some(0), Some(0), None]);
        project.undo().unwrap();
        assert_eq!(sides(&project), [None, None, None]);
        assert!(project.undo().unwrap().action.is_none());
        project.redo().unwrap();
        project.redo().unwrap();
        assert_eq!(sides(&project), [Some(0), Some(1), Some(1)]);
        project.undo().unwrap();
        act(&mut project, &[1], 2);
        let history = project.history(9).unwrap();
        assert_eq!(history.len(), 2, "what was undone is gone: {history:?}");
    }

    #[test]
    fn facts_and_several_changes_of_one_value_are_one_action() {
        let mut project = in_memory(2);
        let done = project.act(ActionKind::Fix, "x", 5, |changes| {
            changes.set(Field::Reviewer, 1, "Ana")?;
            changes.set(Field::Reviewer, 1, "花子")?;
            changes.set_selected(Field::State, "SELECT id, 1 FROM record WHERE id = ?1", [2])?;
            changes.fact("k", Some("v"))?;
            changes.fact("k", Some("w"))
        });
        let done = done.unwrap();
        assert_eq!((done.n_records, done.project.n_trash), (2, 1));
        assert_eq!(fact(&project.db, "k").unwrap().unwrap(), "w");
        let undone = project.undo().unwrap();
        assert_eq!(undone.project.n_trash, 0);
        assert_eq!(fact(&project.db, "k").unwrap(), None);
        let reviewer: String = project
            .db
            .query_row("SELECT reviewer FROM record WHERE id = 1", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(reviewer, "");
    }
}
