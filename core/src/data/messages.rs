//! Lists of messages in, in OpenAI's and in ShareGPT's words.
//!
//! Both say who speaks and what: `role`/`content` there, `from`/`value` here. Content may be text,
//! a list of parts (text, reasoning, tool calls), or nothing where tool calls stand.

use serde_json::{Map, Value, json};

use super::{
    Place, Problem, ProblemKind,
    columns::edit_distance,
    json::of_text,
    problem::{quote, show},
};
use crate::text::{Message, Role};

/// Where templates look for the reasoning of a message.
pub(super) const REASONING: &str = "reasoning_content";

/// Roles that are meant by other names than the two formats use; `--fix` writes the right one.
const ROLE_ALIASES: [(&str, Role); 10] = [
    ("bot", Role::Assistant),
    ("ai", Role::Assistant),
    ("model", Role::Assistant),
    ("chatbot", Role::Assistant),
    ("chatgpt", Role::Assistant),
    ("gpt-4", Role::Assistant),
    ("gpt-3.5", Role::Assistant),
    ("prompter", Role::User),
    ("function_response", Role::Tool),
    ("tool_response", Role::Tool),
];

/// Who speaks, by the names that OpenAI, ShareGPT and the tools around them use.
fn known_role(name: &str) -> Option<Role> {
    Some(match name {
        "user" | "human" => Role::User,
        "assistant" | "gpt" | "function_call" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        "tool" | "observation" | "function" => Role::Tool,
        _ => return None,
    })
}

/// The role that an unknown name can only mean: another spelling of a known one, or an alias.
pub(crate) fn role_meant(name: &str) -> Option<Role> {
    if known_role(name).is_some() {
        return None;
    }
    let lower = name.trim().to_lowercase();
    let alias = ROLE_ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map(|(_, role)| *role);
    known_role(&lower).or(alias)
}

