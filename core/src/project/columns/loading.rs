//! From the database into the columns: all of it once, in steps, and then what changed.

use rusqlite::{Connection, Row, Rows, types::Value};

use super::{BodyColumns, Columns, NO_SIDE, NOT_THERE, RecordColumns};
use crate::project::{ProjectError, journal::Field, names, runs::Runs, store::Store};

const BODY: &str = "SELECT body.id, n_chars, n_turns, roles, language, fields, n_tokens,
    prompt_print, whole_print FROM body LEFT JOIN token_count ON token_count.body = body.id";
const RECORD: &str =
    "SELECT id, position, body, reviewer, tags, accepted, source, line, state, side,
    body <> first_body FROM record";

impl Columns {
    /// Reads what changed, at most about `n_rows` of it; true once there is nothing left to read.
    pub(in crate::project) fn catch_up(
        &mut self,
        store: &Store,
        n_rows: usize,
    ) -> Result<bool, ProjectError> {
        let db = store.raw();
        let before = self.version;
        self.read_changes(db)?;
        self.lacks_late |= self.version != before;
        if !self.bodies_read {
            self.bodies_read = self.read_bodies(db, n_rows)? < n_rows;
            return Ok(false);
        }
        if !self.records_read {
            self.records_read = self.read_records(db, n_rows)? < n_rows;
        }
        self.lacks_late |= self.version != before;
        if self.records_read && std::mem::take(&mut self.lacks_late) {
            store.each_late(&mut |late| self.put(db, late.field, &late.runs))?;
        }
        Ok(self.records_read)
    }

    fn read_changes(&mut self, db: &Connection) -> Result<(), ProjectError> {
        let changes = self.marks.take(db)?;
        if changes.all {
            self.forget_bodies();
            self.forget_records();
            return Ok(());
        }
        let last_body = self.bodies.last().map_or(0, |body| body.id);
        // New rows have ids behind all others; they are read in their order.
        if changes.bodies.last().is_some_and(|id| *id > last_body) {
            self.bodies_read = false;
        }
        if !changes.is_empty() {
            self.version += 1;
        }
        let old = changes.bodies.partition_point(|id| *id <= last_body);
        if old > 0 {
            self.reread_bodies(db, &changes.bodies[..old])?;
        }
        let counted = changes.token_counts.partition_point(|id| *id <= last_body);
        self.reread_token_counts(db, &changes.token_counts[..counted])?;

        let last_record = self.records.last().map_or(0, |record| record.id);
        if changes.records.last().is_some_and(|id| *id > last_record) {
            self.records_read = false;
        }
        let old = changes.records.partition_point(|id| *id <= last_record);
        if old > self.records.len() / 4 {
            self.forget_records();
            return Ok(());
        }
        // Records may have got bodies that are new.
        while old > 0 && !self.bodies_read {
            const AT_ONCE: usize = 10_000;
            self.bodies_read = self.read_bodies(db, AT_ONCE)? < AT_ONCE;
        }
        self.reread_records(db, &changes.records[..old])
    }

    /// Something is late from now on; the next time they catch up they take it.
    pub(in crate::project) fn lack_late(&mut self) {
        self.lacks_late = true;
    }

    /// Values that are in force, whatever the table says.
    fn put(&mut self, db: &Connection, field: Field, runs: &Runs) -> Result<(), ProjectError> {
        self.version += 1;
        let mut sets = Vec::new();
        for run in runs.all() {
            let places = self.places(run);
            let value = &run.value;
            let number = match value {
                Value::Integer(number) => *number,
                _ => 0,
            };
            let small = || u8::try_from(number).unwrap_or(u8::MAX);
            let reviewer = match (field, value) {
                (Field::Reviewer, Value::Text(name)) => self.reviewers.number(name),
                _ => 0,
            };
            let body = match field {
                Field::Body => self.body_place(number),
                _ => 0,
            };
            for record in &mut self.records[places] {
                match field {
                    Field::State => record.state = small(),
                    Field::Position => record.position = number,
                    Field::Body => record.body = body,
                    Field::Side if *value == Value::Null => record.side = NO_SIDE,
                    Field::Side => record.side = small().min(NO_SIDE),
                    Field::Tags => record.tags = number,
                    Field::Accepted => record.accepted = number,
                    Field::Reviewer => record.reviewer = reviewer,
                }
            }
            if matches!(field, Field::Tags | Field::Accepted) {
                sets.push(number);
            }
        }
        self.read_sets(db, &sets)
    }

    fn forget_bodies(&mut self) {
        self.version += 1;
        self.bodies.truncate(1);
        self.bodies_read = false;
        self.epoch += 1;
    }

    fn forget_records(&mut self) {
        self.version += 1;
        self.records.clear();
        self.records_read = false;
    }

    fn read_bodies(&mut self, db: &Connection, n_rows: usize) -> Result<usize, ProjectError> {
        let last = self.bodies.last().map_or(0, |body| body.id);
        let sql = format!("{BODY} WHERE body.id > ?1 ORDER BY body.id LIMIT ?2");
        let mut statement = db.prepare_cached(&sql)?;
        let before = self.bodies.len();
        let mut rows = statement.query([last, n_rows as i64])?;
        while let Some(row) = rows.next()? {
            let body = self.body(row)?;
            self.bodies.push(body);
        }
        self.version += 1;
        let sets: Vec<i64> = self.bodies[before..]
            .iter()
            .map(|body| body.fields)
            .collect();
        self.read_sets(db, &sets)?;
        Ok(self.bodies.len() - before)
    }

