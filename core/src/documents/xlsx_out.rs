//! Rows as a spreadsheet that people edit and that comes back without loss.
//!
//! A cell is text, a number or a truth value, never a formula. What a cell cannot hold as it is (a
//! list, control characters) stands in it as JSON, and the hidden column [`CELLS_COLUMN`] lists the
//! columns of the row that were written so, and those whose cell is empty because their text is. A
//! text longer than a cell goes on in further columns at the end. [`unpacked`] takes all of it back.

use std::borrow::Cow;

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};
use serde_json::{Map, Value};

use super::DocumentError;
use crate::data::{GivenRows, Row};

/// Names the columns of a row whose cells are JSON, as a JSON list; marks the file as ours.
pub const CELLS_COLUMN: &str = "veneer_cells";

/// Stands there before the name of a column whose text is empty.
const EMPTY_MARK: char = '∅';

/// Between the name of a column and the number of its part, from 2.
const PART_MARK: &str = " ⟨veneer part ";

/// In UTF-16 units, as Excel counts; a little under its limit of 32 767.
const MAX_CELL: usize = 32_000;
/// Rows of a sheet, its header among them.
pub const MAX_ROWS: usize = 1_048_576;
const MAX_COLUMNS: usize = 16_384;

/// A workbook of one sheet with these columns.
///
/// # Errors
/// If there are more rows or columns than a sheet has.
pub fn xlsx(
    columns: &[String],
    rows: impl IntoIterator<Item = Map<String, Value>>,
) -> Result<Vec<u8>, DocumentError> {
    let mut workbook = Workbook::new();
    let properties = DocProperties::new().set_creation_datetime(&fixed_day()?);
    workbook.set_properties(&properties);
    let sheet = workbook.add_worksheet();
    let mut out = Sheet::new(sheet, columns);
    for row in rows {
        out.row(&row)?;
    }
    out.finish()?;
    workbook.save_to_buffer().map_err(refused)
}

/// A row of a sheet that [`xlsx`] wrote with these columns, as it was; any other row unchanged.
pub fn unpacked(mut row: Map<String, Value>, columns: &[String]) -> Map<String, Value> {
    let Some(listed) = row.shift_remove(CELLS_COLUMN) else {
        return row;
    };
    join_parts(&mut row);
    // A cell that was empty is a column that the record did not have.
    row.retain(|_, value| !matches!(value, Value::Null) && value != "");
    let listed = listed.as_str().unwrap_or_default();
    let names: Vec<String> = serde_json::from_str(listed).unwrap_or_default();
    let mut empty = Vec::new();
    for name in &names {
        let Some(value) = row.get_mut(name) else {
            empty.extend(name.strip_prefix(EMPTY_MARK));
            continue;
        };
        let Some(text) = value.as_str() else { continue };
        // Spreadsheets spell truth values in capitals.
        let lower = text.to_ascii_lowercase();
        let text = if matches!(lower.as_str(), "true" | "false") {
            lower.as_str()
        } else {
            text
        };
        // What someone edited since may not be JSON any more; then it is the text that they wrote.
        if let Ok(parsed) = serde_json::from_str(text) {
            *value = parsed;
        }
    }
    match empty.is_empty() {
        true => row,
        false => with_empty(row, &empty, columns),
    }
}

/// A row with its empty texts, each in the place of its column.
fn with_empty(
    mut row: Map<String, Value>,
    empty: &[&str],
    columns: &[String],
) -> Map<String, Value> {
    let value = |name: &String| {
        let is_empty = empty.contains(&name.as_str());
        let value = row
            .remove(name)
            .or_else(|| is_empty.then(|| Value::from("")))?;
        Some((name.clone(), value))
    };
    let mut whole: Map<String, Value> = columns.iter().filter_map(value).collect();
    whole.extend(row);
    whole
}

