//! Any supported file to records, one at a time.
//!
//! bytes → encoding ([`super::encoding`]) → records ([`super::scan`], [`super::table`]) → format
//! ([`super::format`]) → [`Record`] ([`super::parse`]) with its problems ([`super::validate`]).
//! Nothing but the first records, which tell the format, is held in memory.

use std::{
    collections::{BTreeMap, VecDeque},
    io::{Chain, Cursor, Read},
};

use serde_json::{Map, Value};

use super::{
    Container, DatasetError, Format, Layout, Mapping, Place, Problem, ProblemKind, ReadOptions,
    Record, Shape, Source, Supervision,
    columns::{list, near_miss},
    encoding::{Detected, SAMPLE_BYTES, Utf8Reader, detect},
    fix::{Change, repair},
    format::{Recognised, recognise},
    json,
    parse::parse,
    scan::Scanner,
    sniff::{binary_kind, decoded_sample, holds_json, registry_files},
    table::{Row, Table, describe_header},
    validate::validate,
};

/// Records looked at to tell the format.
const LOOKAHEAD: usize = 20;

/// One record of the file: read, or broken, with what is wrong with it.
#[derive(Debug)]
pub struct Item {
    pub place: Place,
    pub record: Option<Record>,
    pub supervision: Supervision,
    /// The record as it stood in the file, if asked for.
    pub raw: Option<Map<String, Value>>,
    pub problems: Vec<Problem>,
    /// What was repaired, if asked for.
    pub(crate) repairs: Vec<(Change, u64)>,
}

/// Iterates over the records of a file.
pub struct Reader<R> {
    rows: Rows<R>,
    /// Read ahead to tell the format.
    waiting: VecDeque<Raw>,
    source: Source,
    options: ReadOptions,
    n_rows: u64,
    n_taken: usize,
    failed: bool,
}

type Sampled<R> = Utf8Reader<Chain<Cursor<Vec<u8>>, R>>;

enum Rows<R> {
    Json(Box<Scanner<Sampled<R>>>),
    Table(Box<Table<Sampled<R>>>),
}

enum Raw {
    Object {
        place: Place,
        object: Map<String, Value>,
    },
    Broken {
        place: Place,
        problem: Problem,
    },
}

impl<R: Read> Reader<R> {
    /// Look at the start of `source` and tell encoding, shape and format.
    ///
    /// # Errors
    /// If the file is empty, binary, of no known format, or cannot be read.
    pub fn new(mut source: R, options: ReadOptions) -> Result<Self, DatasetError> {
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
        let utf8 = Utf8Reader::new(Cursor::new(sample).chain(source), detected.encoding);
        let rows = if holds_json(&text, options.container) {
            Rows::Json(Box::new(Scanner::new(utf8, options.max_record_bytes)))
        } else {
            let separator = (options.container == Some(Container::Tsv)).then_some(b'\t');
            Rows::Table(Box::new(Table::new(
                utf8,
                &text,
                separator,
                options.max_record_bytes,
            )?))
        };
        let mut reader = Self {
            rows,
            waiting: VecDeque::new(),
            source: Source {
                format: Format::Text,
                reason: String::new(),
                mapping: Mapping::default(),
                encoding: detected.encoding,
                encoding_reason: detected.reason,
                bom: detected.bom,
                crlf: text.contains("\r\n"),
                shape: Shape::Json(Layout::Lines),
            },
            options,
            n_rows: 0,
            n_taken: 0,
            failed: false,
        };
        reader.look_ahead()?;
        Ok(reader)
    }

    /// What was found out; the layout of JSON is final only after the last record.
    pub fn source(&self) -> Source {
        let mut source = self.source.clone();
        source.shape = match &self.rows {
            Rows::Json(scanner) => Shape::Json(scanner.layout()),
            Rows::Table(table) => Shape::Table {
                separator: char::from(table.separator),
                header: table.header.clone(),
            },
        };
        source
    }

