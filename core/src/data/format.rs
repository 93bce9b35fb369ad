//! The dataset formats, and which one a record has.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    DatasetError,
    columns::{Assignment, Mapping, Ordinary, may_be_list},
};

/// How a file writes down its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `instruction`, `input`, `output`, optional `system` and `history`.
    Alpaca,
    /// `conversations` with `from` and `value`.
    Sharegpt,
    /// `messages` with `role` and `content`.
    Openai,
    /// `prompt` and `completion`: text to continue, or lists of messages.
    PromptCompletion,
    /// `query` and `response`: one question and its answer.
    QueryResponse,
    /// `text`: the whole text is learned.
    Text,
    /// `input_ids` and `labels`.
    Tokenized,
}

impl Format {
    pub const ALL: [Self; 7] = [
        Self::Alpaca,
        Self::Sharegpt,
        Self::Openai,
        Self::PromptCompletion,
        Self::QueryResponse,
        Self::Text,
        Self::Tokenized,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Alpaca => "alpaca",
            Self::Sharegpt => "sharegpt",
            Self::Openai => "openai",
            Self::PromptCompletion => "prompt-completion",
            Self::QueryResponse => "query-response",
            Self::Text => "text",
            Self::Tokenized => "tokenized",
        }
    }

    /// # Errors
    /// If there is no format of that name.
    pub fn from_name(name: &str) -> Result<Self, DatasetError> {
        let known = Self::ALL.into_iter().find(|format| format.name() == name);
        known.ok_or_else(|| DatasetError::UnknownFormatName {
            found: name.into(),
            expected: Self::ALL.map(Self::name).join(", "),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A format, the columns that told it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recognised {
    pub(crate) format: Format,
    pub(crate) mapping: Mapping,
    pub(crate) reason: String,
}

/// Recognise a record by its keys and by what stands under them.
pub(crate) fn recognise(
    record: &Map<String, Value>,
    given: &Mapping,
) -> Result<Option<Recognised>, DatasetError> {
    recognise_without(record, given, &Ordinary::of(std::iter::once(record)))
}

/// The same where it is known which columns play no part, unless `given` says that they do.
pub(crate) fn recognise_without(
    record: &Map<String, Value>,
    given: &Mapping,
    ordinary: &Ordinary,
) -> Result<Option<Recognised>, DatasetError> {
    let is_given = |name: &String| given.0.iter().any(|assigned| assigned.column == *name);
    let may_play = |name: &&String| !ordinary.columns.contains(name) || is_given(name);
    let names: Vec<String> = record.keys().filter(may_play).cloned().collect();
    let mut mapping = Mapping::guess(&names, given)?;
    let Some((format, parts)) = choose(record, &mut mapping, given) else {
        return Ok(None);
    };
    let named = |part: &str| {
        let column = mapping.column(part).unwrap_or(part);
        if column == part {
            format!("`{part}`")
        } else {
            format!("`{column}` ({part})")
        }
    };
    let mut reason = parts
        .iter()
        .map(|part| named(part))
        .collect::<Vec<_>>()
        .join(", ");
    match format {
        Format::Openai => reason += " (`role`, `content`)",
        Format::Sharegpt => reason += " (`from`, `value`)",
        Format::PromptCompletion if is_list(record, "prompt") => reason += " (`role`, `content`)",
        _ => {}
    }
    mapping.0.retain(|Assignment { field, .. }| {
        plays_a_part(format, field) && !is_other_list(&parts, field)
    });
    Ok(Some(Recognised {
        format,
        mapping,
        reason,
    }))
}

/// The format that the mapped columns make, and the fields that tell it. Where two columns are
/// read under the names of the format chosen, `mapping` is changed to say so.
fn choose(
    record: &Map<String, Value>,
    mapping: &mut Mapping,
    given: &Mapping,
) -> Option<(Format, Vec<&'static str>)> {
    let at = |mapping: &Mapping, field| mapping.column(field).and_then(|column| record.get(column));
    if mapping.has("input_ids") {
        return Some((Format::Tokenized, vec!["input_ids"]));
    }
    let pair = question_and_answer(mapping, given);
    for field in ["messages", "conversations"] {
        if let Some(value) = at(mapping, field)
            && (pair.is_none() || may_be_list(field, value, record))
        {
            return Some((message_list(value, field), vec![field]));
        }
    }
    if !mapping.has("prompt") && at(mapping, "chosen").is_some_and(Value::is_array) {
        return Some((Format::Openai, vec!["chosen"]));
    }
    let Some((question, answer)) = pair else {
        return mapping.has("text").then(|| (Format::Text, vec!["text"]));
    };
    let format = match (question, answer) {
        ("instruction", _) => Format::Alpaca,
        ("prompt", "completion" | "chosen") => Format::PromptCompletion,
        _ => Format::QueryResponse,
    };
    let (question_field, answer_field) = match format {
        Format::Alpaca => ("instruction", "output"),
        Format::PromptCompletion => ("prompt", "completion"),
        _ => ("query", "response"),
    };
    let mut rename = |from: &'static str, to: &'static str| {
        if from == "chosen" {
            return from;
        }
        for assignment in &mut mapping.0 {
            if assignment.field == from {
                assignment.field = to;
            }
        }
        to
    };
    Some((
        format,
        vec![
            rename(question, question_field),
            rename(answer, answer_field),
        ],
    ))
}

/// The fields of a question and its answer. The two of one format, under the names that it has for
/// them, go before all others.
fn question_and_answer(mapping: &Mapping, given: &Mapping) -> Option<(&'static str, &'static str)> {
    const PAIRS: [(&str, &str); 3] = [
        ("instruction", "output"),
        ("query", "response"),
        ("prompt", "completion"),
    ];
    let is_own = |field: &str| {
        let column = mapping.column(field);
        given.has(field) || column.is_some_and(|column| column.eq_ignore_ascii_case(field))
    };
    let own = PAIRS.into_iter().find(|(q, a)| is_own(q) && is_own(a));
    let first = |fields: [&'static str; 4]| fields.into_iter().find(|field| mapping.has(field));
    own.or_else(|| {
        let question = first(["instruction", "query", "prompt", "input"])?;
        let answer = first(["output", "response", "completion", "chosen"])?;
        Some((question, answer))
    })
}

/// Whether a field is the other one of the two that hold messages.
fn is_other_list(parts: &[&str], field: &str) -> bool {
    let lists = ["messages", "conversations"];
    lists.contains(&field)
        && parts
            .iter()
            .any(|part| lists.contains(part) && *part != field)
}

/// ShareGPT or OpenAI, by the keys of the first message.
fn message_list(value: &Value, field: &str) -> Format {
    let parsed;
    let value = match value {
        Value::String(text) => {
            parsed = serde_json::from_str(text).unwrap_or(Value::Null);
            &parsed
        }
        other => other,
    };
    let first = value
        .as_array()
        .and_then(|messages| messages.iter().find_map(Value::as_object));
    match first {
        Some(message) if message.contains_key("from") => Format::Sharegpt,
        Some(message) if message.contains_key("role") => Format::Openai,
        _ if field == "messages" => Format::Openai,
        _ => Format::Sharegpt,
    }
}

fn is_list(record: &Map<String, Value>, field: &str) -> bool {
    record.get(field).is_some_and(Value::is_array)
}

/// Whether a format is told by a field of this name.
pub(crate) fn tells(field: &str) -> bool {
    matches!(
        field,
        "instruction"
            | "output"
            | "messages"
            | "conversations"
            | "prompt"
            | "completion"
            | "query"
            | "response"
            | "text"
            | "input_ids"
    )
}

/// Whether a format reads a field that its records may lack.
pub(crate) fn is_optional(format: Format, field: &str) -> bool {
    plays_a_part(format, field) && !tells(field)
}

/// Columns that a format does not read stay under their own names.
fn plays_a_part(format: Format, field: &str) -> bool {
    let parts: &[&str] = match format {
        Format::Alpaca => &[
            "instruction",
            "input",
            "output",
            "system",
            "history",
            "tools",
        ],
        Format::Sharegpt => &["messages", "conversations", "system", "tools"],
        Format::Openai => &["messages", "conversations", "tools"],
        Format::PromptCompletion => &["prompt", "completion", "system", "tools"],
        Format::QueryResponse => &["query", "response", "system", "history"],
        Format::Text => &["text"],
        Format::Tokenized => &[
            "input_ids",
            "labels",
            "attention_mask",
            "completion_mask",
            "assistant_masks",
        ],
    };
    let preference =
        matches!(field, "chosen" | "rejected" | "label") && format != Format::Tokenized;
    let media = matches!(field, "images" | "videos" | "audios");
    parts.contains(&field) || preference || media
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(record: Value, format: Format, reason: &str) {
        let Value::Object(record) = record else {
            panic!("an object")
        };
        let found = recognise(&record, &Mapping::default())
            .unwrap()
            .expect("a known format");
        assert_eq!((found.format, found.reason.as_str()), (format, reason));
    }

    #[test]
    fn every_format_is_recognised() {
        check(
            json!({"instruction": "", "output": ""}),
            Format::Alpaca,
            "`instruction`, `output`",
        );
        check(
            json!({"conversations": [{"from": "human", "value": "hi"}], "tools": "[]"}),
            Format::Sharegpt,
            "`conversations` (`from`, `value`)",
        );
        check(
            json!({"messages": [{"role": "user", "content": "hi"}], "metadata": {}}),
            Format::Openai,
            "`messages` (`role`, `content`)",
        );
        check(
            json!({"prompt": "", "completion": ""}),
            Format::PromptCompletion,
            "`prompt`, `completion`",
        );
        check(
            json!({"query": "", "response": ""}),
            Format::QueryResponse,
            "`query`, `response`",
        );
        check(json!({"text": ""}), Format::Text, "`text`");
        check(json!({"input_ids": [1]}), Format::Tokenized, "`input_ids`");
    }

    #[test]
    fn neighbours_of_the_formats_are_recognised() {
        check(
            json!({"instruction": "", "context": "", "response": ""}),
            Format::Alpaca,
            "`instruction`, `response` (output)",
        );
        check(
            json!({"prompt": "", "response": ""}),
            Format::QueryResponse,
            "`prompt` (query), `response`",
        );
        check(
            json!({"input": "", "output": ""}),
            Format::QueryResponse,
            "`input` (query), `output` (response)",
        );
        check(
            json!({"prompt": "", "chosen": "", "rejected": ""}),
            Format::PromptCompletion,
            "`prompt`, `chosen`",
        );
        check(
            json!({"conversations": [{"role": "user", "content": "hi"}]}),
            Format::Openai,
            "`conversations` (`role`, `content`)",
        );
    }

    #[test]
    fn the_names_of_one_format_go_before_other_names() {
        check(
            json!({"instruction": "i", "prompt": "p", "completion": "c", "question": "q", "answer": "a"}),
            Format::PromptCompletion,
            "`prompt`, `completion`",
        );
        check(
            json!({"conversation": "c-17", "prompt": "p", "completion": "c"}),
            Format::PromptCompletion,
            "`prompt`, `completion`",
        );
        check(
            json!({"messages": null, "query": "q", "response": "r"}),
            Format::QueryResponse,
            "`query`, `response`",
        );
        check(
            json!({"conversations": "[{\"from\": \"human\"}]", "query": "q", "response": "r"}),
            Format::Sharegpt,
            "`conversations` (`from`, `value`)",
        );
    }

    #[test]
    fn a_column_that_cannot_be_what_it_is_named_after_plays_no_part() {
        let Value::Object(record) = json!({"question": "q", "answer": "a", "History": "Rome"})
        else {
            panic!()
        };
        let found = recognise(&record, &Mapping::default()).unwrap().unwrap();
        assert!(!found.mapping.has("history"));
        let given = Mapping::parse("history=History").unwrap();
        let found = recognise(&record, &given).unwrap().unwrap();
        assert!(found.mapping.has("history"));
        for name in ["messages", "conversations"] {
            let Value::Object(record) = json!({"city": "Rome", name: 12}) else {
                panic!()
            };
            assert_eq!(recognise(&record, &Mapping::default()).unwrap(), None);
        }
    }

    #[test]
    fn a_map_decides() {
        let Value::Object(record) = json!({"Question": "", "Answer": ""}) else {
            panic!()
        };
        let given = Mapping::parse("instruction=Question,output=Answer").unwrap();
        let found = recognise(&record, &given).unwrap().unwrap();
        assert_eq!(found.format, Format::Alpaca);
        assert_eq!(found.reason, "`Question` (instruction), `Answer` (output)");
    }

    #[test]
    fn unknown_records_are_not_guessed_at() {
        let Value::Object(record) = json!({"banco": "", "roe": 1}) else {
            panic!()
        };
        assert_eq!(recognise(&record, &Mapping::default()).unwrap(), None);
    }
}
