//! Why something cannot be done with a project.

use crate::{
    data::DatasetError, documents::DocumentError, protocol::studio::Phrase, text::TextError,
};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    #[error("the file is not a Veneer project")]
    NotAProject,

    #[error(
        "the project was made by a newer Veneer (form {found}, this one reads up to {known}); \
         update, or export the data there and import it here"
    )]
    Newer { found: i64, known: i64 },

    #[error("the project file is damaged: {detail}")]
    Broken { detail: String },

    /// The disk or the browser's storage; what was done before stays.
    #[error("there is no space left for the project; nothing of this step was kept")]
    Full,

    #[error(
        "the project cannot be written: its file or folder is read-only; make both writable, or copy \
         the project to where you can write"
    )]
    ReadOnly,

    #[error("record {record} is not in the project")]
    NoRecord { record: u64 },

    #[error("{}", Phrase::SplitIsFrozen.english())]
    SplitIsFrozen,

    /// What, and what to do instead.
    #[error("{reason}")]
    CannotDo { reason: String },

    #[error("cancelled")]
    Cancelled,

    #[error(transparent)]
    Data(#[from] DatasetError),

    #[error(transparent)]
    Document(#[from] DocumentError),

    #[error(transparent)]
    Text(#[from] TextError),

    #[error("the project's database: {0}")]
    Database(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for ProjectError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            // No row that is written breaks one of our constraints, unless others are not ours.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::ConstraintViolation) => Self::Broken {
                detail: error.to_string(),
            },
            Some(ErrorCode::NotADatabase) => Self::NotAProject,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            _ if is_of_another_kind(&error) => Self::Broken {
                detail: error.to_string(),
            },
            _ => Self::Database(error),
        }
    }
}

/// Whether a value is not what its column holds.
fn is_of_another_kind(error: &rusqlite::Error) -> bool {
    use rusqlite::{Error, types::FromSqlError};
    match error {
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => true,
        Error::ToSqlConversionFailure(source) => source.is::<FromSqlError>(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_row_that_a_file_does_not_take_is_damage() {
        let db = Connection::open_in_memory().unwrap();
        let batch = "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1), (1)";
        let error = ProjectError::from(db.execute_batch(batch).unwrap_err());
        assert!(matches!(error, ProjectError::Broken { .. }), "{error}");
    }
}
