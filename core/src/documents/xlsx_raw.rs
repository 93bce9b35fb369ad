//! What the library does not tell of the cells of a sheet: the digits of long numbers, and formulas
//! without a result.
//!
//! It gives numbers as binary fractions, of which 1234567890123456789 is none, and a formula that was
//! never calculated as an empty cell. The sheet is gone through a second time for them, cell by cell in
//! the same order.

use std::io::{BufRead, BufReader, Read, Seek};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    DocumentError, InputFile,
    archive::{broken as broken_zip, open_zip},
    cell_text,
    file::open_buffered,
    sheet::Sheet,
    workbook::WorkbookKind,
};

/// Shared texts of which room is made whatever the file's size: some programs count them wrongly.
const SHARED_TEXTS: u64 = 1_000_000;

/// Bytes that each takes at least where there are more, for no two are the same.
const SHARED_TEXT_BYTES: u64 = 16;

/// Fill in what the library left out of the first `n_cells` cells.
///
/// # Errors
/// If the file cannot be read a second time.
pub(super) fn complete(
    sheet: &mut Sheet,
    name: &str,
    n_cells: u64,
    file: &dyn InputFile,
) -> Result<(), DocumentError> {
    let mut zip = open_zip(open_buffered(file)?, file.name(), file.n_bytes())?;
    let failed = |error: quick_xml::Error| broken(file.name(), &error);
    // The library knows other ways to a sheet; what it read from there stays as it is.
    let Some(path) = path_of(&mut zip, name).map_err(failed)? else {
        return Ok(());
    };
    let Some(mut xml) = member(&mut zip, &path) else {
        return Ok(());
    };
    let mut cells = Cells {
        sheet,
        from: 0,
        row: 0,
        column: 0,
        n_left: n_cells,
        cell: None,
        is_value: false,
    };
    cells.read(&mut xml).map_err(failed)
}

/// The library makes room for as many shared texts as are said to follow, before it reads any.
///
/// # Errors
/// If there are said to be more than there is room for in the file.
pub(super) fn check_shared_texts<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    name: &str,
) -> Result<(), DocumentError> {
    // What cannot be opened is refused where it is read.
    let is_shared = |path: &str| path.to_ascii_lowercase().ends_with("sharedstrings.xml");
    let paths: Vec<String> = zip
        .file_names()
        .flatten()
        .filter(|path| is_shared(path))
        .map(|path| path.to_string())
        .collect();
    for path in paths {
        let Ok(n_bytes) = zip.by_name(&path).map(|member| member.size()) else {
            continue;
        };
        let Some(mut xml) = member(zip, &path) else {
            continue;
        };
        let limit = (n_bytes / SHARED_TEXT_BYTES).max(SHARED_TEXTS);
        let n_texts = n_shared_texts(&mut xml).unwrap_or_default();
        if n_texts > limit {
            return Err(DocumentError::Broken {
                name: name.into(),
                kind: WorkbookKind::Xlsx.name(),
                detail: format!(
                    "`{path}` says that it holds {n_texts} texts, expected at most {limit} in its \
                     {n_bytes} bytes"
                ),
            });
        }
    }
    Ok(())
}

/// `None` where it is not said.
fn n_shared_texts<R: BufRead>(xml: &mut Reader<R>) -> Option<u64> {
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        // A fault is told by the library, which reads it over again.
        match xml.read_event_into(&mut buffer).ok()? {
            Event::Start(found) if found.local_name().as_ref() == "sst" => {
                let said = found.attributes_raw().split("uniqueCount").skip(1);
                return said.filter_map(first_number).max();
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// The digits of `="12"`; numbers beyond all counting are none for the library either.
fn first_number(value: &str) -> Option<u64> {
    let digits = value.trim_start_matches(|c: char| c.is_whitespace() || "=\"'+".contains(c));
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits.get(..end.unwrap_or(digits.len()))?.parse().ok()
}

fn broken(name: &str, error: &quick_xml::Error) -> DocumentError {
    let zip = zip::result::ZipError::Io(std::io::Error::other(error.to_string()));
    let mut error = broken_zip(name, &zip);
    if let DocumentError::Broken { kind, .. } = &mut error {
        *kind = WorkbookKind::Xlsx.name();
    }
    error
}

type Xml<'a> = Reader<BufReader<Box<dyn Read + 'a>>>;

fn member<'a, R: Read + Seek>(zip: &'a mut ZipArchive<R>, path: &str) -> Option<Xml<'a>> {
    // What cannot be unpacked was refused when it was read first.
    let member: Box<dyn Read + 'a> = Box::new(zip.by_name(path).ok()?);
    let mut xml = Reader::from_reader(BufReader::new(member));
    let config = xml.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    Some(xml)
}

/// Where a sheet lies: the workbook has names with ids, the relations have ids with places.
fn path_of<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    name: &str,
) -> Result<Option<String>, quick_xml::Error> {
    let Some(id) = looked_up(zip, "xl/workbook.xml", "sheet", ("name", name), "id")? else {
        return Ok(None);
    };
    let relations = "xl/_rels/workbook.xml.rels";
    let target = looked_up(zip, relations, "Relationship", ("Id", &id), "Target")?;
    Ok(target.map(|target| match target.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None => format!("xl/{target}"),
    }))
}

