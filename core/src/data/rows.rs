//! A file's records as objects, before anything is known of their format.
//!
//! JSON and tables are read here; other files (spreadsheets, Parquet) bring rows of their own, so
//! that all of them go through the same recognition, parsing and checks.

use std::io::{Chain, Cursor, Read};

use super::{
    Container, DatasetError, Encoding, Place, Problem, ProblemKind, ReadOptions, Shape,
    cells::{CellRow, Cells},
    encoding::{Detected, SAMPLE_BYTES, Utf8Reader, detect},
    json,
    scan::{Scanner, Unread},
    sniff::{binary_kind, decoded_sample, holds_json},
    table::{Row, Table},
};
use crate::protocol::studio::Phrase;

type Sampled<R> = Utf8Reader<Chain<Cursor<Vec<u8>>, R>>;

/// Rows that something else than a text file gives.
pub type GivenRows = Box<dyn Iterator<Item = Result<Row, DatasetError>>>;

/// Rows of a file, one after the other.
pub struct Rows<R> {
    from: Origin<R>,
    pub(crate) facts: Facts,
    cap: usize,
    n_rows: u64,
}

enum Origin<R> {
    Json(Box<Scanner<Sampled<R>>>),
    Table(Box<Table<Sampled<R>>>),
    Given {
        columns: Vec<String>,
        rows: GivenRows,
    },
}

/// What was found out about the bytes of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) detected: Detected,
    pub(crate) crlf: bool,
}

/// A text file as UTF-8, with its start.
struct Opened<R> {
    text: Sampled<R>,
    sample: String,
    facts: Facts,
}

impl<R: Read> Rows<R> {
    /// Look at the start of `source` and tell encoding and shape.
    ///
    /// # Errors
    /// If the file is empty, binary, or cannot be read.
    pub fn open(source: R, options: &ReadOptions) -> Result<Self, DatasetError> {
        let Opened {
            text,
            sample,
            facts,
        } = open(source, options)?;
        let cap = options.max_record_bytes;
        let from = if holds_json(&sample, options.container) {
            Origin::Json(Box::new(Scanner::new(text, cap)))
        } else {
            let table = Table::new(text, &sample, separator(options), cap)?;
            Origin::Table(Box::new(table))
        };
        Ok(Self {
            from,
            facts,
            cap,
            n_rows: 0,
        })
    }

    /// Rows that were read elsewhere, from a table with these columns.
    pub fn given(columns: Vec<String>, rows: GivenRows) -> Self {
        let detected = Detected {
            encoding: Encoding::UTF_8,
            bom: false,
            reason: "not a text file",
        };
        Self {
            from: Origin::Given { columns, rows },
            facts: Facts {
                detected,
                crlf: false,
            },
            cap: super::MAX_RECORD_BYTES,
            n_rows: 0,
        }
    }

    /// The columns of a table; JSON names its fields record by record.
    pub fn columns(&self) -> Option<&[String]> {
        match &self.from {
            Origin::Json(_) => None,
            Origin::Table(table) => Some(&table.header),
            Origin::Given { columns, .. } => Some(columns),
        }
    }

    /// Name of the encoding that the file is in.
    pub fn encoding(&self) -> Encoding {
        self.facts.detected.encoding
    }

    /// How the records stand in the file; of JSON, as far as it has been read.
    pub fn shape(&self) -> Shape {
        match &self.from {
            Origin::Json(scanner) => Shape::Json(scanner.layout()),
            Origin::Table(table) => Shape::Table {
                separator: table.separator(),
                header: table.header.clone(),
            },
            Origin::Given { columns, .. } => Shape::Given {
                columns: columns.clone(),
            },
        }
    }

    /// The next row with its place.
    pub(crate) fn next_row(&mut self) -> Result<Option<(Place, Row)>, DatasetError> {
        self.n_rows += 1;
        let record = self.n_rows;
        let row = match &mut self.from {
            Origin::Json(scanner) => {
                let chunk = scanner.next_chunk().map_err(DatasetError::Read)?;
                chunk.map(|chunk| {
                    let line = chunk.line;
                    match json::object(&chunk, Place { line, record }, self.cap) {
                        Ok(object) => Row::Object { line, object },
                        Err(problem) => Row::Broken(*problem),
                    }
                })
            }
            Origin::Table(table) => table.next_row()?,
            Origin::Given { rows, .. } => rows.next().transpose()?,
        };
        Ok(row.map(|mut row| {
            let place = match &mut row {
                Row::Object { line, .. } => Place {
                    line: *line,
                    record,
                },
                Row::Broken(problem) => {
                    // What is said of a file as a whole is of no record.
                    if problem.record > 0 {
                        problem.record = record;
                    }
                    Place {
                        line: problem.line,
                        record: problem.record,
                    }
                }
            };
            (place, row)
        }))
    }

    /// Parts of the file that hold no records of this dataset, after the last record.
    pub(crate) fn leftovers(&self) -> Vec<Problem> {
        let Origin::Json(scanner) = &self.from else {
            return Vec::new();
        };
        let problem = |unread: &Unread| {
            let place = Place {
                line: unread.line,
                record: 0,
            };
            let found = match unread.n_objects {
                0 => Phrase::BesideTheRecords.english().to_owned(),
                n => Phrase::ListBesideRecords.with([&n]),
            };
            Problem::new(ProblemKind::UnreadKey, place, &unread.key)
                .found(found)
                .advice("put it into a file of its own if it holds records")
        };
        scanner.unread.iter().map(problem).collect()
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row()
            .map(|row| row.map(|(_, row)| row))
            .transpose()
    }
}

/// A table's rows as they stand, above and below its header, and what stands between their cells.
/// Empty rows are passed over.
///
/// # Errors
/// If the file is empty, binary, or cannot be read.
pub fn cells<R: Read>(
    source: R,
    options: &ReadOptions,
) -> Result<
    (
        impl Iterator<Item = Result<CellRow, DatasetError>> + use<R>,
        u8,
    ),
    DatasetError,
> {
    let Opened { text, sample, .. } = open(source, options)?;
    let cap = options.max_record_bytes;
    let cells = Cells::new(text, &sample, separator(options), cap)?;
    let separator = cells.separator;
    Ok((cells, separator))
}

fn open<R: Read>(mut source: R, options: &ReadOptions) -> Result<Opened<R>, DatasetError> {
    let mut sample = Vec::new();
    let cap = SAMPLE_BYTES as u64;
    source
        .by_ref()
        .take(cap)
        .read_to_end(&mut sample)
        .map_err(DatasetError::Read)?;
    let complete = sample.len() < SAMPLE_BYTES;
    if let Some(kind) = binary_kind(&sample) {
        return Err(DatasetError::Binary { kind });
    }
    let detected = match options.encoding {
        None => detect(&sample, complete),
        Some(encoding) => Detected {
            encoding,
            bom: false,
            reason: "as given",
        },
    };
    let text = decoded_sample(&sample, detected.encoding);
    if text.trim().is_empty() && complete {
        return Err(DatasetError::Empty);
    }
    let crlf = text.contains("\r\n");
    Ok(Opened {
        text: Utf8Reader::new(Cursor::new(sample).chain(source), detected.encoding),
        sample: text,
        facts: Facts { detected, crlf },
    })
}

fn separator(options: &ReadOptions) -> Option<u8> {
    let tabs = || (options.container == Some(Container::Tsv)).then_some(b'\t');
    options.separator.or_else(tabs)
}
