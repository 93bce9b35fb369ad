//! CSV and TSV before anything is known of their header: the separator, and rows of cells.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, Read},
    rc::Rc,
};

use self::quotes::Quotes;
use super::{
    DatasetError, Mapping, Place, Problem, ProblemKind,
    table::{GUARD_COLUMN, unguarded_name},
};

mod quotes;

const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Cells of a row that are read at most, four times what a sheet has: a row of nothing but separators
/// takes many times its bytes.
const MAX_CELLS: usize = 1 << 16;

/// A row as it stands, or what is wrong with it.
#[derive(Debug)]
pub enum CellRow {
    Cells { line: u64, cells: Vec<String> },
    Broken(Problem),
}

/// Rows of a separated text.
pub(crate) struct Cells<R> {
    rows: csv::Reader<Metered<R>>,
    meter: Rc<Meter>,
    row: csv::StringRecord,
    cap: usize,
    n_rows: u64,
    last_line: u64,
    ended: bool,
    /// What is to be said of the table as a whole, once it has ended.
    at_end: VecDeque<Problem>,
    pub(crate) separator: u8,
}

impl<R: Read> Cells<R> {
    /// `sample` is the start of the same text, for telling the separator where none is given.
    pub(crate) fn new(
        source: R,
        sample: &str,
        separator: Option<u8>,
        cap: usize,
    ) -> Result<Self, DatasetError> {
        let declared = declared_separator(sample);
        let separator = separator
            .or(declared)
            .unwrap_or_else(|| sniff_separator(sample));
        let meter = Rc::new(Meter::new(separator));
        meter.cap.set(cap as u64);
        let source = Metered {
            source,
            meter: Rc::clone(&meter),
        };
        let rows = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .from_reader(source);
        let mut cells = Self {
            rows,
            meter,
            row: csv::StringRecord::new(),
            cap,
            n_rows: 0,
            last_line: 1,
            ended: false,
            at_end: VecDeque::new(),
            separator,
        };
        if declared.is_some() {
            cells.header()?;
        }
        Ok(cells)
    }

    /// The next row as the header; it is not counted as a row.
    pub(crate) fn header(&mut self) -> Result<Vec<String>, DatasetError> {
        let read = self.rows.read_record(&mut self.row);
        if !read.map_err(|error| table_error(error, 1, self.cap))? {
            return Err(DatasetError::Empty);
        }
        self.check_width(1)?;
        if self.row.iter().any(|name| name == GUARD_COLUMN) {
            let names = self.row.iter().map(unguarded_name);
            return Ok(names.map(str::to_owned).collect());
        }
        Ok(self.row.iter().map(in_one_line).collect())
    }

    /// The place of the next row's cells, which [`Self::cells`] then gives, or what is wrong with it.
    pub(crate) fn next_row(&mut self) -> Result<Option<Result<Place, Box<Problem>>>, DatasetError> {
        while !self.ended {
            self.meter.since_row.set(0);
            self.meter.n_separators.set(0);
            let start = self.rows.position().byte();
            let read = self.rows.read_record(&mut self.row);
            let line = self.meter.line_of(start);
            let place = Place {
                line,
                record: self.n_rows + 1,
            };
            match read {
                Err(error) => match utf8_problem(&error, place) {
                    Some(problem) => {
                        self.n_rows += 1;
                        return Ok(Some(Err(Box::new(problem))));
                    }
                    None => return Err(table_error(error, self.last_line + 1, self.cap)),
                },
                Ok(false) => {
                    self.ended = true;
                    let odd = self.meter.quotes.borrow().problem();
                    self.at_end
                        .extend(self.unclosed_quote().into_iter().chain(odd));
                }
                Ok(true) if self.row.len() > MAX_CELLS => self.check_width(line)?,
                // Spreadsheets leave rows of empty cells behind the data.
                Ok(true) if self.row.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(true) => {
                    self.n_rows += 1;
                    self.last_line = line;
                    return Ok(Some(Ok(place)));
                }
            }
        }
        let problem = self.at_end.pop_front();
        Ok(problem.map(|problem| Err(Box::new(problem))))
    }

    fn check_width(&self, line: u64) -> Result<(), DatasetError> {
        match self.row.len() > MAX_CELLS {
            true => Err(too_many_cells(line)),
            false => Ok(()),
        }
    }

    /// The cells of the row that [`Self::next_row`] came to.
    pub(crate) fn cells(&self) -> &csv::StringRecord {
        &self.row
    }

    /// A quote that never closes makes the rest of the file one cell.
    fn unclosed_quote(&self) -> Option<Problem> {
        let end = self.meter.line_of(u64::MAX);
        let swallowed = end > self.last_line + 1 && !self.meter.n_quotes.get().is_multiple_of(2);
        swallowed.then(|| {
            let place = Place {
                line: self.last_line,
                record: self.n_rows,
            };
            Problem::new(ProblemKind::BrokenRow, place, "")
                .found(format!(
                    "a quote that is never closed; the row runs to line {end}"
                ))
                .expected("a closing quote")
                .advice("close the quote, or write quotes inside a quoted cell twice")
        })
    }
}

impl<R: Read> Iterator for Cells<R> {
    type Item = Result<CellRow, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.next_row() {
            Ok(row) => row?,
            Err(error) => {
                self.ended = true;
                return Some(Err(error));
            }
        };
        Some(Ok(match row {
            Ok(place) => CellRow::Cells {
                line: place.line,
                cells: self.row.iter().map(str::to_owned).collect(),
            },
            Err(problem) => CellRow::Broken(*problem),
        }))
    }
}

