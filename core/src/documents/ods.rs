//! OpenDocument spreadsheets, read as a stream of cells.
//!
//! Rows and cells are stored once with a count of how often they stand: a few bytes can stand for
//! billions of cells. Every count is cut to what a sheet can have, and filled cells are budgeted.

use std::io::{BufRead, BufReader};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

use super::{
    DocumentError,
    archive::{broken as broken_zip, open_zip},
    cell_text,
    file::{InputFile, open_buffered},
    sheet::{Merge, Sheet},
    workbook::WorkbookKind,
};
use crate::protocol::studio::Phrase;

const MAX_COLUMNS: u32 = 16_384;
const MAX_ROWS: u32 = 1_048_576;

/// Blanks that one element may stand for.
const MAX_BLANKS: u32 = 1_000;

/// The sheets with at most so many rows of each; with `only`, that sheet alone.
pub(super) fn sheets(
    file: &dyn InputFile,
    only: Option<&str>,
    n_rows: usize,
) -> Result<Vec<(String, Sheet)>, DocumentError> {
    let mut zip = open_zip(open_buffered(file)?, file.name(), file.n_bytes())?;
    if is_encrypted(&mut zip) {
        return Err(broken(file.name(), Phrase::BookLocked.english()));
    }
    let content = zip.by_name("content.xml");
    let content = content.map_err(|error| broken_zip(file.name(), &error))?;
    let mut xml = Reader::from_reader(BufReader::new(content));
    let config = xml.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    let mut book = Book {
        name: file.name(),
        only,
        n_rows,
        sheets: Vec::new(),
        sheet: None,
        n_nested: 0,
        row: Row::default(),
        cell: None,
    };
    book.read(&mut xml)?;
    Ok(book.sheets)
}

fn is_encrypted<R: std::io::Read + std::io::Seek>(zip: &mut zip::ZipArchive<R>) -> bool {
    use std::io::Read as _;
    let mut text = Vec::new();
    let Ok(manifest) = zip.by_name("META-INF/manifest.xml") else {
        return false;
    };
    let read = manifest.take(1 << 20).read_to_end(&mut text);
    let word = b"encryption-data";
    read.is_ok() && text.windows(word.len()).any(|window| window == word)
}

struct Book<'a> {
    name: &'a str,
    only: Option<&'a str>,
    n_rows: usize,
    sheets: Vec<(String, Sheet)>,
    sheet: Option<Open>,
    /// Tables inside cells, which are passed over.
    n_nested: u32,
    row: Row,
    cell: Option<Cell>,
}

/// The sheet being read.
struct Open {
    name: String,
    sheet: Sheet,
    merges: Vec<Merge>,
}

#[derive(Default)]
struct Row {
    row: u32,
    column: u32,
    n_repeated: u32,
    has_cells: bool,
}

/// The cell being read.
struct Cell {
    kind: String,
    value: String,
    text: String,
    n_paragraphs: u32,
    n_repeated: u32,
    n_columns: u32,
    n_rows: u32,
    is_covered: bool,
    /// Of a formula without a result: it has no kind.
    is_formula: bool,
}

