//! How to read a file, and what was found out about it.

use super::{Encoding, Format, Layout, Mapping, problem::DEFAULT_KEPT_PER_KIND};
use crate::protocol::studio::{Phrase, Said};

/// Largest record that is read, so that a file without line breaks cannot fill the memory.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// What the file's name says about its shape. The content decides where it is unmistakable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Json,
    Csv,
    Tsv,
}

impl Container {
    /// By file extension, without the dot.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            _ => None,
        }
    }
}

/// How to read a file; the default guesses everything.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    pub format: Option<Format>,
    pub encoding: Option<Encoding>,
    pub mapping: Mapping,
    pub container: Option<Container>,
    /// Of a table; `None` guesses.
    pub separator: Option<u8>,
    pub max_record_bytes: usize,
    /// Keep the records as they stood in the file, for writing them back.
    pub keep_raw: bool,
    /// Repair what needs no guessing before reading a record (see [`super::fix`]).
    pub repair: bool,
    /// Of preference data, take the chosen answers (and leave out those marked as bad).
    pub take_chosen: bool,
    /// Problems of each kind whose text is kept.
    pub kept_problems: usize,
    /// Stop after this many records.
    pub limit: Option<usize>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            encoding: None,
            mapping: Mapping::default(),
            container: None,
            separator: None,
            max_record_bytes: MAX_RECORD_BYTES,
            keep_raw: false,
            repair: false,
            take_chosen: false,
            kept_problems: DEFAULT_KEPT_PER_KIND,
            limit: None,
        }
    }
}

/// What was found out about a file, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub format: Format,
    pub reason: Said,
    /// Columns read under another name.
    pub mapping: Mapping,
    pub encoding: Encoding,
    pub encoding_reason: &'static str,
    pub bom: bool,
    /// Lines end with `\r\n`.
    pub crlf: bool,
    pub shape: Shape,
}

/// How the records stand in the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Json(Layout),
    Table {
        separator: char,
        header: Vec<String>,
    },
    /// Rows of something else than a text file; of a project without columns.
    Given {
        columns: Vec<String>,
    },
}

impl Shape {
    pub fn describe(&self) -> Said {
        match self {
            Self::Json(Layout::Lines) => Said::new(Phrase::JsonLines, []),
            Self::Json(Layout::Array) => Said::new(Phrase::JsonArray, []),
            Self::Json(Layout::Concatenated) => Said::new(Phrase::JsonObjects, []),
            Self::Json(Layout::Wrapped(key)) => Said::new(Phrase::JsonUnder, [key.to_string()]),
            Self::Table {
                separator: '\t', ..
            } => Said::new(Phrase::TableByTabs, []),
            Self::Table { separator, .. } => Said::new(Phrase::TableBy, [separator.to_string()]),
            Self::Given { columns } if columns.is_empty() => Said::Text("a project".into()),
            Self::Given { columns } => {
                Said::new(Phrase::TableOfColumns, [columns.len().to_string()])
            }
        }
    }
}
