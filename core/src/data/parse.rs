//! One raw record to a [`Record`], by format.
//!
//! Alpaca is read as LLaMA-Factory does: the user says `instruction`, a line break, `input`
//! (`instruction` alone where `input` is empty); `history` holds earlier turns, trained as well.
//! Prompt/completion as text is continued without a template, as TRL does; as messages it is a
//! chat of which only the completion is trained.

use serde_json::{Map, Value};

use super::{
    Body, Format, Place, Problem, ProblemKind, Record, Supervision,
    columns::put_back,
    json,
    messages::{MessageReader, misspelt},
};
use crate::text::{Conversation, Encoded, IGNORE_INDEX, Message, Role};

/// Read the body and keep the rest in `extra`. `None` if the record cannot be used.
pub(crate) fn parse(
    format: Format,
    fields: Map<String, Value>,
    place: Place,
    problems: &mut Vec<Problem>,
) -> Option<(Record, Supervision)> {
    let messages = MessageReader { place, problems };
    let mut parser = Parser { fields, messages };
    parser.refuse_media()?;
    let supervision = Supervision::of(format, &parser.fields);
    let body = match format {
        Format::Alpaca => parser.alpaca(supervision),
        Format::Sharegpt | Format::Openai => parser.chat(supervision),
        Format::PromptCompletion => parser.prompt_completion(supervision),
        Format::QueryResponse => parser.query_response(supervision),
        Format::Text => parser.text("text").map(|completion| Body::Text {
            prompt: String::new(),
            completion,
        }),
        Format::Tokenized => parser.tokenized(),
    }?;
    let mut extra = parser.fields;
    put_back(&mut extra);
    let record = Record {
        body,
        extra,
        line: place.line,
    };
    Some((record, supervision))
}

struct Parser<'a> {
    fields: Map<String, Value>,
    messages: MessageReader<'a>,
}

