//! Sets of names, each stored once: a hundred thousand records with the same tags name one set.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    ProjectError,
    journal::{Changes, Field},
};

/// The names of a set.
pub(super) fn names_of(db: &Connection, set: i64) -> Result<Vec<String>, ProjectError> {
    let mut statement = db.prepare_cached("SELECT names FROM name_set WHERE id = ?1")?;
    let names: Option<String> = statement.query_row([set], |row| row.get(0)).optional()?;
    let Some(names) = names else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&names).map_err(|error| ProjectError::Broken {
        detail: format!("a set of names cannot be read: {error}"),
    })
}

/// The set of these names, made if there is none. Order and repetition do not count.
pub(super) fn set_of(db: &Connection, mut names: Vec<String>) -> Result<i64, ProjectError> {
    names.sort();
    names.dedup();
    let names = serde_json::Value::from(names).to_string();
    db.prepare_cached("INSERT OR IGNORE INTO name_set (names) VALUES (?1)")?
        .execute([&names])?;
    let mut statement = db.prepare_cached("SELECT id FROM name_set WHERE names = ?1")?;
    Ok(statement.query_row([&names], |row| row.get(0))?)
}

/// Puts a name into a set of each record, or takes it out. `field` is one that holds sets.
pub(super) fn change_names(
    changes: &mut Changes<'_>,
    field: Field,
    records: &[u64],
    change: impl Fn(Vec<String>) -> Vec<String>,
) -> Result<(), ProjectError> {
    let db = changes.db;
    let column = field.column();
    let mut set_now = db.prepare_cached(&format!("SELECT {column} FROM record WHERE id = ?1"))?;
    let mut known: HashMap<i64, i64> = HashMap::new();
    let mut values = Vec::with_capacity(records.len());
    for &record in records {
        let Some(before) = set_now.query_row([record], |row| row.get(0)).optional()? else {
            continue;
        };
        let after = match known.get(&before) {
            Some(after) => *after,
            None => {
                let after = set_of(db, change(names_of(db, before)?))?;
                known.insert(before, after);
                after
            }
        };
        if after != before {
            values.push((record, after));
        }
    }
    drop(set_now);
    changes.set_each(field, values)
}