    /// Parts of the file that hold no records of this dataset, after the last record.
    pub(crate) fn leftovers(&self) -> Vec<Problem> {
        let place = Place { line: 1, record: 0 };
        let (names, found, advice): (&[String], _, _) = match &self.rows {
            Rows::Json(scanner) => (
                &scanner.unread_keys,
                "beside the records",
                "put it into a file of its own if it holds records",
            ),
            Rows::Table(table) => (&table.repeated_names(), "twice", "rename the second column"),
        };
        let problem = |name: &String| {
            Problem::new(ProblemKind::UnreadKey, place, name)
                .found(found)
                .expected("it once")
                .advice(advice)
        };
        names.iter().map(problem).collect()
    }

    fn next_raw(&mut self) -> Result<Option<Raw>, DatasetError> {
        let next = match &mut self.rows {
            Rows::Json(scanner) => scanner
                .next_chunk()
                .map_err(DatasetError::Read)?
                .map(|chunk| {
                    self.n_rows += 1;
                    let place = Place {
                        line: chunk.line,
                        record: self.n_rows,
                    };
                    match json::object(&chunk, place, self.options.max_record_bytes) {
                        Ok(object) => Raw::Object { place, object },
                        Err(problem) => Raw::Broken {
                            place,
                            problem: *problem,
                        },
                    }
                }),
            Rows::Table(table) => table.next_row()?.map(|row| {
                self.n_rows += 1;
                match row {
                    Row::Object { line, object } => Raw::Object {
                        place: Place {
                            line,
                            record: self.n_rows,
                        },
                        object,
                    },
                    Row::Broken(problem) => Raw::Broken {
                        place: Place {
                            line: problem.line,
                            record: self.n_rows,
                        },
                        problem,
                    },
                }
            }),
        };
        Ok(next)
    }

    /// Read the first records and let the most of them decide.
    fn look_ahead(&mut self) -> Result<(), DatasetError> {
        let mut votes: BTreeMap<Format, (usize, Recognised)> = BTreeMap::new();
        let (mut n_objects, mut unknown) = (0, None);
        while n_objects < LOOKAHEAD
            && let Some(raw) = self.next_raw()?
        {
            if let Raw::Object { place, object } = &raw {
                n_objects += 1;
                match recognise(object, &self.options.mapping)? {
                    Some(found) => votes.entry(found.format).or_insert((0, found)).0 += 1,
                    None => unknown = unknown.or(Some((*place, object.clone()))),
                }
            }
            self.waiting.push_back(raw);
        }
        if n_objects == 0 {
            return Err(self.nothing_readable());
        }
        if let Some(format) = self.options.format {
            self.source.format = format;
            self.source.reason = "as given".into();
            self.source.mapping = votes.remove(&format).map_or_else(
                || self.options.mapping.clone(),
                |(_, recognised)| recognised.mapping,
            );
            return Ok(());
        }
        // The earlier format wins a tie: `max_by_key` keeps the last, hence the reversal.
        let Some((n, best)) = votes.into_values().rev().max_by_key(|(n, _)| *n) else {
            let (place, object) = unknown.unwrap_or((Place { line: 1, record: 1 }, Map::new()));
            return Err(self.unknown_format(place, &object));
        };
        self.source.reason = match (n, n_objects) {
            (1, 1) => format!("the only record has {}", best.reason),
            (n, all) if n == all && all < LOOKAHEAD => {
                format!("all {n} records have {}", best.reason)
            }
            (n, all) if n == all => format!("the first {n} records have {}", best.reason),
            (n, all) => format!("{n} of the first {all} records have {}", best.reason),
        };
        if matches!(self.rows, Rows::Table(_)) {
            self.source.reason = format!("the header has {}", best.reason);
        }
        self.source.format = best.format;
        self.source.mapping = best.mapping;
        Ok(())
    }

    fn nothing_readable(&self) -> DatasetError {
        let first = self.waiting.iter().find_map(|raw| match raw {
            Raw::Broken { problem, .. } => Some(problem.to_string()),
            Raw::Object { .. } => None,
        });
        first.map_or(DatasetError::Empty, |first| DatasetError::NothingReadable {
            first,
        })
    }

