//! What a tool needs of a row beyond its format.
//!
//! A record goes through [`Fit::record`] before its fields are made, and they through [`Fit::row`].

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Map, Value};

use super::{Contents, contents::mark};
use crate::{
    data::{messages::REASONING, supervision::Mark},
    text::{Body, Conversation, Message, Record, Role},
};

/// How rows are made to fit a tool; by default as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fit {
    /// The tool would train an answer that is marked as bad like any other.
    pub(super) leaves_out_bad: bool,
    /// Reasoning becomes text in front of its answer.
    pub(super) spells_reasoning: bool,
    /// A weight makes the tool train a message, whoever speaks.
    pub(super) weighs_answers_only: bool,
    /// The tool takes marks that are true or false, and no texts.
    pub(super) marks_are_truths: bool,
    /// Columns of several types, which become text.
    pub(super) as_text: BTreeSet<String>,
    /// Columns that every row needs, empty where the record has nothing for them.
    pub(super) needed: Vec<(&'static str, Value)>,
}

impl Fit {
    /// For a tool that learns every answer as a good one.
    pub fn without_bad() -> Self {
        Self {
            leaves_out_bad: true,
            ..Self::default()
        }
    }

    /// The record as the tool needs it; `None` where it is left out.
    pub fn record<'a>(&self, record: &'a Record) -> Option<Cow<'a, Record>> {
        if self.leaves_out_bad && mark(record) == Some(false) {
            return None;
        }
        let changes_messages = self.spells_reasoning || self.weighs_answers_only;
        if !changes_messages || !matches!(record.body, Body::Chat(_)) {
            return Some(Cow::Borrowed(record));
        }
        let mut record = record.clone();
        if let Body::Chat(chat) = &mut record.body {
            self.messages(chat);
        }
        Some(Cow::Owned(record))
    }

    fn messages(&self, chat: &mut Conversation) {
        for message in &mut chat.messages {
            if self.spells_reasoning {
                spell_reasoning(message);
            }
            if self.weighs_answers_only && message.role != Role::Assistant {
                message.weight = None;
            }
        }
    }

    /// The fields of a row as the tool needs them.
    pub fn row(&self, row: &mut Map<String, Value>) {
        for name in &self.as_text {
            if let Some(value) = row.get_mut(name)
                && !matches!(value, Value::Null | Value::String(_))
            {
                *value = Value::String(value.to_string());
            }
        }
        if self.marks_are_truths
            && let Some(mark) = Mark::of(row)
        {
            row.insert("label".into(), Value::Bool(mark.is_good));
        }
        for (name, value) in &self.needed {
            row.entry(*name).or_insert_with(|| value.clone());
        }
    }
}

/// The names of columns that have to become text.
pub(super) fn mixed_columns(contents: &Contents) -> BTreeSet<String> {
    let mixed = contents.columns.mixed();
    mixed.map(|(name, _)| name.to_owned()).collect()
}

/// What a message of the assistant has under [`REASONING`].
pub(super) fn reasoning(message: &Message) -> Option<&str> {
    let text = message.extra.get(REASONING)?.as_str()?.trim_matches('\n');
    (message.role == Role::Assistant && !text.is_empty()).then_some(text)
}

/// `<think>\n…\n</think>\n\n` in front of the answer, as Qwen3's template has it. A call keeps its
/// reasoning apart, as it stands instead of text.
fn spell_reasoning(message: &mut Message) {
    if !message.tool_calls.is_empty() || message.text().contains("<think>") {
        return;
    }
    if let Some(thought) = reasoning(message) {
        let answer = message.text().trim_start_matches('\n');
        message.content = Some(format!("<think>\n{thought}\n</think>\n\n{answer}"));
        message.extra.shift_remove(REASONING);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(value: Value) -> Record {
        let text = json!([value]).to_string();
        let loaded = crate::data::read(text.as_bytes(), &Default::default());
        loaded.expect("readable").records.remove(0)
    }

    fn messages(record: &Record) -> &[Message] {
        match &record.body {
            Body::Chat(chat) => &chat.messages,
            _ => &[],
        }
    }

    #[test]
    fn a_bad_answer_is_left_out_where_it_would_count_as_good() {
        let marked =
            |label: bool| record(json!({"prompt": "q", "completion": "a", "label": label}));
        let fit = Fit::without_bad();
        assert!(fit.record(&marked(false)).is_none());
        assert!(fit.record(&marked(true)).is_some());
        assert!(Fit::default().record(&marked(false)).is_some());
    }

    #[test]
    fn reasoning_and_weights_become_what_the_tool_reads() {
        let chat = record(json!({"messages": [
            {"role": "user", "content": "q", "weight": 1},
            {"role": "assistant", "content": "2", "reasoning_content": "1+1=2\n", "weight": 0}]}));
        let fit = Fit {
            spells_reasoning: true,
            weighs_answers_only: true,
            ..Fit::default()
        };
        let fitted = fit.record(&chat).expect("kept");
        let messages = messages(&fitted);
        assert_eq!(messages[0].weight, None);
        assert_eq!(messages[1].weight, Some(0.0));
        assert_eq!(messages[1].text(), "<think>\n1+1=2\n</think>\n\n2");
        assert!(messages[1].extra.is_empty());
    }

    #[test]
    fn rows_have_what_all_need_and_one_type_a_column() {
        let fit = Fit {
            as_text: BTreeSet::from(["id".to_owned()]),
            needed: vec![("tools", json!("")), ("system", json!(""))],
            ..Fit::default()
        };
        let mut rows = [
            json!({"id": 1, "system": "s"}),
            json!({"id": "x"}),
            json!({"id": null}),
        ];
        for row in &mut rows {
            fit.row(row.as_object_mut().expect("an object"));
        }
        assert_eq!(rows[0], json!({"id": "1", "system": "s", "tools": ""}));
        assert_eq!(rows[1], json!({"id": "x", "system": "", "tools": ""}));
        assert_eq!(rows[2], json!({"id": null, "system": "", "tools": ""}));
    }
}
