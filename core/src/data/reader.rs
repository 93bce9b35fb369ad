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
    DatasetError, Format, Mapping, Place, Problem, ProblemKind, Problems, Record, Supervision,
    columns::{list, near_miss},
    encoding::{Detected, Encoding, SAMPLE_BYTES, Utf8Reader, detect},
    format::{Recognised, recognise},
    parse::parse,
    problem::{DEFAULT_KEPT_PER_KIND, quote, show},
    scan::{Chunk, Fault, Layout, Scanner},
    table::{Row, Table, describe_header},
    validate::validate,
};

/// Records looked at to tell the format.
const LOOKAHEAD: usize = 20;

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
    pub max_record_bytes: usize,
    /// Keep the records as they stood in the file, for writing them back.
    pub keep_raw: bool,
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
            max_record_bytes: MAX_RECORD_BYTES,
            keep_raw: false,
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
    pub reason: String,
    /// Columns read under another name.
    pub mapping: Mapping,
    pub encoding: Encoding,
    pub encoding_reason: &'static str,
    pub bom: bool,
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
}

impl Shape {
    pub fn describe(&self) -> String {
        match self {
            Self::Json(Layout::Lines) => "JSON Lines".into(),
            Self::Json(Layout::Array) => "JSON array".into(),
            Self::Json(Layout::Concatenated) => "JSON objects, one after the other".into(),
            Self::Json(Layout::Wrapped(key)) => format!("JSON array under `{key}`"),
            Self::Table {
                separator: '\t', ..
            } => "table, tab-separated".into(),
            Self::Table { separator, .. } => format!("table, separated by `{separator}`"),
        }
    }
}

/// One record of the file: read, or broken, with what is wrong with it.
#[derive(Debug)]
pub struct Item {
    pub place: Place,
    pub record: Option<Record>,
    pub supervision: Supervision,
    /// The record as it stood in the file, if asked for.
    pub raw: Option<Map<String, Value>>,
    pub problems: Vec<Problem>,
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
    fn leftovers(&self) -> Vec<Problem> {
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
                    json_record(chunk, self.n_rows, self.options.max_record_bytes)
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
                };
            }
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

/// All records of a file in memory, with what is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    pub records: Vec<Record>,
    /// Number of each record in the file, from 1, beside `records`.
    pub numbers: Vec<u64>,
    /// The records as they stood in the file, beside `records`; empty unless asked for.
    pub raw: Vec<Map<String, Value>>,
    pub source: Source,
    pub problems: Problems,
    /// Records in the file, readable or not.
    pub n_in_file: u64,
    /// Preference data: pairs of a chosen and a rejected answer.
    pub n_pairs: u64,
    /// Preference data: answers marked good or bad.
    pub n_marked: u64,
    /// Records marked as bad that were left out (`take_chosen`).
    pub n_left_out: u64,
}

/// Read a whole dataset. Faults of single records are in `problems`; the rest is read.
///
/// # Errors
/// If the dataset as a whole cannot be read.
pub fn read(source: impl Read, options: &ReadOptions) -> Result<Loaded, DatasetError> {
    let mut reader = Reader::new(source, options.clone())?;
    let mut loaded = Loaded {
        records: Vec::new(),
        numbers: Vec::new(),
        raw: Vec::new(),
        source: reader.source(),
        problems: Problems::keeping(options.kept_problems),
        n_in_file: 0,
        n_pairs: 0,
        n_marked: 0,
        n_left_out: 0,
    };
    for item in reader.by_ref() {
        let item = item?;
        loaded.n_in_file += 1;
        loaded.problems.extend(item.problems);
        let Some(record) = item.record else { continue };
        loaded.n_pairs += u64::from(item.supervision == Supervision::Pair);
        loaded.n_marked += u64::from(matches!(item.supervision, Supervision::Marked(_)));
        if options.take_chosen && item.supervision == Supervision::Marked(false) {
            loaded.n_left_out += 1;
            continue;
        }
        loaded.records.push(record);
        loaded.numbers.push(item.place.record);
        loaded.raw.extend(item.raw);
    }
    loaded.problems.extend(reader.leftovers());
    loaded.source = reader.source();
    Ok(loaded)
}

