//! What an action changes, while its transaction is open.

use rusqlite::{
    Connection, OptionalExtension as _, ToSql, params,
    types::{ToSqlOutput, Value},
};

use super::{Field, fact, set_fact};
use crate::project::{
    ProjectError,
    columns::Columns,
    runs::{Run, Runs, n_records},
    store::{Late, Store},
};

/// Changes of one action, inside its transaction.
pub(in crate::project) struct Changes<'a> {
    /// For what an action brings along: names of tags, bodies, sources.
    pub(in crate::project) db: &'a Connection,
    /// Where they are up to date: what is in force, also where `record` lacks it.
    columns: Option<&'a Columns>,
    /// From so many records on they are changed late.
    many: usize,
    action: i64,
    /// Of every column the values before, in the order in which they were changed.
    kept: Vec<(Field, Vec<(u64, Value)>)>,
    late: Vec<Late>,
}

/// What the transaction of an action has written.
pub(super) struct Written {
    pub(super) touched: Vec<Field>,
    pub(super) n_records: u64,
    /// What is in force once it is committed.
    pub(super) late: Vec<Late>,
}

impl<'a> Changes<'a> {
    /// With columns that are up to date, a change of `many` records or more is late.
    pub(super) fn of(
        db: &'a Connection,
        action: i64,
        columns: Option<&'a Columns>,
        many: usize,
    ) -> Self {
        Self {
            db,
            columns,
            many,
            action,
            kept: Vec::new(),
            late: Vec::new(),
        }
    }

    pub(in crate::project) fn set(
        &mut self,
        field: Field,
        record: u64,
        value: impl ToSql,
    ) -> Result<(), ProjectError> {
        self.set_each(field, [(record, value)])
    }

    pub(in crate::project) fn set_all(
        &mut self,
        field: Field,
        records: &[u64],
        value: impl ToSql,
    ) -> Result<(), ProjectError> {
        let value = value_of(&value)?;
        self.set_values(
            field,
            records
                .iter()
                .map(|record| (*record, value.clone()))
                .collect(),
        )
    }

    /// A value for each record; each record once.
    pub(in crate::project) fn set_each<V: ToSql>(
        &mut self,
        field: Field,
        values: impl IntoIterator<Item = (u64, V)>,
    ) -> Result<(), ProjectError> {
        let values = values
            .into_iter()
            .map(|(record, value)| Ok((record, value_of(&value)?)));
        self.set_values(field, values.collect::<Result<_, ProjectError>>()?)
    }

