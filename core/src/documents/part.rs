//! A part of a file, and its records under a reading.

use std::rc::Rc;

use super::{
    Arrivals, DocumentError, InputFile,
    arrivals::RecordArrivals,
    file::{Progress, Stream},
    papers::PaperText,
    parquet_file, preview,
    table::{CellRows, Layout, Table, Width},
    template_fill::Templates,
    workbook::Workbook,
    xlsx_out,
};
use crate::{
    data::{
        CellRow, Container, DatasetError, Encoding, Format, Mapping, ReadOptions, Reader, Rows,
        cells,
    },
    protocol::studio::{Numbers, PartView, Preview, Reading, RecordReading},
    text::ModelText,
};

/// A part of a file that can become records.
#[derive(Clone)]
pub struct Part {
    /// `part` is left to the caller to number.
    pub view: PartView,
    pub(super) file: Rc<dyn InputFile>,
    pub(super) inside: Inside,
    /// Of the page, for suggestions; empty where it is not known.
    pub(super) language: String,
}

/// Where in its file a part lies.
#[derive(Clone)]
pub(super) enum Inside {
    /// Records or a table as text: the whole file.
    Text {
        container: Option<Container>,
    },
    Sheet {
        book: Rc<Workbook>,
        name: String,
    },
    Parquet,
    /// A document, read when it was looked into.
    Paper(PaperText),
    /// Nothing that can be read; the view says why.
    Nothing,
}

impl Part {
    /// The file that it is a part of.
    pub fn file(&self) -> &Rc<dyn InputFile> {
        &self.file
    }

    /// The first records under a reading. Never fails: what is wrong is in `failed`.
    pub fn preview(&self, reading: &Reading, text: Option<&Rc<ModelText>>) -> Preview {
        preview::preview(self, reading, text)
    }

    /// All of it, one after the other. `text` counts the tokens of chunks.
    ///
    /// # Errors
    /// If nothing of it can be read under this reading.
    pub fn records(
        &self,
        reading: &Reading,
        text: Option<Rc<ModelText>>,
    ) -> Result<Arrivals, DocumentError> {
        match (&self.inside, reading) {
            (Inside::Paper(paper), Reading::Chunks(reading)) => {
                let paper = paper.under(&*self.file, reading)?;
                Ok(Box::new(paper.arrivals(&self.view.name, reading, text)))
            }
            (Inside::Paper(_), Reading::Records(_)) => Err(DocumentError::Reading {
                reason: format!(
                    "`{}` is a document, which has no rows; read it in pieces",
                    self.view.name
                ),
            }),
            (Inside::Nothing, _) => Err(DocumentError::Unsupported {
                name: self.view.name.clone(),
                reason: self.view.reason.to_string(),
            }),
            (_, Reading::Records(reading)) => {
                Ok(Box::new(self.table_records(reading, usize::MAX)?))
            }
            (_, Reading::Chunks(_)) => Err(DocumentError::Reading {
                reason: format!(
                    "`{}` holds rows, which are not cut into pieces; read it as records",
                    self.view.name
                ),
            }),
        }
    }

    /// The encoding in which it is read under a reading; `None` where its format says its own.
    pub fn encoding(&self, reading: &Reading) -> Option<Encoding> {
        match (&self.inside, reading) {
            (Inside::Paper(paper), Reading::Chunks(reading)) => paper.encoding(reading),
            (Inside::Text { .. }, Reading::Records(reading)) => {
                let options = self.options(reading).ok()?;
                let (stream, _) = Stream::open(&*self.file).ok()?;
                let rows = Rows::open(stream, &options).ok()?;
                Some(rows.encoding())
            }
            _ => None,
        }
    }

    /// Whether rows stand as cells; others have fields.
    pub(super) fn has_cells(&self) -> bool {
        matches!(self.inside, Inside::Text { .. } | Inside::Sheet { .. })
    }

    /// Records of a table, of which at most `n_rows` are needed.
    pub(super) fn table_records(
        &self,
        reading: &RecordReading,
        n_rows: usize,
    ) -> Result<RecordArrivals, DocumentError> {
        let (reader, progress) = self.reader(reading, n_rows)?;
        Ok(RecordArrivals::new(
            reader,
            &self.view.name,
            progress,
            reading.take_chosen,
        ))
    }

    /// The same, before records are told apart by what they teach.
    pub(super) fn reader(
        &self,
        reading: &RecordReading,
        n_rows: usize,
    ) -> Result<(Reader<Stream>, Progress), DocumentError> {
        let failed = |error| DocumentError::from_data(&self.view.name, error);
        let mut options = self.options(reading)?;
        let (mut rows, progress) = self.rows(reading, &options, n_rows)?;
        if !reading.templates.is_empty() {
            let templates = Templates::parse(&reading.templates, rows.columns())?;
            let templates = templates.beside(&reading.columns);
            options.format = options.format.or_else(|| templates.format());
            rows = filled(rows, templates);
        }
        let reader = Reader::of_rows(rows, options).map_err(failed)?;
        Ok((reader, progress))
    }