/// A chunk as an object, or what is wrong with it.
fn json_record(chunk: Chunk, record: u64, cap: usize) -> Raw {
    let place = Place {
        line: chunk.line,
        record,
    };
    let broken = |problem| Raw::Broken { place, problem };
    let fault = |found: &str, expected: &str, advice: &str| {
        let problem = Problem::new(ProblemKind::BrokenJson, place, "");
        problem.found(found).expected(expected).advice(advice)
    };
    match chunk.fault {
        Some(Fault::ArrayNotClosed) => {
            let problem = Problem::new(ProblemKind::UnclosedArray, place, "");
            let advice = "the file may be cut off; fetch or export it again";
            return broken(
                problem
                    .found("the end of the file")
                    .expected("`]`")
                    .advice(advice),
            );
        }
        Some(Fault::TooLarge) => {
            let problem = Problem::new(ProblemKind::TooLarge, place, "");
            let expected = format!("at most {} MiB", cap >> 20);
            let advice = "split the record, or write one record a line";
            return broken(problem.found("more").expected(expected).advice(advice));
        }
        Some(Fault::TooDeep) => {
            let found = "brackets nested hundreds of levels deep";
            return broken(fault(found, "a record", "take the record out"));
        }
        Some(Fault::LineBreakInString | Fault::NotClosed) | None => {}
    }
    let text = match std::str::from_utf8(&chunk.bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &chunk.bytes[..error.valid_up_to()];
            let lines = before.iter().filter(|&&byte| byte == b'\n').count() as u64;
            let place = Place {
                line: place.line + lines,
                record,
            };
            let byte = chunk
                .bytes
                .get(error.valid_up_to())
                .copied()
                .unwrap_or_default();
            let problem = Problem::new(ProblemKind::InvalidEncoding, place, "")
                .found(format!("the byte 0x{byte:02x}"))
                .expected("UTF-8 text")
                .advice("name the file's encoding, for example `--encoding windows-1252`");
            return broken(problem);
        }
    };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => Raw::Object { place, object },
        Ok(other) => {
            let problem = Problem::new(ProblemKind::NotAnObject, place, "").found(show(&other));
            broken(
                problem
                    .expected("an object with named fields")
                    .advice("take it out"),
            )
        }
        Err(error) if error.is_eof() && chunk.fault == Some(Fault::LineBreakInString) => {
            let advice = "close the quote, or write \\n for a line break inside the text";
            broken(fault(
                "a line break inside a text",
                "a closing quote",
                advice,
            ))
        }
        Err(error) => broken(syntax_problem(&error, &chunk, text, place)),
    }
}

fn syntax_problem(error: &serde_json::Error, chunk: &Chunk, text: &str, place: Place) -> Problem {
    let offset = error.line().saturating_sub(1) as u64;
    let line_text = text.lines().nth(offset as usize).unwrap_or_default();
    // serde_json counts bytes; people and editors count characters.
    let byte = line_text.floor_char_boundary(error.column().saturating_sub(1));
    let column = line_text[..byte].chars().count() as u64;
    let column = column + if offset == 0 { chunk.column } else { 1 };
    let place = Place {
        line: place.line + offset,
        ..place
    };
    let mut said = error.to_string();
    if let Some(at) = said.rfind(" at line ") {
        said.truncate(at);
    }
    let problem = Problem::new(ProblemKind::BrokenJson, place, "").at_column(column);
    if error.is_eof() {
        let advice = "the record is cut off; complete it or take it out";
        return problem
            .found("the end of the record")
            .expected("the rest of it")
            .advice(advice);
    }
    let start = line_text.floor_char_boundary(byte.saturating_sub(12));
    problem
        .found(format!("{said} near {}", quote(line_text[start..].trim())))
        .advice("correct the JSON, or take the record out")
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

/// LLaMA-Factory's `dataset_info.json`: names of datasets, each with the place of its file.
fn registry_files(object: &Map<String, Value>) -> Option<String> {
    let file = |entry: &Value| {
        let place = ["file_name", "hf_hub_url", "script_url", "cloud_file_name"];
        place
            .iter()
            .find_map(|key| entry.get(key))
            .and_then(Value::as_str)
            .map(String::from)
    };
    let files: Option<Vec<String>> = object.values().map(file).collect();
    files
        .filter(|files| !files.is_empty())
        .map(|files| list(&files))
}

/// Files that people hand over and that are no text.
fn binary_kind(sample: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 7] = [
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow file"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"PK\x03\x04", "a ZIP archive or spreadsheet"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"%PDF-", "a PDF document"),
    ];
    MAGIC
        .iter()
        .find(|(magic, _)| sample.starts_with(magic))
        .map(|(_, kind)| *kind)
}

fn decoded_sample(sample: &[u8], encoding: Encoding) -> String {
    let mut bytes = Vec::new();
    // Reading from memory cannot fail; malformed bytes become replacement characters below.
    let read = Utf8Reader::new(sample, encoding).read_to_end(&mut bytes);
    debug_assert!(read.is_ok());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// JSON starts with a bracket; a table may, too, in theory, if its name says that it is one.
fn holds_json(text: &str, container: Option<Container>) -> bool {
    match (text.trim_start().chars().next(), container) {
        (Some('{'), _) | (_, Some(Container::Json)) => true,
        (Some('['), None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
