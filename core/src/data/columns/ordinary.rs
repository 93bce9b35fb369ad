//! Columns that have the name of a field and hold something else: `History` in a table of grades.
//!
//! A history, tools, messages and media are lists, objects, or their JSON. A column of which no value
//! is such a thing plays no part. One that has exactly a field's name would be read as that field all the
//! same, so it is set aside while a record is read.

use serde_json::{Map, Value};

use super::{Mapping, field_named};

/// Stands before the name of a column that is set aside: a noncharacter, which no text has.
const ASIDE: char = '\u{fdd0}';

/// Fields that hold more than text.
const LISTS: [&str; 7] = [
    "history",
    "tools",
    "messages",
    "conversations",
    "images",
    "videos",
    "audios",
];

const MEDIA: [(&str, &str); 3] = [
    ("images", "<image>"),
    ("videos", "<video>"),
    ("audios", "<audio>"),
];

/// What was seen of a column named after a list.
struct Seen<'a> {
    column: &'a str,
    field: &'static str,
    fits: bool,
}

/// Columns named after lists in the first records of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ordinary {
    /// Columns that play no part, as far as that was seen.
    pub(crate) columns: Vec<String>,
    /// Fields of which no value was seen.
    open: Vec<&'static str>,
}

impl Ordinary {
    pub(crate) fn of<'a>(records: impl Iterator<Item = &'a Map<String, Value>>) -> Self {
        let mut all: Vec<Seen<'a>> = Vec::new();
        for record in records {
            for (column, value) in record {
                let Some(field) = field_named(column).filter(|field| LISTS.contains(field)) else {
                    continue;
                };
                let fits = !is_empty(value) && may_be_list(field, value, record);
                match all.iter_mut().find(|seen| seen.column == column) {
                    Some(seen) => seen.fits |= fits,
                    None => all.push(Seen {
                        column,
                        field,
                        fits,
                    }),
                }
            }
        }
        let is_open =
            |field: &&'static str| !all.iter().any(|seen| seen.field == *field && seen.fits);
        let ordinary = all.iter().filter(|seen| !seen.fits);
        Self {
            columns: ordinary.map(|seen| seen.column.to_owned()).collect(),
            open: LISTS.into_iter().filter(is_open).collect(),
        }
    }

    /// Set aside what a record has under the name of a list and is none. What `given` assigns, a
    /// person has said; messages are read only where they tell the format.
    pub(crate) fn set_aside(
        &self,
        record: &mut Map<String, Value>,
        mapped: &Mapping,
        given: &Mapping,
    ) {
        for &field in &self.open {
            if given.has(field) || matches!(field, "messages" | "conversations") {
                continue;
            }
            for column in [mapped.column(field), Some(field)].into_iter().flatten() {
                let value = record.get(column);
                let is_other = |value| !is_empty(value) && !may_be_list(field, value, record);
                if value.is_some_and(is_other) {
                    set_aside(record, column);
                }
            }
        }
    }
}

/// Whether a column of a record is named after a list and holds none there.
pub(super) fn is_mere_column(field: &str, column: &str, record: &Map<String, Value>) -> bool {
    let fits = |value| !is_empty(value) && may_be_list(field, value, record);
    LISTS.contains(&field) && !record.get(column).is_some_and(fits)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// Whether what a record has for such a field may be that: not the number of a conversation.
pub(crate) fn may_be_list(field: &str, value: &Value, record: &Map<String, Value>) -> bool {
    let may_be_object = field != "history";
    let is_it = match value {
        Value::Array(_) => true,
        Value::Object(_) => may_be_object,
        Value::String(text) => {
            let text = text.trim_start();
            let is_json = text.starts_with('[') || may_be_object && text.starts_with('{');
            // Or the name of one file, of which the record speaks.
            is_json || is_spoken_of(field, record)
        }
        _ => false,
    };
    // Whoever writes down conversations means tools, if wrongly.
    is_it || field == "tools" && record.iter().any(is_conversation)
}

fn is_conversation((column, value): (&String, &Value)) -> bool {
    matches!(field_named(column), Some("messages" | "conversations")) && value.is_array()
}

fn is_spoken_of(field: &str, record: &Map<String, Value>) -> bool {
    marker(field).is_some_and(|marker| record.values().any(|value| holds(value, marker)))
}

/// Where a picture stands in a text.
fn marker(field: &str) -> Option<&'static str> {
    let found = MEDIA.iter().find(|(name, _)| *name == field);
    found.map(|(_, marker)| *marker)
}

