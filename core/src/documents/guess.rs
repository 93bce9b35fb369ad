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
            // It may be read yet: as a record without a header.
            Err(error @ DocumentError::Data(DatasetError::OnlyHeader { .. })) => {
                let inside = self.inside.clone();
                self.unreadable(&error);
                self.inside = inside;
            }
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
            return self.by_templates(known, None);
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
        self.by_templates(reading, title(&table.notes))
    }

    /// Records by templates: what the table is, its columns, and an answer still to be written.
    /// `title` stands in the table itself.
    fn by_templates(
        &self,
        mut reading: RecordReading,
        title: Option<String>,
    ) -> Result<(RecordReading, Said), DocumentError> {
        let (columns, _) = self.first_rows(&reading, GUESS_ROWS)?;
        let label = |name: &str| literal(&name.split_whitespace().collect::<Vec<_>>().join(" "));
        let line = |name: &String| Some(format!("{}: {}", label(name), placeholder(name)?));
        let lines: Vec<String> = columns.iter().filter_map(line).collect();
        let said = format!("{} {}", title.as_deref().unwrap_or(""), columns.join(" "));
        let language = language(&said).unwrap_or(&self.language);
        let title = title.unwrap_or_else(|| stem(&self.view.name));
        reading.templates = vec![
            (
                "instruction".into(),
                literal(&instruction(&title, language)),
            ),
            ("input".into(), lines.join("\n")),
            ("output".into(), String::new()),
        ];
        self.table_records(&reading, GUESS_ROWS)?;
        let n_columns = columns.len().to_string();
        Ok((reading, Said::new(Phrase::ByTemplates, [n_columns])))
    }
}

fn instruction(title: &str, language: &str) -> String {
    match language {
        "ja" => format!("「{title}」の次のデータを使ってください。"),
        "es" => format!("Usa los siguientes datos de «{title}»."),
        _ => format!("Use the following data from “{title}”."),
    }
}

/// The language of a title and of names of columns, where it can be told of so few words.
fn language(text: &str) -> Option<&'static str> {
    let is_japanese = |c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
    if text.chars().any(is_japanese) {
        return Some("ja");
    }
    let found = whatlang::detect(text)?;
    match found.lang() {
        whatlang::Lang::Spa if found.is_reliable() || has_spanish(text) => Some("es"),
        whatlang::Lang::Spa => None,
        _ => found.is_reliable().then_some("en"),
    }
}

/// Letters and small words that Spanish has and English has not.
fn has_spanish(text: &str) -> bool {
    const WORDS: [&str; 9] = ["de", "del", "el", "en", "la", "las", "los", "por", "y"];
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    lower.contains(['á', 'é', 'í', 'ñ', 'ó', 'ú', '¿']) || words.any(|word| WORDS.contains(&word))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{file::Bytes, inspect};

    fn part(name: &str, text: &str) -> Part {
        inspect(Bytes::of(name, text)).remove(0)
    }

    fn template(part: &Part, field: &str) -> String {
        let Reading::Records(reading) = &part.view.reading else {
            panic!("a table")
        };
        let found = reading.templates.iter().find(|(name, _)| name == field);
        found.expect("a template").1.clone()
    }

    #[test]
    fn english_columns_have_an_english_instruction_whatever_the_file_is_called() {
        for (name, columns, start) in [
            ("spanish.csv", "rownames,gdp,energy", "Use "),
            ("población de España.csv", "rownames,gdp,energy", "Use "),
            ("a.csv", "Año,Población,Región", "Usa "),
            (
                "a.csv",
                "Nombre de la empresa,Importe en euros,Fecha",
                "Usa ",
            ),
        ] {
            let part = part(name, &format!("{columns}\nA,1,2\n"));
            let found = template(&part, "instruction");
            assert!(found.starts_with(start), "{columns}: {found}");
        }
    }

    #[test]
    fn odd_names_of_columns_are_in_the_text_that_is_made() {
        for (text, expected) in [
            ("Name,Score {max 10}\nAnn,3\n", "Score {max 10}: 3"),
            ("Name,\"Code of\nthe unit\"\nAnn,3\n", "Code of the unit: 3"),
            (
                "{\"Name\": \"Ann\", \"Code of\\nthe unit\": 3}\n",
                "Code of the unit: 3",
            ),
        ] {
            let part = part(
                if text.starts_with('{') {
                    "a.jsonl"
                } else {
                    "a.csv"
                },
                text,
            );
            let records = part.records(&part.view.reading, None).expect("readable");
            let record = records
                .map(|arrival| arrival.unwrap().record)
                .next()
                .flatten();
            let Some(crate::data::Body::Chat(chat)) = record.map(|record| record.body) else {
                panic!("a record: {text}")
            };
            assert!(
                chat.messages[0].text().ends_with(expected),
                "{:?}",
                chat.messages
            );
        }
    }

    #[test]
    fn columns_of_a_table_stay_columns_whatever_they_are_called() {
        let part = part(
            "a.csv",
            "plant,Image,output,system,History\nA,a.jpg,20,x,4\n",
        );
        let arrivals = part.records(&part.view.reading, None).expect("readable");
        let records: Vec<_> = arrivals.filter_map(|a| a.unwrap().record).collect();
        let names: Vec<&str> = records[0].extra.keys().map(String::as_str).collect();
        assert_eq!(names, ["plant", "Image", "output", "system", "History"]);
        assert_eq!(records[0].extra["output"], "20");
    }

    #[test]
    fn a_table_of_one_row_can_be_read_without_a_header() {
        let part = part("a.csv", "query,response\n");
        assert_eq!(part.view.kind, PartKind::Unreadable);
        assert!(part.view.reason.to_string().contains("--header-rows 0"));
        let bare = RecordReading {
            header: Some(crate::protocol::studio::Header {
                skipped_rows: 0,
                header_rows: 0,
            }),
            ..RecordReading::default()
        };
        let reading = Reading::Records(part.guessed(&bare, None));
        assert_eq!(part.records(&reading, None).expect("readable").count(), 1);
    }
}
