//! The indexes of texts by fingerprint. A row that comes in may belong anywhere in them, so that
//! every step of a large import writes all of their pages anew; the first import of a project does
//! without them and makes them at its end.

use rusqlite::Connection;

use super::ProjectError;

/// Their names and columns.
const INDEXES: [(&str, &str); 2] = [
    ("body_by_prompt", "prompt_print"),
    ("body_by_whole", "whole_print"),
];

/// Makes what is missing.
pub(super) fn make(db: &Connection) -> Result<(), ProjectError> {
    while make_next(db)? {}
    Ok(())
}

/// Makes the next that is missing; false where none was.
pub(super) fn make_next(db: &Connection) -> Result<bool, ProjectError> {
    let mut known = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1)",
    )?;
    for (name, column) in INDEXES {
        let is_there: bool = known.query_row([name], |row| row.get(0))?;
        if !is_there {
            db.execute_batch(&format!("CREATE INDEX {name} ON body ({column})"))?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes them where there is no text yet. Whoever does so has noted that something is left over, so
/// that they are made again whatever happens.
pub(super) fn drop_if_empty(db: &Connection) -> Result<(), ProjectError> {
    let has_bodies: bool =
        db.query_row("SELECT EXISTS (SELECT 1 FROM body)", [], |row| row.get(0))?;
    if !has_bodies {
        for (name, _) in INDEXES {
            db.execute_batch(&format!("DROP INDEX IF EXISTS {name}"))?;
        }
    }
    Ok(())
}
