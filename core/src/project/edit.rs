//! One record: seen whole, saved, added.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, params, types::Value};

use super::{
    Project, ProjectError,
    body::insert_body,
    columns::{RecordColumns, THERE},
    content::{Origin, PAIR, content_of, keep_pair, read_body, record_of},
    filter,
    journal::{Field, changes_of},
    leftovers::note_leftovers,
    merging::merged,
    names::names_of,
    order,
    rows::Narrow,
};
use crate::{
    protocol::studio::{ActionKind, Content, RecordKey, RecordView, Side},
    text::{Body, Message, Record},
};

/// Saves of one record that follow each other this closely are one action: an editor that saves by
/// itself would otherwise fill the history.
const ONE_EDIT_MS: i64 = 3000;

/// A row of `record`.
pub(super) struct RecordRow {
    pub(super) state: i64,
    pub(super) position: i64,
    pub(super) body: i64,
    pub(super) side: Option<i64>,
    pub(super) tags: i64,
    pub(super) accepted: i64,
    pub(super) reviewer: String,
    pub(super) first_body: i64,
    pub(super) source: Option<i64>,
    pub(super) line: u64,
    pub(super) page: Option<u32>,
}

/// A side as it is stored.
pub(super) fn side_of(number: i64) -> Option<Side> {
    usize::try_from(number)
        .ok()
        .and_then(|at| Side::ALL.get(at).copied())
}

pub(super) fn side_number(side: Side) -> i64 {
    Side::ALL
        .iter()
        .position(|other| *other == side)
        .unwrap_or(0) as i64
}

impl Project {
    /// # Errors
    /// If there is no such record.
    pub fn record(&self, record: RecordKey) -> Result<RecordView, ProjectError> {
        let row = self.row(record)?;
        let (text, _) = read_body(self.store.raw(), row.body)?;
        let original = if row.first_body == row.body {
            None
        } else {
            Some(content_of(read_body(self.store.raw(), row.first_body)?.0))
        };
        let (language, n_chars) = self
            .store
            .raw()
            .prepare_cached("SELECT language, n_chars FROM body WHERE id = ?1")?
            .query_row([row.body], |body| Ok((body.get(0)?, body.get(1)?)))?;
        let findings = self.findings_at(record.0, &row)?;
        Ok(RecordView {
            record,
            // A tokenizer that is damaged keeps nobody from the text.
            n_tokens: self.record_tokens(&text).unwrap_or_default(),
            content: content_of(text),
            original,
            position: self.place_of(record, &row)?,
            tags: names_of(self.store.raw(), row.tags)?,
            side: row.side.and_then(side_of),
            reviewer: row.reviewer,
            source: row.source.map_or(Ok(None), |source| self.source(source))?,
            line: row.line,
            page: row.page,
            language,
            n_chars,
            findings,
            in_trash: row.state == 1,
            project: None,
        })
    }

    /// A new version of a record's text. Saves in quick succession are one action.
    ///
    /// # Errors
    /// If there is no such record.
    pub fn save(
        &mut self,
        record: RecordKey,
        content: Content,
        now_ms: i64,
    ) -> Result<RecordView, ProjectError> {
        let row = self.row(record)?;
        let (before, mut origin) = read_body(self.store.settled()?, row.body)?;
        let mut after = record_of(content);
        keep_pair(&before, &mut after);
        if after != before {
            if std::mem::discriminant(&after.body) != std::mem::discriminant(&before.body) {
                origin = Origin::of(&after.body);
            }
            match self.edit_going_on(record, &after, now_ms)? {
                Some(action) => {
                    let tx = self.store.settled_mut()?.transaction()?;
                    let body = insert_body(&tx, after, origin)?;
                    tx.execute(
                        "UPDATE record SET body = ?2 WHERE id = ?1",
                        params![record.0, body],
                    )?;
                    tx.execute(
                        "UPDATE action SET at_ms = ?2 WHERE id = ?1",
                        params![action, now_ms],
                    )?;
                    note_leftovers(&tx)?;
                    tx.commit()?;
                }
                None => {
                    self.act_quietly(ActionKind::Edit, "", now_ms, |changes| {
                        let body = insert_body(changes.db, after, origin)?;
                        changes.set(Field::Body, record.0, body)
                    })?;
                }
            }
        }
        self.with_project(record)
    }

    /// The same for an edit that began with `before`: if the record became another one since, both
    /// changes are kept.
    ///
    /// # Errors
    /// If there is no such record.
    pub fn save_from(
        &mut self,
        record: RecordKey,
        before: Content,
        edited: Content,
        now_ms: i64,
    ) -> Result<RecordView, ProjectError> {
        let row = self.row(record)?;
        let (now, _) = read_body(self.store.settled()?, row.body)?;
        self.save(record, merged(before, content_of(now), edited), now_ms)
    }

    /// A new record behind another one, or at the end.
    ///
    /// # Errors
    /// If there is no record to put it behind.
    pub fn add(
        &mut self,
        after: Option<RecordKey>,
        content: Content,
        now_ms: i64,
    ) -> Result<RecordView, ProjectError> {
        let text = record_of(content);
        let behind = after.map(|after| self.row(after)).transpose()?;
        let mut added = RecordKey(0);
        self.act_quietly(ActionKind::Add, "", now_ms, |changes| {
            let db = changes.db;
            let origin = Origin::of(&text.body);
            let body = insert_body(db, text, origin)?;
            db.prepare_cached(
                "INSERT INTO record (state, position, body, first_body, line)
                 VALUES (2, ?1, ?2, ?2, 0)",
            )?
            .execute(params![order::next_position(db)?, body])?;
            added = RecordKey(u64::try_from(db.last_insert_rowid()).unwrap_or_default());
            if let Some(behind) = behind {
                let next = db
                    .prepare_cached(
                        "SELECT id FROM record WHERE state < 2 AND id <> ?2
                            AND (position, id) > (?1, ?3) ORDER BY position, id LIMIT 1",
                    )?
                    .query_row(
                        params![behind.position, added.0, after.map(|key| key.0)],
                        |row| row.get(0),
                    )
                    .optional()?;
                order::place(changes, &[added.0], next)?;
            }
            changes.set(Field::State, added.0, 0)
        })?;
        self.with_project(added)
    }

