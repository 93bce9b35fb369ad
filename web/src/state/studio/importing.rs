//! Files on their way to records: what was found, what is taken, how it is read.

use veneer_core::protocol::studio::{
    ChunkReading, Header, PartKey, PartKind, PartView, Preview, Reading, RecordReading,
};

use crate::{
    state::numbers,
    texts::{Language, fill, studio::said},
};

/// Formats with the fields that each reads, the ones that it needs first.
pub const FIELDS: [(&str, &[&str]); 7] = [
    ("alpaca", &["instruction", "input", "output", "system"]),
    ("sharegpt", &["conversations", "system", "tools"]),
    ("openai", &["messages", "tools"]),
    ("prompt-completion", &["prompt", "completion"]),
    ("query-response", &["query", "response", "system"]),
    ("text", &["text"]),
    ("tokenized", &["input_ids", "labels"]),
];

/// The fields of a format; those of Alpaca, which fit any table, where it is not known.
pub fn fields_of(format: Option<&str>) -> &'static [&'static str] {
    let known = FIELDS.iter().find(|(name, _)| Some(*name) == format);
    known.unwrap_or(&FIELDS[0]).1
}

/// A part with what the user decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub view: PartView,
    pub included: bool,
    pub reading: Reading,
    /// The reading that the fields were guessed for, or found fit for.
    pub settled: Reading,
    pub preview: Option<Preview>,
}

impl Choice {
    fn new(view: PartView) -> Self {
        Self {
            included: view.kind != PartKind::Unreadable && !view.beside,
            reading: view.reading.clone(),
            settled: view.reading.clone(),
            view,
            preview: None,
        }
    }

    /// How its rows are read; `None` for documents.
    pub fn records(&self) -> Option<&RecordReading> {
        match &self.reading {
            Reading::Records(reading) => Some(reading),
            Reading::Chunks(_) => None,
        }
    }

    pub fn chunks(&self) -> Option<&ChunkReading> {
        match &self.reading {
            Reading::Chunks(reading) => Some(reading),
            Reading::Records(_) => None,
        }
    }

    /// The names of its columns as it is read now.
    pub fn columns(&self) -> &[String] {
        let previewed = self.preview.as_ref().map(|preview| &*preview.columns);
        match (&self.view.kind, previewed) {
            (PartKind::Table { .. }, Some(columns)) if !columns.is_empty() => columns,
            (PartKind::Table { columns }, _) => columns,
            _ => &[],
        }
    }

    /// Whether its fields are still those of other columns.
    fn is_unsettled(&self) -> bool {
        match (&self.reading, &self.settled) {
            (Reading::Records(reading), Reading::Records(settled)) => {
                !reading.has_columns_of(settled)
            }
            _ => false,
        }
    }

    /// Where a field is read from.
    pub fn source_of(&self, field: &str) -> Source {
        let Some(reading) = self.records() else {
            return Source::Nothing;
        };
        let in_list = |list: &[(String, String)]| {
            let found = list.iter().find(|(name, _)| name == field);
            found.map(|(_, value)| value.clone())
        };
        if let Some(template) = in_list(&reading.templates) {
            return Source::Template(template);
        }
        in_list(&reading.columns).map_or(Source::Nothing, Source::Column)
    }

    /// Reads a field from elsewhere.
    pub fn set_source(&mut self, field: &str, source: Source) {
        let Reading::Records(reading) = &mut self.reading else {
            return;
        };
        reading.columns.retain(|(name, _)| name != field);
        reading.templates.retain(|(name, _)| name != field);
        match source {
            Source::Nothing => {}
            Source::Column(column) => reading.columns.push((field.to_owned(), column)),
            Source::Template(text) => reading.templates.push((field.to_owned(), text)),
        }
    }

    /// Another format has other fields: what no longer means anything goes.
    pub fn set_format(&mut self, format: Option<String>) {
        let Reading::Records(reading) = &mut self.reading else {
            return;
        };
        if let Some(format) = &format {
            let fields = fields_of(Some(format));
            let known = |(name, _): &(String, String)| fields.contains(&name.as_str());
            reading.columns.retain(known);
            reading.templates.retain(known);
        }
        reading.format = format;
    }

