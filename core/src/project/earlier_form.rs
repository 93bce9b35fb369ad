//! Project files of an earlier form, brought up to today's when they are opened.

use rusqlite::{Connection, params, types::Value};

use super::{
    ProjectError,
    file::FORM,
    runs::{Run, Runs},
};

/// Form 1 had a row of `change` for every value, nothing that is late, and the state in the index by
/// position.
///
/// # Errors
/// If the file is damaged, or cannot be written.
pub(super) fn bring_up(db: &mut Connection) -> Result<(), ProjectError> {
    let tx = db.transaction()?;
    tx.execute_batch("ALTER TABLE change RENAME TO earlier_change")?;
    for table in ["change", "late"] {
        tx.execute_batch(as_it_is_now(table))?;
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
    tx.pragma_update(None, "user_version", FORM)?;
    Ok(tx.commit()?)
}

fn put(db: &Connection, change: Option<((i64, String), Runs)>) -> Result<(), ProjectError> {
    if let Some(((action, field), runs)) = change {
        db.prepare_cached("INSERT INTO change (action, field, runs) VALUES (?1, ?2, ?3)")?
            .execute(params![action, field, runs.encode()])?;
    }
    Ok(())
}

/// How a table is made.
fn as_it_is_now(table: &str) -> &'static str {
    let schema = include_str!("schema.sql");
    let start = schema.find(&format!("CREATE TABLE {table} ("));
    let statement = &schema[start.unwrap_or(schema.len())..];
    let end = statement.find("\n)").map_or(0, |end| end + "\n)".len());
    &statement[..end]
}