/// Reads messages of one record and notes what is wrong with them.
pub(crate) struct MessageReader<'a> {
    pub(crate) place: Place,
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl MessageReader<'_> {
    /// A list of messages under `field`. `None` if any of them cannot be read.
    pub(crate) fn list(&mut self, field: &str, value: Value) -> Option<Vec<Message>> {
        let items = match value {
            Value::Array(items) => items,
            Value::Object(message) => vec![Value::Object(message)],
            other => {
                self.wrong_type(field, &other, "a list of messages");
                return None;
            }
        };
        let mut messages = Vec::with_capacity(items.len());
        let mut complete = true;
        let mut at = field.to_owned();
        for (i, item) in items.into_iter().enumerate() {
            at.truncate(field.len());
            at.extend(["[", &i.to_string(), "]"]);
            match self.message(&at, item) {
                Some(message) => messages.push(message),
                None => complete = false,
            }
        }
        complete.then_some(messages)
    }

    fn message(&mut self, field: &str, value: Value) -> Option<Message> {
        let Value::Object(mut fields) = value else {
            self.wrong_type(field, &value, "an object with `role` and `content`");
            return None;
        };
        let (role_key, content_key) = if fields.contains_key("from") {
            ("from", "value")
        } else {
            ("role", "content")
        };
        let tag = fields.shift_remove(role_key);
        let role = self.role(field, role_key, tag.as_ref(), &fields);
        let mut message = Message::new(role.unwrap_or(Role::User), "");
        let content = fields.shift_remove(content_key);
        if role_key == "from" && !fields.is_empty() {
            self.leave_other_words(field, tag.as_ref(), content.as_ref(), &mut fields);
        }
        let is_call = tag.as_ref().is_some_and(|tag| tag == "function_call");

        message.tool_calls = self.tool_calls(field, &mut fields)?;
        message.name = self.optional_text(field, "name", &mut fields)?;
        message.tool_call_id = self.optional_text(field, "tool_call_id", &mut fields)?;
        message.weight = self.weight(field, &mut fields)?;
        message.extra = fields;
        // Most messages have nothing that is said of them.
        let content_field = || format!("{field}.{content_key}");
        match content {
            Some(Value::String(call)) if is_call => {
                message.content = None;
                message.tool_calls = self.call_from_text(&content_field(), &call)?;
            }
            Some(Value::String(text)) => message.content = Some(text),
            Some(Value::Array(parts)) => self.parts(&content_field(), parts, &mut message)?,
            None | Some(Value::Null) if !message.tool_calls.is_empty() => message.content = None,
            None => {
                let advice = misspelt(content_key, &message.extra);
                self.push(
                    ProblemKind::MissingField,
                    &content_field(),
                    "nothing",
                    "text",
                    advice,
                );
                return None;
            }
            Some(other) => {
                self.wrong_type(&content_field(), &other, "text");
                return None;
            }
        }
        role.map(|_| message)
    }

    /// Take out `role` and `content` that stand beside `from` and `value`: templates and files would
    /// show them in place of what was read.
    fn leave_other_words(
        &mut self,
        field: &str,
        tag: Option<&Value>,
        content: Option<&Value>,
        fields: &mut Map<String, Value>,
    ) {
        let meant = |name: &Value| {
            let name = name.as_str()?;
            known_role(name).or_else(|| role_meant(name))
        };
        let role = fields.shift_remove("role");
        let role = role.filter(|role| meant(role).is_none() || meant(role) != tag.and_then(meant));
        let text = fields.shift_remove("content");
        let text = text.filter(|text| Some(text) != content);
        for (key, read, other) in [("role", "from", role), ("content", "value", text)] {
            let Some(other) = other.filter(|other| !other.is_null() && other != "") else {
                continue;
            };
            let found = format!("{}, other than what `{read}` says", show(&other));
            let advice = format!("`{read}` is read; take out the one that is wrong");
            let (kind, field) = (ProblemKind::MixedFormats, format!("{field}.{key}"));
            let expected = format!("`{read}` or `{key}`");
            self.push(kind, &field, &found, &expected, advice);
        }
    }

    fn role(
        &mut self,
        field: &str,
        role_key: &str,
        tag: Option<&Value>,
        rest: &Map<String, Value>,
    ) -> Option<Role> {
        const EXPECTED: &str = "system, user, assistant or tool";
        const EXPECTED_FROM: &str = "system, human, gpt, function_call or observation";
        let expected = if role_key == "from" {
            EXPECTED_FROM
        } else {
            EXPECTED
        };
        match tag {
            Some(Value::String(name)) => {
                let role = known_role(name);
                if role.is_none() {
                    let field = format!("{field}.{role_key}");
                    let advice = match role_meant(name) {
                        Some(role) => format!("`--fix` writes `{}`", role.name()),
                        None => "rename the role".into(),
                    };
                    self.push(
                        ProblemKind::UnknownRole,
                        &field,
                        &quote(name),
                        expected,
                        advice,
                    );
                }
                role
            }
            Some(other) => {
                self.wrong_type(&format!("{field}.{role_key}"), other, "the name of a role");
                None
            }
            None => {
                let advice = misspelt("role", rest);
                self.push(
                    ProblemKind::MissingField,
                    &format!("{field}.{role_key}"),
                    "nothing",
                    expected,
                    advice,
                );
                None
            }
        }
    }

    /// `tool_calls`, or OpenAI's older `function_call`.
    fn tool_calls(&mut self, field: &str, fields: &mut Map<String, Value>) -> Option<Vec<Value>> {
        match fields.shift_remove("tool_calls") {
            None | Some(Value::Null) => {}
            Some(Value::Array(calls)) => return Some(calls),
            Some(other) => {
                self.wrong_type(&format!("{field}.tool_calls"), &other, "a list of calls");
                return None;
            }
        }
        match fields.shift_remove("function_call") {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(call @ Value::Object(_)) => Some(vec![as_call(call)]),
            Some(other) => {
                self.wrong_type(&format!("{field}.function_call"), &other, "an object");
                None
            }
        }
    }

    /// ShareGPT writes a call as JSON text: `{"name": …, "arguments": …}`, or a list of them.
    fn call_from_text(&mut self, field: &str, text: &str) -> Option<Vec<Value>> {
        match of_text(text) {
            Some(call @ Value::Object(_)) => Some(vec![as_call(call)]),
            Some(Value::Array(calls)) => Some(calls.into_iter().map(as_call).collect()),
            _ => {
                let found = format!("the text {}", quote(text));
                let advice = "write the call as JSON: {\"name\": …, \"arguments\": {…}}, each field once, no number above 64 bits";
                self.push(
                    ProblemKind::WrongType,
                    field,
                    &found,
                    "a tool call in JSON",
                    advice.into(),
                );
                None
            }
        }
    }

    /// Content given as parts. Reasoning goes where templates look for it (`reasoning_content`).
    fn parts(&mut self, field: &str, parts: Vec<Value>, message: &mut Message) -> Option<()> {
        let mut text: Option<String> = None;
        let mut reasoning = String::new();
        for (i, part) in parts.into_iter().enumerate() {
            let part_field = format!("{field}[{i}]");
            let kind = match &part {
                Value::String(_) => "text",
                Value::Object(fields) => {
                    fields.get("type").and_then(Value::as_str).unwrap_or("text")
                }
                _ => "",
            };
            let value = match &part {
                Value::String(text) => Some(text.as_str()),
                other => ["text", "value", "reasoning", "thinking"]
                    .into_iter()
                    .find_map(|key| other.get(key).and_then(Value::as_str)),
            };
            match (kind, value) {
                ("text" | "input_text" | "output_text", Some(value)) => {
                    text.get_or_insert_default().push_str(value);
                }
                ("reasoning" | "thinking", Some(value)) => reasoning.push_str(value),
                ("tool_call", Some(value)) => {
                    message
                        .tool_calls
                        .extend(self.call_from_text(&part_field, value)?);
                }
                _ => {
                    let advice = "leave such records out, or replace the part by text";
                    let found = format!("a part of type {}", quote(kind));
                    let kind = ProblemKind::UnsupportedContent;
                    self.push(kind, &part_field, &found, "text", advice.into());
                    return None;
                }
            }
        }
        let calls_only = text.is_none() && !message.tool_calls.is_empty();
        message.content = if calls_only {
            None
        } else {
            Some(text.unwrap_or_default())
        };
        if !reasoning.is_empty() {
            message.extra.insert(REASONING.into(), reasoning.into());
        }
        Some(())
    }

    fn optional_text(
        &mut self,
        field: &str,
        key: &str,
        fields: &mut Map<String, Value>,
    ) -> Option<Option<String>> {
        match fields.shift_remove(key) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(other) => {
                self.wrong_type(&format!("{field}.{key}"), &other, "text");
                None
            }
        }
    }

    /// `weight` (OpenAI) or `loss_weight` (LLaMA-Factory).
    fn weight(&mut self, field: &str, fields: &mut Map<String, Value>) -> Option<Option<f32>> {
        let key = if fields.contains_key("weight") {
            "weight"
        } else {
            "loss_weight"
        };
        match fields.shift_remove(key) {
            None | Some(Value::Null) => Some(None),
            Some(value) => match value.as_f64().filter(|weight| *weight >= 0.0) {
                Some(weight) => Some(Some(weight as f32)),
                None => {
                    self.wrong_type(&format!("{field}.{key}"), &value, "0 or 1");
                    None
                }
            },
        }
    }

    pub(crate) fn wrong_type(&mut self, field: &str, found: &Value, expected: &str) {
        let advice = match (found, expected) {
            (Value::Number(_) | Value::Bool(_), "text") => "put it in quotes",
            (Value::Null, _) => "fill it in or leave the record out",
            _ => "change the value",
        };
        self.push(
            ProblemKind::WrongType,
            field,
            &show(found),
            expected,
            advice.into(),
        );
    }

    pub(crate) fn push(
        &mut self,
        kind: ProblemKind,
        field: &str,
        found: &str,
        expected: &str,
        advice: String,
    ) {
        let problem = Problem::new(kind, self.place, field);
        self.problems
            .push(problem.found(found).expected(expected).advice(advice));
    }
}

