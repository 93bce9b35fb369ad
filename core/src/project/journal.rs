//! The journal: the only way to change a record or a fact, and the way back.
//!
//! A `change` holds the other values of one column, for all records that an action changed. Undoing
//! an action and doing it again are therefore the same: the values in force and those in the journal
//! change places.

mod changes;

use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Value};

use super::{
    Pace, Project, ProjectError,
    runs::{Run, Runs, n_records},
    store::{Late, Store},
};
use crate::protocol::studio::{ActionKind, ActionView, Changed, Phrase};
pub(super) use changes::Changes;
use changes::Written;

/// From so many records on a change comes into the table late; see `store.rs`.
pub(super) const MANY: usize = 2_000;

/// The action that undo takes back.
const LATEST: &str = "SELECT max(id) FROM action WHERE undone = 0";

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

    pub(super) fn named(column: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.column() == column)
    }

    /// Whether a record can have this value.
    fn holds(self, value: &Value) -> bool {
        match self {
            Self::State => matches!(value, Value::Integer(0..=2)),
            Self::Side => matches!(value, Value::Null | Value::Integer(0..=2)),
            Self::Position | Self::Body | Self::Tags | Self::Accepted => {
                matches!(value, Value::Integer(_))
            }
            Self::Reviewer => matches!(value, Value::Text(_)),
        }
    }

    /// Runs of this column as they are in the file.
    ///
    /// # Errors
    /// If they are none, or have a value that no record can have.
    pub(super) fn read(self, bytes: &[u8]) -> Result<Runs, ProjectError> {
        let runs = Runs::decode(bytes)?;
        if runs.all().iter().all(|run| self.holds(&run.value)) {
            return Ok(runs);
        }
        let column = self.column();
        Err(ProjectError::Broken {
            detail: format!("its history has a value for `{column}` that no record can have"),
        })
    }
}