fn holds(value: &Value, marker: &str) -> bool {
    match value {
        Value::String(text) => text.contains(marker),
        Value::Array(items) => items.iter().any(|item| holds(item, marker)),
        Value::Object(fields) => fields.values().any(|value| holds(value, marker)),
        _ => false,
    }
}

/// Give a column a name under which nothing is read, at its place.
pub(crate) fn set_aside(record: &mut Map<String, Value>, column: &str) {
    let renamed = std::mem::take(record).into_iter().map(|(key, value)| {
        let key = if key == column {
            format!("{ASIDE}{key}")
        } else {
            key
        };
        (key, value)
    });
    *record = renamed.collect();
}

/// Names of columns that were set aside as they were, unless something else has the name now.
pub(crate) fn put_back(record: &mut Map<String, Value>) {
    if !record.keys().any(|key| key.starts_with(ASIDE)) {
        return;
    }
    let aside: Vec<String> = record.keys().cloned().collect();
    let taken = |name: &str| aside.iter().any(|key| key == name);
    let renamed = std::mem::take(record).into_iter();
    let renamed = renamed.filter_map(|(key, value)| match key.strip_prefix(ASIDE) {
        None => Some((key, value)),
        Some(name) => (!taken(name)).then(|| (name.to_owned(), value)),
    });
    *record = renamed.collect();
}

pub(super) fn is_aside(name: &str) -> bool {
    name.starts_with(ASIDE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            other => panic!("no object: {other}"),
        }
    }

    fn ordinary(records: Value) -> Ordinary {
        let Value::Array(records) = records else {
            panic!("a list")
        };
        let records: Vec<_> = records.into_iter().map(object).collect();
        Ordinary::of(records.iter())
    }

    #[test]
    fn columns_that_hold_no_list_are_told_apart() {
        for (value, is_ordinary) in [
            (json!("Rome"), true),
            (json!(4), true),
            (json!({"a": 1}), true),
            (json!("[[\"q\", \"a\"]]"), false),
            (json!([["q", "a"]]), false),
            (json!(""), true),
            (json!(null), true),
        ] {
            let found = ordinary(json!([{"History": value.clone()}]));
            assert_eq!(found.columns == ["History"], is_ordinary, "{value}");
        }
        assert_eq!(
            ordinary(json!([{"functions": {}}, {"functions": "A"}])).columns,
            [""; 0]
        );
        assert_eq!(
            ordinary(json!([{"Conversation": "c-17"}])).columns,
            ["Conversation"]
        );
    }

    #[test]
    fn the_name_of_a_file_is_an_image_where_the_text_speaks_of_it() {
        let lamp = json!({"product": "Lamp", "image": "a.jpg"});
        assert_eq!(ordinary(json!([lamp])).columns, ["image"]);
        let asked = json!([{"from": "human", "value": "<image>\nWhat is it?"}]);
        let asked = json!({"image": "a.jpg", "conversations": asked});
        assert_eq!(ordinary(json!([asked])).columns, [""; 0]);
        assert_eq!(
            ordinary(json!([{"image": {"bytes": [1]}}])).columns,
            [""; 0]
        );
    }

    #[test]
    fn what_is_set_aside_comes_back_at_its_place() {
        let before = object(json!({"a": 1, "history": "Rome", "b": 2}));
        let found = Ordinary::of(std::iter::once(&before));
        let mut record = before.clone();
        found.set_aside(&mut record, &Mapping::default(), &Mapping::default());
        assert!(!record.contains_key("history"));
        let mut other = record.clone();
        put_back(&mut record);
        assert!(record.iter().eq(before.iter()), "{record:?}");
        other.insert("history".into(), json!("filled"));
        put_back(&mut other);
        assert_eq!(other, object(json!({"a": 1, "b": 2, "history": "filled"})));
        let given = Mapping::parse("history=history").unwrap();
        let mut record = before.clone();
        found.set_aside(&mut record, &given, &given);
        assert_eq!(record, before);
    }
}