impl Parser<'_> {
    fn alpaca(&mut self, supervision: Supervision) -> Option<Body> {
        let instruction = self.text("instruction");
        let input = self.optional_text("input");
        let answer = self.answer("output", supervision);
        let system = self.optional_text("system");
        let mut messages = system_message(system?);
        messages.extend(self.history()?);
        let (instruction, input) = (instruction?, input?.unwrap_or_default());
        let question = if input.is_empty() {
            instruction
        } else {
            format!("{instruction}\n{input}")
        };
        messages.push(Message::new(Role::User, question));
        messages.extend(answer?);
        self.conversation(messages)
    }

    fn query_response(&mut self, supervision: Supervision) -> Option<Body> {
        let query = self.text("query");
        let answer = self.answer("response", supervision);
        let mut messages = system_message(self.optional_text("system")?);
        messages.extend(self.history()?);
        messages.push(Message::new(Role::User, query?));
        messages.extend(answer?);
        self.conversation(messages)
    }

    fn chat(&mut self, supervision: Supervision) -> Option<Body> {
        let key = ["messages", "conversations"]
            .into_iter()
            .find(|key| self.fields.contains_key(*key));
        let mut messages = match key {
            Some(key) => self.message_list(key)?,
            None if supervision == Supervision::Pair => Vec::new(),
            None => {
                self.missing("messages", "a list of messages");
                return None;
            }
        };
        if !messages.iter().any(|message| message.role == Role::System)
            && let Some(Value::String(_)) = self.fields.get("system")
        {
            messages.splice(0..0, system_message(self.optional_text("system")?));
        }
        if supervision == Supervision::Pair {
            messages = answered(messages, self.chosen()?);
        }
        self.conversation(messages)
    }

    fn prompt_completion(&mut self, supervision: Supervision) -> Option<Body> {
        let lists = ["prompt", "completion", "chosen"].into_iter().any(|key| {
            self.fields
                .get(key)
                .is_some_and(|v| v.is_array() || v.is_object())
        });
        if !lists {
            let prompt = self.text("prompt");
            let completion = match supervision {
                Supervision::Pair if !self.fields.contains_key("completion") => self
                    .fields
                    .get("chosen")
                    .and_then(Value::as_str)
                    .map(String::from),
                _ => self.text("completion"),
            };
            return Some(Body::Text {
                prompt: prompt?,
                completion: completion?,
            });
        }
        let mut messages = self.message_list_or_text("prompt", Role::User)?;
        for message in messages
            .iter_mut()
            .filter(|message| message.role == Role::Assistant)
        {
            message.weight = Some(0.0);
        }
        if supervision == Supervision::Pair && !self.fields.contains_key("completion") {
            messages = answered(messages, self.chosen()?);
        } else {
            messages.extend(self.message_list_or_text("completion", Role::Assistant)?);
        }
        self.conversation(messages)
    }

    fn tokenized(&mut self) -> Option<Body> {
        let input_ids = self.integers("input_ids")?;
        let Some(input_ids) = input_ids else {
            self.missing("input_ids", "a list of token ids");
            return None;
        };
        let input_ids: Vec<u32> = self.token_ids(&input_ids)?;
        let n = input_ids.len();
        let labels = match self.integers("labels")? {
            Some(labels) => self.labels(&labels, n)?,
            None => self.labels_from_masks(&input_ids)?,
        };
        let mut encoded = Encoded { input_ids, labels };
        if let Some(mask) = self.integers("attention_mask")? {
            self.same_length("attention_mask", mask.len(), n)?;
            let kept = mask
                .iter()
                .rposition(|&bit| bit != 0)
                .map_or(0, |last| last + 1);
            if mask[..kept].contains(&0) {
                let advice = "store records unpadded, or padded at the end";
                let found = "zeros before the end";
                self.push(
                    ProblemKind::BadTokens,
                    "attention_mask",
                    found,
                    "padding at the end only",
                    advice,
                );
                return None;
            }
            encoded.input_ids.truncate(kept);
            encoded.labels.truncate(kept);
        }
        Some(Body::Tokens(encoded))
    }

    /// Without labels every token is a target, or those that a mask marks. Nothing predicts the first.
    fn labels_from_masks(&mut self, input_ids: &[u32]) -> Option<Vec<i32>> {
        let mut labels: Vec<i32> = input_ids.iter().map(|&id| id as i32).collect();
        for key in ["completion_mask", "assistant_masks"] {
            if let Some(mask) = self.integers(key)? {
                self.same_length(key, mask.len(), labels.len())?;
                for (label, _) in labels.iter_mut().zip(mask).filter(|(_, bit)| *bit == 0) {
                    *label = IGNORE_INDEX;
                }
            }
        }
        if let Some(first) = labels.first_mut() {
            *first = IGNORE_INDEX;
        }
        Some(labels)
    }

    fn token_ids(&mut self, values: &[i64]) -> Option<Vec<u32>> {
        // Labels are `i32`, so an id must fit into both.
        let bad = values
            .iter()
            .position(|&id| !(0..=i64::from(i32::MAX)).contains(&id));
        if let Some(at) = bad {
            let field = format!("input_ids[{at}]");
            let advice = "tokenize the record again";
            self.push(
                ProblemKind::BadTokens,
                &field,
                &values[at].to_string(),
                "a token id, 0 or more",
                advice,
            );
            return None;
        }
        Some(values.iter().map(|&id| id as u32).collect())
    }

    fn labels(&mut self, values: &[i64], n_ids: usize) -> Option<Vec<i32>> {
        if values.len() != n_ids {
            let expected = format!("{n_ids}, as many as `input_ids`");
            let advice = "write one label for each token, -100 where it is not trained";
            self.push(
                ProblemKind::LabelsLength,
                "labels",
                &format!("{} labels", values.len()),
                &expected,
                advice,
            );
            return None;
        }
        let fits = |&label: &i64| {
            label == i64::from(IGNORE_INDEX) || (0..=i64::from(i32::MAX)).contains(&label)
        };
        if let Some(at) = values.iter().position(|label| !fits(label)) {
            let found = values[at].to_string();
            let advice = "-100 is the only label below 0";
            self.push(
                ProblemKind::BadTokens,
                &format!("labels[{at}]"),
                &found,
                "a token id or -100",
                advice,
            );
            return None;
        }
        Some(values.iter().map(|&label| label as i32).collect())
    }

    fn same_length(&mut self, field: &str, found: usize, expected: usize) -> Option<()> {
        if found == expected {
            return Some(());
        }
        let expected = format!("{expected}, as many as `input_ids`");
        let advice = "write one entry for each token";
        self.push(
            ProblemKind::LabelsLength,
            field,
            &format!("{found} entries"),
            &expected,
            advice,
        );
        None
    }

    /// A list of whole numbers; in a table also `1 2 3`.
    fn integers(&mut self, key: &str) -> Option<Option<Vec<i64>>> {
        let Some(value) = self.fields.shift_remove(key) else {
            return Some(None);
        };
        let value = match value {
            Value::Null => return Some(None),
            Value::String(text) if text.trim().is_empty() => return Some(None),
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(list @ Value::Array(_)) => list,
                _ => {
                    let words = text.split([' ', ',', ';']).filter(|word| !word.is_empty());
                    words
                        .map(|word| serde_json::from_str(word).unwrap_or(Value::Null))
                        .collect()
                }
            },
            other => other,
        };
        let Value::Array(items) = value else {
            self.messages
                .wrong_type(key, &value, "a list of whole numbers");
            return None;
        };
        let as_integer = |item: &Value| item.as_i64().or_else(|| item.as_bool().map(i64::from));
        let integers: Option<Vec<i64>> = items.iter().map(as_integer).collect();
        if integers.is_none() {
            let at = items
                .iter()
                .position(|item| as_integer(item).is_none())
                .unwrap_or(0);
            self.messages
                .wrong_type(&format!("{key}[{at}]"), &items[at], "a whole number");
        }
        integers.map(Some)
    }

    /// Earlier turns: `[[question, answer], …]`.
    fn history(&mut self) -> Option<Vec<Message>> {
        let value = self.fields.shift_remove("history").unwrap_or(Value::Null);
        let value = match value {
            Value::String(text) if text.trim().is_empty() => Value::Null,
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            other => other,
        };
        let turns = match value {
            Value::Null => return Some(Vec::new()),
            Value::Array(turns) => turns,
            other => {
                self.messages
                    .wrong_type("history", &other, "a list of [question, answer]");
                return None;
            }
        };
        let mut messages = Vec::with_capacity(2 * turns.len());
        for (i, turn) in turns.iter().enumerate() {
            let pair = turn.as_array().map(Vec::as_slice);
            let Some([Value::String(question), Value::String(answer)]) = pair else {
                self.messages
                    .wrong_type(&format!("history[{i}]"), turn, "[question, answer]");
                return None;
            };
            messages.push(Message::new(Role::User, question.as_str()));
            messages.push(Message::new(Role::Assistant, answer.as_str()));
        }
        Some(messages)
    }

    /// The answer of a pair format: its own field, or the chosen one.
    fn answer(&mut self, key: &str, supervision: Supervision) -> Option<Vec<Message>> {
        if supervision == Supervision::Pair && !self.fields.contains_key(key) {
            return self.chosen();
        }
        self.text(key)
            .map(|text| vec![Message::new(Role::Assistant, text)])
    }

    /// The chosen answer; `chosen` itself stays in the record for the way out.
    fn chosen(&mut self) -> Option<Vec<Message>> {
        match self.fields.get("chosen").cloned() {
            Some(Value::String(text)) => Some(vec![Message::new(Role::Assistant, text)]),
            Some(value) => self.messages.list("chosen", value),
            None => {
                self.missing("chosen", "the better answer");
                None
            }
        }
    }

    fn message_list(&mut self, key: &str) -> Option<Vec<Message>> {
        let value = match self.fields.shift_remove(key)? {
            Value::String(text) => json::of_text(&text).unwrap_or(Value::String(text)),
            other => other,
        };
        self.messages.list(key, value)
    }

    fn message_list_or_text(&mut self, key: &str, role: Role) -> Option<Vec<Message>> {
        match self.fields.get(key) {
            None => {
                self.missing(key, "text or a list of messages");
                None
            }
            Some(Value::String(_)) => self.text(key).map(|text| vec![Message::new(role, text)]),
            Some(_) => self.message_list(key),
        }
    }

    fn conversation(&mut self, messages: Vec<Message>) -> Option<Body> {
        let tools = self.tools()?;
        Some(Body::Chat(Conversation { messages, tools }))
    }

    /// A list of schemas, or the same as JSON text.
    fn tools(&mut self) -> Option<Vec<Value>> {
        let parsed = match self.fields.shift_remove("tools") {
            None | Some(Value::Null) => return Some(Vec::new()),
            Some(Value::String(text)) if text.trim().is_empty() => return Some(Vec::new()),
            Some(Value::String(text)) => json::of_text(&text).unwrap_or(Value::String(text)),
            Some(other) => other,
        };
        match parsed {
            Value::Array(tools) => Some(tools),
            tool @ Value::Object(_) => Some(vec![tool]),
            other => {
                self.messages.wrong_type(
                    "tools",
                    &other,
                    "a list of tools, or the same as JSON text",
                );
                None
            }
        }
    }

    /// Images, sound and video are not learned here; a record that needs them would teach nonsense.
    fn refuse_media(&mut self) -> Option<()> {
        for key in ["images", "videos", "audios"] {
            let filled = self.fields.get(key).is_some_and(|value| match value {
                Value::Array(items) => !items.is_empty(),
                Value::String(text) => !text.is_empty(),
                other => !other.is_null(),
            });
            if filled {
                let advice = "leave such records out: only text is trained";
                self.push(
                    ProblemKind::UnsupportedContent,
                    key,
                    "media",
                    "text alone",
                    advice,
                );
                return None;
            }
        }
        Some(())
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.fields.shift_remove(key) {
            Some(Value::String(text)) => Some(text),
            Some(other) => {
                self.messages.wrong_type(key, &other, "text");
                None
            }
            None => {
                self.missing(key, "text");
                None
            }
        }
    }

    fn optional_text(&mut self, key: &str) -> Option<Option<String>> {
        match self.fields.shift_remove(key) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(other) => {
                self.messages.wrong_type(key, &other, "text");
                None
            }
        }
    }

    fn missing(&mut self, key: &str, expected: &str) {
        let advice = misspelt(key, &self.fields);
        self.messages
            .push(ProblemKind::MissingField, key, "nothing", expected, advice);
    }

    fn push(&mut self, kind: ProblemKind, field: &str, found: &str, expected: &str, advice: &str) {
        self.messages
            .push(kind, field, found, expected, advice.into());
    }
}

