//! Over-long records where no model is chosen: by their characters, as the check of a file has it. With
//! a model they are found by their tokens ([`super::template`]).

use rusqlite::{Connection, OptionalExtension as _};

use super::live::{Live, LiveRecords};
use crate::{
    data::{DEFAULT_MAX_CHARS, ProblemKind},
    project::{Project, ProjectError, text_model},
};

/// The kind of finding that both have.
pub(in crate::project) const TOO_LONG: &str = ProblemKind::TooLong.name();

const MAX_CHARACTERS: &str = "max characters";

impl Project {
    /// The longest record that is not reported, as long as no model is chosen.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn set_max_characters(&mut self, n: usize) -> Result<(), ProjectError> {
        self.set_meta(MAX_CHARACTERS, &n.to_string())
    }
}

/// `None` where a model is chosen.
pub(in crate::project) fn limit(db: &Connection) -> Result<Option<i64>, ProjectError> {
    let sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let mut meta = |key: &str| -> Result<Option<String>, ProjectError> {
        Ok(statement.query_row([key], |row| row.get(0)).optional()?)
    };
    if meta(text_model::PRINT)?.is_some() {
        return Ok(None);
    }
    let chosen = meta(MAX_CHARACTERS)?.and_then(|n| n.parse().ok());
    Ok(Some(chosen.unwrap_or(DEFAULT_MAX_CHARS as i64)))
}

/// In the order of their texts.
pub(in crate::project) fn over_long(
    db: &Connection,
    live: &LiveRecords,
) -> Result<Vec<Live>, ProjectError> {
    let Some(limit) = limit(db)? else {
        return Ok(Vec::new());
    };
    let long = live.all().iter().filter(|live| live.n_chars > limit);
    Ok(long.copied().collect())
}
