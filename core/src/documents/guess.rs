//! How a table would be read: plainly, below notes, or, without questions and answers, by templates.

use sha2::{Digest, Sha256};

use super::{
    DocumentError, Part,
    statistics::{guess_header, title},
    template_fill::{literal, placeholder},
};
use crate::{
    data::{CellRow, DatasetError, Shape},
    protocol::studio::{Numbers, PartKind, PartView, Phrase, Reading, RecordReading, Said},
};

/// Rows by which a reading is guessed.
const GUESS_ROWS: usize = 100;

/// A key for the columns of a part, the same for every file that has them; readings are remembered
/// under it. Empty where there is nothing to remember.
pub fn columns_key(view: &PartView) -> String {
    match &view.kind {
        PartKind::Unreadable => String::new(),
        PartKind::Document { .. } => "document".into(),
        PartKind::Table { columns } => {
            let mut hash = Sha256::new();
            for column in columns {
                hash.update((column.len() as u64).to_le_bytes());
                hash.update(column);
            }
            let digest = hash.finalize();
            let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
            format!("table-{hex}")
        }
    }
}

impl Part {
    /// Fill in kind, reading and reason by what the first rows are.
    pub(super) fn guess(&mut self) {
        match self.guess_with(RecordReading::default(), None) {
            Ok((reading, reason)) => match self.first_rows(&reading, GUESS_ROWS) {
                Ok((columns, _)) => {
                    self.view.kind = PartKind::Table { columns };
                    self.view.reading = Reading::Records(reading);
                    self.view.reason = reason;
                }
                Err(error) => self.unreadable(&error),
            },
            Err(error) => self.unreadable(&error),
        }
    }

    /// What would be guessed if this much were known: columns and templates are guessed anew, the
    /// header where none is given, numbers where `numbers` does not say them. Where nothing comes of
    /// it, neither columns nor templates are given, and whoever reads it hears why.
    pub fn guessed(&self, known: &RecordReading, numbers: Option<Numbers>) -> RecordReading {
        let format = known.format.clone();
        let bare = RecordReading {
            format: None,
            columns: Vec::new(),
            templates: Vec::new(),
            numbers: numbers.unwrap_or_default(),
            ..known.clone()
        };
        let guessed = self.guess_with(bare.clone(), numbers);
        RecordReading {
            format,
            ..guessed.map_or(bare, |(reading, _)| reading)
        }
    }

    /// Texts that are suggested are in this language (`en`, `es`, `ja`) where the table does not tell
    /// its own.
    pub fn suggest_in(&mut self, language: &str) {
        language.clone_into(&mut self.language);
        if let Reading::Records(reading) = &self.view.reading
            && !reading.templates.is_empty()
        {
            let again = self.guessed(reading, Some(reading.numbers));
            self.view.reading = Reading::Records(again);
        }
    }

    fn guess_with(
        &self,
        known: RecordReading,
        numbers: Option<Numbers>,
    ) -> Result<(RecordReading, Said), DocumentError> {
        match self.recognised(known.clone()) {
            Err(error) if may_lie_elsewhere(&error) => self.guess_elsewhere(known, numbers),
            other => other,
        }
    }

    pub(super) fn unreadable(&mut self, error: &DocumentError) {
        self.view.kind = PartKind::Unreadable;
        self.view.reason = error.said();
        self.inside = super::part::Inside::Nothing;
    }

    /// The reading with the columns by which its format is told, and why.
    fn recognised(
        &self,
        mut reading: RecordReading,
    ) -> Result<(RecordReading, Said), DocumentError> {
        let records = self.table_records(&reading, GUESS_ROWS)?;
        let source = records.reader().source();
        let assignments = source.mapping.0.iter();
        reading.columns = assignments
            .map(|assignment| (assignment.field.to_owned(), assignment.column.clone()))
            .collect();
        let (format, by) = (source.format.name().to_owned(), source.reason.to_string());
        if matches!(source.shape, Shape::Given { .. }) {
            return Ok((reading, Said::new(Phrase::FormatBy, [format, by])));
        }
        let shape = source.shape.describe().to_string();
        let reason = match source.encoding == crate::data::Encoding::UTF_8 {
            true => Said::new(Phrase::FormatIn, [format, shape, by]),
            false => {
                let encoding = source.encoding.to_string();
                Said::new(Phrase::FormatInWritten, [format, shape, encoding, by])
            }
        };
        Ok((reading, reason))
    }

