//! Project files of an earlier form, brought up to today's when they are opened.

use rusqlite::{Connection, params, types::Value};

use super::{
    Project, ProjectError,
    content::{may_have_terms, read_stored},
    file::FORM,
    runs::{Run, Runs},
    sides,
};
use crate::data::fingerprint;

/// The form in which `change` holds runs, and `late` is there.
pub(super) const WITH_RUNS: i64 = 2;

/// Tables that form 1 has otherwise, or not at all.
const CHANGED: [&str; 2] = ["change", "late"];

/// What turns tables of today into those of form 1.
const WITHOUT_RUNS: &str = "
    DROP TABLE change;
    DROP TABLE late;
    DROP INDEX record_by_place;
    CREATE TABLE change (
        action INTEGER NOT NULL,
        field TEXT NOT NULL,
        record INTEGER NOT NULL,
        value,
        PRIMARY KEY (action, field, record)
    ) WITHOUT ROWID;";

/// What files have had beside the definitions of today, or in their place, and may have still; none of
/// it acts.
pub(super) const KNOWN: [&str; 7] = [
    "CREATE TABLE opening (body INTEGER PRIMARY KEY, prompt TEXT NOT NULL, answer TEXT NOT NULL)",
    "CREATE INDEX opening_by_prompt ON opening (prompt)",
    "CREATE INDEX opening_by_answer ON opening (answer)",
    "CREATE INDEX body_by_prompt ON body (prompt_print)",
    "CREATE INDEX body_by_whole ON body (whole_print)",
    "CREATE INDEX body_narrow ON body (id, n_chars, n_turns, roles, language, fields)",
    "CREATE INDEX record_by_position ON record (state, position)",
];

/// The form since which fingerprints of most records are made as today.
pub(super) const WITH_PRINTS: i64 = 3;

/// The form since which the index over texts is as today.
const WITH_NARROW: i64 = 4;

/// The form since which fingerprints know of reasoning, parts of weights, marks and labels of tokens.
const WITH_TERMS: i64 = 5;

/// An empty database with the tables that a file of this form has.
///
/// # Errors
/// If there is no memory.
pub(super) fn as_made(form: i64) -> Result<Connection, ProjectError> {
    let db = Connection::open_in_memory()?;
    db.execute_batch(include_str!("schema.sql"))?;
    if form < WITH_RUNS {
        db.execute_batch(WITHOUT_RUNS)?;
    }
    Ok(db)
}

/// Whether a file of this form may have another in place of an index, which [`bring_up`] makes again.
pub(super) fn is_made_again(form: i64, name: &str) -> bool {
    form < WITH_NARROW && name == "body_narrow"
}

/// What is left to do for a file that has runs.
///
/// # Errors
/// If the file is damaged, or cannot be written.
pub(super) fn bring_up(project: &mut Project, form: i64) -> Result<(), ProjectError> {
    let tx = project.store.settled_mut()?.transaction()?;
    if form < WITH_PRINTS {
        print_again(&tx, |_| true)?;
    } else if form < WITH_TERMS {
        print_again(&tx, may_have_terms)?;
    }
    if form < WITH_NARROW {
        index_again(&tx)?;
    }
    tx.pragma_update(None, "user_version", FORM)?;
    Ok(tx.commit()?)
}

/// Up to form 3 fingerprints and beginnings had indexes of their own.
fn index_again(db: &Connection) -> Result<(), ProjectError> {
    db.execute_batch(
        "DROP TABLE IF EXISTS opening;
         DROP INDEX IF EXISTS body_by_prompt;
         DROP INDEX IF EXISTS body_by_whole;
         DROP INDEX IF EXISTS body_narrow;",
    )?;
    Ok(db.execute_batch(as_it_is_now("CREATE INDEX body_narrow", ";"))?)
}

