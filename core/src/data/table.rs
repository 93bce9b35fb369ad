//! CSV and TSV: the separator, the header, and rows as objects of text.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, Read},
    rc::Rc,
};

use serde_json::{Map, Value};

use super::{
    DatasetError, Place, Problem, ProblemKind,
    columns::{Mapping, list},
};

/// Column in which an export says which cells of the row it guarded (see [`super::write`]).
pub(crate) const GUARD_COLUMN: &str = "veneer_guarded";

const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Rows of a table, one object each.
pub(crate) struct Table<R> {
    rows: csv::Reader<Metered<R>>,
    meter: Rc<Meter>,
    pub(crate) header: Vec<String>,
    row: csv::StringRecord,
    cap: usize,
    n_rows: u64,
    last_line: u64,
    ended: bool,
    pub(crate) separator: u8,
}

/// One row, or what is wrong with it.
pub(crate) enum Row {
    Object {
        line: u64,
        object: Map<String, Value>,
    },
    Broken(Problem),
}

impl<R: Read> Table<R> {
    /// `sample` is the start of the same text, for telling the separator.
    pub(crate) fn new(
        source: R,
        sample: &str,
        separator: Option<u8>,
        cap: usize,
    ) -> Result<Self, DatasetError> {
        let declared = declared_separator(sample);
        let separator = declared
            .or(separator)
            .unwrap_or_else(|| sniff_separator(sample));
        let meter = Rc::new(Meter::default());
        meter.cap.set(cap as u64);
        let source = Metered {
            source,
            meter: Rc::clone(&meter),
        };
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(false)
            .from_reader(source);
        let mut row = csv::StringRecord::new();
        for _ in 0..=usize::from(declared.is_some()) {
            if !rows
                .read_record(&mut row)
                .map_err(|error| table_error(error, 1, cap))?
            {
                return Err(DatasetError::Empty);
            }
        }
        let header = row.iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self {
            rows,
            meter,
            header,
            row,
            cap,
            n_rows: 0,
            last_line: 1,
            ended: false,
            separator,
        })
    }

    /// Header names that stand twice: only the first such column can be read.
    pub(crate) fn repeated_names(&self) -> Vec<String> {
        let repeated = |(i, name): &(usize, &String)| self.header[..*i].contains(name);
        self.header
            .iter()
            .enumerate()
            .filter(repeated)
            .map(|(_, name)| name.clone())
            .collect()
    }

    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, DatasetError> {
        while !self.ended {
            self.meter.since_row.set(0);
            let start = self.rows.position().byte();
            let read = self.rows.read_record(&mut self.row);
            let line = self.meter.line_of(start);
            match read {
                Err(error) => match utf8_problem(
                    &error,
                    Place {
                        line,
                        record: self.n_rows + 1,
                    },
                ) {
                    Some(problem) => {
                        self.n_rows += 1;
                        return Ok(Some(Row::Broken(problem)));
                    }
                    None => return Err(table_error(error, self.last_line + 1, self.cap)),
                },
                Ok(false) => {
                    self.ended = true;
                    return Ok(self.unclosed_quote().map(Row::Broken));
                }
                // Spreadsheets leave rows of empty cells behind the data.
                Ok(true) if self.row.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(true) => {
                    self.n_rows += 1;
                    self.last_line = line;
                    return Ok(Some(self.current_row(line)));
                }
            }
        }
        Ok(None)
    }

    fn current_row(&self, line: u64) -> Row {
        let place = Place {
            line,
            record: self.n_rows,
        };
        if self.row.len() != self.header.len() {
            let columns = |n| format!("{n} column{}", if n == 1 { "" } else { "s" });
            return Row::Broken(
                Problem::new(ProblemKind::BrokenRow, place, "")
                    .found(columns(self.row.len()))
                    .expected(columns(self.header.len()))
                    .advice(
                        "put quotes (\") around a cell that holds a separator or a line break, \
                         and write quotes inside it twice",
                    ),
            );
        }
        let mut object = Map::new();
        for (name, cell) in self.header.iter().zip(&self.row) {
            if !object.contains_key(name) {
                object.insert(name.clone(), Value::String(cell.to_owned()));
            }
        }
        unguard(&mut object);
        Row::Object { line, object }
    }

    /// A quote that never closes makes the rest of the file one cell.
    fn unclosed_quote(&self) -> Option<Problem> {
        let end = self.meter.line_of(u64::MAX);
        let swallowed = end > self.last_line + 1 && !self.meter.quotes.get().is_multiple_of(2);
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

/// Take back what our own export did to cells that a spreadsheet would run as formulas.
fn unguard(object: &mut Map<String, Value>) {
    let Some(Value::String(names)) = object.shift_remove(GUARD_COLUMN) else {
        return;
    };
    for name in names.split_whitespace() {
        if let Some(Value::String(cell)) = object.get_mut(name)
            && cell.starts_with('\'')
        {
            cell.remove(0);
        }
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
        csv::ErrorKind::Io(io) => DatasetError::Read(io),
        other => DatasetError::Read(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{other:?}"),
        )),
    }
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
        let header: Vec<String> = rows
            .first()
            .map_or_else(Vec::new, |row| row.iter().map(String::from).collect());
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

/// The columns of a table as an error lists them.
pub(crate) fn describe_header(header: &[String]) -> String {
    list(header)
}

#[derive(Default)]
struct Meter {
    since_row: Cell<u64>,
    n_bytes: Cell<u64>,
    quotes: Cell<u64>,
    cap: Cell<u64>,
    /// Line breaks not yet behind a row: offset, and whether it is `\n`.
    breaks: RefCell<VecDeque<(u64, bool)>>,
    n_lines: Cell<u64>,
}

impl Meter {
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
        for (offset, &byte) in (start..).zip(bytes) {
            match byte {
                b'"' => self.quotes.set(self.quotes.get() + 1),
                b'\n' | b'\r' => breaks.push_back((offset, byte == b'\n')),
                _ => {}
            }
        }
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
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row with its line, or what is wrong with it.
    type Outcome = Result<(u64, Value), String>;

    fn rows(text: &str) -> (u8, Vec<Outcome>) {
        let mut table = Table::new(text.as_bytes(), text, None, 1 << 20).unwrap();
        let mut rows = Vec::new();
        while let Some(row) = table.next_row().unwrap() {
            rows.push(match row {
                Row::Object { line, object } => Ok((line, Value::Object(object))),
                Row::Broken(problem) => Err(problem.to_string()),
            });
        }
        (table.separator, rows)
    }

    #[track_caller]
    fn check(text: &str, separator: u8, line: u64, answer: &str) {
        let (found, rows) = rows(text);
        let (row_line, object) = rows[0].as_ref().unwrap();
        assert_eq!(
            (found, *row_line, object["answer"].as_str()),
            (separator, line, Some(answer))
        );
    }

    #[test]
    fn separators_are_told_apart() {
        check("question,answer\na;b;c,\"d, e\"\n", b',', 2, "d, e");
        check(
            "question;answer\r\n¿A, b, c?;1.234,5\r\n",
            b';',
            2,
            "1.234,5",
        );
        check(
            "question\tanswer\nq, r\tone\ttwo\nq\tx\n"
                .replace("\ttwo", "")
                .as_str(),
            b'\t',
            2,
            "one",
        );
        check("sep=|\nquestion|answer\na|b\n", b'|', 3, "b");
    }

    #[test]
    fn lines_count_line_breaks_inside_cells() {
        let (_, rows) = rows("question,answer\n\"a\nb\",c\n\nd,e\n,\n");
        let lines: Vec<u64> = rows.iter().map(|row| row.as_ref().unwrap().0).collect();
        assert_eq!(lines, [2, 5]);
    }

    #[test]
    fn a_row_of_another_width_is_named() {
        let (_, rows) = rows("question,answer\na,b,c\nd,e\n");
        let error = rows[0].as_ref().unwrap_err();
        assert!(
            error.contains("line 2") && error.contains("found 3 columns, expected 2"),
            "{error}"
        );
        assert!(rows[1].is_ok());
    }

    #[test]
    fn a_quote_that_never_closes_is_named() {
        let (_, rows) = rows("question,answer\na,b\nc,\"d\ne,f\ng,h\n");
        let error = rows.last().unwrap().as_ref().unwrap_err();
        assert!(
            error.contains("line 3") && error.contains("never closed"),
            "{error}"
        );
    }

    #[test]
    fn an_endless_cell_does_not_fill_the_memory() {
        let text = format!("question,answer\na,\"{}", "x".repeat(100_000));
        let mut table = Table::new(text.as_bytes(), &text, None, 50_000).unwrap();
        let error = table.next_row().err().expect("refused").to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn only_our_own_guards_are_taken_back() {
        let (_, found) = rows("question,answer,veneer_guarded\n'=1+1,'=2,question\n'a,'-b,\n");
        let cells: Vec<_> = found
            .iter()
            .map(|row| row.as_ref().unwrap().1.clone())
            .collect();
        assert_eq!(
            cells[0],
            serde_json::json!({"question": "=1+1", "answer": "'=2"})
        );
        assert_eq!(
            cells[1],
            serde_json::json!({"question": "'a", "answer": "'-b"})
        );
    }
}