    /// The header lies below notes, or there is no question and no answer in the table.
    fn guess_elsewhere(
        &self,
        known: RecordReading,
        numbers: Option<Numbers>,
    ) -> Result<(RecordReading, Said), DocumentError> {
        let options = self.options(&known)?;
        let is_table = self
            .rows(&known, &options, GUESS_ROWS)?
            .0
            .columns()
            .is_some();
        if !is_table || !self.has_cells() {
            let title = stem(&self.view.name);
            return self.by_templates(known, &title);
        }
        let cells = self.cells(&options, GUESS_ROWS)?.rows;
        let rows = cells.take(GUESS_ROWS).filter_map(|row| match row {
            Ok(CellRow::Cells { cells, .. }) => Some(cells),
            Ok(CellRow::Broken(_)) | Err(_) => None,
        });
        let header = known
            .header
            .or_else(|| guess_header(&rows.collect::<Vec<_>>()));
        let mut reading = RecordReading { header, ..known };
        if header.is_some()
            && let Ok(recognised) = self.recognised(reading.clone())
        {
            return Ok(recognised);
        }
        let (table, _) = self.table(&reading, &options, GUESS_ROWS)?;
        reading.numbers = numbers.unwrap_or(table.suggested);
        let title = title(&table.notes).unwrap_or_else(|| stem(&self.view.name));
        self.by_templates(reading, &title)
    }

    /// Records by templates: what the table is, its columns, and an answer still to be written.
    fn by_templates(
        &self,
        mut reading: RecordReading,
        title: &str,
    ) -> Result<(RecordReading, Said), DocumentError> {
        let (columns, _) = self.first_rows(&reading, GUESS_ROWS)?;
        let line = |name: &String| Some(format!("{}: {}", literal(name), placeholder(name)?));
        let lines: Vec<String> = columns.iter().filter_map(line).collect();
        reading.templates = vec![
            (
                "instruction".into(),
                literal(&instruction(title, &columns, &self.language)),
            ),
            ("input".into(), lines.join("\n")),
            ("output".into(), String::new()),
        ];
        self.table_records(&reading, GUESS_ROWS)?;
        let n_columns = columns.len().to_string();
        Ok((reading, Said::new(Phrase::ByTemplates, [n_columns])))
    }
}

/// In the language of the table, or in `otherwise` where that cannot be told.
fn instruction(title: &str, columns: &[String], otherwise: &str) -> String {
    let text = format!("{title} {}", columns.join(" "));
    match language(&text).unwrap_or(otherwise) {
        "ja" => format!("「{title}」の次のデータを使ってください。"),
        "es" => format!("Usa los siguientes datos de «{title}»."),
        _ => format!("Use the following data from “{title}”."),
    }
}

fn language(text: &str) -> Option<&'static str> {
    let is_japanese = |c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
    if text.chars().any(is_japanese) {
        return Some("ja");
    }
    let found = whatlang::detect(text)?;
    match found.lang() {
        whatlang::Lang::Spa => Some("es"),
        _ => found.is_reliable().then_some("en"),
    }
}

/// The name of a sheet, or of a file without folders and ending.
fn stem(name: &str) -> String {
    let last = name.rsplit([' ', '/', '\\']).next().unwrap_or(name);
    let last = name.rsplit_once(" › ").map_or(last, |(_, sheet)| sheet);
    let last = last.rsplit('/').next().unwrap_or(last);
    last.rsplit_once('.')
        .map_or(last, |(stem, _)| stem)
        .to_owned()
}

/// Whether the first row may simply not be the header, or hold no question and answer.
fn may_lie_elsewhere(error: &DocumentError) -> bool {
    matches!(
        error,
        DocumentError::Data(
            DatasetError::UnknownColumns { .. }
                | DatasetError::UnknownFormat { .. }
                | DatasetError::NothingReadable { .. }
        )
    )
}
