//! What a project file must be before it is worked with: people send these files to each other.
//!
//! A file brings its own definitions of tables, and they act: a constraint replaces rows, a default
//! undoes actions, a foreign key deletes. So every definition has to be the one that Veneer makes,
//! word for word; comments and white space alone may differ.

use std::collections::BTreeSet;

use rusqlite::{Connection, config::DbConfig};

use super::{ProjectError, earlier_form};

/// Ids are given upwards and never twice. A file that claims more of them than numbers of JavaScript
/// can tell apart was not filled by adding records.
const MOST_IDS: i64 = 1 << 53;

/// Tables whose ids are never given again.
const COUNTED: [&str; 4] = ["action", "body", "late", "record"];

/// Of what the file itself says nothing runs.
pub(super) fn distrust(db: &Connection) -> Result<(), ProjectError> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// # Errors
/// If a table or an index is not as a file of this form has it, lacks, or is there beside them: the
/// file was made by something else, or was damaged.
pub(super) fn check_definitions(db: &Connection, form: i64) -> Result<(), ProjectError> {
    let expected = definitions(&earlier_form::as_made(form)?)?;
    let found = definitions(db)?;
    for made in &expected {
        if found.contains(made) || earlier_form::is_made_again(form, &made.name) {
            continue;
        }
        let (kind, name) = (made.kind(), &made.name);
        return Err(broken(
            match found.iter().any(|other| other.name == *name) {
                true => format!("its {kind} `{name}` is not one of Veneer's"),
                false => format!("it has no {kind} `{name}`"),
            },
        ));
    }
    let known: Vec<String> = earlier_form::KNOWN.into_iter().map(squeezed).collect();
    let is_foreign =
        |other: &&Definition| !expected.contains(*other) && !known.contains(&other.sql);
    match found.iter().find(is_foreign) {
        None => Ok(()),
        Some(other) => {
            let name: String = other.name.chars().take(60).collect();
            let kind = other.kind();
            Err(broken(format!(
                "its {kind} {name:?} is not one of Veneer's"
            )))
        }
    }
}

/// # Errors
/// If the next row of a table would get no id, or one that is no number of the page's.
pub(super) fn check_ids(db: &Connection) -> Result<(), ProjectError> {
    for table in COUNTED {
        let sql = format!(
            "SELECT max(coalesce((SELECT max(id) FROM {table}), 0),
                coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = '{table}'), 0))"
        );
        let last: i64 = db.query_row(&sql, [], |row| row.get(0))?;
        if last >= MOST_IDS {
            return Err(broken(format!(
                "its table `{table}` says that {last} of its ids are used, more than there can be"
            )));
        }
    }
    Ok(())
}

/// Looks at every record.
///
/// # Errors
/// If one is neither there nor in the trash nor gone, or is there without its text.
pub(super) fn check_records(db: &Connection) -> Result<(), ProjectError> {
    let mut statement = db.prepare(
        "SELECT id FROM record
         WHERE typeof(state) <> 'integer' OR state NOT BETWEEN 0 AND 2
            OR state < 2 AND NOT EXISTS (SELECT 1 FROM body WHERE body.id = record.body) LIMIT 1",
    )?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Err(not_whole(row.get(0)?)),
        None => Ok(()),
    }
}

/// A record that cannot be read, and must not be passed over.
pub(super) fn not_whole(record: u64) -> ProjectError {
    broken(format!(
        "record {record} has no text, or a state that there is not"
    ))
}

fn broken(detail: String) -> ProjectError {
    ProjectError::Broken { detail }
}

/// A table or an index.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Definition {
    name: String,
    /// Squeezed; empty for the index of a constraint.
    sql: String,
}

impl Definition {
    fn kind(&self) -> &'static str {
        let words = |start: &str| self.sql.starts_with(start);
        if words("CREATE TABLE ") || words("CREATE VIRTUAL TABLE ") {
            "table"
        } else if words("CREATE VIEW ") {
            "view"
        } else {
            "index"
        }
    }
}

/// All that is defined, whatever the file says of which kind it is: SQLite goes by the words alone.
fn definitions(db: &Connection) -> Result<BTreeSet<Definition>, ProjectError> {
    let mut statement = db.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    let mut all = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let sql: String = row.get(1)?;
        let definition = Definition {
            name: row.get(0)?,
            sql: squeezed(&sql),
        };
        if !does_nothing(&definition.sql) {
            all.insert(definition);
        }
    }
    Ok(all)
}

/// Triggers are off, and nobody writes what was counted for the planner.
fn does_nothing(sql: &str) -> bool {
    sql.starts_with("CREATE TRIGGER ") || sql.starts_with("CREATE TABLE sqlite_stat")
}

/// Without comments, and without white space where it parts nothing.
fn squeezed(sql: &str) -> String {
    let is_mark = |c: char| matches!(c, '(' | ')' | ',');
    let mut squeezed = String::with_capacity(sql.len());
    let mut is_parted = false;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_whitespace() {
            is_parted = true;
            continue;
        }
        if c == '-' && chars.peek() == Some(&'-') {
            is_parted = true;
            while chars.next().is_some_and(|c| c != '\n') {}
            continue;
        }
        if std::mem::take(&mut is_parted) && !is_mark(c) && !squeezed.ends_with(is_mark) {
            squeezed.push(' ');
        }
        squeezed.push(c);
        let quote = match c {
            '\'' | '"' | '`' => c,
            '[' => ']',
            _ => continue,
        };
        for inside in chars.by_ref() {
            squeezed.push(inside);
            if inside == quote {
                break;
            }
        }
    }
    squeezed
}

#[cfg(test)]
mod tests;
