//! A conversation as template variables: converted once, rendered many times.
//!
//! Messages are kept as JSON objects, so that keys, roles and kinds of content that Veneer does not
//! know reach the template as they were given.

use minijinja::value::Value;
use serde_json::{Map, Value as Json, json};

use super::{Message, Role};

/// Messages and tools in the form that templates see.
#[derive(Debug, Clone)]
pub(super) struct ChatValues {
    json: Vec<Map<String, Json>>,
    messages: Vec<Value>,
    tools: Value,
    unused: [char; 3],
}

impl ChatValues {
    pub(super) fn new(messages: &[Message], tools: &[Json]) -> Self {
        let json: Vec<_> = messages.iter().map(message_fields).collect();
        let unused = unused_chars(&json, tools);
        Self {
            messages: message_values(messages),
            tools: tool_values(tools),
            json,
            unused,
        }
    }

    pub(super) fn from_json(messages: Vec<Map<String, Json>>, tools: Option<&[Json]>) -> Self {
        Self {
            unused: unused_chars(&messages, tools.unwrap_or_default()),
            messages: messages.iter().map(Value::from_serialize).collect(),
            tools: tools.map_or_else(|| Value::from(()), Value::from_serialize),
            json: messages,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn messages(&self) -> &[Value] {
        &self.messages
    }

    pub(super) fn tools(&self) -> &Value {
        &self.tools
    }

    /// Characters that occur nowhere in the conversation: two to mark what the assistant wrote, one
    /// to mark a place in a content.
    pub(super) fn unused_chars(&self) -> [char; 3] {
        self.unused
    }

    pub(super) fn role(&self, index: usize) -> Option<&str> {
        self.json.get(index)?.get("role")?.as_str()
    }

    /// The messages of one role.
    pub(super) fn said_by(&self, role: Role) -> Vec<usize> {
        let speaks = |&index: &usize| self.role(index) == Some(role.name());
        (0..self.len()).filter(speaks).collect()
    }

    /// The content of a message; empty where it is not one text.
    pub(super) fn text(&self, index: usize) -> &str {
        let content = self.json.get(index).and_then(|json| json.get("content"));
        content.and_then(Json::as_str).unwrap_or_default()
    }

    pub(super) fn calls_tools(&self, index: usize) -> bool {
        let calls = self.json.get(index).and_then(|json| json.get("tool_calls"));
        calls
            .and_then(Json::as_array)
            .is_some_and(|calls| !calls.is_empty())
    }

    /// A message with another content.
    pub(super) fn with_content(&self, index: usize, content: &str) -> Value {
        let mut fields = self.json.get(index).cloned().unwrap_or_default();
        fields.insert("content".into(), json!(content));
        Value::from_serialize(&fields)
    }

    /// A message with another name for the first tool that it calls.
    pub(super) fn with_tool_name(&self, index: usize, name: &str) -> Value {
        let mut fields = self.json.get(index).cloned().unwrap_or_default();
        let call = fields.get_mut("tool_calls").and_then(|it| it.get_mut(0));
        let call = call.map(|call| match call.get("function") {
            Some(_) => &mut call["function"],
            None => call,
        });
        if let Some(Json::Object(call)) = call {
            call.insert("name".into(), json!(name));
        }
        Value::from_serialize(&fields)
    }

    /// The conversation with another content in one message.
    pub(super) fn replaced(&self, index: usize, content: &str) -> Self {
        let mut other = self.clone();
        if let Some(message) = other.messages.get_mut(index) {
            *message = self.with_content(index, content);
        }
        other
    }
}

/// A call with its arguments as an object. OpenAI's files have them as JSON text, which templates
/// would encode once more: the model would learn to answer with a string where programs that run
/// it, and transformers, give an object.
fn with_arguments(call: &Json) -> Json {
    let mut call = call.clone();
    let function = match call.get("function") {
        Some(_) => &mut call["function"],
        None => &mut call,
    };
    if let Some(arguments) = function.get_mut("arguments")
        && let Some(text) = arguments.as_str()
        && let Ok(parsed @ Json::Object(_)) = serde_json::from_str(text)
    {
        *arguments = parsed;
    }
    call
}

/// What a field of a message holds.
enum Field<'a> {
    Text(&'a str),
    Null,
    Other(&'a Json),
    Calls(Vec<Json>),
}

impl From<Field<'_>> for Json {
    fn from(field: Field<'_>) -> Self {
        match field {
            Field::Text(text) => Self::from(text),
            Field::Null => Self::Null,
            Field::Other(json) => json.clone(),
            Field::Calls(calls) => Self::Array(calls),
        }
    }
}

impl From<Field<'_>> for Value {
    fn from(field: Field<'_>) -> Self {
        match field {
            Field::Text(text) => Self::from(text),
            Field::Null => Self::from(()),
            Field::Other(json) => Self::from_serialize(json),
            Field::Calls(calls) => Self::from_serialize(calls),
        }
    }
}

/// A message's fields as templates see them: without the loss weight, which is ours.
fn fields<T>(message: &Message) -> impl Iterator<Item = (&str, T)>
where
    T: for<'a> From<Field<'a>>,
{
    let text = |name, text: &Option<String>| Some((name, Field::Text(text.as_deref()?).into()));
    let calls = (!message.tool_calls.is_empty()).then(|| {
        let calls = message.tool_calls.iter().map(with_arguments);
        ("tool_calls", Field::Calls(calls.collect()).into())
    });
    let own = [
        Some(("role", Field::Text(message.role.name()).into())),
        text("content", &message.content).or_else(|| Some(("content", Field::Null.into()))),
        text("name", &message.name),
        calls,
        text("tool_call_id", &message.tool_call_id),
    ];
    // What a message says is not overwritten by what came beside it.
    let extra = message.extra.iter();
    let extra = extra.filter(|(name, _)| !matches!(name.as_str(), "role" | "content"));
    let extra = extra.map(|(name, value)| (name.as_str(), Field::Other(value).into()));
    own.into_iter().flatten().chain(extra)
}

fn message_fields(message: &Message) -> Map<String, Json> {
    let mut all = Map::new();
    for (name, value) in fields(message) {
        all.insert(name.to_owned(), value);
    }
    all
}

/// Messages as templates see them.
pub(super) fn message_values(messages: &[Message]) -> Vec<Value> {
    let value = |message| fields::<Value>(message).collect();
    messages.iter().map(value).collect()
}

/// Tools as templates see them: transformers passes None, not an empty list, where there are none.
pub(super) fn tool_values(tools: &[Json]) -> Value {
    match tools {
        [] => Value::from(()),
        tools => Value::from_serialize(tools),
    }
}

/// Three characters of the last private-use plane that no text of messages and tools holds.
fn unused_chars(messages: &[Map<String, Json>], tools: &[Json]) -> [char; 3] {
    let mut used: Vec<char> = Vec::new();
    let mut waiting: Vec<&Json> = messages.iter().flat_map(Map::values).chain(tools).collect();
    let mut note = |text: &str| used.extend(text.chars().filter(|&c| c >= '\u{100000}'));
    while let Some(value) = waiting.pop() {
        match value {
            Json::String(text) => note(text),
            Json::Array(items) => waiting.extend(items),
            Json::Object(fields) => {
                fields.keys().for_each(|key| note(key));
                waiting.extend(fields.values());
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    let mut free = ('\u{100000}'..='\u{10fffd}')
        .rev()
        .filter(|c| !used.contains(c));
    // A conversation that holds all 65 534 of them cannot be marked; its mask would only be wrong.
    [
        free.next().unwrap_or('\u{10fffd}'),
        free.next().unwrap_or('\u{10fffc}'),
        free.next().unwrap_or('\u{10fffb}'),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_reaches_the_template() {
        let message =
            json!({"role": "ipython", "content": [{"type": "text", "text": "\u{10fffd}"}], "x": 1});
        let Json::Object(message) = message else {
            unreachable!()
        };
        let chat = ChatValues::from_json(vec![message], Some(&[]));
        assert_eq!(chat.role(0), Some("ipython"));
        assert_eq!((chat.text(0), chat.calls_tools(0)), ("", false));
        assert_eq!(
            chat.unused_chars(),
            ['\u{10fffc}', '\u{10fffb}', '\u{10fffa}']
        );
        assert_eq!(chat.tools().len(), Some(0));
        assert_eq!(
            chat.with_content(0, "y").get_attr("content").unwrap(),
            Value::from("y")
        );
    }

    #[test]
    fn what_a_message_says_goes_before_what_came_beside_it() {
        let mut message = Message::new(Role::Assistant, "the answer");
        for (name, value) in [
            ("role", "bogus"),
            ("content", "[deleted]"),
            ("mood", "glad"),
        ] {
            message.extra.insert(name.into(), value.into());
        }
        let seen = message_values(&[message]);
        let field = |name: &str| seen[0].get_attr(name).unwrap();
        assert_eq!(field("role"), Value::from("assistant"));
        assert_eq!(field("content"), Value::from("the answer"));
        assert_eq!(field("mood"), Value::from("glad"));
    }

    #[test]
    fn tools_are_named_in_both_forms_of_calls() {
        let messages = json!([
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
            {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {}}]},
        ]);
        let chat = ChatValues::from_json(serde_json::from_value(messages).unwrap(), None);
        for index in [0, 1] {
            let named = chat.with_tool_name(index, "g").to_string();
            assert!(named.contains(r#""name": "g""#), "{named}");
        }
    }

    #[test]
    fn arguments_that_are_json_text_are_objects() {
        let arguments = |given: Json| {
            let mut message = Message::new(Role::Assistant, "");
            message.tool_calls = vec![json!({"function": {"name": "f", "arguments": given}})];
            let chat = ChatValues::new(&[message], &[]);
            chat.json[0]["tool_calls"][0]["function"]["arguments"].clone()
        };
        let object = json!({"city": "Zürich", "n": 2});
        assert_eq!(arguments(json!(object.to_string())), object);
        for other in [object, json!("[1]"), json!("no JSON"), json!(null)] {
            assert_eq!(arguments(other.clone()), other);
        }
    }

    #[test]
    fn values_are_what_the_fields_are() {
        let mut call = Message::new(Role::Assistant, "");
        call.content = None;
        call.tool_calls = vec![json!({"function": {"name": "f", "arguments": "{\"n\": 2}"}})];
        let mut answer = Message::new(Role::Tool, "保険料は 12 €");
        answer.name = Some("f".into());
        answer.tool_call_id = Some("1".into());
        let more = json!({"reasoning": "…", "n": [1, 2.5, null], "name": "later ones win"});
        answer.extra = serde_json::from_value(more).unwrap();
        let said = message_fields(&answer);
        let own = json!({"role": "tool", "content": "保険料は 12 €", "name": "later ones win",
            "tool_call_id": "1", "reasoning": "…", "n": [1, 2.5, null]});
        assert_eq!(Json::Object(said), own);
        for message in [Message::new(Role::User, "q"), call, answer] {
            let by_fields = Value::from_serialize(message_fields(&message));
            let direct = &message_values(&[message])[0];
            assert_eq!(direct.to_string(), by_fields.to_string());
            assert_eq!(*direct, by_fields);
        }
    }

    #[test]
    fn the_weight_of_the_loss_stays_here() {
        let mut message = Message::new(Role::User, "q");
        message.weight = Some(0.0);
        let chat = ChatValues::new(&[message], &[]);
        let keys: Vec<String> = chat.messages()[0]
            .try_iter()
            .unwrap()
            .map(|key| key.to_string())
            .collect();
        assert_eq!(keys, ["role", "content"]);
        assert!(chat.tools().is_none());
    }
}
