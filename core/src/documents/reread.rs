//! What was changed of a reading by hand, kept where the rest of it is guessed again.
//!
//! A reading is options (encoding, separator, header, numbers) and fields (columns, templates). Fields
//! are guessed under the options; a field that reads otherwise than it was guessed was changed by hand.

use super::Part;
use crate::protocol::studio::{Reading, RecordReading};

impl Part {
    /// A reading whose options were changed since `before`: fields that are as they were guessed then
    /// are guessed anew, the others stay.
    pub fn reread(&self, before: &Reading, reading: Reading) -> Reading {
        match (before, reading) {
            (Reading::Records(before), Reading::Records(reading))
                if !before.has_columns_of(&reading) =>
            {
                let old = self.guessed(before, Some(before.numbers));
                let new = self.guessed(&reading, Some(reading.numbers));
                Reading::Records(with_changes(new, &old, &reading))
            }
            (_, reading) => reading,
        }
    }

    /// What was guessed where `chosen` was chosen. Both together say what was changed by hand.
    pub fn basis(&self, chosen: &RecordReading) -> Option<RecordReading> {
        let Reading::Records(own) = &self.view.reading else {
            return None;
        };
        let fields = match own.has_columns_of(chosen) {
            true => own.clone(),
            false => self.guessed(chosen, Some(chosen.numbers)),
        };
        Some(RecordReading {
            columns: fields.columns,
            templates: fields.templates,
            // What the file itself says, for others that say the same.
            encoding: chosen.encoding.as_ref().and_then(|_| self.told_encoding()),
            ..own.clone()
        })
    }

    /// What is guessed of this part, with what was changed by hand when another with the same columns
    /// was read. What is of that file and not of its columns, such as the encoding, is taken over where
    /// the same was guessed of both. `None` where nothing was changed, or it does not fit.
    pub fn changed_as(
        &self,
        basis: &RecordReading,
        chosen: &RecordReading,
    ) -> Option<RecordReading> {
        let Reading::Records(own) = &self.view.reading else {
            return None;
        };
        let mut known = own.clone();
        if chosen.format != basis.format {
            known.format.clone_from(&chosen.format);
        }
        if chosen.separator != basis.separator && own.separator == basis.separator {
            known.separator.clone_from(&chosen.separator);
        }
        if chosen.header != basis.header && own.header == basis.header {
            known.header = chosen.header;
        }
        if chosen.encoding.is_some() && self.told_encoding() == basis.encoding {
            known.encoding.clone_from(&chosen.encoding);
        }
        if chosen.numbers != basis.numbers {
            known.numbers = chosen.numbers;
        }
        if chosen.take_chosen != basis.take_chosen {
            known.take_chosen = chosen.take_chosen;
        }
        let fields = match own.has_columns_of(&known) {
            true => known,
            false => self.guessed(&known, Some(known.numbers)),
        };
        let changed = with_changes(fields, basis, chosen);
        if changed == *own {
            return None;
        }
        let preview = self.preview(&Reading::Records(changed.clone()), None);
        preview.failed.is_none().then_some(changed)
    }

    fn told_encoding(&self) -> Option<String> {
        let Reading::Records(own) = &self.view.reading else {
            return None;
        };
        let (reader, _) = self.reader(own, 1).ok()?;
        Some(reader.source().encoding.name().to_owned())
    }
}

/// `new`, with every field that `chosen` reads otherwise than `old`.
fn with_changes(
    mut new: RecordReading,
    old: &RecordReading,
    chosen: &RecordReading,
) -> RecordReading {
    let all = [old, chosen].into_iter();
    let all = all.flat_map(|reading| reading.columns.iter().chain(&reading.templates));
    let mut fields: Vec<&String> = all.map(|(field, _)| field).collect();
    fields.sort_unstable();
    fields.dedup();
    for field in fields {
        if sources(old, field) != sources(chosen, field) {
            let (columns, templates) = sources(chosen, field);
            new.columns.retain(|(name, _)| name != field);
            new.columns.extend(columns.into_iter().cloned());
            new.templates.retain(|(name, _)| name != field);
            new.templates.extend(templates.into_iter().cloned());
        }
    }
    new
}

type Sources<'a> = Vec<&'a (String, String)>;

