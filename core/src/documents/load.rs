//! Parts of a file as one dataset in memory, like one that was read from a text file.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{DocumentError, Part};
use crate::{
    data::{Encoding, Format, Loaded, ReadOptions, Record, Shape, Source, read_into, to_fields},
    protocol::studio::{PartKind, Reading, Said},
    text::ModelText,
};

/// All records of parts, one part after the other. `options` say what is kept; how a part is read
/// stands in its reading.
///
/// # Errors
/// If one of them cannot be read under its reading, or there is none.
pub fn load(
    parts: &[(Part, Reading)],
    options: &ReadOptions,
    text: Option<&Rc<ModelText>>,
) -> Result<Loaded, DocumentError> {
    let mut loaded: Option<Loaded> = None;
    for (part, reading) in parts {
        match reading {
            Reading::Records(reading) => {
                let mut reader = part.reader(reading, usize::MAX)?.0;
                reader.keep_raw(options.keep_raw);
                let failed = |error| DocumentError::from_data(&part.view.name, error);
                let all = loaded
                    .get_or_insert_with(|| Loaded::empty(reader.source(), options.kept_problems));
                read_into(all, reader, options).map_err(failed)?;
            }
            Reading::Chunks(_) => {
                let arrivals = part.records(reading, text.cloned())?;
                let all = loaded
                    .get_or_insert_with(|| Loaded::empty(pieces_of(part), options.kept_problems));
                for arrival in arrivals {
                    let arrival = arrival?;
                    all.n_in_file += 1;
                    all.problems.extend(arrival.problems);
                    let Some(record) = arrival.record else {
                        continue;
                    };
                    all.numbers.push(all.n_in_file);
                    all.raw.extend(options.keep_raw.then(|| raw(&record)));
                    all.records.push(record);
                }
            }
        }
    }
    loaded.ok_or_else(|| DocumentError::Reading {
        reason: "there is nothing in it that can be read".into(),
    })
}

/// A document's pieces are texts with columns beside them.
fn raw(record: &Record) -> Map<String, Value> {
    let (fields, _) = to_fields(record, None, Format::Text, false);
    fields.unwrap_or_default()
}

fn pieces_of(part: &Part) -> Source {
    let reason = match part.view.kind {
        PartKind::Document { n_pages, .. } if n_pages > 1 => {
            format!("{n_pages} pages of a document, in pieces")
        }
        _ => "a document, in pieces".into(),
    };
    Source {
        format: Format::Text,
        reason: Said::Text(reason),
        mapping: Default::default(),
        encoding: Encoding::UTF_8,
        encoding_reason: "not a text file",
        bom: false,
        crlf: false,
        shape: Shape::Given {
            columns: vec!["text".into()],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{file::Bytes, inspect};

    #[test]
    fn a_sheet_gives_what_the_same_table_as_text_gives() {
        let text = "query,response,source\na,b,x\na,b,y\nc,,z\n";
        let options = ReadOptions {
            keep_raw: true,
            ..ReadOptions::default()
        };
        let of_text = crate::data::read(text.as_bytes(), &options).expect("readable");
        let columns = ["query", "response", "source"].map(String::from);
        let rows = of_text.raw.iter().map(|row| {
            let filled = row.iter().filter(|(_, value)| *value != "");
            filled
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        });
        let book = crate::documents::xlsx_out::xlsx(&columns, rows).expect("written");
        let parts: Vec<(Part, Reading)> = inspect(Bytes::of("a.xlsx", book))
            .into_iter()
            .map(|part| (part.clone(), part.view.reading))
            .collect();
        let of_sheet = load(&parts, &options, None).expect("readable");
        let bodies = |loaded: &Loaded| -> Vec<crate::data::Body> {
            let records = loaded.records.iter();
            records.map(|record| record.body.clone()).collect()
        };
        assert_eq!(bodies(&of_sheet)[..2], bodies(&of_text)[..2]);
        assert_eq!(of_sheet.n_in_file, of_text.n_in_file);
        let checked = |loaded: &Loaded| {
            let found = crate::data::check(loaded, &crate::data::CheckOptions::default());
            found
                .counts()
                .get(&crate::data::ProblemKind::Duplicate)
                .copied()
        };
        assert_eq!((checked(&of_sheet), checked(&of_text)), (Some(1), Some(1)));
    }

    #[test]
    fn a_document_is_texts() {
        let parts: Vec<(Part, Reading)> =
            inspect(Bytes::of("a.md", "# Un bono\n\nEs una deuda.\n"))
                .into_iter()
                .map(|part| (part.clone(), part.view.reading))
                .collect();
        let loaded = load(&parts, &ReadOptions::default(), None).expect("readable");
        assert_eq!(loaded.source.format, Format::Text);
        assert_eq!(loaded.records.len() as u64, loaded.n_in_file);
        assert!(!loaded.records.is_empty());
    }
}