/// A conversation and its chosen answer, which many datasets have in it already, or write behind all
/// that was said before once more.
fn answered(mut messages: Vec<Message>, mut chosen: Vec<Message>) -> Vec<Message> {
    let same = |one: &Message, other: &Message| {
        let said = |message: &Message| (message.role, message.text().to_owned());
        said(one) == said(other) && one.tool_calls == other.tool_calls
    };
    let is_system = |message: &Message| message.role == Role::System;
    let is_answer = |message: &Message| message.role == Role::Assistant;
    let n_asked = messages.len() - usize::from(messages.last().is_some_and(is_answer));
    let asked: Vec<&Message> = messages[..n_asked]
        .iter()
        .filter(|message| !is_system(message))
        .collect();
    let repeated: Vec<&Message> = chosen
        .iter()
        .filter(|message| !is_system(message))
        .collect();
    let n_asked = asked.len();
    let is_whole = n_asked > 0
        && repeated.len() > n_asked
        && asked
            .iter()
            .zip(repeated)
            .all(|(one, other)| same(one, other));
    if is_whole {
        let system = chosen
            .iter()
            .position(is_system)
            .map(|at| chosen.remove(at));
        chosen.drain(..n_asked);
        if !messages.iter().any(is_system) {
            messages.splice(0..0, system);
        }
    }
    let is_there =
        matches!((messages.last(), &chosen[..]), (Some(last), [only]) if same(last, only));
    if !is_there {
        messages.extend(chosen);
    }
    messages
}

fn system_message(system: Option<String>) -> Vec<Message> {
    let filled = system.filter(|text| !text.is_empty());
    filled
        .map(|text| Message::new(Role::System, text))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests;