/// Where a field is read from: columns, templates.
fn sources<'a>(reading: &'a RecordReading, field: &str) -> (Sources<'a>, Sources<'a>) {
    let of = |list: &'a [(String, String)]| list.iter().filter(|(name, _)| name == field).collect();
    (of(&reading.columns), of(&reading.templates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        documents::{file::Bytes, inspect},
        protocol::studio::{Header, Numbers},
    };

    fn part(name: &str, bytes: impl Into<Vec<u8>>) -> Part {
        inspect(Bytes::of(name, bytes)).remove(0)
    }

    fn population(year: u32) -> Part {
        let text = format!(
            "第1表 地域別人口（{year}年）,,\n地域,人口（千人）,世帯（世帯）\n東京都,\"14,047\",\"7,227,000\"\n大阪府,\"8,837\",\"4,135,000\"\n"
        );
        part(&format!("pop{year}.csv"), text)
    }

    fn own(part: &Part) -> RecordReading {
        match &part.view.reading {
            Reading::Records(reading) => reading.clone(),
            Reading::Chunks(_) => panic!("a table"),
        }
    }

    fn template<'a>(reading: &'a RecordReading, field: &str) -> &'a str {
        let found = reading.templates.iter().find(|(name, _)| name == field);
        &found.unwrap().1
    }

    fn set(reading: &mut RecordReading, field: &str, text: &str) {
        reading.templates.retain(|(name, _)| name != field);
        reading.templates.push((field.into(), text.into()));
    }

    #[test]
    fn a_guess_is_the_same_when_it_is_made_again() {
        for part in [population(2015), part("a.csv", "query,response\na,b\n")] {
            let own = own(&part);
            assert_eq!(part.guessed(&own, Some(own.numbers)), own);
        }
    }

    #[test]
    fn of_a_series_only_what_was_changed_by_hand_is_taken_over() {
        let (first, second) = (population(2015), population(2020));
        let mut chosen = own(&first);
        assert!(template(&chosen, "instruction").contains("2015"));
        let basis = first.basis(&chosen).unwrap();
        assert_eq!(
            second.changed_as(&basis, &chosen),
            None,
            "nothing was changed"
        );
        set(&mut chosen, "output", "{地域}");
        let basis = first.basis(&chosen).unwrap();
        let changed = second.changed_as(&basis, &chosen).unwrap();
        assert_eq!(template(&changed, "output"), "{地域}");
        assert!(template(&changed, "instruction").contains("2020"));
    }

    #[test]
    fn an_encoding_is_for_files_that_look_alike() {
        let (text, eucjp) = ("name,text\n1,日本語です\n", encoding_rs::EUC_JP);
        let first = part("a.csv", eucjp.encode(text).0.into_owned());
        let mut chosen = own(&first);
        chosen.encoding = Some("windows-1252".into());
        let basis = first.basis(&chosen).unwrap();
        assert_eq!(part("b.csv", text).changed_as(&basis, &chosen), None);
        let alike = first.changed_as(&basis, &chosen).unwrap();
        assert_eq!(alike.encoding.as_deref(), Some("windows-1252"));
    }

    #[test]
    fn what_does_not_fit_another_file_is_left() {
        let (first, second) = (population(2015), population(2020));
        let mut chosen = own(&first);
        set(&mut chosen, "output", "{nowhere}");
        let basis = first.basis(&chosen).unwrap();
        assert_eq!(second.changed_as(&basis, &chosen), None);
    }

    #[test]
    fn other_options_have_fields_guessed_anew() {
        let part = population(2015);
        let before = own(&part);
        assert_eq!(before.numbers, Numbers::WithUnits);
        assert!(!template(&before, "input").contains("千人"));
        let after = |change: &dyn Fn(&mut RecordReading)| {
            let mut reading = before.clone();
            change(&mut reading);
            let before = Reading::Records(before.clone());
            let Reading::Records(after) = part.reread(&before, Reading::Records(reading)) else {
                panic!("records")
            };
            let preview = part.preview(&Reading::Records(after.clone()), None);
            assert_eq!(preview.failed, None);
            after
        };
        let stands = after(&|reading| reading.numbers = Numbers::AsTheyStand);
        assert!(template(&stands, "input").contains("{人口（千人）}"));
        let bare = after(&|reading| {
            reading.header = Some(Header {
                skipped_rows: 2,
                header_rows: 0,
            });
        });
        assert!(template(&bare, "input").contains("{column 2"));
        let by_hand = after(&|reading| {
            reading.numbers = Numbers::AsTheyStand;
            set(reading, "instruction", "¿Cuántos?");
        });
        assert_eq!(template(&by_hand, "instruction"), "¿Cuántos?");
        assert!(template(&by_hand, "input").contains("{人口（千人）}"));
        let guessed = after(&|reading| reading.header = None);
        assert_eq!(guessed.header, before.header);
    }

    #[test]
    fn suggestions_are_in_the_language_of_the_page_where_the_table_tells_none() {
        let mut short = part("bce.csv", "X,Y\n1,2\n3,4\n");
        short.suggest_in("es");
        assert!(template(&own(&short), "instruction").starts_with("Usa "));
        let mut japanese = population(2015);
        japanese.suggest_in("es");
        assert!(template(&own(&japanese), "instruction").starts_with('「'));
    }

    #[test]
    fn a_column_that_is_gone_is_said_in_every_language() {
        use crate::protocol::studio::{Phrase, Said};
        let part = part("a.csv", "a,b\n1,2\n");
        let failed = |text: &str| {
            let mut reading = own(&part);
            set(&mut reading, "input", text);
            part.preview(&Reading::Records(reading), None).failed
        };
        for (text, expected) in [
            ("{nowhere}", Phrase::TemplateWithoutColumn),
            ("{a", Phrase::TemplateNotClosed),
            ("a}", Phrase::TemplateClosesNothing),
        ] {
            assert!(
                matches!(failed(text), Some(Said::Phrase(phrase, _)) if phrase == expected),
                "{text}"
            );
        }
        let mut mapped = RecordReading::default();
        mapped
            .columns
            .push(("instruction".into(), "nowhere".into()));
        let failed = part.preview(&Reading::Records(mapped), None).failed;
        assert!(matches!(
            failed,
            Some(Said::Phrase(Phrase::UnmappedColumn, _))
        ));
    }
}
