//! Why a dataset cannot be read or written at all; faults of single records are [`super::Problem`]s.

use crate::protocol::studio::Phrase;

/// A dataset that cannot be used as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    #[error("{}", Phrase::DatasetEmpty.english())]
    Empty,

    #[error("{}", Phrase::OnlyHeader.with([found]))]
    OnlyHeader { found: String },

    #[error("this is {kind}, not text; export it as JSONL or CSV first")]
    Binary { kind: &'static str },

    #[error("cannot read the dataset")]
    Read(#[source] std::io::Error),

    #[error("cannot write the dataset")]
    Write(#[source] std::io::Error),

    #[error("cannot write the table")]
    WriteTable(#[source] csv::Error),

    #[error("{}", unknown_format(*line, found, hint))]
    UnknownFormat {
        line: u64,
        found: String,
        /// May be empty.
        hint: String,
    },

    #[error("{}", unknown_columns(found, hint))]
    UnknownColumns { found: String, hint: String },

    #[error("{}", Phrase::NothingReadable.with([first]))]
    NothingReadable { first: String },

    #[error("{}", Phrase::ListOfDatasets.with([files]))]
    Registry { files: String },

    #[error("`--map {found}`: {reason}; expected FIELD=COLUMN, with FIELD one of {fields}")]
    Mapping {
        found: String,
        reason: String,
        fields: String,
    },

    #[error("{}", Phrase::UnmappedColumn.with([field, column, column, found]))]
    UnmappedColumn {
        field: String,
        column: String,
        found: String,
    },

    #[error(
        "encoding `{found}` is not known; expected a name such as utf-8, utf-16le, shift_jis, \
         windows-1252, latin1, euc-jp or gb18030"
    )]
    UnknownEncoding { found: String },

    #[error("format `{found}` is not known; expected one of {expected}")]
    UnknownFormatName { found: String, expected: String },

    #[error("{}", Phrase::RowTooLarge.with([line, cap_mib]))]
    RowTooLarge { line: u64, cap_mib: u64 },

    #[error("{}", Phrase::CannotSplit.with([reason]))]
    Split { reason: String },

    #[error("record at line {line} cannot be written as {target}: {reason}")]
    CannotHold {
        line: u64,
        target: &'static str,
        reason: &'static str,
    },
}

fn unknown_format(line: u64, found: &str, hint: &str) -> String {
    match hint {
        "" => Phrase::UnknownFormat.with([&line, &found]),
        hint => Phrase::UnknownFormatHint.with([&line, &found, &hint]),
    }
}

fn unknown_columns(found: &str, hint: &str) -> String {
    match hint {
        "" => Phrase::UnknownColumns.with([&found]),
        hint => Phrase::UnknownColumnsHint.with([&found, &hint]),
    }
}