/// A table of ours without the columns that only serve to take it back.
pub(super) fn taken_back(columns: Vec<String>, rows: GivenRows) -> (Vec<String>, GivenRows) {
    if !columns.iter().any(|name| name == CELLS_COLUMN) {
        return (columns, rows);
    }
    let own = |name: &String| name != CELLS_COLUMN && !name.contains(PART_MARK);
    let columns: Vec<String> = columns.into_iter().filter(own).collect();
    let names = columns.clone();
    let rows = rows.map(move |row| {
        Ok(match row? {
            Row::Object { line, object } => Row::Object {
                line,
                object: unpacked(object, &names),
            },
            broken => broken,
        })
    });
    (columns, Box::new(rows))
}

fn join_parts(row: &mut Map<String, Value>) {
    let mut parts: Vec<(String, u32, String)> = Vec::new();
    row.retain(|name, value| {
        let Some((base, rest)) = name.split_once(PART_MARK) else {
            return true;
        };
        let Some(number) = rest.strip_suffix('⟩').and_then(|n| n.parse().ok()) else {
            return true;
        };
        let text = value.as_str().unwrap_or_default().to_owned();
        parts.push((base.to_owned(), number, text));
        false
    });
    parts.sort_by_key(|(_, number, _)| *number);
    for (base, _, text) in parts {
        if let Some(Value::String(start)) = row.get_mut(&base) {
            start.push_str(&text);
        }
    }
}

/// How a value stands in a cell.
enum Cell {
    Text(String),
    Number(f64),
    Truth(bool),
}

/// The cell, and whether reading has to parse it.
fn cell(value: &Value) -> (Cell, bool) {
    match value {
        Value::String(text) if keeps(text) => (Cell::Text(text.clone()), false),
        Value::Bool(truth) => (Cell::Truth(*truth), true),
        Value::Number(number) => {
            let exact = number
                .as_f64()
                .filter(|float| number.is_f64() == (float.fract() != 0.0) && stays(*float));
            match exact {
                Some(float) => (Cell::Number(float), true),
                None => (Cell::Text(number.to_string()), true),
            }
        }
        other => (Cell::Text(other.to_string()), true),
    }
}

/// Whether spreadsheets, which keep 15 digits, show a number as it is.
fn stays(number: f64) -> bool {
    let size = number.abs();
    let shown: Option<f64> = format!("{number:.14e}").parse().ok();
    let plain = (1e-9..1e15).contains(&size) || number.to_bits() == 0;
    plain && shown == Some(number)
}

