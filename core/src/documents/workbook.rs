//! Spreadsheets: XLSX by `calamine`, which reads cell by cell, and ODS by `ods.rs`.
//!
//! `calamine` would hold a sheet as a full rectangle, which two cells in far corners make larger than
//! any memory; so only its stream of cells is used. What that leaves out is looked up in the file
//! where there is reason to (`xlsx_raw.rs`).

use std::{cell::RefCell, io::BufReader, rc::Rc};

use calamine::{
    Data, DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError,
};

use super::{
    DocumentError, InputFile, ReadSeek,
    archive::open_zip,
    cell_text,
    file::open_buffered,
    ods,
    sheet::{Merge, Sheet},
    xlsx_raw,
};
use crate::protocol::studio::Phrase;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkbookKind {
    Xlsx,
    Ods,
}

impl WorkbookKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Xlsx => "Excel workbook (XLSX)",
            Self::Ods => "OpenDocument spreadsheet (ODS)",
        }
    }
}

/// Rows of each sheet that are kept, for guesses and previews.
pub(super) const FIRST_ROWS: usize = 300;

/// A workbook that was looked into once; its sheets are read from it one by one.
pub(super) struct Workbook {
    file: Rc<dyn InputFile>,
    source: Source,
    first: Vec<First>,
}

/// The first rows of a sheet.
struct First {
    name: String,
    /// Whether people who open the workbook do not see it.
    is_hidden: bool,
    sheet: Sheet,
    merges: Vec<Merge>,
}

enum Source {
    /// With the texts that its cells share.
    Xlsx(RefCell<Box<Book>>),
    Ods,
}

type Book = Xlsx<BufReader<Box<dyn ReadSeek>>>;

impl Workbook {
    pub(super) fn open(
        file: &Rc<dyn InputFile>,
        kind: WorkbookKind,
    ) -> Result<Self, DocumentError> {
        let (source, first) = match kind {
            WorkbookKind::Ods => {
                let sheets = ods::sheets(&**file, None, FIRST_ROWS)?.into_iter();
                let first = sheets.map(|(name, sheet)| First {
                    name,
                    is_hidden: false,
                    sheet,
                    merges: Vec::new(),
                });
                (Source::Ods, first.collect())
            }
            WorkbookKind::Xlsx => {
                let mut book = open(&**file)?;
                let first = first_rows(&mut book, &**file)?;
                (Source::Xlsx(RefCell::new(Box::new(book))), first)
            }
        };
        Ok(Self {
            file: Rc::clone(file),
            source,
            first,
        })
    }

    /// The sheets that have any rows, in the order of the workbook.
    pub(super) fn sheets(&self) -> impl Iterator<Item = &str> {
        let filled = self.first.iter().filter(|first| first.sheet.n_rows() > 0);
        filled.map(|first| first.name.as_str())
    }

    pub(super) fn is_hidden(&self, name: &str) -> bool {
        let mut sheets = self.first.iter();
        sheets.any(|first| first.name == name && first.is_hidden)
    }

    /// A sheet, of which at least so many rows are needed.
    pub(super) fn sheet(&self, name: &str, n_rows: usize) -> Result<Sheet, DocumentError> {
        let first = self.first.iter().find(|first| first.name == name);
        let first = first.ok_or_else(|| self.missing(name))?;
        if n_rows <= FIRST_ROWS {
            return Ok(first.sheet.clone());
        }
        match &self.source {
            Source::Xlsx(book) => {
                let mut sheet = rows(&mut book.borrow_mut(), name, n_rows, &*self.file)?;
                sheet.fill(&first.merges);
                Ok(sheet)
            }
            Source::Ods => {
                let found = ods::sheets(&*self.file, Some(name), n_rows)?.into_iter();
                let sheet = found.map(|(_, sheet)| sheet).next();
                sheet.ok_or_else(|| self.missing(name))
            }
        }
    }

    fn missing(&self, sheet: &str) -> DocumentError {
        DocumentError::Broken {
            name: self.file.name().into(),
            kind: Phrase::SpreadsheetFile.english(),
            detail: Phrase::NoSheet.with([&sheet]),
        }
    }
}

fn open(file: &dyn InputFile) -> Result<Book, DocumentError> {
    let mut zip = open_zip(open_buffered(file)?, file.name(), file.n_bytes())?;
    xlsx_raw::check_shared_texts(&mut zip, file.name())?;
    drop(zip);
    Xlsx::new(open_buffered(file)?).map_err(|error| broken(file.name(), &error))
}