    pub(super) fn options(&self, reading: &RecordReading) -> Result<ReadOptions, DocumentError> {
        let format = reading.format.as_deref().map(Format::from_name);
        let encoding = reading.encoding.as_deref().map(Encoding::from_name);
        let container = match &self.inside {
            Inside::Text { container } => *container,
            _ => None,
        };
        Ok(ReadOptions {
            format: format.transpose()?,
            encoding: encoding.transpose()?,
            mapping: Mapping::of_pairs(&reading.columns)?,
            separator: reading.separator.as_deref().map(separator).transpose()?,
            container,
            take_chosen: reading.take_chosen,
            ..ReadOptions::default()
        })
    }

    /// The rows with the names of their columns, before any field is filled.
    pub(super) fn rows(
        &self,
        reading: &RecordReading,
        options: &ReadOptions,
        n_rows: usize,
    ) -> Result<(Rows<Stream>, Progress), DocumentError> {
        let failed = |error| DocumentError::from_data(&self.view.name, error);
        if let Inside::Text { .. } = self.inside {
            let (stream, progress) = Stream::open(&*self.file)?;
            let rows = Rows::open(stream, options).map_err(failed)?;
            let is_plain = reading.header.is_none() && reading.numbers == Numbers::AsTheyStand;
            if rows.columns().is_none() || is_plain {
                return Ok((rows, progress));
            }
        }
        if let Inside::Parquet = self.inside {
            let progress = Progress::default();
            let table = parquet_file::table(&self.file, &progress)?;
            return Ok((Rows::given(table.columns, table.rows), progress));
        }
        let (table, progress) = self.table(reading, options, n_rows)?;
        let (columns, rows) = xlsx_out::taken_back(table.columns, table.rows);
        Ok((Rows::given(columns, rows), progress))
    }

    /// The rows below the header, with what stands above it.
    pub(super) fn table(
        &self,
        reading: &RecordReading,
        options: &ReadOptions,
        n_rows: usize,
    ) -> Result<(Table, Progress), DocumentError> {
        let SheetCells {
            rows,
            progress,
            by_semicolons,
        } = self.cells(options, n_rows)?;
        let layout = Layout {
            header: reading.header,
            width: match self.inside {
                Inside::Text { .. } => Width::Fixed,
                _ => Width::Open,
            },
            numbers: reading.numbers,
            by_semicolons,
        };
        let table = Table::new(rows, layout);
        let table = table.map_err(|error| DocumentError::from_data(&self.view.name, error))?;
        Ok((table, progress))
    }

    /// The rows as they stand, with whatever is above the header.
    pub(super) fn cells(
        &self,
        options: &ReadOptions,
        n_rows: usize,
    ) -> Result<SheetCells, DocumentError> {
        match &self.inside {
            Inside::Text { .. } => {
                let (stream, progress) = Stream::open(&*self.file)?;
                let rows = cells(stream, options);
                let (rows, separator) =
                    rows.map_err(|error| DocumentError::from_data(&self.view.name, error))?;
                Ok(SheetCells {
                    rows: Box::new(rows),
                    progress,
                    by_semicolons: separator == b';',
                })
            }
            Inside::Sheet { book, name } => {
                let sheet = book.sheet(name, n_rows)?;
                let unread = sheet.problem().map(|problem| Ok(CellRow::Broken(problem)));
                let rows = sheet.into_rows(self.file.name())?;
                let (progress, all) = (Progress::default(), rows.len() as u64);
                let read = progress.clone();
                let rows = rows.enumerate().map(move |(i, row)| {
                    read.set(i as u64 + 1, all);
                    Ok(row)
                });
                Ok(SheetCells {
                    rows: Box::new(rows.chain(unread)),
                    progress,
                    by_semicolons: false,
                })
            }
            Inside::Parquet | Inside::Paper(_) | Inside::Nothing => {
                Err(DocumentError::Unsupported {
                    name: self.view.name.clone(),
                    reason: self.view.reason.to_string(),
                })
            }
        }
    }
}

/// The rows of a table as they stand.
pub(super) struct SheetCells {
    pub(super) rows: CellRows,
    progress: Progress,
    by_semicolons: bool,
}

fn filled(rows: Rows<Stream>, templates: Templates) -> Rows<Stream> {
    use crate::data::Row;
    let columns = rows.columns().unwrap_or_default().to_vec();
    let fill = move |row: Result<Row, DatasetError>| {
        let mut row = row?;
        if let Row::Object { object, .. } = &mut row {
            templates.fill(object);
        }
        Ok(row)
    };
    Rows::given(columns, Box::new(rows.map(fill)))
}

fn separator(text: &str) -> Result<u8, DocumentError> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err(DocumentError::Reading {
            reason: format!(
                "the separator {text:?} is not one ASCII character; expected for example `,`, `;` \
                 or a tab"
            ),
        }),
    }
}
