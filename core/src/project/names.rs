//! Sets of names, each stored once and known by a number.

use rusqlite::{Connection, OptionalExtension as _};

use super::ProjectError;

/// The number of a set of names; 0 is the empty one.
pub(super) fn set_of<'a>(
    db: &Connection,
    names: impl Iterator<Item = &'a String>,
) -> Result<i64, ProjectError> {
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() {
        return Ok(0);
    }
    names.sort_unstable();
    names.dedup();
    let json = serde_json::Value::from(names).to_string();
    let known = db
        .prepare_cached("SELECT id FROM name_set WHERE names = ?1")?
        .query_row([&json], |row| row.get(0));
    if let Some(id) = known.optional()? {
        return Ok(id);
    }
    db.prepare_cached("INSERT INTO name_set (names) VALUES (?1)")?
        .execute([&json])?;
    Ok(db.last_insert_rowid())
}

/// The names of a set; none where there is no such set.
///
/// # Errors
/// If it is damaged.
pub(super) fn names_of(db: &Connection, set: i64) -> Result<Vec<String>, ProjectError> {
    if set == 0 {
        return Ok(Vec::new());
    }
    let mut statement = db.prepare_cached("SELECT names FROM name_set WHERE id = ?1")?;
    let mut rows = statement.query([set])?;
    let Some(row) = rows.next()? else {
        return Ok(Vec::new());
    };
    let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    serde_json::from_str(json).map_err(|error| ProjectError::Broken {
        detail: format!("the set of names {set} cannot be read: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::in_memory;

    #[test]
    fn a_set_is_stored_once_whatever_the_order() {
        let project = in_memory(0);
        let set = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            set_of(&project.db, names.iter()).unwrap()
        };
        let one = set(&["b", "a\""]);
        assert_eq!(one, set(&["a\"", "b", "b"]));
        assert_ne!(one, set(&["b"]));
        assert_eq!(set(&[]), 0);
        assert_eq!(names_of(&project.db, one).unwrap(), ["a\"", "b"]);
        assert!(names_of(&project.db, 99).unwrap().is_empty());
    }
}
