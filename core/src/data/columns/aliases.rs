//! Other names of fields that turn up behind the record by which the columns of a file were told.
//!
//! What a name means must not depend on which record comes first: `context` is the input of a record
//! also where the first record has none. Where it once stood beside the input, it is something else.

use serde_json::{Map, Value};

use super::{Assignment, Mapping, field_named, normal_name, ordinary::is_mere_column};
use crate::data::{Format, format::is_optional};

/// Columns that are remembered; names may differ from record to record without end.
const MOST: usize = 100;

/// The field that a column may be read as, under another name than the field's own.
pub(crate) type OtherName<'a> = (&'static str, &'a String);

/// What was learned about other names, beside the mapping of the file.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    /// Columns that are read as fields; a field may have several of them.
    pub(crate) found: Mapping,
    /// Columns that stood in one record with the field as which they might be read.
    beside: Vec<String>,
}

/// How a file is read without them.
pub(crate) struct Known<'a> {
    pub(crate) format: Format,
    pub(crate) mapping: &'a Mapping,
    pub(crate) given: &'a Mapping,
}

/// The field of which a name is another one.
pub(crate) fn other_name_of(name: &str) -> Option<&'static str> {
    field_named(name).filter(|field| *field != name)
}

impl Aliases {
    /// Remember the columns that stand beside the field as which they might be read.
    pub(crate) fn note_beside(
        &mut self,
        others: &[OtherName<'_>],
        record: &Map<String, Value>,
        known: &Known<'_>,
    ) {
        for (field, column) in others {
            if self.may_be_new(&(field, column), known) && self.has(field, record, known) {
                self.beside.push((*column).clone());
            }
        }
    }

    /// Learn the other names of one record of the file's format, which may all be new.
    pub(crate) fn learn(
        &mut self,
        mut others: Vec<OtherName<'_>>,
        record: &Map<String, Value>,
        known: &Known<'_>,
    ) {
        // The field's own name in other letters goes before a word that means the same.
        others.sort_by_key(|(field, column)| normal_name(column) != *field);
        for (field, column) in others {
            if self.has(field, record, known) {
                self.beside.push(column.clone());
            } else if !is_mere_column(field, column, record) {
                let column = column.clone();
                self.found.0.push(Assignment { field, column });
            }
        }
    }

    /// Rename the columns of a record, unless it has the field itself.
    pub(crate) fn apply(&self, record: &mut Map<String, Value>) {
        for Assignment { field, column } in &self.found.0 {
            if !record.contains_key(*field)
                && let Some(value) = record.shift_remove(column)
            {
                record.insert((*field).to_owned(), value);
            }
        }
    }

    /// Whether a column may be a field and nothing is known of it.
    pub(crate) fn may_be_new(&self, (field, column): &OtherName<'_>, known: &Known<'_>) -> bool {
        let maps = |mapping: &Mapping| mapping.0.iter().any(|a| a.column == **column);
        is_optional(known.format, field)
            && !known.given.has(field)
            && ![known.given, known.mapping, &self.found]
                .into_iter()
                .any(maps)
            && !self.beside.contains(*column)
            && self.beside.len() + self.found.0.len() < MOST
    }

    /// Whether a record has a field, under its own name or another one.
    fn has(&self, field: &str, record: &Map<String, Value>, known: &Known<'_>) -> bool {
        let of_field = |a: &&Assignment| a.field == field;
        let mut columns = known.mapping.0.iter().chain(&self.found.0).filter(of_field);
        record.contains_key(field) || columns.any(|a| record.contains_key(&a.column))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(records: Value, expected: &[(&str, &str)]) {
        let mapping = Mapping::parse("instruction=instruction,output=output").unwrap();
        let known = Known {
            format: Format::Alpaca,
            mapping: &mapping,
            given: &Mapping::parse("tools=werkzeug").unwrap(),
        };
        let mut aliases = Aliases::default();
        for record in records.as_array().unwrap() {
            let record = record.as_object().unwrap();
            let others = record.keys();
            let others = others.filter_map(|key| Some((other_name_of(key)?, key)));
            let new = others.filter(|other| aliases.may_be_new(other, &known));
            aliases.learn(new.collect(), record, &known);
        }
        let found = aliases.found.0.iter();
        let found: Vec<_> = found.map(|a| (a.field, a.column.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn other_names_are_learned_unless_they_are_something_else() {
        let context = ("input", "context");
        check(
            json!([{"context": "c"}, {"system_prompt": "s", "context": ""}]),
            &[context, ("system", "system_prompt")],
        );
        check(
            json!([{"context": 1}, {"entrada": 1}]),
            &[context, ("input", "entrada")],
        );
        check(
            json!([{"context": "c", "Input": "i"}]),
            &[("input", "Input")],
        );
        check(
            json!([{"context": "c", "input": "i"}, {"context": "c"}]),
            &[],
        );
        check(
            json!([{"question": "q", "loss_weight": 1, "functions": []}]),
            &[],
        );
        check(
            json!([{"image": "a.jpg"}, {"image": ["a.jpg"]}]),
            &[("images", "image")],
        );
    }

    #[test]
    fn a_field_itself_goes_before_its_other_names() {
        let aliases = Aliases {
            found: Mapping(vec![Assignment {
                field: "input",
                column: "context".into(),
            }]),
            ..Aliases::default()
        };
        let mut records = [
            json!({"context": "c"}),
            json!({"context": "c", "input": "i"}),
        ];
        for record in &mut records {
            aliases.apply(record.as_object_mut().unwrap());
        }
        assert_eq!(records[0], json!({"input": "c"}));
        assert_eq!(records[1], json!({"context": "c", "input": "i"}));
    }
}