fn first_rows(book: &mut Book, file: &dyn InputFile) -> Result<Vec<First>, DocumentError> {
    let metadata = book.sheets_metadata().iter();
    let sheets = metadata.filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let sheets: Vec<(String, bool)> = sheets
        .map(|sheet| (sheet.name.clone(), sheet.visible != SheetVisible::Visible))
        .collect();
    let mut all = Vec::new();
    for (name, is_hidden) in sheets {
        let mut sheet = rows(book, &name, FIRST_ROWS, file)?;
        let merges = book.merge_cells_by_sheet_name(&name);
        let merges = merges.map_err(|error| broken(file.name(), &error))?;
        let merges: Vec<Merge> = merges.iter().map(merge).collect();
        sheet.fill(&merges);
        all.push(First {
            name,
            is_hidden,
            sheet,
            merges,
        });
    }
    Ok(all)
}

fn rows(
    book: &mut Book,
    sheet_name: &str,
    n_rows: usize,
    file: &dyn InputFile,
) -> Result<Sheet, DocumentError> {
    let failed = |error: XlsxError| broken(file.name(), &error);
    let mut sheet = Sheet::default();
    let mut reader = book.worksheet_cells_reader(sheet_name).map_err(failed)?;
    let formats: Vec<Option<String>> = reader.styles().iter().map(telling_format).collect();
    let (mut last_row, mut n_cells, mut is_told) = (None, 0, true);
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(failed)? {
        let (row, _) = cell.get_position();
        if last_row != Some(row) && sheet.n_rows() >= n_rows {
            break;
        }
        last_row = Some(row);
        n_cells += 1;
        // A formula may be in a cell that seems empty.
        is_told &= match cell.get_value() {
            DataRef::Empty => false,
            DataRef::Float(value) => !cell_text::has_more_digits(*value),
            _ => true,
        };
        let format = formats.get(style).and_then(Option::as_deref);
        let text = shown(cell.get_value(), format);
        sheet.push(cell.get_position(), text, file.name())?;
    }
    drop(reader);
    if !is_told {
        xlsx_raw::complete(&mut sheet, sheet_name, n_cells, file)?;
    }
    Ok(sheet)
}

/// The code of a format without which a number is not told: of a share, or of a code such as `01067`.
fn telling_format(style: &calamine::Style) -> Option<String> {
    let code = &style.number_format.as_ref()?.format_code;
    cell_text::is_telling(code).then(|| code.clone())
}

fn merge(area: &calamine::Dimensions) -> Merge {
    Merge {
        top: area.start.0,
        left: area.start.1,
        bottom: area.end.0,
        right: area.end.1,
    }
}

fn shown(value: &DataRef<'_>, format: Option<&str>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(value) => value.to_string(),
        DataRef::Float(value) => match format {
            Some(format) => cell_text::formatted(*value, format),
            None => cell_text::number(*value),
        },
        DataRef::Bool(true) => "TRUE".into(),
        DataRef::Bool(false) => "FALSE".into(),
        DataRef::DateTime(time) => date(time),
        DataRef::DateTimeIso(text) => cell_text::iso_date(text),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => Data::Error(error.clone()).to_string(),
    }
}

fn date(time: &ExcelDateTime) -> String {
    /// Behind 9999-12-31.
    const LAST_DAY: f64 = 2_958_466.0;
    if time.is_duration() {
        return cell_text::duration(time.as_f64());
    }
    // Excel shows no date either, and the format of an empty column is easily wrong.
    if !(0.0..LAST_DAY).contains(&time.as_f64()) {
        return cell_text::number(time.as_f64());
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    // A time of day is a fraction of day 0.
    let has_date = time.as_f64() >= 1.0;
    let second = second + u8::from(milli >= 500 && second < 59);
    cell_text::date_time((year, month, day), (hour, minute, second), has_date)
}

fn broken(name: &str, error: &XlsxError) -> DocumentError {
    let detail = match error {
        XlsxError::Password => Phrase::BookLocked.english().into(),
        other => other.to_string(),
    };
    DocumentError::Broken {
        name: name.into(),
        kind: WorkbookKind::Xlsx.name(),
        detail,
    }
}
