//! Spreadsheets: XLSX by `calamine`, which reads cell by cell, and ODS by `ods.rs`.
//!
//! `calamine` would hold a sheet as a full rectangle, which two cells in far corners make larger than
//! any memory; so only its stream of cells is used.

use calamine::{Data, DataRef, ExcelDateTime, Reader as _, SheetType, Xlsx, XlsxError};

use super::{
    DocumentError,
    archive::open_zip,
    cell_text,
    file::{InputFile, open_buffered},
    ods,
    sheet::{Merge, Sheet},
};

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

/// The first rows of each sheet that has any, in the order of the workbook.
pub(super) fn sheets(
    file: &dyn InputFile,
    kind: WorkbookKind,
    n_rows: usize,
) -> Result<Vec<(String, Sheet)>, DocumentError> {
    let sheets = match kind {
        WorkbookKind::Ods => ods::sheets(file, None, n_rows)?,
        WorkbookKind::Xlsx => {
            let mut book = open(file)?;
            let metadata = book.sheets_metadata().iter();
            let names = metadata.filter(|sheet| sheet.typ == SheetType::WorkSheet);
            let names: Vec<String> = names.map(|sheet| sheet.name.clone()).collect();
            let read = |name: String| {
                let sheet = rows(&mut book, &name, n_rows, file.name())?;
                Ok((name, sheet))
            };
            names
                .into_iter()
                .map(read)
                .collect::<Result<_, DocumentError>>()?
        }
    };
    Ok(sheets
        .into_iter()
        .filter(|(_, sheet)| sheet.n_rows() > 0)
        .collect())
}

/// One sheet, at most so many rows of it.
pub(super) fn sheet(
    file: &dyn InputFile,
    kind: WorkbookKind,
    name: &str,
    n_rows: usize,
) -> Result<Sheet, DocumentError> {
    match kind {
        WorkbookKind::Xlsx => rows(&mut open(file)?, name, n_rows, file.name()),
        WorkbookKind::Ods => {
            let found = ods::sheets(file, Some(name), n_rows)?;
            let sheet = found.into_iter().next().map(|(_, sheet)| sheet);
            sheet.ok_or_else(|| DocumentError::Broken {
                name: file.name().into(),
                kind: kind.name(),
                detail: format!("it has no sheet `{name}`"),
            })
        }
    }
}

type Book = Xlsx<std::io::BufReader<Box<dyn super::ReadSeek>>>;

fn open(file: &dyn InputFile) -> Result<Book, DocumentError> {
    open_zip(open_buffered(file)?, file.name(), file.n_bytes())?;
    Xlsx::new(open_buffered(file)?).map_err(|error| broken(file.name(), &error))
}

fn rows(
    book: &mut Book,
    sheet_name: &str,
    n_rows: usize,
    name: &str,
) -> Result<Sheet, DocumentError> {
    let failed = |error: XlsxError| broken(name, &error);
    let mut sheet = Sheet::default();
    let mut reader = book.worksheet_cells_reader(sheet_name).map_err(failed)?;
    let percents: Vec<Option<String>> = reader.styles().iter().map(percent_format).collect();
    let mut last_row = None;
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(failed)? {
        let (row, _) = cell.get_position();
        if last_row != Some(row) && sheet.n_rows() >= n_rows {
            break;
        }
        last_row = Some(row);
        let percent = percents.get(style).and_then(Option::as_deref);
        sheet.push(cell.get_position(), shown(cell.get_value(), percent), name)?;
    }
    drop(reader);
    let merges = book.merge_cells_by_sheet_name(sheet_name).map_err(failed)?;
    let merges: Vec<Merge> = merges.iter().map(merge).collect();
    sheet.fill(&merges);
    Ok(sheet)
}

fn percent_format(style: &calamine::Style) -> Option<String> {
    let code = &style.number_format.as_ref()?.format_code;
    code.contains('%').then(|| code.clone())
}

fn merge(area: &calamine::Dimensions) -> Merge {
    Merge {
        top: area.start.0,
        left: area.start.1,
        bottom: area.end.0,
        right: area.end.1,
    }
}

fn shown(value: &DataRef<'_>, percent: Option<&str>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(value) => value.to_string(),
        DataRef::Float(value) => match percent {
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
    if time.is_duration() {
        return cell_text::duration(time.as_f64());
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    // A time of day is a fraction of day 0.
    let has_date = time.as_f64() >= 1.0;
    let second = second + u8::from(milli >= 500 && second < 59);
    cell_text::date_time((year, month, day), (hour, minute, second), has_date)
}

fn broken(name: &str, error: &XlsxError) -> DocumentError {
    let detail = match error {
        XlsxError::Password => "it is protected by a password; save it without one".into(),
        other => other.to_string(),
    };
    DocumentError::Broken {
        name: name.into(),
        kind: WorkbookKind::Xlsx.name(),
        detail,
    }
}
