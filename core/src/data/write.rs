//! Records out, in any format, and what a format cannot hold.
//!
//! Nothing is dropped in silence: every kind of loss is counted, and the caller decides whether
//! the file may be used. Columns that are not part of the text travel along under their own names.

mod beside;
mod fields;
mod rows;

use std::{collections::BTreeMap, io::Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{DatasetError, Format, Loaded, Record, Shape};
use crate::protocol::studio::Phrase;
pub(crate) use fields::{header, to_fields};
use rows::{TableStyle, write_json, write_table};

/// How the file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One array, indented.
    JsonArray,
    /// One object a line.
    JsonLines,
    Table {
        separator: u8,
        /// Put `'` before cells that a spreadsheet would run as formulas, and name those cells in
        /// the column `veneer_guarded`, by which reading takes the mark back. What is no text
        /// is named there too, so that it comes back as what it was.
        guard: bool,
        /// A byte order mark, by which Excel knows UTF-8.
        bom: bool,
    },
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub format: Format,
    pub style: Style,
}

/// Something that a record has and the target cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Records that the target cannot express at all; they are left out.
    Record,
    System,
    /// Earlier turns of a conversation; the last question and answer are kept.
    EarlierTurns,
    /// Answers before the last, which would be read but no longer trained.
    EarlierAnswers,
    /// Messages behind the last answer.
    LaterMessages,
    Tools,
    /// Text that stands in one message with a tool call; it becomes a message of its own.
    TextBesideCall,
    CallIds,
    Weights,
    Names,
    /// Further keys of messages, such as reasoning.
    MessageKeys,
    /// A column whose name means something else in the target, or to whoever reads it.
    Column,
    /// Plain text that becomes a chat: a template will be put around it.
    PlainText,
}

impl Loss {
    /// Whether text that would have been trained, or a statement about it, is gone.
    pub fn is_lossy(self) -> bool {
        self != Self::PlainText
    }

    /// What is lost, in words.
    pub fn phrase(self) -> Phrase {
        match self {
            Self::Record => Phrase::LosesRecord,
            Self::System => Phrase::LosesSystem,
            Self::EarlierTurns => Phrase::LosesEarlierTurns,
            Self::EarlierAnswers => Phrase::LosesEarlierAnswers,
            Self::LaterMessages => Phrase::LosesLaterMessages,
            Self::Tools => Phrase::LosesTools,
            Self::TextBesideCall => Phrase::LosesTextBesideCall,
            Self::CallIds => Phrase::LosesCallIds,
            Self::Weights => Phrase::LosesWeights,
            Self::Names => Phrase::LosesNames,
            Self::MessageKeys => Phrase::LosesMessageKeys,
            Self::Column => Phrase::LosesColumn,
            Self::PlainText => Phrase::LosesPlainText,
        }
    }

    pub fn title(self) -> &'static str {
        self.phrase().english()
    }
}

/// How many records lose what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Losses {
    pub counts: BTreeMap<Loss, u64>,
    pub n_written: u64,
}

impl Losses {
    pub fn is_lossy(&self) -> bool {
        self.counts.keys().any(|loss| loss.is_lossy())
    }

    fn add(&mut self, losses: impl IntoIterator<Item = Loss>) {
        for loss in losses {
            *self.counts.entry(loss).or_insert(0) += 1;
        }
    }
}

/// Write records; returns what the target could not hold.
///
/// # Errors
/// If writing fails.
pub fn write(
    records: &[Record],
    target: Target,
    out: &mut dyn Write,
) -> Result<Losses, DatasetError> {
    write_with(records, |_| None, target, out)
}

/// Write a dataset that was read with `keep_raw`, so that Alpaca's `input` stays apart from its
/// `instruction` where the target has both.
///
/// # Errors
/// If writing fails.
pub fn convert(
    loaded: &Loaded,
    target: Target,
    out: &mut dyn Write,
) -> Result<Losses, DatasetError> {
    let same = loaded.source.format == Format::Alpaca && target.format == Format::Alpaca;
    let original = |i: usize| {
        let mut raw = loaded.raw.get(i).filter(|_| same)?.clone();
        loaded.source.mapping.apply(&mut raw);
        Some(raw)
    };
    write_with(&loaded.records, original, target, out)
}

/// Rows as they stood in a file, written in the same shape.
///
/// # Errors
/// If writing fails.
pub fn write_rows<'a>(
    rows: impl Iterator<Item = &'a Map<String, Value>>,
    shape: &Shape,
    out: &mut dyn Write,
) -> Result<(), DatasetError> {
    match shape {
        Shape::Json(layout) => write_json(rows, *layout, out).map_err(DatasetError::Write),
        Shape::Table { separator, header } => {
            let guarded = header.iter().any(|name| name == super::table::GUARD_COLUMN);
            let style = TableStyle {
                separator: u8::try_from(*separator).unwrap_or(b','),
                guard: guarded,
                name_lacking: guarded,
                bom: false,
            };
            let rows: Vec<&Map<String, Value>> = rows.collect();
            write_table(header, &rows, style, out)
        }
        // The file it came from cannot be written; JSON keeps the types of cells.
        Shape::Given { .. } => {
            write_json(rows, super::Layout::Lines, out).map_err(DatasetError::Write)
        }
    }
}

/// A table as spreadsheets open it: cells guarded against running as formulas, and a byte order mark.
///
/// # Errors
/// If writing fails.
#[cfg(feature = "studio")]
pub(crate) fn write_sheet(
    header: &[String],
    rows: &[Map<String, Value>],
    separator: u8,
    out: &mut dyn Write,
) -> Result<(), DatasetError> {
    let rows: Vec<&Map<String, Value>> = rows.iter().collect();
    let style = TableStyle {
        separator,
        guard: true,
        name_lacking: true,
        bom: true,
    };
    write_table(header, &rows, style, out)
}

fn write_with(
    records: &[Record],
    original: impl Fn(usize) -> Option<Map<String, Value>>,
    target: Target,
    out: &mut dyn Write,
) -> Result<Losses, DatasetError> {
    let mut losses = Losses::default();
    let table = matches!(target.style, Style::Table { .. });
    let mut encode = |i: usize, record: &Record| {
        let original = original(i);
        let (fields, lost) = to_fields(record, original.as_ref(), target.format, table);
        losses.n_written += u64::from(fields.is_some());
        losses.add(lost);
        fields
    };
    let rows = records
        .iter()
        .enumerate()
        .filter_map(|(i, record)| encode(i, record));
    match target.style {
        Style::JsonArray => rows::write_json_owned(rows, super::Layout::Array, out),
        Style::JsonLines => rows::write_json_owned(rows, super::Layout::Lines, out),
        Style::Table {
            separator,
            guard,
            bom,
        } => {
            let rows: Vec<Map<String, Value>> = rows.collect();
            let header = header(&rows, target.format);
            let rows: Vec<&Map<String, Value>> = rows.iter().collect();
            let style = TableStyle {
                separator,
                guard,
                name_lacking: false,
                bom,
            };
            write_table(&header, &rows, style, out)?;
            return Ok(losses);
        }
    }
    .map_err(DatasetError::Write)?;
    Ok(losses)
}

#[cfg(test)]
mod tests;