    fn unknown_format(&self, place: Place, object: &Map<String, Value>) -> DatasetError {
        if let Some(files) = registry_files(object) {
            return DatasetError::Registry { files };
        }
        let names: Vec<String> = object.keys().cloned().collect();
        let hints = names.iter().filter_map(|name| {
            near_miss(name).map(|field| format!("; did you mean `{field}` where it says `{name}`?"))
        });
        let hint: String = hints.take(2).collect();
        match &self.rows {
            Rows::Json(_) => DatasetError::UnknownFormat {
                line: place.line,
                found: list(&names),
                hint,
            },
            Rows::Table(table) => DatasetError::UnknownColumns {
                found: describe_header(&table.header),
                hint,
            },
        }
    }

    fn item(&mut self, raw: Raw) -> Item {
        let (place, mut object) = match raw {
            Raw::Object { place, object } => (place, object),
            Raw::Broken { place, problem } => {
                return Item {
                    place,
                    record: None,
                    supervision: Supervision::Demonstration,
                    raw: None,
                    problems: vec![problem],
                    repairs: Vec::new(),
                };
            }
        };
        let repairs = if self.options.repair {
            repair(&mut object)
        } else {
            Vec::new()
        };
        let kept = self.options.keep_raw.then(|| object.clone());
        let mut problems = misspelt_fields(&object, place);
        let format = self.format_of(&mut object, place, &mut problems);
        let parsed = parse(format, object, place, &mut problems);
        let supervision = parsed
            .as_ref()
            .map_or(Supervision::Demonstration, |parsed| parsed.1);
        let record = parsed.map(|(record, _)| record);
        problems.extend(
            record
                .iter()
                .flat_map(|record| validate(record, format, place)),
        );
        Item {
            place,
            record,
            supervision,
            raw: kept,
            problems,
            repairs,
        }
    }

    /// The file's format, or the record's own where it plainly has another. Renames mapped columns.
    fn format_of(
        &self,
        object: &mut Map<String, Value>,
        place: Place,
        problems: &mut Vec<Problem>,
    ) -> Format {
        let own = self.source.format;
        if self.options.format.is_none() && !self.fits(object) {
            // A given mapping was checked against the first records; others may lack its columns.
            if let Ok(Some(found)) = recognise(object, &Mapping::default())
                && found.format != own
            {
                problems.push(
                    Problem::new(ProblemKind::MixedFormats, place, "")
                        .found(format!("{} ({})", found.format, found.reason))
                        .expected(format!("{own}, as most of the file"))
                        .advice("it is read as what it is; `convert` makes the file one format"),
                );
                found.mapping.apply(object);
                return found.format;
            }
        }
        self.source.mapping.apply(object);
        own
    }

    /// Whether a record has the fields that tell the file's format.
    fn fits(&self, object: &Map<String, Value>) -> bool {
        let told_by = self.source.mapping.0.iter().filter(|assignment| {
            matches!(
                assignment.field,
                "instruction"
                    | "output"
                    | "messages"
                    | "conversations"
                    | "prompt"
                    | "completion"
                    | "query"
                    | "response"
                    | "text"
                    | "input_ids"
            )
        });
        told_by
            .into_iter()
            .all(|assignment| object.contains_key(&assignment.column))
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Item, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed
            || self
                .options
                .limit
                .is_some_and(|limit| self.n_taken >= limit)
        {
            return None;
        }
        let raw = match self.waiting.pop_front() {
            Some(raw) => raw,
            None => match self.next_raw() {
                Ok(raw) => raw?,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            },
        };
        self.n_taken += 1;
        Some(Ok(self.item(raw)))
    }
}

/// Fields that look like a known field's name, misspelt, where that field itself is missing.
fn misspelt_fields(object: &Map<String, Value>, place: Place) -> Vec<Problem> {
    let near = object
        .keys()
        .filter_map(|key| near_miss(key).map(|field| (key, field)));
    near.filter(|(_, field)| !object.contains_key(*field))
        .map(|(key, field)| {
            Problem::new(ProblemKind::UnknownField, place, key)
                .found(format!("`{key}`"))
                .expected(format!("`{field}`"))
                .advice(format!(
                    "rename it, or say `--map {field}={key}` if all records have it"
                ))
        })
        .collect()
}

#[cfg(test)]
mod tests;
