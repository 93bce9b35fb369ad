//! What the records of a dataset have, as far as a choice of format depends on it.

use super::{Columns, fit::reasoning};
use crate::{
    data::{
        Format,
        supervision::{self, pair},
    },
    text::{Body, Conversation, Record, Role},
};

/// Counts of records. Add every record once, then ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    pub n_chat: u64,
    /// Plain text that is learned as a whole.
    pub n_whole_text: u64,
    /// Plain prompts with completions.
    pub n_prompted_text: u64,
    pub n_tokens: u64,
    pub n_with_system: u64,
    pub n_with_developer: u64,
    pub n_with_tools: u64,
    pub n_multi_turn: u64,
    /// An answer has a weight other than 1.
    pub n_weighted: u64,
    /// An answer has a weight other than 0 and 1.
    pub n_part_weighted: u64,
    /// Question and answer do not take turns, or a message is more than its text.
    pub n_irregular: u64,
    /// Messages with names, ids or further keys.
    pub n_with_keys: u64,
    /// Answers with the reasoning that led to them.
    pub n_with_reasoning: u64,
    /// With a better and a worse answer, of which the better one is the record's.
    pub n_pairs: u64,
    /// Of these, those with both as texts.
    pub n_text_pairs: u64,
    /// With an answer that is marked as good or bad.
    pub n_marked: u64,
    /// Of these, those with a bad one.
    pub n_bad: u64,
    /// Beside the text.
    pub columns: Columns,
}

impl Contents {
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut contents = Self::default();
        for record in records {
            contents.add(record);
        }
        contents
    }

    pub fn n(&self) -> u64 {
        self.n_chat + self.n_whole_text + self.n_prompted_text + self.n_tokens
    }

    /// The format in which a table holds all of it: columns that people can edit where every record
    /// is questions and answers in them, else messages as JSON in one cell.
    pub fn table_format(&self) -> Format {
        let n = self.n();
        let beyond = self.n_with_tools + self.n_weighted + self.n_irregular + self.n_with_keys;
        if n > 0 && self.n_tokens == n {
            Format::Tokenized
        } else if n > 0 && self.n_whole_text == n {
            Format::Text
        } else if n > 0 && self.n_prompted_text == n {
            Format::PromptCompletion
        } else if self.n_chat == n && beyond + self.n_multi_turn + self.n_with_developer == 0 {
            Format::Alpaca
        } else {
            Format::Openai
        }
    }

    pub fn add(&mut self, record: &Record) {
        self.add_judgement(record);
        self.columns.add(&record.extra);
        match &record.body {
            Body::Tokens(_) => self.n_tokens += 1,
            Body::Text { prompt, .. } if prompt.is_empty() => self.n_whole_text += 1,
            Body::Text { .. } => self.n_prompted_text += 1,
            Body::Chat(chat) => self.add_chat(chat),
        }
    }

    fn add_judgement(&mut self, record: &Record) {
        if let Some((chosen, rejected)) = pair(record) {
            self.n_pairs += 1;
            self.n_text_pairs += u64::from(chosen.is_string() && rejected.is_string());
        }
        let mark = mark(record);
        self.n_marked += u64::from(mark.is_some());
        self.n_bad += u64::from(mark == Some(false));
    }

    fn add_chat(&mut self, chat: &Conversation) {
        let messages = &chat.messages;
        let has = |role| messages.iter().any(|message| message.role == role);
        let answers = messages
            .iter()
            .filter(|message| message.role == Role::Assistant);
        let calls = messages
            .iter()
            .any(|message| !message.tool_calls.is_empty());
        let keys = messages.iter().any(|message| {
            message.name.is_some() || message.tool_call_id.is_some() || !message.extra.is_empty()
        });
        self.n_chat += 1;
        self.n_with_system += u64::from(has(Role::System) || has(Role::Developer));
        self.n_with_developer += u64::from(has(Role::Developer));
        self.n_with_tools += u64::from(!chat.tools.is_empty() || calls || has(Role::Tool));
        self.n_multi_turn += u64::from(answers.clone().count() > 1);
        let mut weights = answers.clone().filter_map(|m| m.weight);
        self.n_weighted += u64::from(weights.clone().any(|weight| weight != 1.0));
        self.n_part_weighted += u64::from(weights.any(|weight| weight != 1.0 && weight != 0.0));
        self.n_with_reasoning += u64::from(answers.clone().any(|m| reasoning(m).is_some()));
        self.n_irregular += u64::from(!takes_turns(chat));
        self.n_with_keys += u64::from(keys);
    }
}