/// Up to form 2 fingerprints knew nothing of tools, weights and worse answers, and records without a
/// question had a common one. All are made again; of most records they are what they were. `is_concerned`
/// tells from a stored text whether its own may be another; reading all of a large file takes long.
fn print_again(db: &Connection, is_concerned: impl Fn(&str) -> bool) -> Result<(), ProjectError> {
    let others = other_prints(db, is_concerned)?;
    if others.is_empty() {
        return Ok(());
    }
    let holds = sides::frozen_holds(db)?;
    for (body, prompt, whole) in others {
        db.prepare_cached("UPDATE body SET prompt_print = ?2, whole_print = ?3 WHERE id = ?1")?
            .execute(params![body, prompt, whole])?;
    }
    if holds {
        sides::hash_again(db)?;
    }
    Ok(())
}

type Print = [u8; 16];

/// Texts whose prints are not what they would be today, with those of today.
fn other_prints(
    db: &Connection,
    is_concerned: impl Fn(&str) -> bool,
) -> Result<Vec<(i64, Print, Print)>, ProjectError> {
    let mut rows = db.prepare(
        "SELECT body.id, json, prompt_print, whole_print FROM content
         JOIN body ON body.id = content.body",
    )?;
    let mut rows = rows.query([])?;
    let mut others = Vec::new();
    while let Some(row) = rows.next()? {
        let json = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        if !is_concerned(json) {
            continue;
        }
        // A text that is damaged is said where it is read.
        let Ok((record, _)) = read_stored(json) else {
            continue;
        };
        let print = fingerprint(&record);
        let (prompt, whole) = (print.prompt.to_be_bytes(), print.whole.to_be_bytes());
        let known: (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
        if known.0 != prompt || known.1 != whole {
            others.push((row.get(0)?, prompt, whole));
        }
    }
    Ok(others)
}

/// Form 1 had a row of `change` for every value, nothing that is late, and the state in the index by
/// position.
///
/// # Errors
/// If the file is damaged, or cannot be written.
pub(super) fn bring_runs(db: &mut Connection) -> Result<(), ProjectError> {
    let tx = db.transaction()?;
    tx.execute_batch("ALTER TABLE change RENAME TO earlier_change")?;
    for table in CHANGED {
        tx.execute_batch(as_it_is_now(&format!("CREATE TABLE {table} ("), "\n)"))?;
    }
    {
        let mut rows = tx.prepare(
            "SELECT action, field, record, value FROM earlier_change ORDER BY action, field, record",
        )?;
        let mut rows = rows.query([])?;
        let mut change: Option<((i64, String), Runs)> = None;
        while let Some(row) = rows.next()? {
            let key: (i64, String) = (row.get(0)?, row.get(1)?);
            let (first, value): (u64, Value) = (row.get(2)?, row.get(3)?);
            let run = Run { first, n: 1, value };
            match &mut change {
                Some((known, runs)) if *known == key => runs.push(run),
                _ => {
                    let mut runs = Runs::default();
                    runs.push(run);
                    put(&tx, change.replace((key, runs)))?;
                }
            }
        }
        put(&tx, change)?;
    }
    tx.execute_batch(
        "DROP TABLE earlier_change;
         DROP INDEX IF EXISTS record_by_position;
         CREATE INDEX record_by_place ON record (position);",
    )?;
    tx.pragma_update(None, "user_version", WITH_RUNS)?;
    Ok(tx.commit()?)
}

fn put(db: &Connection, change: Option<((i64, String), Runs)>) -> Result<(), ProjectError> {
    if let Some(((action, field), runs)) = change {
        db.prepare_cached("INSERT INTO change (action, field, runs) VALUES (?1, ?2, ?3)")?
            .execute(params![action, field, runs.encode()?])?;
    }
    Ok(())
}

/// The statement of the schema that begins and ends so.
fn as_it_is_now(start: &str, end: &str) -> &'static str {
    let schema = include_str!("schema.sql");
    let statement = &schema[schema.find(start).unwrap_or(schema.len())..];
    let n_bytes = statement.find(end).map_or(0, |at| at + end.len());
    &statement[..n_bytes]
}