/// An attribute of the first element that has another with this value.
fn looked_up<R: Read + Seek>(
    zip: &mut ZipArchive<R>,
    path: &str,
    element: &str,
    (key, value): (&str, &str),
    wanted: &str,
) -> Result<Option<String>, quick_xml::Error> {
    let Some(mut xml) = member(zip, path) else {
        return Ok(None);
    };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer)? {
            Event::Start(found)
                if found.local_name().as_ref() == element
                    && attribute(&found, key).as_deref() == Some(value) =>
            {
                return Ok(attribute(&found, wanted));
            }
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// An attribute under whatever prefix; `None` where it cannot be read.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes().flatten();
    let found = attributes.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Explicit1_0).ok()?;
    Some(value.into_owned())
}

struct Cells<'a> {
    sheet: &'a mut Sheet,
    /// Where the last cell was found.
    from: usize,
    row: u32,
    column: u32,
    n_left: u64,
    cell: Option<Cell>,
    is_value: bool,
}

/// The cell being read.
struct Cell {
    at: (u32, u32),
    kind: String,
    value: String,
    is_formula: bool,
    is_inline: bool,
}

impl Cells<'_> {
    fn read<R: BufRead>(&mut self, xml: &mut Reader<R>) -> Result<(), quick_xml::Error> {
        let mut buffer = Vec::new();
        while self.n_left > 0 {
            buffer.clear();
            match xml.read_event_into(&mut buffer)? {
                Event::Start(element) => self.start(&element),
                Event::End(element) => match element.local_name().as_ref() {
                    "row" => (self.row, self.column) = (self.row.saturating_add(1), 0),
                    "c" => self.close(),
                    "v" => self.is_value = false,
                    _ => {}
                },
                Event::Text(text) if self.is_value => {
                    if let Some(cell) = &mut self.cell {
                        cell.value.push_str(text.as_ref());
                    }
                }
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            "row" => {
                let row = attribute(element, "r").and_then(|row| row.parse::<u32>().ok());
                self.row = row.map_or(self.row, |row| row.saturating_sub(1));
            }
            "c" => {
                let at = attribute(element, "r").and_then(|place| position(&place));
                let at = at.unwrap_or((self.row, self.column));
                self.column = at.1.saturating_add(1);
                self.cell = Some(Cell {
                    at,
                    kind: attribute(element, "t").unwrap_or_default(),
                    value: String::new(),
                    is_formula: false,
                    is_inline: false,
                });
            }
            "v" => self.is_value = true,
            "f" => self.with_cell(|cell| cell.is_formula = true),
            "is" => self.with_cell(|cell| cell.is_inline = true),
            _ => {}
        }
    }

    fn with_cell(&mut self, change: impl FnOnce(&mut Cell)) {
        if let Some(cell) = &mut self.cell {
            change(cell);
        }
    }

    fn close(&mut self) {
        /// So many characters hold no more digits than are shown.
        const SHORT: usize = 15;
        self.n_left = self.n_left.saturating_sub(1);
        let Some(cell) = self.cell.take() else {
            return;
        };
        // The result of a formula may be a text without characters.
        let has_result = !cell.value.trim().is_empty() || cell.is_inline || cell.kind == "str";
        if cell.is_formula && !has_result {
            self.sheet.note_formula(cell.at.0);
        }
        let is_number = matches!(cell.kind.as_str(), "" | "n") && cell.value.len() > SHORT;
        let Some(value) = is_number.then(|| cell.value.parse::<f64>().ok()).flatten() else {
            return;
        };
        if cell_text::has_more_digits(value) {
            let (old, new) = (cell_text::number(value), cell_text::literal(&cell.value));
            // Dates and percentages are shown in other ways, and stay.
            self.sheet.replace(&mut self.from, cell.at, &old, new);
        }
    }
}

/// Row and column of a place such as `AB12`.
fn position(place: &str) -> Option<(u32, u32)> {
    let n_letters = place.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, row) = place.split_at(n_letters);
    let mut column = 0_u32;
    for letter in letters.bytes() {
        let of_letter = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(of_letter)?;
    }
    let row: u32 = row.parse().ok()?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        assert_eq!(position("A1"), Some((0, 0)));
        assert_eq!(position("AB12"), Some((11, 27)));
        for place in ["", "A", "1", "A0", "ZZZZZZZZ1", "A1B", "é1"] {
            assert_eq!(position(place), None, "{place}");
        }
    }
}