/// What an action changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub(super) action: i64,
    pub(super) touched: Vec<Field>,
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

    /// The same for what asks nothing of the table of records, except by [`Changes::now`], and changes
    /// a column once: however many records it changes, it is in force at once.
    pub(super) fn act_at_once(
        &mut self,
        kind: ActionKind,
        detail: &str,
        now_ms: i64,
        change: impl FnOnce(&mut Changes<'_>) -> Result<(), ProjectError>,
    ) -> Result<Changed, ProjectError> {
        let done = self.act_quietly_at_once(kind, detail, now_ms, change)?;
        self.changed(done.as_ref())
    }

    /// [`Project::act`] with the current list left as it is. `None` where nothing changed.
    pub(super) fn act_quietly(
        &mut self,
        kind: ActionKind,
        detail: &str,
        now_ms: i64,
        change: impl FnOnce(&mut Changes<'_>) -> Result<(), ProjectError>,
    ) -> Result<Option<Done>, ProjectError> {
        self.store.settled()?;
        self.act_with(None, kind, (detail, now_ms), change)
    }

    /// [`Project::act_at_once`] with the current list left as it is. `None` where nothing changed.
    pub(super) fn act_quietly_at_once(
        &mut self,
        kind: ActionKind,
        detail: &str,
        now_ms: i64,
        change: impl FnOnce(&mut Changes<'_>) -> Result<(), ProjectError>,
    ) -> Result<Option<Done>, ProjectError> {
        let by_columns = self.catch_up()?;
        if !by_columns {
            self.store.settled()?;
        }
        // What is late is in the columns alone, so the next change goes by them too.
        let many = match self.store.is_settled() {
            true => self.many,
            false => 0,
        };
        self.act_with(by_columns.then_some(many), kind, (detail, now_ms), change)
    }

    /// Whether the columns tell what is in force.
    fn catch_up(&mut self) -> Result<bool, ProjectError> {
        // Who works alone waits for the table in any case.
        if self.pace == Pace::Alone {
            return Ok(false);
        }
        self.lists.get_mut().caught_up(&self.store)?;
        Ok(true)
    }

    /// `many`: by the columns, late from so many records on.
    fn act_with(
        &mut self,
        many: Option<usize>,
        kind: ActionKind,
        (detail, now_ms): (&str, i64),
        change: impl FnOnce(&mut Changes<'_>) -> Result<(), ProjectError>,
    ) -> Result<Option<Done>, ProjectError> {
        self.check_view()?;
        let lists = self.lists.get_mut();
        let tx = self.store.raw().unchecked_transaction()?;
        tx.prepare_cached(
            "INSERT INTO action (kind, detail, n_records, at_ms) VALUES (?1, ?2, 0, ?3)",
        )?
        .execute(params![kind_name(kind), detail, now_ms])?;
        let action = tx.last_insert_rowid();
        let columns = many.is_some().then_some(&lists.columns);
        let mut changes = Changes::of(&tx, action, columns, many.unwrap_or(usize::MAX));
        change(&mut changes)?;
        let Written {
            touched,
            n_records,
            late,
        } = changes.write()?;
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
        self.put_in_force(late, &touched)?;
        Ok(Some(Done { action, touched }))
    }

    /// After the transaction of an action.
    fn put_in_force(&mut self, late: Vec<Late>, touched: &[Field]) -> Result<(), ProjectError> {
        self.forget_counts(touched);
        if late.is_empty() {
            return Ok(());
        }
        self.store.add_late(late);
        let lists = self.lists.get_mut();
        lists.columns.lack_late();
        lists.caught_up(&self.store)?;
        self.count_by_columns();
        Ok(())
    }

    pub fn undo(&mut self) -> Result<Changed, ProjectError> {
        self.swap_next(LATEST)
    }

    /// Takes an action back if it is the latest that can be.
    ///
    /// # Errors
    /// If something was done since, or it was taken back before.
    pub fn undo_action(&mut self, action: u64) -> Result<Changed, ProjectError> {
        if self.next(LATEST)? != i64::try_from(action).ok() {
            return Err(ProjectError::CannotDo {
                reason: Phrase::DoneSince.with([]),
            });
        }
        self.undo()
    }

    pub fn redo(&mut self) -> Result<Changed, ProjectError> {
        self.swap_next("SELECT min(id) FROM action WHERE undone = 1")
    }

    /// The latest actions, newest first, the undone ones among them.
    pub fn history(&self, n: u64) -> Result<Vec<ActionView>, ProjectError> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let sql = format!("{ACTION} ORDER BY id DESC LIMIT ?1");
        let mut statement = self.store.raw().prepare_cached(&sql)?;
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
        let mut statement = self.store.raw().prepare_cached(&sql)?;
        Ok(statement.query_row([id], action_view).optional()?)
    }

    fn next(&self, which: &str) -> Result<Option<i64>, ProjectError> {
        let mut statement = self.store.raw().prepare_cached(which)?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    fn swap_next(&mut self, which: &str) -> Result<Changed, ProjectError> {
        let Some(action) = self.next(which)? else {
            return self.changed(None);
        };
        self.check_view()?;
        let changes = changes_of(self.store.raw(), action)?;
        let is_narrow = changes.iter().all(|(field, _)| *field != Field::Body);
        let is_large = n_records(changes.iter().map(|(_, runs)| runs)) >= self.many as u64;
        let at_once = is_narrow && (is_large || !self.store.is_settled()) && self.catch_up()?;
        if !at_once {
            self.store.settled()?;
        }
        let touched: Vec<Field> = changes.iter().map(|(field, _)| *field).collect();
        let tx = self.store.raw().unchecked_transaction()?;
        let mut late = Vec::new();
        for (field, runs) in changes {
            let before = if at_once {
                let before = self.lists.get_mut().columns.values(field, &runs);
                late.push(Store::write_late(&tx, field, runs)?);
                before
            } else {
                swap_in_table(&tx, field, &runs)?
            };
            tx.prepare_cached("UPDATE change SET runs = ?3 WHERE action = ?1 AND field = ?2")?
                .execute(params![action, field.column(), before.encode()?])?;
        }
        swap_facts(&tx, action)?;
        tx.prepare_cached("UPDATE action SET undone = 1 - undone WHERE id = ?1")?
            .execute([action])?;
        tx.commit()?;
        self.put_in_force(late, &touched)?;
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

/// What an action changed, column by column.
pub(super) fn changes_of(db: &Connection, action: i64) -> Result<Vec<(Field, Runs)>, ProjectError> {
    let sql = "SELECT field, runs FROM change WHERE action = ?1 ORDER BY field";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([action])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if let Some(field) = Field::named(name) {
            let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            changes.push((field, field.read(bytes)?));
        }
    }
    Ok(changes)
}

/// What the history holds of one column.
pub(super) fn history_of(db: &Connection, field: Field) -> Result<Vec<Runs>, ProjectError> {
    let mut statement = db.prepare_cached("SELECT runs FROM change WHERE field = ?1")?;
    let mut rows = statement.query([field.column()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        all.push(field.read(bytes)?);
    }
    Ok(all)
}

/// Takes records out of the history; actions of which nothing is left go with them.
pub(super) fn forget_records(db: &Connection, records: &[u64]) -> Result<(), ProjectError> {
    let mut statement = db.prepare("SELECT id FROM action ORDER BY id")?;
    let actions = statement.query_map([], |row| row.get(0))?;
    let actions: Vec<i64> = actions.collect::<Result<_, _>>()?;
    let mut put = db.prepare("UPDATE change SET runs = ?3 WHERE action = ?1 AND field = ?2")?;
    let mut remove = db.prepare("DELETE FROM change WHERE action = ?1 AND field = ?2")?;
    let mut count = db.prepare("UPDATE action SET n_records = ?2 WHERE id = ?1")?;
    for action in actions {
        let mut left = Vec::new();
        for (field, runs) in changes_of(db, action)? {
            let fewer = runs.without(records);
            if fewer.all().is_empty() {
                remove.execute(params![action, field.column()])?;
                continue;
            }
            if fewer != runs {
                put.execute(params![action, field.column(), fewer.encode()?])?;
            }
            left.push(fewer);
        }
        count.execute(params![action, n_records(&left)])?;
    }
    db.execute_batch(
        "DELETE FROM action WHERE id NOT IN (SELECT action FROM change)
            AND id NOT IN (SELECT action FROM fact_change)",
    )?;
    Ok(())
}

/// Puts values in place and returns what was there.
fn swap_in_table(db: &Connection, field: Field, runs: &Runs) -> Result<Runs, ProjectError> {
    let column = field.column();
    let mut statement = db.prepare_cached(&format!(
        "SELECT id, {column} FROM record WHERE id BETWEEN ?1 AND ?2 ORDER BY id"
    ))?;
    let mut update = db.prepare_cached(&format!(
        "UPDATE record SET {column} = ?3 WHERE id BETWEEN ?1 AND ?2"
    ))?;
    let mut before = Runs::default();
    for run in runs.all() {
        let mut rows = statement.query(params![run.first, run.last()])?;
        while let Some(row) = rows.next()? {
            before.push(Run {
                first: row.get(0)?,
                n: 1,
                value: row.get(1)?,
            });
        }
        drop(rows);
        update.execute(params![run.first, run.last(), run.value])?;
    }
    Ok(before)
}

fn is_any_undone(db: &Connection) -> Result<bool, ProjectError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM action WHERE undone = 1)";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
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
/// actions had brought are left over from now on.
fn drop_undone(db: &Connection) -> Result<(), ProjectError> {
    if !is_any_undone(db)? {
        return Ok(());
    }
    db.execute_batch(
        "DELETE FROM change WHERE action IN (SELECT id FROM action WHERE undone = 1);
         DELETE FROM fact_change WHERE action IN (SELECT id FROM action WHERE undone = 1);
         DELETE FROM action WHERE undone = 1;",
    )?;
    super::leftovers::note_leftovers(db)
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
mod tests;