/// Whether the answer is surely marked as good or bad, and as which.
pub(super) fn mark(record: &Record) -> Option<bool> {
    let mark = supervision::mark(record).filter(|mark| mark.is_sure);
    mark.map(|mark| mark.is_good)
}

/// Question (or a tool's result), answer (or a call), and so on, ending with an answer; before them
/// at most one system message.
fn takes_turns(chat: &Conversation) -> bool {
    let rest = match chat.messages.split_first() {
        Some((first, rest)) if matches!(first.role, Role::System | Role::Developer) => rest,
        _ => chat.messages.as_slice(),
    };
    let in_place = |(i, message): (usize, &crate::text::Message)| match message.role {
        Role::User | Role::Tool => i % 2 == 0,
        Role::Assistant => {
            i % 2 == 1 && (message.tool_calls.is_empty() || message.text().is_empty())
        }
        Role::System | Role::Developer => false,
    };
    !rest.is_empty() && rest.len().is_multiple_of(2) && rest.iter().enumerate().all(in_place)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    fn read(records: Value) -> Contents {
        let text = records.to_string();
        let options = crate::data::ReadOptions::default();
        let loaded = crate::data::read(text.as_bytes(), &options).expect("readable");
        Contents::of(&loaded.records)
    }

    #[test]
    fn what_a_conversation_has_is_counted_once_a_record() {
        let contents = read(json!([
            {"messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0},
                {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]},
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
            {"messages": [
                {"role": "user", "content": "a"}, {"role": "user", "content": "b"},
                {"role": "assistant", "content": "c"}]},
        ]));
        assert_eq!((contents.n(), contents.n_chat), (3, 3));
        assert_eq!((contents.n_with_system, contents.n_multi_turn), (1, 1));
        assert_eq!((contents.n_weighted, contents.n_irregular), (1, 1));
        assert_eq!(contents.table_format(), Format::Openai);
        let plain = read(json!([{"instruction": "q", "output": "a", "system": "s"}]));
        assert_eq!(plain.table_format(), Format::Alpaca);
    }

    #[test]
    fn pairs_and_plain_texts_are_told_apart() {
        let pairs = read(json!([{"prompt": "q", "chosen": "good", "rejected": "bad"}]));
        assert_eq!((pairs.n_pairs, pairs.n_text_pairs), (1, 1));
        let said = |text: &str| json!([{"role": "assistant", "content": text}]);
        let asked = json!([{"role": "user", "content": "q"}]);
        let of_messages =
            read(json!([{"prompt": asked, "chosen": said("good"), "rejected": said("bad")}]));
        assert_eq!((of_messages.n_pairs, of_messages.n_text_pairs), (1, 0));
        let marked = read(json!([{"prompt": "q", "completion": "a", "label": false}]));
        assert_eq!((marked.n_pairs, marked.n_marked, marked.n_bad), (0, 1, 1));
        let record = |prompt: &str| Record {
            body: Body::Text {
                prompt: prompt.into(),
                completion: "c".into(),
            },
            extra: Map::new(),
            line: 1,
        };
        let contents = Contents::of(&[record(""), record("p")]);
        assert_eq!((contents.n_whole_text, contents.n_prompted_text), (1, 1));
    }
}