/// Whether a text comes back from a cell as it went in: XML has no control characters, blanks at the
/// ends and line ends are at a reader's mercy, and `_x000D_` is an escape.
fn keeps(text: &str) -> bool {
    let odd = |c: char| {
        (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    text.trim() == text && !text.contains("_x") && !text.chars().any(odd)
}

struct Sheet<'a> {
    sheet: &'a mut Worksheet,
    columns: &'a [String],
    /// Column and number of each further part that was needed, in the order of the sheet.
    parts: Vec<(usize, usize)>,
    /// Widest line of each column among the first rows.
    widths: Vec<usize>,
    n_rows: usize,
    body: Format,
}

impl<'a> Sheet<'a> {
    fn new(sheet: &'a mut Worksheet, columns: &'a [String]) -> Self {
        let widths = columns.iter().map(|name| name.chars().count()).collect();
        Self {
            sheet,
            columns,
            parts: Vec::new(),
            widths,
            n_rows: 0,
            body: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        }
    }

    fn row(&mut self, row: &Map<String, Value>) -> Result<(), DocumentError> {
        const LOOKED_AT: usize = 200;
        self.n_rows += 1;
        if self.n_rows >= MAX_ROWS {
            return Err(too_large("1 048 575 rows"));
        }
        let mut listed: Vec<Cow<'_, str>> = Vec::new();
        for (i, name) in self.columns.iter().enumerate() {
            let Some(value) = row.get(name) else { continue };
            // Whoever else reads the sheet finds nothing where there is nothing.
            let marked = format!("{EMPTY_MARK}{name}");
            let (cell, is_json) = match value == "" {
                true if !self.columns.contains(&marked) => {
                    listed.push(marked.into());
                    continue;
                }
                // A column has that name.
                true => (Cell::Text("\"\"".to_owned()), true),
                false => cell(value),
            };
            if is_json {
                listed.push(name.into());
            }
            if self.n_rows <= LOOKED_AT {
                self.widths[i] = self.widths[i].max(width(&cell));
            }
            self.cell(i, cell)?;
        }
        if !listed.is_empty() {
            let listed = serde_json::to_string(&listed).unwrap_or_default();
            self.text(self.columns.len(), &listed)?;
        }
        Ok(())
    }

    fn cell(&mut self, i: usize, cell: Cell) -> Result<(), DocumentError> {
        let (row, column) = (self.row_number(), column_number(i)?);
        match cell {
            Cell::Number(number) => {
                let written = self
                    .sheet
                    .write_number_with_format(row, column, number, &self.body);
                written.map(|_| ()).map_err(refused)
            }
            Cell::Truth(truth) => {
                let written = self
                    .sheet
                    .write_boolean_with_format(row, column, truth, &self.body);
                written.map(|_| ()).map_err(refused)
            }
            Cell::Text(text) => {
                for (k, piece) in pieces(&text).into_iter().enumerate() {
                    let place = if k == 0 { i } else { self.part(i, k + 1) };
                    self.text(place, piece)?;
                }
                Ok(())
            }
        }
    }

    fn text(&mut self, i: usize, text: &str) -> Result<(), DocumentError> {
        let (row, column) = (self.row_number(), column_number(i)?);
        let written = self
            .sheet
            .write_string_with_format(row, column, text, &self.body);
        written.map(|_| ()).map_err(refused)
    }

    /// The header is row 0.
    fn row_number(&self) -> u32 {
        self.n_rows as u32
    }

    /// Where a further part of a column stands: behind the columns and the list of JSON cells.
    fn part(&mut self, column: usize, number: usize) -> usize {
        let known = self.parts.iter().position(|part| *part == (column, number));
        let i = known.unwrap_or_else(|| {
            self.parts.push((column, number));
            self.parts.len() - 1
        });
        self.columns.len() + 1 + i
    }

    /// Header, widths, what stays in sight while scrolling.
    fn finish(self) -> Result<(), DocumentError> {
        let header = Format::new().set_bold();
        let cells = column_number(self.columns.len())?;
        let mut names: Vec<String> = self.columns.to_vec();
        names.push(CELLS_COLUMN.into());
        let part_name = |(column, number): &(usize, usize)| {
            format!("{}{PART_MARK}{number}⟩", self.columns[*column])
        };
        names.extend(self.parts.iter().map(part_name));
        for (i, name) in names.iter().enumerate() {
            let column = column_number(i)?;
            self.sheet
                .write_string_with_format(0, column, name, &header)
                .map_err(refused)?;
        }
        for (i, width) in self.widths.iter().enumerate() {
            let column = column_number(i)?;
            self.sheet
                .set_column_width(column, (*width + 2).clamp(10, 70) as f64)
                .map_err(refused)?;
        }
        self.sheet.set_column_hidden(cells).map_err(refused)?;
        self.sheet.set_freeze_panes(1, 0).map_err(refused)?;
        Ok(())
    }
}

fn column_number(i: usize) -> Result<u16, DocumentError> {
    match u16::try_from(i) {
        Ok(column) if i < MAX_COLUMNS => Ok(column),
        _ => Err(too_large("16 384 columns")),
    }
}

fn width(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => text.lines().next().map_or(0, |line| line.chars().count()),
        Cell::Number(number) => number.to_string().len(),
        Cell::Truth(_) => 5,
    }
}

/// A text in pieces that fit into a cell; blanks stay inside of a piece where there is a choice.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let Some(end) = cut(rest) else {
            pieces.push(rest);
            return pieces;
        };
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
}

/// Where the first piece ends, if all of it does not fit.
fn cut(text: &str) -> Option<usize> {
    if text.len() <= MAX_CELL {
        return None;
    }
    let mut units = 0;
    let (mut end, mut good) = (0, 0);
    let mut before_blank = true;
    for (at, c) in text.char_indices() {
        if units + c.len_utf16() > MAX_CELL {
            // A text of blanks alone has no good place.
            return Some(if good > 0 { good } else { end });
        }
        if !before_blank && !c.is_whitespace() {
            good = at;
        }
        before_blank = c.is_whitespace();
        units += c.len_utf16();
        end = at + c.len_utf8();
    }
    None
}