    /// Rows of notes and of the header, of which a table may have none. Where one of the two is not
    /// said, both are guessed.
    pub fn set_header(&mut self, skipped_rows: Option<u32>, header_rows: Option<u32>) {
        if let Reading::Records(reading) = &mut self.reading {
            let header = skipped_rows.zip(header_rows);
            reading.header = header.map(|(skipped_rows, header_rows)| Header {
                skipped_rows,
                header_rows,
            });
        }
    }
}

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Nothing,
    Column(String),
    /// A text with `{column}` in it.
    Template(String),
}

/// Everything that was found and is not imported yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Importing {
    pub choices: Vec<Choice>,
}

impl Importing {
    /// More files were looked into.
    pub fn found(&mut self, parts: Vec<PartView>) {
        for view in parts {
            self.choices.retain(|choice| choice.view.part != view.part);
            self.choices.push(Choice::new(view));
        }
    }

    pub fn choice(&self, part: PartKey) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.view.part == part)
    }

    pub fn choice_mut(&mut self, part: PartKey) -> Option<&mut Choice> {
        self.choices
            .iter_mut()
            .find(|choice| choice.view.part == part)
    }

    /// What is to be imported, in the order in which it was found.
    pub fn included(&self) -> Vec<(PartKey, Reading)> {
        let included = self.choices.iter().filter(|choice| choice.included);
        included
            .map(|choice| (choice.view.part, choice.reading.clone()))
            .collect()
    }

    /// A preview arrived, with the fields that fit; one for a reading that was changed since is dropped.
    pub fn show_preview(&mut self, part: PartKey, reading: &Reading, preview: &Preview) {
        if let Some(choice) = self.choice_mut(part)
            && choice.reading == *reading
        {
            if let Some(reading) = &preview.reading {
                choice.reading.clone_from(reading);
            }
            choice.settled = choice.reading.clone();
            choice.preview = Some(preview.clone());
        }
    }

    /// Whether something that is to be imported waits for fields that fit it.
    pub fn is_unsettled(&self) -> bool {
        let mut included = self.choices.iter().filter(|choice| choice.included);
        included.any(Choice::is_unsettled)
    }
}

/// What was found in files, in a breath: how many parts, and what cannot be read.
pub fn told(found: &[PartView], language: Language) -> String {
    let texts = &language.studio().import;
    let counted = |text, n: usize| fill(text, &[("n", &numbers::whole(n as u64, language))]);
    let n = counted(texts.n_found, found.len());
    let is_unreadable = |part: &&PartView| part.kind == PartKind::Unreadable;
    let unreadable: Vec<&PartView> = found.iter().filter(is_unreadable).collect();
    match unreadable.as_slice() {
        [] => n,
        [part] => {
            // Most reasons name the file.
            match said(&part.reason, language) {
                why if why.contains(&part.name) => format!("{n} {why}"),
                why => format!("{n} {}: {}, {why}", part.name, texts.unreadable),
            }
        }
        parts => format!("{n} {}", counted(texts.n_unreadable, parts.len())),
    }
}

#[cfg(test)]
mod tests {
    use veneer_core::protocol::studio::Said;

    use super::*;

    fn part(key: u32, kind: PartKind) -> PartView {
        PartView {
            part: PartKey(key),
            name: format!("file{key}.csv"),
            bytes: 10,
            kind,
            reading: Reading::Records(RecordReading::default()),
            reason: Said::Text(String::new()),
            remembered: false,
            beside: false,
        }
    }

    fn table(key: u32) -> PartView {
        let columns = vec!["q".into(), "a".into()];
        part(key, PartKind::Table { columns })
    }

    #[test]
    fn what_cannot_be_read_is_not_included() {
        let mut importing = Importing::default();
        importing.found(vec![table(1), part(2, PartKind::Unreadable)]);
        assert_eq!(importing.included().len(), 1);
        importing.found(vec![table(1)]);
        assert_eq!(importing.choices.len(), 2, "the same part is not doubled");
    }