impl Book<'_> {
    fn read<R: BufRead>(&mut self, xml: &mut Reader<R>) -> Result<(), DocumentError> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let event = xml.read_event_into(&mut buffer);
            match event.map_err(|error| self.xml(&error))? {
                Event::Start(element) if element.name().as_ref() == "office:annotation" => {
                    let end = element.to_end().into_owned();
                    let mut skipped = Vec::new();
                    xml.read_to_end_into(end.name(), &mut skipped)
                        .map_err(|error| self.xml(&error))?;
                }
                Event::Start(element) => self.start(&element)?,
                Event::End(element) if self.end(element.name().as_ref())? => {
                    return Ok(());
                }
                Event::Text(text) => self.text(&text.xml10_content()),
                Event::CData(text) => self.text(&text.xml10_content()),
                Event::GeneralRef(entity) => self.entity(&entity),
                Event::Eof => return self.ended(),
                _ => {}
            }
        }
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), DocumentError> {
        match element.name().as_ref() {
            "table:table" if self.sheet.is_some() => self.n_nested += 1,
            "table:table" => {
                let name = self.attribute(element, "table:name")?.unwrap_or_default();
                self.row = Row::default();
                self.sheet = Some(Open {
                    name,
                    sheet: Sheet::default(),
                    merges: Vec::new(),
                });
            }
            _ if self.n_nested > 0 => {}
            "table:table-row" => {
                self.row.column = 0;
                self.row.has_cells = false;
                self.row.n_repeated =
                    self.count(element, "table:number-rows-repeated", MAX_ROWS)?;
            }
            "table:table-cell" => self.cell = Some(self.cell(element, false)?),
            "table:covered-table-cell" => self.cell = Some(self.cell(element, true)?),
            "text:p" => {
                if let Some(cell) = &mut self.cell {
                    cell.n_paragraphs += 1;
                    if cell.n_paragraphs > 1 {
                        cell.text.push('\n');
                    }
                }
            }
            "text:s" => {
                let n = self.count(element, "text:c", MAX_BLANKS)?;
                self.text(&" ".repeat(n as usize));
            }
            "text:tab" => self.text("\t"),
            "text:line-break" => self.text("\n"),
            _ => {}
        }
        Ok(())
    }

    /// Whether what was asked for is complete.
    fn end(&mut self, name: &str) -> Result<bool, DocumentError> {
        match name {
            "table:table" if self.n_nested > 0 => self.n_nested -= 1,
            _ if self.n_nested > 0 => {}
            "table:table" => return Ok(self.close_sheet()),
            "table:table-row" => self.close_row()?,
            "table:table-cell" | "table:covered-table-cell" => self.close_cell()?,
            _ => {}
        }
        Ok(false)
    }

    fn cell(&self, element: &BytesStart<'_>, is_covered: bool) -> Result<Cell, DocumentError> {
        let kind = self.attribute(element, "office:value-type")?;
        let kind = kind.unwrap_or_default();
        let value = match kind.as_str() {
            "float" | "currency" | "percentage" => self.attribute(element, "office:value")?,
            "date" => self.attribute(element, "office:date-value")?,
            "time" => self.attribute(element, "office:time-value")?,
            "boolean" => self.attribute(element, "office:boolean-value")?,
            "string" => self.attribute(element, "office:string-value")?,
            _ => None,
        };
        let is_formula = kind.is_empty() && self.attribute(element, "table:formula")?.is_some();
        Ok(Cell {
            value: value.unwrap_or_default(),
            kind,
            is_formula,
            text: String::new(),
            n_paragraphs: 0,
            n_repeated: self.count(element, "table:number-columns-repeated", MAX_COLUMNS)?,
            n_columns: self.count(element, "table:number-columns-spanned", MAX_COLUMNS)?,
            n_rows: self.count(element, "table:number-rows-spanned", MAX_ROWS)?,
            is_covered,
        })
    }

    fn close_cell(&mut self) -> Result<(), DocumentError> {
        let (Some(cell), Some(open)) = (self.cell.take(), &mut self.sheet) else {
            return Ok(());
        };
        let (row, column) = (self.row.row, self.row.column);
        let text = cell.shown();
        let is_wanted = self.only.is_none_or(|name| name == open.name);
        let has_room = self.row.has_cells || open.sheet.n_rows() < self.n_rows;
        let next = column.saturating_add(cell.n_repeated).min(MAX_COLUMNS);
        if is_wanted && has_room && cell.is_formula && text.trim().is_empty() {
            open.sheet.note_formula(row);
        }
        if is_wanted && has_room && !cell.is_covered && !text.trim().is_empty() && row < MAX_ROWS {
            for at in column..next {
                if at == column {
                    open.sheet.push((row, at), text.clone(), self.name)?;
                } else {
                    open.sheet.push_copy((row, at), &text, self.name)?;
                }
            }
            self.row.has_cells |= next > column;
            if cell.n_columns > 1 || cell.n_rows > 1 {
                open.merges.push(Merge {
                    top: row,
                    left: column,
                    bottom: row.saturating_add(cell.n_rows - 1),
                    right: column.saturating_add(cell.n_columns - 1),
                });
            }
        }
        self.row.column = next;
        Ok(())
    }

    fn close_row(&mut self) -> Result<(), DocumentError> {
        let n = self.row.n_repeated.max(1);
        if self.row.has_cells
            && n > 1
            && let Some(open) = &mut self.sheet
        {
            let room = self.n_rows.saturating_sub(open.sheet.n_rows());
            let again = (n - 1).min(MAX_ROWS.saturating_sub(self.row.row));
            let again = again.min(u32::try_from(room).unwrap_or(u32::MAX));
            open.sheet.repeat_last(again, self.name)?;
        }
        self.row.row = self.row.row.saturating_add(n);
        Ok(())
    }

    fn close_sheet(&mut self) -> bool {
        let Some(mut open) = self.sheet.take() else {
            return false;
        };
        if self.only.is_some_and(|name| name != open.name) {
            return false;
        }
        open.sheet.fill(&open.merges);
        self.sheets.push((open.name, open.sheet));
        self.only.is_some()
    }

    fn ended(&self) -> Result<(), DocumentError> {
        match &self.sheet {
            Some(open) => Err(broken(
                self.name,
                &format!("it ends inside the sheet `{}`", open.name),
            )),
            None => Ok(()),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(cell) = &mut self.cell
            && cell.n_paragraphs > 0
            && self.n_nested == 0
        {
            cell.text.push_str(text);
        }
    }

    fn entity(&mut self, entity: &BytesRef<'_>) {
        let named = match entity.xml10_content().as_ref() {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            // Other entities have no meaning without a definition, which is not read.
            _ => entity.resolve_char_ref().ok().flatten(),
        };
        if let Some(c) = named {
            self.text(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn attribute(
        &self,
        element: &BytesStart<'_>,
        name: &str,
    ) -> Result<Option<String>, DocumentError> {
        let failed = |error: &dyn std::fmt::Display| broken(self.name, &error.to_string());
        let found = element.try_get_attribute(name).map_err(|e| failed(&e))?;
        let value = found.map(|found| {
            let value = found.normalized_value(XmlVersion::Explicit1_0);
            value.map(std::borrow::Cow::into_owned)
        });
        value.transpose().map_err(|error| failed(&error))
    }

    /// How often something stands, from 1.
    fn count(&self, element: &BytesStart<'_>, name: &str, most: u32) -> Result<u32, DocumentError> {
        let text = self.attribute(element, name)?;
        let count = text.map_or(1, |text| text.trim().parse::<u64>().unwrap_or(1));
        Ok(u32::try_from(count.clamp(1, u64::from(most))).unwrap_or(most))
    }

    fn xml(&self, error: &quick_xml::Error) -> DocumentError {
        broken(self.name, &error.to_string())
    }
}

impl Cell {
    /// Numbers by their value, the rest as it is shown.
    fn shown(&self) -> String {
        match (self.kind.as_str(), self.value.parse::<f64>()) {
            ("float" | "currency", Ok(_)) => cell_text::literal(&self.value),
            ("percentage", Ok(value)) => cell_text::percent(value, n_decimals(&self.text)),
            ("time", _) => {
                cell_text::iso_duration(&self.value).unwrap_or_else(|| self.text.clone())
            }
            ("date", _) if !self.value.is_empty() => cell_text::iso_date(&self.value),
            ("boolean", _) if !self.value.is_empty() => self.value.to_uppercase(),
            ("string", _) if self.n_paragraphs == 0 => self.value.clone(),
            _ => self.text.clone(),
        }
    }
}

/// Decimals of a number as it is shown, in any language.
fn n_decimals(shown: &str) -> usize {
    let behind = shown
        .rsplit_once(['.', ','])
        .map_or("", |(_, behind)| behind);
    behind.chars().take_while(char::is_ascii_digit).count()
}

fn broken(name: &str, detail: &str) -> DocumentError {
    DocumentError::Broken {
        name: name.into(),
        kind: WorkbookKind::Ods.name(),
        detail: detail.into(),
    }
}
