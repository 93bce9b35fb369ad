//! Sets of names, each stored once: a hundred thousand records with the same tags name one set.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, types::Value};

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
    if names.is_empty() {
        return Ok(0);
    }
    let names = serde_json::Value::from(names).to_string();
    let mut known = db.prepare_cached("SELECT id FROM name_set WHERE names = ?1")?;
    if let Some(set) = known.query_row([&names], |row| row.get(0)).optional()? {
        return Ok(set);
    }
    db.prepare_cached("INSERT INTO name_set (names) VALUES (?1)")?
        .execute([&names])?;
    Ok(db.last_insert_rowid())
}

/// Puts a name into a set of each record, or takes it out. `field` is one that holds sets.
pub(super) fn change_names(
    changes: &mut Changes<'_>,
    field: Field,
    records: &[u64],
    change: impl Fn(Vec<String>) -> Vec<String>,
) -> Result<(), ProjectError> {
    let db = changes.db;
    let mut known: HashMap<i64, i64> = HashMap::new();
    let mut values = Vec::with_capacity(records.len());
    for &record in records {
        let Some(Value::Integer(before)) = changes.now(field, record)? else {
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
    changes.set_each(field, values)
}

/// The sets that hold a name.
pub(super) fn sets_with(db: &Connection, name: &str) -> Result<Vec<i64>, ProjectError> {
    let mut statement = db.prepare_cached("SELECT id FROM name_set")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    let ids: Vec<i64> = ids.collect::<Result<_, _>>()?;
    let mut with = Vec::new();
    for id in ids {
        if names_of(db, id)?.iter().any(|other| other == name) {
            with.push(id);
        }
    }
    Ok(with)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::in_memory;

    #[test]
    fn the_order_of_names_makes_no_other_set() {
        let db = in_memory(0).into_connection();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let set = set_of(&db, names(&["b", "a", "b"])).unwrap();
        assert_eq!(set_of(&db, names(&["a", "b"])).unwrap(), set);
        assert_eq!(names_of(&db, set).unwrap(), ["a", "b"]);
        assert_eq!(
            set_of(&db, Vec::new()).unwrap(),
            0,
            "what records have from the start"
        );
        assert_eq!(sets_with(&db, "b").unwrap(), [set]);
    }
}