/// The same records give the same file, whenever it is written.
fn fixed_day() -> Result<ExcelDateTime, DocumentError> {
    ExcelDateTime::from_ymd(2000, 1, 1).map_err(refused)
}

fn refused(error: XlsxError) -> DocumentError {
    DocumentError::Unsupported {
        name: "the spreadsheet".into(),
        reason: format!("it cannot be written: {error}"),
    }
}

fn too_large(limit: &str) -> DocumentError {
    DocumentError::Unsupported {
        name: "the spreadsheet".into(),
        reason: format!("a sheet has at most {limit}; export as Parquet or JSON Lines"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader as _, Xlsx};
    use serde_json::json;

    use super::*;

    /// The rows as a reader of spreadsheets sees them, cells as texts.
    fn read(bytes: Vec<u8>) -> Vec<Map<String, Value>> {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
        let range = book.worksheet_range_at(0).expect("a sheet").expect("cells");
        let mut rows = range.rows();
        let header: Vec<String> = rows
            .next()
            .expect("a header")
            .iter()
            .map(ToString::to_string)
            .collect();
        let text = |cell: &Data| match cell {
            Data::Empty => Value::Null,
            other => Value::String(other.to_string()),
        };
        rows.map(|row| header.iter().cloned().zip(row.iter().map(text)).collect())
            .collect()
    }

    #[track_caller]
    fn round_trip(rows: Vec<Value>) {
        let rows: Vec<Map<String, Value>> = rows
            .into_iter()
            .map(|row| row.as_object().expect("an object").clone())
            .collect();
        let mut columns: Vec<String> = Vec::new();
        for name in rows.iter().flat_map(Map::keys) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let bytes = xlsx(&columns, rows.clone()).expect("written");
        let back = read(bytes).into_iter();
        let back: Vec<_> = back.map(|row| unpacked(row, &columns)).collect();
        assert_eq!(back.len(), rows.len());
        for (back, row) in back.iter().zip(&rows) {
            assert_eq!(back, row);
        }
    }

    #[test]
    fn an_empty_text_is_an_empty_cell_and_comes_back_in_its_place() {
        let row = json!({"instruction": "a", "input": "", "output": "b", "n": 1, "z": ""});
        let row = row.as_object().expect("an object");
        let columns: Vec<String> = row.keys().cloned().collect();
        let read = read(xlsx(&columns, [row.clone()]).expect("written")).remove(0);
        assert_eq!((&read["input"], &read["z"]), (&Value::Null, &Value::Null));
        // A sheet's reader leaves empty cells out.
        let filled = read.into_iter().filter(|(_, value)| !value.is_null());
        let back = unpacked(filled.collect(), &columns);
        assert_eq!(&back, row);
        assert!(back.keys().eq(row.keys()), "{back:?}");
        let filled_in = json!({"input": "now", "veneer_cells": "[\"∅input\"]"});
        let filled_in = filled_in.as_object().expect("an object").clone();
        assert_eq!(unpacked(filled_in, &columns)["input"], "now");
    }

    #[test]
    fn every_kind_of_value_comes_back() {
        round_trip(vec![
            json!({"q": "¿Qué?\nes\tun bono", "a": "=1+1", "n": 3, "f": 0.5, "whole": 3.0}),
            json!({"f": 0.123_456_789_012_345_68, "n": -7, "whole": 1e-12}),
            json!({"q": "", "a": " @x ", "n": 18_446_744_073_709_551_615_u64, "t": true, "z": null}),
            json!({"x": "", "∅x": "5"}),
            json!({"a": "_x000D_", "q": "cr\r\nbell\u{7}", "list": [{"k": "v"}, 2], "f": -1e300}),
            json!({"q": "日本語😀", "a": "TRUE", "t": "true", "n": "0123"}),
        ]);
    }

    #[test]
    fn texts_longer_than_a_cell_go_on_in_further_columns() {
        let long = "😀 palabra ".repeat(8_000);
        let blanks = format!("a{}b", " ".repeat(70_000));
        round_trip(vec![
            json!({"q": format!("{long}fin"), "a": "short"}),
            json!({"q": "short", "a": "x".repeat(100_000)}),
            json!({"q": [long.clone()], "a": blanks}),
        ]);
    }

    /// Records out in a format, as a sheet, and in again as any spreadsheet comes in.
    #[track_caller]
    fn through_the_door(records: &str, format: crate::data::Format) {
        let options = crate::data::ReadOptions::default();
        let loaded = crate::data::read(records.as_bytes(), &options).expect("readable");
        let rows: Vec<Map<String, Value>> = loaded
            .records
            .iter()
            .filter_map(|record| crate::data::to_fields(record, None, format, true).0)
            .collect();
        let columns = crate::data::header(&rows, format);
        let bytes = xlsx(&columns, rows).expect("written");
        let file = crate::documents::file::Bytes::of("out.xlsx", bytes);
        let parts = crate::documents::inspect(file);
        let part = parts.first().expect("a sheet");
        let arrivals = part.records(&part.view.reading, None).expect("read");
        let back: Vec<crate::data::Record> = arrivals
            .map(|arrival| {
                let arrival = arrival.expect("a row");
                arrival
                    .record
                    .unwrap_or_else(|| panic!("{:?}", arrival.problems))
            })
            .collect();
        assert_eq!(back.len(), loaded.records.len());
        for (back, record) in back.iter().zip(&loaded.records) {
            assert_eq!((&back.body, &back.extra), (&record.body, &record.extra));
        }
    }

    #[test]
    fn records_come_back_through_the_importer() {
        let chats = json!([
            {"messages": [
                {"role": "system", "content": "sé breve"},
                {"role": "user", "content": "=1+1"},
                {"role": "assistant", "content": "2", "weight": 0},
                {"role": "user", "content": " y\r\n"},
                {"role": "assistant", "content": "x".repeat(40_000)}],
             "tags": ["a", "b"], "n": 3},
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
             "tags": [], "source": "0123"},
        ]);
        through_the_door(&chats.to_string(), crate::data::Format::Openai);
        let plain = json!([
            {"instruction": "¿Qué es?\nUn bono", "input": "", "output": "+x", "rating": 4.5},
            {"instruction": "日本", "output": "はい", "system": "s", "ok": true},
            {"instruction": "z".repeat(70_000), "output": "a", "rating": 1},
        ]);
        through_the_door(&plain.to_string(), crate::data::Format::Alpaca);
        let odd_names = json!([{"text": "a", "a  b": 1, "id ": "x", "=c": true, "l\nm": [1]}]);
        through_the_door(&odd_names.to_string(), crate::data::Format::Text);
    }

    #[test]
    fn no_cell_is_a_formula() {
        let row = json!({"q": "=HYPERLINK(\"http://x\")", "a": "+1"});
        let columns = ["q".to_owned(), "a".to_owned()];
        let bytes = xlsx(&columns, [row.as_object().expect("an object").clone()]).expect("written");
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
        let formulas = book.worksheet_formula("Sheet1").expect("a sheet");
        assert!(formulas.cells().all(|(_, _, text)| text.is_empty()));
    }

    #[test]
    fn what_someone_edited_is_the_text_they_wrote() {
        let row = json!({"q": "a", "list": "not JSON any more", "veneer_cells": "[\"list\"]"});
        let back = unpacked(row.as_object().expect("an object").clone(), &[]);
        assert_eq!(
            Value::Object(back),
            json!({"q": "a", "list": "not JSON any more"})
        );
    }

    #[test]
    fn rows_of_others_stay_as_they_are() {
        let row = json!({"q": "", "a": null, "messages": "[]"});
        let row = row.as_object().expect("an object").clone();
        assert_eq!(unpacked(row.clone(), &[]), row);
    }
}
