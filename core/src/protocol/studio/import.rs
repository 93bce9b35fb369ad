//! From files to records: what is in them, how they are read, what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{FindingKind, ProjectView, Said};

/// A part of an inspected file: a sheet, a member of an archive, or the file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartKey(pub u32);

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartView {
    pub part: PartKey,
    /// Name of the file, with the part inside it behind ` › `.
    pub name: String,
    pub bytes: u64,
    pub kind: PartKind,
    /// How Veneer would read it; where it cannot tell, what is missing is empty.
    pub reading: Reading,
    /// What it was recognised by, or why it cannot be read.
    pub reason: Said,
    /// Whether `reading` was remembered from an earlier import of the same columns.
    pub remembered: bool,
    /// It lies beside data and tells of it (a card, a licence, settings): taken only where it is asked
    /// for.
    #[serde(default)]
    pub beside: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Records or rows with these columns, in their order.
    Table { columns: Vec<String> },
    /// Running text: pages of a document.
    Document { n_pages: u32, n_chars: u64 },
    /// Nothing that can be read; `reason` says why.
    Unreadable,
}

/// How a part becomes records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    Records(RecordReading),
    Chunks(ChunkReading),
}

/// Rows to records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordReading {
    /// Name of the format; `None` guesses.
    pub format: Option<String>,
    /// Field (`instruction`, `output`, …) and the column it is read from.
    pub columns: Vec<(String, String)>,
    /// Field and a text with `{column}` in it, for tables without questions and answers.
    pub templates: Vec<(String, String)>,
    /// Name of the encoding; `None` guesses.
    pub encoding: Option<String>,
    /// One character; `None` guesses.
    pub separator: Option<String>,
    /// Statistics tables: rows above the header that are notes, and rows of the header itself.
    pub header: Option<Header>,
    pub numbers: Numbers,
    /// Of preference data, take the chosen answers.
    pub take_chosen: bool,
}

impl RecordReading {
    /// Whether cells and names of columns are the same under both, whatever fields are read from them.
    pub fn has_columns_of(&self, other: &Self) -> bool {
        (&self.encoding, &self.separator) == (&other.encoding, &other.separator)
            && (self.header, self.numbers) == (other.header, other.numbers)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub skipped_rows: u32,
    pub header_rows: u32,
}

/// What to do with `1,234`, `１２３４`, `6,000千円` in cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    #[default]
    AsTheyStand,
    /// Digits without separators; signs for missing values (`-`, `***`, `X`) become empty.
    Plain,
    /// Also multiplied by the unit of column or cell (千, 百万, thousand, millones), with the unit's
    /// remainder (人, 円) kept in the column's name.
    WithUnits,
}

/// A document to pieces of text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChunkReading {
    /// Tokens under the chosen model; characters where none is chosen.
    pub size: u32,
    pub overlap: u32,
    /// Tables become records of their own, a row each, beside the text.
    pub tables_as_rows: bool,
    /// Name of the encoding, where the format does not say its own; `None` guesses.
    pub encoding: Option<String>,
}

impl Default for ChunkReading {
    fn default() -> Self {
        Self {
            size: 512,
            overlap: 64,
            tables_as_rows: true,
            encoding: None,
        }
    }
}

/// The first records of a part under a reading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// What was asked for, with fields guessed anew where other options gave them other columns.
    pub reading: Option<Reading>,
    pub format: String,
    /// The first rows as they stand, cell by cell.
    pub rows: Vec<Vec<String>>,
    pub columns: Vec<String>,
    pub records: Vec<super::Content>,
    /// Problems among the records shown.
    pub problems: Vec<RowProblem>,
    /// Why it cannot be read like this, if so.
    pub failed: Option<Said>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportSummary {
    pub n_records: u64,
    /// Rows that could not become records, with the first 200 reasons.
    pub n_rejected: u64,
    pub rejected: Vec<Rejected>,
    /// What else is in the files and was not read: lists beside the records, columns, formulas
    /// without a result. Also rows that were read and may be broken.
    #[serde(default)]
    pub unread: Vec<Rejected>,
    /// What else is to be known of the files.
    #[serde(default)]
    pub notes: Vec<ImportNote>,
    pub project: ProjectView,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportNote {
    pub part: String,
    pub said: Said,
}

/// A row that became no record, or a part of a file that was not read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    pub part: String,
    pub line: u64,
    /// The worst of its problems; `None` where no record stands there.
    pub problem: Option<RowProblem>,
}

/// What is wrong with a row of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowProblem {
    pub line: u64,
    pub kind: FindingKind,
    /// In English; the page may have better words for kinds that it knows.
    pub title: String,
    pub field: String,
    pub found: Said,
    pub expected: Said,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            Some(problem) => problem.fmt(f),
            None => f.write_str("no record stands here"),
        }
    }
}

/// Without its line, which stands beside it.
impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        if !self.field.is_empty() {
            write!(f, " in `{}`", self.field)?;
        }
        if !self.found.is_empty() {
            write!(f, ", found {}", self.found)?;
        }
        if !self.expected.is_empty() {
            write!(f, ", expected {}", self.expected)?;
        }
        Ok(())
    }
}
