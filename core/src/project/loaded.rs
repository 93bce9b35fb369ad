//! The records of a project as reading them from a file gives them, for what works on datasets.

use std::collections::BTreeMap;

use super::{Project, ProjectError, content::read_stored, edit::side_of, trust::not_whole};
use crate::{
    data::{Encoding, Format, Loaded, Place, ReadOptions, Shape, Source, Supervision, validate},
    protocol::studio::{Said, Side},
};

impl Project {
    /// Records outside the trash, in their order; only those of some sides where any are named.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn loaded(&self, sides: &[Side], options: &ReadOptions) -> Result<Loaded, ProjectError> {
        let mut loaded = Loaded::empty(source(), options.kept_problems);
        let mut formats: BTreeMap<Format, u64> = BTreeMap::new();
        let mut statement = self.store.settled()?.prepare_cached(
            "SELECT record.line, record.side, content.json, record.body, state IS 0, record.id
             FROM record LEFT JOIN content ON content.body = record.body
             WHERE state IS NOT 1 AND state IS NOT 2 ORDER BY record.position, record.id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !row.get::<_, bool>(4)? {
                return Err(not_whole(row.get(5)?));
            }
            loaded.n_in_file += 1;
            let side: Option<i64> = row.get(1)?;
            let side = side.and_then(side_of);
            if !sides.is_empty() && !side.is_some_and(|side| sides.contains(&side)) {
                continue;
            }
            let json = row.get_ref(2)?.as_str_or_null();
            let Some(json) = json.map_err(rusqlite::Error::from)? else {
                let body: i64 = row.get(3)?;
                return Err(ProjectError::Broken {
                    detail: format!("text {body} is missing"),
                });
            };
            let (mut record, origin) = read_stored(json)?;
            record.line = row.get(0)?;
            let place = Place {
                line: record.line,
                record: loaded.n_in_file,
            };
            let supervision = Supervision::of(origin.format, &record.extra);
            if !loaded.counts_as(supervision, options.take_chosen) {
                continue;
            }
            *formats.entry(origin.format).or_insert(0) += 1;
            loaded
                .problems
                .extend(validate(&record, origin.format, place));
            loaded.numbers.push(place.record);
            loaded.raw.extend(options.keep_raw.then_some(origin.raw));
            loaded.records.push(record);
        }
        loaded.settle_marks(0, options.take_chosen);
        let most = formats.iter().max_by_key(|(_, n)| **n);
        if let Some((format, _)) = most {
            loaded.source.format = *format;
        }
        if !sides.is_empty() {
            loaded.n_in_file = loaded.records.len() as u64 + loaded.n_left_out;
        }
        Ok(loaded)
    }
}

fn source() -> Source {
    Source {
        format: Format::Openai,
        reason: Said::Text("a project".into()),
        mapping: Default::default(),
        encoding: Encoding::UTF_8,
        encoding_reason: "not a text file",
        bom: false,
        crlf: false,
        shape: Shape::Given {
            columns: Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::project::testing::{chat, project_of, question};

    #[test]
    fn records_come_in_their_order_with_their_problems() {
        let project = project_of([question(2), chat("q", ""), question(1)]);
        let loaded = project
            .loaded(&[], &ReadOptions::default())
            .expect("readable");
        let bodies: Vec<_> = loaded.records.iter().map(|record| &record.body).collect();
        assert_eq!(
            bodies,
            [&question(2).body, &chat("q", "").body, &question(1).body]
        );
        assert_eq!(
            (loaded.n_in_file, loaded.numbers.as_slice()),
            (3, &[1, 2, 3][..])
        );
        assert_eq!(loaded.problems.n_errors(), 1);
    }

    #[test]
    fn judgements_are_told_as_of_a_file() {
        let with = |extra: serde_json::Value| {
            let mut record = chat("q", "a");
            record.extra = serde_json::from_value(extra).expect("an object");
            record
        };
        let pair = with(json!({"chosen": "a", "rejected": "b"}));
        let nothing = with(json!({"chosen": null, "rejected": null}));
        let marks = [json!("False"), json!(0), json!("1")];
        let marks = marks.map(|label| with(json!({ "label": label })));
        let project = project_of([[pair, nothing].as_slice(), &marks].concat());
        let options = ReadOptions {
            take_chosen: true,
            ..ReadOptions::default()
        };
        let loaded = project.loaded(&[], &options).expect("readable");
        let counts = (loaded.n_pairs, loaded.n_marked, loaded.n_left_out);
        assert_eq!((counts, loaded.records.len()), ((1, 3, 2), 3));
        assert_eq!(loaded.numbers, [1, 2, 5]);
    }

    #[test]
    fn a_record_without_its_text_is_not_passed_over() {
        let project = project_of([question(1), question(2)]);
        let db = project.store.raw();
        db.execute("DELETE FROM content WHERE body = 2", [])
            .expect("deletes");
        let loaded = project.loaded(&[], &ReadOptions::default());
        assert!(matches!(loaded, Err(ProjectError::Broken { .. })));
    }

    #[test]
    fn a_side_without_records_is_empty() {
        let project = project_of([question(1)]);
        let loaded = project.loaded(&[Side::Test], &ReadOptions::default());
        assert!(loaded.expect("readable").records.is_empty());
    }
}