    fn read_records(&mut self, db: &Connection, n_rows: usize) -> Result<usize, ProjectError> {
        let last = self.records.last().map_or(0, |record| record.id);
        let sql = format!("{RECORD} WHERE id > ?1 ORDER BY id LIMIT ?2");
        let mut statement = db.prepare_cached(&sql)?;
        let before = self.records.len();
        let mut rows = statement.query([last, n_rows as i64])?;
        self.push_records(&mut rows)?;
        self.version += 1;
        let sets: Vec<i64> = self.records[before..]
            .iter()
            .flat_map(|record| [record.tags, record.accepted])
            .collect();
        self.read_sets(db, &sets)?;
        Ok(self.records.len() - before)
    }

    fn push_records(&mut self, rows: &mut Rows<'_>) -> Result<(), ProjectError> {
        // Most records lie in the order of their bodies.
        let mut place = 0;
        while let Some(row) = rows.next()? {
            let mut record = self.record_of(row)?;
            let body: i64 = row.get(2)?;
            let next = self.bodies.get(place as usize + 1);
            place = match next {
                Some(next) if next.id == body => place + 1,
                _ => self.body_place(body),
            };
            record.body = place;
            self.records.push(record);
        }
        Ok(())
    }

    fn reread_bodies(&mut self, db: &Connection, ids: &[i64]) -> Result<(), ProjectError> {
        self.epoch += 1;
        let sql = format!("{BODY} WHERE body.id = ?1");
        let mut statement = db.prepare_cached(&sql)?;
        for id in ids {
            let mut rows = statement.query([id])?;
            let body = rows.next()?.map(|row| self.body(row)).transpose()?;
            drop(rows);
            let place = self.body_place(*id) as usize;
            match body {
                // One that was not there when everything was read.
                Some(_) if place == 0 => {
                    self.forget_bodies();
                    self.forget_records();
                    return Ok(());
                }
                Some(body) => {
                    self.bodies[place] = body;
                    self.read_sets(db, &[body.fields])?;
                }
                // Nothing points at it any more.
                None => {}
            }
        }
        Ok(())
    }

    fn reread_token_counts(&mut self, db: &Connection, ids: &[i64]) -> Result<(), ProjectError> {
        if ids.len() > self.bodies.len() / 4 {
            return self.reread_all_token_counts(db);
        }
        let sql = "SELECT n_tokens FROM token_count WHERE body = ?1";
        let mut statement = db.prepare_cached(sql)?;
        for id in ids {
            let mut rows = statement.query([id])?;
            let n_tokens = match rows.next()? {
                Some(row) => row.get(0)?,
                None => -1,
            };
            let place = self.body_place(*id) as usize;
            if place > 0 {
                self.bodies[place].n_tokens = n_tokens;
            }
        }
        Ok(())
    }

    fn reread_all_token_counts(&mut self, db: &Connection) -> Result<(), ProjectError> {
        for body in &mut self.bodies {
            body.n_tokens = -1;
        }
        let sql = "SELECT body, n_tokens FROM token_count ORDER BY body";
        let mut statement = db.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut place = 1;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            while self.bodies.get(place).is_some_and(|body| body.id < id) {
                place += 1;
            }
            if let Some(body) = self.bodies.get_mut(place)
                && body.id == id
            {
                body.n_tokens = row.get(1)?;
            }
        }
        Ok(())
    }

    fn reread_records(&mut self, db: &Connection, ids: &[i64]) -> Result<(), ProjectError> {
        let sql = format!("{RECORD} WHERE id = ?1");
        let mut statement = db.prepare_cached(&sql)?;
        for id in ids {
            let mut rows = statement.query([id])?;
            let found = self.records.binary_search_by_key(id, |record| record.id);
            match (rows.next()?, found) {
                (Some(row), Ok(place)) => {
                    let mut record = self.record_of(row)?;
                    record.body = self.body_place(row.get(2)?);
                    self.records[place] = record;
                    drop(rows);
                    self.read_sets(db, &[record.tags, record.accepted])?;
                }
                (None, Ok(place)) => self.records[place].state = NOT_THERE,
                (Some(_), Err(_)) => {
                    self.forget_records();
                    return Ok(());
                }
                (None, Err(_)) => {}
            }
        }
        Ok(())
    }

    fn body(&mut self, row: &Row<'_>) -> Result<BodyColumns, ProjectError> {
        let language = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
        Ok(BodyColumns {
            id: row.get(0)?,
            n_chars: row.get(1)?,
            n_turns: row.get(2)?,
            roles: row.get(3)?,
            language: self.languages.number(language),
            fields: row.get(5)?,
            n_tokens: row.get::<_, Option<i64>>(6)?.unwrap_or(-1),
            prompt_print: u128::from_be_bytes(row.get(7)?),
            whole_print: u128::from_be_bytes(row.get(8)?),
        })
    }

    /// Its body is left to find.
    fn record_of(&mut self, row: &Row<'_>) -> Result<RecordColumns, ProjectError> {
        let reviewer = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
        Ok(RecordColumns {
            id: row.get(0)?,
            position: row.get(1)?,
            body: 0,
            reviewer: self.reviewers.number(reviewer),
            tags: row.get(4)?,
            accepted: row.get(5)?,
            source: row.get::<_, Option<i64>>(6)?.unwrap_or_default(),
            line: row.get(7)?,
            state: row.get(8)?,
            side: row
                .get::<_, Option<u8>>(9)?
                .map_or(NO_SIDE, |side| side.min(NO_SIDE)),
            changed: row.get(10)?,
        })
    }

    fn read_sets(&mut self, db: &Connection, ids: &[i64]) -> Result<(), ProjectError> {
        let mut last = None;
        for id in ids {
            // Neighbours mostly have the same.
            if last.replace(*id) == Some(*id) || self.sets.contains_key(id) {
                continue;
            }
            let names = names::names_of(db, *id)?;
            self.sets.insert(*id, names);
        }
        Ok(())
    }
}