    pub(super) fn row(&self, record: RecordKey) -> Result<RecordRow, ProjectError> {
        let mut statement = self.store.raw().prepare_cached(
            "SELECT state, position, body, side, tags, accepted, reviewer, first_body, source, line, page
             FROM record WHERE id = ?1",
        )?;
        let row = statement.query_row([i64::try_from(record.0).unwrap_or(-1)], |row| {
            Ok(RecordRow {
                state: row.get(0)?,
                position: row.get(1)?,
                body: row.get(2)?,
                side: row.get(3)?,
                tags: row.get(4)?,
                accepted: row.get(5)?,
                reviewer: row.get(6)?,
                first_body: row.get(7)?,
                source: row.get(8)?,
                line: row.get(9)?,
                page: row.get(10)?,
            })
        });
        let mut row = row.optional()?;
        let lists = self.lists.borrow();
        if let Some(row) = &mut row
            && let Some(late) = Narrow::late(&self.store, &lists.columns, record.0)
        {
            row.state = late.state.into();
            row.position = late.position;
            row.side = late.side.and_then(filter::side_of).map(side_number);
            row.tags = late.tags;
            row.accepted = late.accepted;
            row.reviewer = late.reviewer;
        }
        row.filter(|row| row.state < 2)
            .ok_or(ProjectError::NoRecord { record: record.0 })
    }

    fn with_project(&self, record: RecordKey) -> Result<RecordView, ProjectError> {
        Ok(RecordView {
            project: Some(self.view()?),
            ..self.record(record)?
        })
    }

    /// From 1, among the records outside the trash.
    fn place_of(&self, record: RecordKey, row: &RecordRow) -> Result<u64, ProjectError> {
        let mut lists = self.lists.borrow_mut();
        let columns = lists.caught_up(&self.store)?;
        let is_before = |other: &&RecordColumns| {
            other.state == THERE && (other.position, other.id as u64) < (row.position, record.0)
        };
        Ok(columns.records.iter().filter(is_before).count() as u64 + 1)
    }

    /// The latest action, if it edited the same text of this record a moment ago, nothing was undone
    /// since, and no snapshot was taken of what it made.
    fn edit_going_on(
        &self,
        record: RecordKey,
        after: &Record,
        now_ms: i64,
    ) -> Result<Option<i64>, ProjectError> {
        let mut statement = self.store.settled()?.prepare_cached(
            "SELECT id FROM action
             WHERE id = (SELECT max(id) FROM action) AND undone = 0
                AND kind = 'edit' AND detail = '' AND n_records = 1
                AND at_ms BETWEEN ?1 - ?2 AND ?1
                AND NOT EXISTS (SELECT 1 FROM snapshot WHERE snapshot.at_ms >= action.at_ms)",
        )?;
        let action = statement.query_row(params![now_ms, ONE_EDIT_MS], |row| row.get(0));
        let Some(action) = action.optional()? else {
            return Ok(None);
        };
        let changes = changes_of(self.store.raw(), action)?;
        let bodies = changes.iter().find(|(field, _)| *field == Field::Body);
        let Some(Value::Integer(body)) = bodies.and_then(|(_, runs)| runs.value(record.0)) else {
            return Ok(None);
        };
        let (before, _) = read_body(self.store.raw(), *body)?;
        // What takes everything back again is a step, or there would be one that does nothing.
        Ok((before != *after && is_typed(&before, after)).then_some(action))
    }
}

/// Whether typing in one place makes one text of the other: turns that were moved, added or taken away
/// are a step of their own.
fn is_typed(before: &Record, after: &Record) -> bool {
    let (n_texts, is_same_shape) = match (&before.body, &after.body) {
        (Body::Chat(old), Body::Chat(new)) => {
            let pairs = || old.messages.iter().zip(&new.messages);
            let is_same = |(old, new): (&Message, &Message)| {
                let content = new.content.clone();
                Message {
                    content,
                    ..old.clone()
                } == *new
            };
            let n = pairs()
                .filter(|(old, new)| old.content != new.content)
                .count();
            let is_as_long = old.messages.len() == new.messages.len();
            (
                n,
                is_as_long && old.tools == new.tools && pairs().all(is_same),
            )
        }
        (
            Body::Text { prompt, completion },
            Body::Text {
                prompt: new_prompt,
                completion: new_completion,
            },
        ) => {
            let n = usize::from(prompt != new_prompt) + usize::from(completion != new_completion);
            (n, true)
        }
        (old, new) => (0, old == new),
    };
    let is_beside = |key: &String| !(n_texts > 0 && PAIR.contains(&key.as_str()));
    let keys = |record: &Record| -> BTreeSet<String> {
        record
            .extra
            .keys()
            .filter(|key| is_beside(key))
            .cloned()
            .collect()
    };
    let names = keys(before);
    let differs = |name: &&String| before.extra.get(*name) != after.extra.get(*name);
    let n_beside = names.iter().filter(differs).count();
    is_same_shape && names == keys(after) && n_texts + n_beside <= 1
}