/// The name of a column, which a spreadsheet may have broken over lines.
fn in_one_line(name: &str) -> String {
    match name.contains(['\n', '\r']) {
        true => name.split_whitespace().collect::<Vec<_>>().join(" "),
        false => name.trim().to_owned(),
    }
}

fn table_error(error: csv::Error, line: u64, cap: usize) -> DatasetError {
    match error.into_kind() {
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::FileTooLarge => {
            DatasetError::RowTooLarge {
                line,
                cap_mib: (cap >> 20) as u64,
            }
        }
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::QuotaExceeded => too_many_cells(line),
        csv::ErrorKind::Io(io) => DatasetError::Read(io),
        other => DatasetError::Read(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{other:?}"),
        )),
    }
}

fn too_many_cells(line: u64) -> DatasetError {
    DatasetError::Read(io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "the row that starts at line {line} has more than {MAX_CELLS} cells, which is as many as \
             are read; probably this is not a table, or another character stands between its cells"
        ),
    ))
}

fn utf8_problem(error: &csv::Error, place: Place) -> Option<Problem> {
    let csv::ErrorKind::Utf8 { err, .. } = error.kind() else {
        return None;
    };
    Some(
        Problem::new(ProblemKind::InvalidEncoding, place, "")
            .found(format!(
                "a byte that is not UTF-8 in cell {}",
                err.field() + 1
            ))
            .expected("UTF-8 text")
            .advice("name the file's encoding, for example `--encoding windows-1252`"),
    )
}

/// `sep=;` in the first line, as Excel writes it.
fn declared_separator(sample: &str) -> Option<u8> {
    let line = sample.lines().next()?.trim_end();
    let separator = line.strip_prefix("sep=")?.as_bytes();
    if separator.is_empty() {
        Some(b'\t')
    } else {
        Some(separator[0]).filter(u8::is_ascii)
    }
}

/// The separator that gives the most column names we know, then the most even rows.
fn sniff_separator(sample: &str) -> u8 {
    let score = |separator: u8| {
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .from_reader(sample.as_bytes());
        let rows: Vec<csv::StringRecord> = rows.records().take(50).map_while(Result::ok).collect();
        let header: Vec<String> = rows.first().map_or_else(Vec::new, |row| {
            row.iter().take(MAX_CELLS).map(String::from).collect()
        });
        let known =
            Mapping::guess(&header, &Mapping::default()).map_or(0, |mapping| mapping.0.len());
        let even = rows.iter().filter(|row| row.len() == header.len()).count();
        (known, usize::from(header.len() > 1) * even, header.len())
    };
    let best = SEPARATORS
        .into_iter()
        .rev()
        .max_by_key(|&separator| score(separator));
    best.unwrap_or(b',')
}

struct Meter {
    since_row: Cell<u64>,
    separator: u8,
    /// Since the row began, where no quote is near.
    n_separators: Cell<usize>,
    n_bytes: Cell<u64>,
    n_quotes: Cell<u64>,
    quotes: RefCell<Quotes>,
    cap: Cell<u64>,
    /// Line breaks not yet behind a row: offset, and whether it is `\n`.
    breaks: RefCell<VecDeque<(u64, bool)>>,
    n_lines: Cell<u64>,
}

impl Meter {
    fn new(separator: u8) -> Self {
        Self {
            since_row: Cell::default(),
            separator,
            n_separators: Cell::default(),
            n_bytes: Cell::default(),
            n_quotes: Cell::default(),
            quotes: RefCell::new(Quotes::new(separator)),
            cap: Cell::default(),
            breaks: RefCell::default(),
            n_lines: Cell::default(),
        }
    }

    /// The line, from 1, of the row that is said to start at `byte`. The csv crate's own count
    /// stops before the `\n` of a `\r\n` and before blank lines, so that they are stepped over here.
    fn line_of(&self, byte: u64) -> u64 {
        let mut breaks = self.breaks.borrow_mut();
        let mut start = byte;
        while let Some(&(offset, is_newline)) = breaks.front()
            && offset <= start
        {
            start += u64::from(offset == start);
            self.n_lines.set(self.n_lines.get() + u64::from(is_newline));
            breaks.pop_front();
        }
        self.n_lines.get() + 1
    }

    fn count(&self, bytes: &[u8]) {
        let mut breaks = self.breaks.borrow_mut();
        let start = self.n_bytes.get();
        let n_quotes = self.n_quotes.get();
        for (offset, &byte) in (start..).zip(bytes) {
            match byte {
                b'"' => self.n_quotes.set(self.n_quotes.get() + 1),
                b'\n' | b'\r' => breaks.push_back((offset, byte == b'\n')),
                _ => {}
            }
        }
        // Inside quotes separators are text.
        if n_quotes == self.n_quotes.get() && n_quotes.is_multiple_of(2) {
            let n = memchr::memchr_iter(self.separator, bytes).count();
            self.n_separators.set(self.n_separators.get() + n);
        }
        self.quotes.borrow_mut().follow(bytes);
        self.n_bytes.set(start + bytes.len() as u64);
        self.since_row
            .set(self.since_row.get() + bytes.len() as u64);
    }
}

/// Counts what one row takes, so that a quote that never closes cannot fill the memory.
struct Metered<R> {
    source: R,
    meter: Rc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.meter.count(&buffer[..n]);
        if self.meter.since_row.get() > self.meter.cap.get() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.meter.n_separators.get() > MAX_CELLS + buffer.len() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok(n)
    }
}
