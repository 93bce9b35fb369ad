//! How prompts and answers begin, in order: an index of its own, filled where it is first needed.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{ProjectError, columns::Columns, sorting::Ranks, words::sort_key};
use crate::protocol::studio::SortBy;

/// Fills in at most `n_rows` bodies that are not there yet; true once there are no more.
pub(super) fn fill(db: &mut Connection, n_rows: usize) -> Result<bool, ProjectError> {
    let tx = db.transaction()?;
    let last = tx
        .prepare_cached("SELECT body FROM opening ORDER BY body DESC LIMIT 1")?
        .query_row([], |row| row.get(0));
    let last: i64 = last.optional()?.unwrap_or_default();
    let mut n_read = 0;
    {
        let sql = "SELECT id, prompt, answer FROM body WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut bodies = tx.prepare_cached(sql)?;
        let mut put = tx.prepare_cached("INSERT INTO opening VALUES (?1, ?2, ?3)")?;
        let mut rows = bodies.query(params![last, n_rows as i64])?;
        while let Some(row) = rows.next()? {
            let key = |column| -> rusqlite::Result<String> {
                Ok(sort_key(row.get_ref(column)?.as_str()?))
            };
            put.execute(params![row.get::<_, i64>(0)?, key(1)?, key(2)?])?;
            n_read += 1;
        }
    }
    tx.commit()?;
    Ok(n_read < n_rows)
}

/// The rank of each body; equal beginnings have the same.
pub(super) fn ranks(db: &Connection, by: SortBy, columns: &Columns) -> Result<Ranks, ProjectError> {
    let mut ranks = vec![0; columns.bodies.len()];
    let sql = match by {
        SortBy::Prompt => "SELECT body, prompt FROM opening ORDER BY prompt",
        SortBy::Answer => "SELECT body, answer FROM opening ORDER BY answer",
        _ => return Ok(Ranks::None),
    };
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut last = String::new();
    let mut rank = 0;
    while let Some(row) = rows.next()? {
        let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        if text != last {
            rank += 1;
            last.clear();
            last.push_str(text);
        }
        let place = columns.body_place(row.get(0)?);
        ranks[place as usize] = rank;
    }
    Ok(Ranks::Openings(ranks))
}
