//! Columns beside the text, as far as they would be read as that again.
//!
//! A column may have the name of a field, or one of its aliases: `System` beside `query` and `response`
//! would become a system prompt. Whether it does is asked of the reader itself.

use serde_json::{Map, Value};

use super::{Loss, fields::note};
use crate::data::{
    Mapping, Place, Record, columns::names_a_field, format::recognise, parse::parse,
};

/// What records of every format have beside their text.
const OF_EVERY_FORMAT: [&str; 6] = ["chosen", "rejected", "label", "images", "videos", "audios"];

/// The fields of a record with its further columns behind them.
pub(super) fn with_extra(
    mut fields: Map<String, Value>,
    record: &Record,
    losses: &mut Vec<Loss>,
) -> Map<String, Value> {
    for (key, value) in &record.extra {
        if fields.contains_key(key) {
            note(losses, Loss::Column);
            continue;
        }
        fields.insert(key.clone(), value.clone());
        let may_be_read = names_a_field(key) && !OF_EVERY_FORMAT.contains(&key.as_str());
        if may_be_read && !stays_beside(&fields, key) {
            fields.shift_remove(key);
            note(losses, Loss::Column);
        }
    }
    fields
}

/// Whether a row says the same with this column as without, and has it beside that.
fn stays_beside(row: &Map<String, Value>, key: &str) -> bool {
    let mut without = row.clone();
    let value = without.shift_remove(key);
    // What cannot be read without it is no worse with it.
    let Some(before) = read(without) else {
        return true;
    };
    let mut extra = before.extra;
    extra.extend(value.map(|value| (key.to_owned(), value)));
    read(row.clone()).is_some_and(|after| after.body == before.body && after.extra == extra)
}

fn read(mut row: Map<String, Value>) -> Option<Record> {
    let recognised = recognise(&row, &Mapping::default()).ok()??;
    recognised.mapping.apply(&mut row);
    let place = Place { line: 1, record: 1 };
    let read = parse(recognised.format, row, place, &mut Vec::new());
    read.map(|(record, _)| record)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(fields: Value, name: &str, stays: bool) {
        let (Value::Object(fields), Value::Object(extra)) = (fields, json!({name: "x"})) else {
            panic!("objects");
        };
        let record = Record {
            body: crate::text::Body::Text {
                prompt: String::new(),
                completion: String::new(),
            },
            extra,
            line: 1,
        };
        let mut losses = Vec::new();
        let row = with_extra(fields, &record, &mut losses);
        assert_eq!((row.contains_key(name), losses.is_empty()), (stays, stays));
    }

    #[test]
    fn a_column_that_would_be_read_as_a_field_is_taken() {
        let question = json!({"query": "q", "response": "r"});
        for name in ["System", "history"] {
            check(question.clone(), name, false);
        }
        for name in [
            "instruction",
            "output",
            "conversations",
            "source",
            "answer",
            "context",
            "text",
            "weight",
            "label",
        ] {
            check(question.clone(), name, true);
        }
        let asked = json!({"question": "q", "answer": "a"});
        for name in ["instruction", "output", "response"] {
            check(asked.clone(), name, false);
        }
        let turns =
            json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]);
        let messages = json!({ "messages": turns });
        for name in [
            "instruction",
            "question",
            "output",
            "history",
            "conversations",
        ] {
            check(messages.clone(), name, true);
        }
        check(messages.clone(), "conversation", true);
        for name in ["system", "functions"] {
            check(messages.clone(), name, false);
        }
        check(json!({"text": "t"}), "question", true);
        check(json!({"text": "t", "question": "q"}), "answer", false);
    }
}
