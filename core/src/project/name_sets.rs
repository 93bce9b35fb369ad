//! Sets of names, each stored once: tags of records, kinds of findings that were accepted.

use rusqlite::{Connection, OptionalExtension as _};

use super::ProjectError;

/// The names of a set, in order.
///
/// # Errors
/// If the set is damaged.
pub(super) fn names_of(db: &Connection, set: i64) -> Result<Vec<String>, ProjectError> {
    let mut statement = db.prepare_cached("SELECT names FROM name_set WHERE id = ?1")?;
    let json: Option<String> = statement.query_row([set], |row| row.get(0)).optional()?;
    let Some(json) = json else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&json).map_err(|error| ProjectError::Broken {
        detail: format!("the set of names {set} cannot be read: {error}"),
    })
}

/// The set of these names, stored if it was not.
pub(super) fn set_of(db: &Connection, mut names: Vec<String>) -> Result<i64, ProjectError> {
    names.sort_unstable();
    names.dedup();
    let json = serde_json::Value::from(names).to_string();
    db.prepare_cached("INSERT INTO name_set (names) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([&json])?;
    let mut statement = db.prepare_cached("SELECT id FROM name_set WHERE names = ?1")?;
    Ok(statement.query_row([&json], |row| row.get(0))?)
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
