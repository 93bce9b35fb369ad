//! Records as rows of a list.

use std::collections::HashMap;

use rusqlite::{Connection, Row as Stored};

use super::{
    ProjectError,
    columns::{Columns, IN_TRASH},
    filter::side_of,
    names::names_of,
    store::Store,
};
use crate::protocol::studio::{RecordKey, Row};

const ROW: &str = "SELECT record.id, state, side, tags, reviewer, source, page, record.body <> first_body,
        accepted, record.body, system, prompt, answer, n_turns, n_chars, language, n_tokens, n_trained, position
    FROM record JOIN body ON body.id = record.body
    LEFT JOIN token_count ON token_count.body = record.body WHERE record.id = ?1";

/// Rows of records, in the order in which they are asked for; records that are not there are left out.
pub(super) fn rows_of(
    store: &Store,
    columns: &Columns,
    records: impl IntoIterator<Item = u64>,
) -> Result<Vec<Row>, ProjectError> {
    let db = store.raw();
    let mut sets = HashMap::new();
    let mut rows_of = Vec::new();
    let mut statement = db.prepare_cached(ROW)?;
    for record in records {
        let mut rows = statement.query([record as i64])?;
        if let Some(row) = rows.next()? {
            let late = Narrow::late(store, columns, record);
            rows_of.push(row_of(db, row, late, &mut sets)?);
        }
    }
    Ok(rows_of)
}

/// What may come into the table late.
pub(super) struct Narrow {
    pub(super) state: u8,
    pub(super) position: i64,
    pub(super) side: Option<u8>,
    pub(super) tags: i64,
    pub(super) accepted: i64,
    pub(super) reviewer: String,
}

impl Narrow {
    /// As it is in force. `None` where the table has it.
    pub(super) fn late(store: &Store, columns: &Columns, record: u64) -> Option<Self> {
        if store.is_settled() {
            return None;
        }
        let record = columns.record(i64::try_from(record).ok()?)?;
        Some(Self {
            state: record.state,
            position: record.position,
            side: Some(record.side),
            tags: record.tags,
            accepted: record.accepted,
            reviewer: columns.reviewers.name(record.reviewer).to_owned(),
        })
    }
}

fn row_of(
    db: &Connection,
    row: &Stored<'_>,
    late: Option<Narrow>,
    sets: &mut HashMap<i64, Vec<String>>,
) -> Result<Row, ProjectError> {
    let mut names = |set: i64| -> Result<Vec<String>, ProjectError> {
        if let Some(names) = sets.get(&set) {
            return Ok(names.clone());
        }
        let names = names_of(db, set)?;
        sets.insert(set, names.clone());
        Ok(names)
    };
    let id: i64 = row.get(0)?;
    let narrow = match late {
        Some(late) => late,
        None => Narrow {
            state: row.get(1)?,
            position: row.get(18)?,
            side: row.get(2)?,
            tags: row.get(3)?,
            accepted: row.get(8)?,
            reviewer: row.get(4)?,
        },
    };
    let accepted = names(narrow.accepted)?;
    let (n_errors, n_warnings) = n_findings(db, row.get(9)?, &accepted)?;
    Ok(Row {
        record: RecordKey(id as u64),
        prompt: row.get(11)?,
        answer: row.get(12)?,
        system: row.get(10)?,
        n_turns: row.get(13)?,
        n_chars: row.get(14)?,
        n_tokens: row.get(16)?,
        n_trained: row.get(17)?,
        language: row.get(15)?,
        tags: names(narrow.tags)?,
        side: narrow.side.and_then(side_of),
        reviewer: narrow.reviewer,
        source: row.get::<_, Option<u32>>(5)?.unwrap_or_default(),
        page: row.get(6)?,
        n_errors,
        n_warnings,
        changed: row.get(7)?,
        in_trash: narrow.state == IN_TRASH,
    })
}

/// Errors and warnings of a body whose kinds were not accepted.
fn n_findings(db: &Connection, body: i64, accepted: &[String]) -> Result<(u32, u32), ProjectError> {
    let sql = "SELECT kind, is_error FROM finding WHERE body = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([body])?;
    let (mut n_errors, mut n_warnings) = (0, 0);
    while let Some(row) = rows.next()? {
        let kind = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if accepted.iter().any(|accepted| accepted == kind) {
            continue;
        }
        if row.get(1)? {
            n_errors += 1;
        } else {
            n_warnings += 1;
        }
    }
    Ok((n_errors, n_warnings))
}