    /// The values that a `SELECT` of records and values gives.
    pub(in crate::project) fn set_selected(
        &mut self,
        field: Field,
        select: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<(), ProjectError> {
        let mut statement = self.db.prepare_cached(select)?;
        let values = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let values = values.collect::<Result<_, _>>()?;
        self.set_values(field, values)
    }

    /// One value for all records of a range of ids.
    pub(in crate::project) fn set_range(
        &mut self,
        field: Field,
        (first, last): (u64, u64),
        value: impl ToSql,
    ) -> Result<(), ProjectError> {
        let run = Run {
            first,
            n: last - first + 1,
            value: value_of(&value)?,
        };
        let kept = set_run(self.db, field, &run)?;
        self.keep(field, kept);
        Ok(())
    }

    /// The value in force; `None` where there is no such record.
    pub(in crate::project) fn now(
        &self,
        field: Field,
        record: u64,
    ) -> Result<Option<Value>, ProjectError> {
        if let Some(columns) = self.columns {
            let place = columns.place(record);
            return Ok(place.and_then(|place| columns.value(place, field)));
        }
        let sql = format!("SELECT {} FROM record WHERE id = ?1", field.column());
        let mut statement = self.db.prepare_cached(&sql)?;
        Ok(statement.query_row([record], |row| row.get(0)).optional()?)
    }

    /// Sets a fact, or takes it away.
    pub(in crate::project) fn fact(
        &mut self,
        key: &str,
        value: Option<&str>,
    ) -> Result<(), ProjectError> {
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

    /// What already has its value is no change.
    fn set_values(
        &mut self,
        field: Field,
        mut values: Vec<(u64, Value)>,
    ) -> Result<(), ProjectError> {
        values.sort_by_key(|(record, _)| *record);
        values.dedup_by_key(|(record, _)| *record);
        // Where this action has written into the table, the columns are no longer up to date.
        let is_written = self.kept.iter().any(|(other, _)| *other == field);
        if let Some(columns) = self.columns
            && values.len() >= self.many
            && !is_written
        {
            return self.set_late(columns, field, values);
        }
        let mut kept = Vec::new();
        for run in Runs::of(values).all() {
            kept.extend(set_run(self.db, field, run)?);
        }
        self.keep(field, kept);
        Ok(())
    }

    fn set_late(
        &mut self,
        columns: &Columns,
        field: Field,
        values: Vec<(u64, Value)>,
    ) -> Result<(), ProjectError> {
        debug_assert!(
            self.late.iter().all(|late| late.field != field),
            "a column is changed once by what comes late"
        );
        let (mut runs, mut kept) = (Runs::default(), Vec::new());
        let mut place = 0;
        for (record, value) in values {
            // Mostly the one behind the last.
            let is_next = columns.records.get(place).map(|next| next.id as u64) == Some(record);
            let found = if is_next {
                Some(place)
            } else {
                columns.place(record)
            };
            let Some(found) = found else { continue };
            place = found + 1;
            let Some(before) = columns.value(found, field) else {
                continue;
            };
            if before != value {
                kept.push((record, before));
                runs.push(Run {
                    first: record,
                    n: 1,
                    value,
                });
            }
        }
        if !kept.is_empty() {
            self.late.push(Store::write_late(self.db, field, runs)?);
        }
        self.keep(field, kept);
        Ok(())
    }

    fn keep(&mut self, field: Field, kept: Vec<(u64, Value)>) {
        if kept.is_empty() {
            return;
        }
        match self.kept.iter_mut().find(|(other, _)| *other == field) {
            Some((_, all)) => all.extend(kept),
            None => self.kept.push((field, kept)),
        }
    }

    /// Writes what was kept. The first value that a record had before the action is the one that is
    /// kept.
    pub(super) fn write(self) -> Result<Written, ProjectError> {
        let mut all = Vec::with_capacity(self.kept.len());
        let mut touched = Vec::with_capacity(self.kept.len());
        for (field, mut kept) in self.kept {
            kept.sort_by_key(|(record, _)| *record);
            kept.dedup_by_key(|(record, _)| *record);
            let runs = Runs::of(kept);
            self.db
                .prepare_cached("INSERT INTO change (action, field, runs) VALUES (?1, ?2, ?3)")?
                .execute(params![self.action, field.column(), runs.encode()?])?;
            all.push(runs);
            touched.push(field);
        }
        Ok(Written {
            touched,
            n_records: n_records(&all),
            late: self.late,
        })
    }
}

/// Gives records their value, and returns what those had before that had another.
fn set_run(db: &Connection, field: Field, run: &Run) -> Result<Vec<(u64, Value)>, ProjectError> {
    let column = field.column();
    let others = format!("id BETWEEN ?1 AND ?2 AND {column} IS NOT ?3");
    let mut statement = db.prepare_cached(&format!(
        "SELECT id, {column} FROM record WHERE {others} ORDER BY id"
    ))?;
    let parameters = params![run.first, run.last(), run.value];
    let before = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let before: Vec<(u64, Value)> = before.collect::<Result<_, _>>()?;
    if !before.is_empty() {
        db.prepare_cached(&format!("UPDATE record SET {column} = ?3 WHERE {others}"))?
            .execute(parameters)?;
    }
    Ok(before)
}

fn value_of(value: &dyn ToSql) -> Result<Value, ProjectError> {
    Ok(match value.to_sql()? {
        ToSqlOutput::Owned(value) => value,
        ToSqlOutput::Borrowed(value) => value.try_into().map_err(rusqlite::Error::from)?,
        _ => Value::Null,
    })
}