/// A call in OpenAI's shape, which templates read.
fn as_call(call: Value) -> Value {
    if call.get("function").is_some() {
        return call;
    }
    json!({"type": "function", "function": call})
}

/// Advice that names the key that was probably meant.
pub(crate) fn misspelt(expected: &str, fields: &Map<String, Value>) -> String {
    let near =
        |key: &&String| edit_distance(&key.to_lowercase(), expected) <= 1 + expected.len() / 8;
    match fields.keys().find(near) {
        Some(key) => format!("did you mean `{expected}` where it says `{key}`?"),
        None => format!("add `{expected}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> (Option<Vec<Message>>, Vec<String>) {
        let mut problems = Vec::new();
        let place = Place { line: 1, record: 1 };
        let messages = MessageReader {
            place,
            problems: &mut problems,
        }
        .list("messages", value);
        (messages, problems.iter().map(ToString::to_string).collect())
    }

    #[track_caller]
    fn check_problem(message: Value, expected: &str) {
        let (messages, problems) = read(json!([message]));
        assert_eq!(messages, None);
        assert_eq!(problems, [format!("line 1, record 1, field `{expected}")]);
    }

    #[test]
    fn openai_keeps_weight_calls_ids_and_names() {
        let (messages, problems) = read(json!([
            {"role": "user", "content": "hi", "name": "Ana"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "content": "4", "tool_call_id": "c1"},
            {"role": "assistant", "content": "four", "weight": 0, "mood": "calm"},
        ]));
        let messages = messages.unwrap();
        assert!(problems.is_empty());
        assert_eq!(messages[0].name.as_deref(), Some("Ana"));
        assert_eq!(
            (messages[1].content.as_deref(), messages[1].tool_calls.len()),
            (None, 1)
        );
        assert_eq!(messages[2].tool_call_id.as_deref(), Some("c1"));
        assert_eq!(
            (messages[3].weight, &messages[3].extra["mood"]),
            (Some(0.0), &json!("calm"))
        );
    }

    #[test]
    fn sharegpt_calls_become_tool_calls() {
        let (messages, _) = read(json!([
            {"from": "human", "value": "2+2?"},
            {"from": "function_call", "value": "{\"name\": \"add\", \"arguments\": {\"a\": 2}}"},
            {"from": "observation", "value": "4"},
            {"from": "gpt", "value": "4"},
        ]));
        let messages = messages.unwrap();
        let call = json!({"type": "function", "function": {"name": "add", "arguments": {"a": 2}}});
        assert_eq!(
            (&messages[1].tool_calls[0], messages[1].role),
            (&call, Role::Assistant)
        );
        assert_eq!(messages[2].role, Role::Tool);
    }

    #[test]
    fn parts_are_joined_and_reasoning_kept_apart() {
        let (messages, _) = read(json!([
            {"role": "assistant", "loss_weight": 1.0, "content": [
                {"type": "reasoning", "value": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "value": "b"},
                {"type": "tool_call", "value": "{\"name\": \"f\", \"arguments\": {}}"}]},
        ]));
        let message = &messages.unwrap()[0];
        assert_eq!(
            (message.text(), message.weight, message.tool_calls.len()),
            ("ab", Some(1.0), 1)
        );
        assert_eq!(message.extra["reasoning_content"], "hm");
    }

    #[test]
    fn faults_are_named_with_their_path() {
        check_problem(
            json!({"role": "bot", "content": "x"}),
            "messages[0].role`: unknown role, found \"bot\", expected system, user, assistant or tool",
        );
        check_problem(
            json!({"role": "user", "content": 4}),
            "messages[0].content`: wrong type, found the number 4, expected text",
        );
        check_problem(
            json!({"from": "gpt", "valeu": "x"}),
            "messages[0].value`: missing field, found nothing, expected text",
        );
        check_problem(
            json!("hi"),
            "messages[0]`: wrong type, found the text \"hi\", expected an object with `role` and `content`",
        );
        check_problem(
            json!({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}),
            "messages[0].content[0]`: content that is not text, found a part of type \"image_url\", expected text",
        );
    }

    #[test]
    fn the_words_of_both_formats_in_one_message_are_not_mixed() {
        let (messages, problems) = read(json!([
            {"from": "human", "value": "q", "role": "user", "content": "q"},
            {"from": "gpt", "value": "right", "role": "assistant", "content": "[deleted]", "mood": "calm"},
            {"from": "human", "value": "q", "role": "tool", "content": null},
        ]));
        let messages = messages.unwrap();
        assert_eq!(messages[1].text(), "right");
        let extra = messages.iter().map(|message| message.extra.len());
        assert_eq!(extra.collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("messages[1].content`"), "{problems:?}");
        assert!(problems[1].contains("messages[2].role`"), "{problems:?}");
    }

    #[test]
    fn only_unmistakable_roles_are_renamed() {
        assert_eq!(role_meant("Assistant"), Some(Role::Assistant));
        assert_eq!(role_meant("bot"), Some(Role::Assistant));
        assert_eq!(role_meant("assistant"), None, "already right");
        assert_eq!(role_meant("narrator"), None);
    }
}
