//! Why a dataset cannot be read or written at all; faults of single records are [`super::Problem`]s.

/// A dataset that cannot be used as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    #[error("the dataset is empty; expected at least one record")]
    Empty,

    #[error("this is {kind}, not text; export it as JSONL or CSV first")]
    Binary { kind: &'static str },

    #[error("cannot read the dataset")]
    Read(#[source] std::io::Error),

    #[error("cannot write the dataset")]
    Write(#[source] std::io::Error),

    #[error("cannot write the table")]
    WriteTable(#[source] csv::Error),

    #[error(
        "no known dataset format: the first record (line {line}) has the fields {found}; expected \
         one of: instruction + output, conversations, messages, prompt + completion, \
         query + response, text, input_ids{hint}"
    )]
    UnknownFormat {
        line: u64,
        found: String,
        hint: String,
    },

    #[error(
        "no known dataset format: the table has the columns {found}; expected two that name a \
         question and its answer; say which with `--map instruction=COLUMN,output=COLUMN`{hint}"
    )]
    UnknownColumns { found: String, hint: String },

    #[error("no record could be read; the first problem: {first}")]
    NothingReadable { first: String },

    #[error(
        "this is LLaMA-Factory's list of datasets, not a dataset; give one of the files that it \
         names ({files})"
    )]
    Registry { files: String },

    #[error("`--map {found}`: {reason}; expected FIELD=COLUMN, with FIELD one of {fields}")]
    Mapping {
        found: String,
        reason: String,
        fields: String,
    },

    #[error("`--map {field}={column}`: the file has no column `{column}` (it has {found})")]
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

    #[error(
        "the row that starts at line {line} is larger than {cap_mib} MiB; \
         probably a quote (\") is never closed, or this is not a table"
    )]
    RowTooLarge { line: u64, cap_mib: u64 },

    #[error("cannot split: {reason}")]
    Split { reason: String },

    #[error("record at line {line} cannot be written as {target}: {reason}")]
    CannotHold {
        line: u64,
        target: &'static str,
        reason: &'static str,
    },
}
