//! What a record teaches by, told by what stands beside its text: of a file, in a project, and where it
//! is handed over.

use serde_json::{Map, Value};

use super::{Body, Format, Record};

/// What a record teaches by: examples, or judgements that this release does not train on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervision {
    /// An answer to learn.
    Demonstration,
    /// A chosen and a rejected answer; the record's body holds the chosen one, or the answer that it has
    /// beside the two.
    Pair,
    /// An answer with a mark, good or bad.
    Marked(bool),
}

impl Supervision {
    /// Of a record with these fields, or with these beside its text.
    pub(crate) fn of(format: Format, fields: &Map<String, Value>) -> Self {
        if matches!(format, Format::Text | Format::Tokenized) {
            return Self::Demonstration;
        }
        if judged(fields).is_some() {
            return Self::Pair;
        }
        match Mark::of(fields) {
            Some(Mark {
                is_good,
                is_sure: true,
            }) => Self::Marked(is_good),
            _ => Self::Demonstration,
        }
    }
}

/// What stands under `label`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) is_good: bool,
    /// 1 and 0 may be classes too; they are marks where every record has one of the two.
    pub(crate) is_sure: bool,
}

impl Mark {
    /// The mark of an answer with these fields, or with these beside it.
    pub(crate) fn of(fields: &Map<String, Value>) -> Option<Self> {
        label(fields).and_then(Self::read)
    }

    /// Tables have marks as texts or numbers.
    fn read(value: &Value) -> Option<Self> {
        let (is_good, is_sure) = match value {
            Value::Bool(good) => (*good, true),
            Value::String(text) => match text.as_str() {
                "true" | "True" | "TRUE" => (true, true),
                "false" | "False" | "FALSE" => (false, true),
                "1" | "1.0" => (true, false),
                "0" | "0.0" => (false, false),
                _ => return None,
            },
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => (true, false),
                Some(0.0) => (false, false),
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { is_good, is_sure })
    }
}

/// Where a mark stands; a file whose first records have none may keep it under the other name.
fn label(fields: &Map<String, Value>) -> Option<&Value> {
    let filled = |name: &str| fields.get(name).filter(|value| !value.is_null());
    filled("label").or_else(|| filled("kto_tag"))
}

/// A better and a worse answer. Rows of mixed files may have both columns, and nothing in them.
fn judged(fields: &Map<String, Value>) -> Option<(&Value, &Value)> {
    let is_filled = |value: &Value| !value.is_null() && value.as_str() != Some("");
    let pair = (fields.get("chosen")?, fields.get("rejected")?);
    (is_filled(pair.0) || is_filled(pair.1)).then_some(pair)
}

/// A better and a worse answer.
pub(crate) fn pair(record: &Record) -> Option<(&Value, &Value)> {
    judged(&record.extra).filter(|_| has_answer(record))
}

/// Whether the answer is marked as good or bad, and as which. Of a pair, the better one is taken.
pub(crate) fn mark(record: &Record) -> Option<Mark> {
    let mark = Mark::of(&record.extra)?;
    (has_answer(record) && pair(record).is_none()).then_some(mark)
}

/// Whether all that stands under `label` are marks, some of which are 1 or 0.
pub(crate) fn are_marks(records: &[Record]) -> bool {
    let mut has_numbers = false;
    for record in records {
        if label(&record.extra).is_none() || pair(record).is_some() {
            continue;
        }
        match mark(record) {
            Some(mark) => has_numbers |= !mark.is_sure,
            None => return false,
        }
    }
    has_numbers
}

/// What is learned as a whole has no answer to judge.
fn has_answer(record: &Record) -> bool {
    match &record.body {
        Body::Chat(_) => true,
        Body::Text { prompt, .. } => !prompt.is_empty(),
        Body::Tokens(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(fields: Value, expected: Supervision) {
        let Value::Object(fields) = fields else {
            panic!("an object")
        };
        assert_eq!(Supervision::of(Format::Alpaca, &fields), expected);
    }

    #[test]
    fn two_answers_are_a_pair_also_where_the_record_has_its_own() {
        use Supervision::{Demonstration, Pair};
        check(json!({"chosen": "a", "rejected": "b"}), Pair);
        let own = json!({"instruction": "q", "output": "a", "chosen": "a", "rejected": "b"});
        check(own, Pair);
        check(json!({"chosen": "a", "rejected": null}), Pair);
        check(json!({"output": "a", "chosen": "a"}), Demonstration);
        let empty = json!({"output": "a", "chosen": null, "rejected": ""});
        check(empty, Demonstration);
    }

    #[test]
    fn marks_of_tables_are_texts() {
        for (label, good) in [
            (json!(true), true),
            (json!("True"), true),
            (json!("False"), false),
            (json!("false"), false),
        ] {
            check(json!({"label": label}), Supervision::Marked(good));
        }
        check(json!({"kto_tag": false}), Supervision::Marked(false));
        for label in [json!("good"), json!(0), json!("1"), json!(2), json!(null)] {
            check(json!({"label": label}), Supervision::Demonstration);
        }
    }

    /// Marked answers, those left out, and records that are left.
    fn told(labels: &[Value], take_chosen: bool) -> (u64, u64, usize) {
        let row = |label: &Value| json!({"prompt": "q", "completion": "a", "label": label});
        let lines: Vec<String> = labels.iter().map(|label| row(label).to_string()).collect();
        let options = crate::data::ReadOptions {
            take_chosen,
            keep_raw: true,
            ..Default::default()
        };
        let loaded = crate::data::read(lines.join("\n").as_bytes(), &options).expect("readable");
        assert_eq!(loaded.raw.len(), loaded.records.len());
        assert_eq!(loaded.numbers.len(), loaded.records.len());
        (loaded.n_marked, loaded.n_left_out, loaded.records.len())
    }

    #[test]
    fn numbers_are_marks_where_all_are_one_or_zero() {
        let labels = [json!(1), json!(0), json!(null), json!(0)];
        assert_eq!(told(&labels, false), (3, 0, 4));
        assert_eq!(told(&labels, true), (3, 2, 2));
        let classes = [json!(1), json!(0), json!(2)];
        assert_eq!(told(&classes, true), (0, 0, 3));
        let texts = [json!("True"), json!("0.0")];
        assert_eq!(told(&texts, true), (2, 1, 1));
    }
}