    #[test]
    fn what_tells_of_the_data_beside_it_waits_to_be_chosen() {
        let mut card = part(
            2,
            PartKind::Document {
                n_pages: 1,
                n_chars: 9,
            },
        );
        card.beside = true;
        let mut importing = Importing::default();
        importing.found(vec![table(1), card]);
        assert_eq!(importing.included().len(), 1);
        importing.choice_mut(PartKey(2)).unwrap().included = true;
        assert_eq!(importing.included().len(), 2);
    }

    #[test]
    fn what_was_found_is_told_in_a_breath() {
        let told = |found: &[PartView]| told(found, Language::English);
        assert_eq!(told(&[table(1)]), "1 part found.");
        let mut picture = part(2, PartKind::Unreadable);
        picture.reason = Said::Text("a picture".into());
        let one = told(&[table(1), picture.clone()]);
        assert_eq!(one, "2 parts found. file2.csv: cannot be read, a picture");
        picture.reason = Said::Text("`file2.csv`: a picture".into());
        let named = told(&[picture.clone()]);
        assert_eq!(named, "1 part found. `file2.csv`: a picture");
        let two = told(&[picture.clone(), picture]);
        assert_eq!(two, "2 parts found. 2 cannot be read.");
    }

    #[test]
    fn a_field_comes_from_one_place() {
        let mut choice = Choice::new(table(1));
        choice.set_source("output", Source::Column("a".into()));
        choice.set_source("output", Source::Template("{a}!".into()));
        assert_eq!(choice.source_of("output"), Source::Template("{a}!".into()));
        assert!(choice.records().unwrap().columns.is_empty());
        choice.set_source("output", Source::Nothing);
        assert_eq!(choice.source_of("output"), Source::Nothing);
    }

    #[test]
    fn fields_of_another_format_go() {
        let mut choice = Choice::new(table(1));
        choice.set_source("instruction", Source::Column("q".into()));
        choice.set_source("system", Source::Template("s".into()));
        choice.set_format(Some("query-response".into()));
        assert_eq!(choice.source_of("instruction"), Source::Nothing);
        assert_eq!(choice.source_of("system"), Source::Template("s".into()));
    }

    #[test]
    fn a_late_preview_of_another_reading_is_dropped() {
        let mut importing = Importing::default();
        importing.found(vec![table(1)]);
        let old = importing.choices[0].reading.clone();
        importing
            .choice_mut(PartKey(1))
            .unwrap()
            .set_format(Some("text".into()));
        importing.show_preview(PartKey(1), &old, &Preview::default());
        assert!(importing.choices[0].preview.is_none());
    }

    #[test]
    fn no_header_is_not_a_guess() {
        let mut choice = Choice::new(table(1));
        choice.set_header(Some(0), Some(0));
        let header = choice.records().unwrap().header;
        assert_eq!(header, Some(Header::default()));
        choice.set_header(None, Some(1));
        assert_eq!(choice.records().unwrap().header, None);
    }

    #[test]
    fn fields_settle_with_the_columns_that_come() {
        let mut importing = Importing::default();
        importing.found(vec![table(1)]);
        let choice = importing.choice_mut(PartKey(1)).unwrap();
        choice.set_header(Some(1), Some(1));
        let asked = choice.reading.clone();
        assert!(importing.is_unsettled());
        let guessed = RecordReading {
            columns: vec![("input".into(), "new".into())],
            ..importing.choices[0].records().unwrap().clone()
        };
        let preview = Preview {
            reading: Some(Reading::Records(guessed)),
            columns: vec!["new".into()],
            ..Preview::default()
        };
        importing.show_preview(PartKey(1), &asked, &preview);
        assert!(!importing.is_unsettled());
        let choice = &importing.choices[0];
        assert_eq!(choice.columns(), ["new"]);
        assert_eq!(choice.source_of("input"), Source::Column("new".into()));
    }
}
