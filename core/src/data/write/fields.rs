//! One record to the fields of a format, with what is lost on the way.

use serde_json::{Map, Value, json};

use super::{Loss, beside::with_extra};
use crate::{
    data::{Body, Format, Record, json::of_text},
    text::{Conversation, Encoded, Message, Role},
};

/// The fields of a record in a format; `None` if it cannot be expressed there.
pub(crate) fn to_fields(
    record: &Record,
    original: Option<&Map<String, Value>>,
    format: Format,
    table: bool,
) -> (Option<Map<String, Value>>, Vec<Loss>) {
    let mut losses = Vec::new();
    let chat = match (&record.body, format) {
        (Body::Tokens(encoded), Format::Tokenized) => {
            return (
                Some(with_extra(tokens(encoded), record, &mut losses)),
                losses,
            );
        }
        (Body::Tokens(_), _) | (_, Format::Tokenized) => return (None, vec![Loss::Record]),
        (Body::Text { prompt, completion }, Format::Text) if prompt.is_empty() => {
            let fields = object([("text", completion.clone().into())]);
            return (Some(with_extra(fields, record, &mut losses)), losses);
        }
        (Body::Text { prompt, completion }, Format::PromptCompletion) => {
            let fields = object([("prompt", json!(prompt)), ("completion", json!(completion))]);
            return (Some(with_extra(fields, record, &mut losses)), losses);
        }
        (Body::Chat(_), Format::Text) => return (None, vec![Loss::Record]),
        (Body::Text { prompt, .. }, _) if prompt.is_empty() => return (None, vec![Loss::Record]),
        (Body::Text { .. }, Format::Text) => return (None, vec![Loss::Record]),
        (Body::Text { prompt, completion }, _) => {
            losses.push(Loss::PlainText);
            let messages = vec![
                Message::new(Role::User, prompt),
                Message::new(Role::Assistant, completion),
            ];
            &Conversation {
                messages,
                tools: Vec::new(),
            }
        }
        (Body::Chat(chat), _) => chat,
    };
    let fields = match format {
        Format::Openai => Some(openai(chat, &mut losses)),
        Format::Sharegpt => Some(sharegpt(chat, &mut losses)),
        Format::Alpaca => alpaca(chat, original, table, &mut losses),
        Format::QueryResponse => query_response(chat, &mut losses),
        Format::PromptCompletion if table => flat_prompt(chat, &mut losses),
        Format::PromptCompletion => prompt_completion(chat, &mut losses),
        Format::Text | Format::Tokenized => None,
    };
    match fields {
        Some(fields) => {
            let mut fields = with_extra(fields, record, &mut losses);
            pair_as_messages(&mut fields);
            (Some(fields), losses)
        }
        None => (None, vec![Loss::Record]),
    }
}

/// Behind a prompt of messages, a better and a worse answer are messages too: TRL takes all three in
/// one form, and else leaves the prompt out.
fn pair_as_messages(fields: &mut Map<String, Value>) {
    const ANSWERS: [&str; 2] = ["chosen", "rejected"];
    let is_pair = ANSWERS.iter().all(|name| fields.contains_key(*name));
    if !is_pair || !fields.get("prompt").is_some_and(Value::is_array) {
        return;
    }
    for name in ANSWERS {
        if let Some(answer) = fields.get_mut(name).filter(|answer| answer.is_string()) {
            *answer = json!([{ "role": "assistant", "content": answer.take() }]);
        }
    }
}

/// The columns of a table: the format's own first, then the others as they come.
pub(crate) fn header(rows: &[Map<String, Value>], format: Format) -> Vec<String> {
    let own: &[&str] = match format {
        Format::Alpaca => &["instruction", "input", "output", "system"],
        Format::PromptCompletion => &["prompt", "completion"],
        Format::QueryResponse => &["query", "response"],
        Format::Text => &["text"],
        Format::Tokenized => &["input_ids", "labels"],
        Format::Openai => &["messages", "tools"],
        Format::Sharegpt => &["conversations", "tools"],
    };
    let used = |name: &&&str| rows.iter().any(|row| row.contains_key(**name));
    let mut header: Vec<String> = own
        .iter()
        .filter(used)
        .map(|name| (*name).to_owned())
        .collect();
    let mut known: std::collections::BTreeSet<String> = header.iter().cloned().collect();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if known.insert(name.clone()) {
            header.push(name.clone());
        }
    }
    header
}

fn tokens(encoded: &Encoded) -> Map<String, Value> {
    object([
        ("input_ids", json!(encoded.input_ids)),
        ("labels", json!(encoded.labels)),
    ])
}

fn openai(chat: &Conversation, losses: &mut Vec<Loss>) -> Map<String, Value> {
    let messages = chat.messages.iter();
    let messages = messages.map(|message| openai_message(message, losses));
    let mut fields = object([("messages", messages.collect())]);
    if !chat.tools.is_empty() {
        fields.insert("tools".into(), json!(chat.tools));
    }
    fields
}

fn openai_message(message: &Message, losses: &mut Vec<Loss>) -> Value {
    let mut fields = object([
        ("role", json!(message.role.name())),
        ("content", json!(message.content)),
    ]);
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    if let Some(name) = &message.name {
        put("name", json!(name));
    }
    if !message.tool_calls.is_empty() {
        put("tool_calls", json!(message.tool_calls));
    }
    if let Some(id) = &message.tool_call_id {
        put("tool_call_id", json!(id));
    }
    if let Some(weight) = message.weight {
        let whole = weight.fract() == 0.0 && weight <= 1e6;
        put(
            "weight",
            if whole {
                json!(weight as u64)
            } else {
                json!(weight.to_string().parse().unwrap_or(f64::from(weight)))
            },
        );
    }
    for (key, value) in &message.extra {
        match fields.get(key) {
            None => {
                fields.insert(key.clone(), value.clone());
            }
            Some(own) if own != value => note(losses, Loss::MessageKeys),
            Some(_) => {}
        }
    }
    Value::Object(fields)
}

fn sharegpt(chat: &Conversation, losses: &mut Vec<Loss>) -> Map<String, Value> {
    let mut turns = Vec::new();
    for message in &chat.messages {
        let from = match message.role {
            Role::System | Role::Developer => "system",
            Role::User => "human",
            Role::Assistant => "gpt",
            Role::Tool => "observation",
        };
        let says = |from: &str, value: &str| json!({"from": from, "value": value});
        if message.tool_calls.is_empty() {
            turns.push(says(from, message.text()));
            continue;
        }
        if !message.text().is_empty() {
            note(losses, Loss::TextBesideCall);
            turns.push(says("gpt", message.text()));
        }
        let calls: Vec<Value> = message
            .tool_calls
            .iter()
            .map(|call| bare_call(call, losses))
            .collect();
        let value = if let [call] = calls.as_slice() {
            json!(call)
        } else {
            json!(calls)
        };
        turns.push(says("function_call", &value.to_string()));
    }
    if chat
        .messages
        .iter()
        .any(|message| message.role == Role::Developer)
    {
        note(losses, Loss::Names);
    }
    note_weights(&chat.messages, losses);
    note_message_keys(&chat.messages, losses);
    let mut fields = object([("conversations", turns.into())]);
    if !chat.tools.is_empty() {
        fields.insert("tools".into(), json!(json!(chat.tools).to_string()));
    }
    fields
}

/// `{"name": …, "arguments": …}` of a call in OpenAI's shape, whose arguments may be JSON text.
fn bare_call(call: &Value, losses: &mut Vec<Loss>) -> Value {
    if call.get("id").is_some() {
        note(losses, Loss::CallIds);
    }
    let mut function = call.get("function").unwrap_or(call).clone();
    if let Some(arguments) = function.get_mut("arguments")
        && let Some(parsed) = arguments.as_str().and_then(of_text)
    {
        *arguments = parsed;
    }
    function
}

/// System prompt and the turns after it, if these are questions and answers in turn. What follows
/// the last answer is not trained and does not count.
struct Turns<'a> {
    system: Option<&'a str>,
    pairs: Vec<(&'a str, &'a str)>,
}

fn turns<'a>(chat: &'a Conversation, losses: &mut Vec<Loss>) -> Option<Turns<'a>> {
    let (system, rest) = match chat.messages.split_first() {
        Some((first, rest)) if matches!(first.role, Role::System | Role::Developer) => {
            (Some(first.text()), rest)
        }
        _ => (None, chat.messages.as_slice()),
    };
    let in_turn = |(pair, roles): (&[Message], [Role; 2])| {
        pair.len() == 2
            && pair
                .iter()
                .zip(roles)
                .all(|(message, role)| message.role == role)
            && pair.iter().all(|message| message.tool_calls.is_empty())
    };
    let pairs = rest.chunks(2);
    if rest.is_empty()
        || !pairs
            .clone()
            .all(|pair| in_turn((pair, [Role::User, Role::Assistant])))
    {
        return None;
    }
    if !chat.tools.is_empty() {
        note(losses, Loss::Tools);
    }
    note_weights(&chat.messages, losses);
    note_message_keys(&chat.messages, losses);
    let pairs = pairs.map(|pair| (pair[0].text(), pair[1].text())).collect();
    Some(Turns { system, pairs })
}

fn alpaca(
    chat: &Conversation,
    original: Option<&Map<String, Value>>,
    table: bool,
    losses: &mut Vec<Loss>,
) -> Option<Map<String, Value>> {
    let Turns { system, mut pairs } = turns(chat, losses)?;
    let (question, answer) = pairs.pop()?;
    let (instruction, input) = original
        .and_then(|original| split_as_before(original, question))
        .unwrap_or((question, ""));
    let mut fields = object([
        ("instruction", json!(instruction)),
        ("input", json!(input)),
        ("output", json!(answer)),
    ]);
    if let Some(system) = system {
        fields.insert("system".into(), json!(system));
        let first = chat.messages.first();
        if first.is_some_and(|message| message.role == Role::Developer) {
            note(losses, Loss::Names);
        }
    }
    if !pairs.is_empty() && table {
        note(losses, Loss::EarlierTurns);
    } else if !pairs.is_empty() {
        fields.insert("history".into(), json!(pairs));
    }
    Some(fields)
}

/// The `instruction` and `input` that a question was read from.
fn split_as_before<'a>(
    original: &'a Map<String, Value>,
    question: &str,
) -> Option<(&'a str, &'a str)> {
    let instruction = original.get("instruction")?.as_str()?;
    let input = original.get("input")?.as_str()?;
    let rest = question.strip_prefix(instruction)?;
    let same = rest.strip_prefix('\n').is_some_and(|rest| rest == input);
    (same || (rest.is_empty() && input.is_empty())).then_some((instruction, input))
}

/// The last question and answer alone.
fn single_turn<'a>(chat: &'a Conversation, losses: &mut Vec<Loss>) -> Option<(&'a str, &'a str)> {
    let Turns { system, mut pairs } = turns(chat, losses)?;
    if system.is_some() {
        note(losses, Loss::System);
    }
    let last = pairs.pop()?;
    if !pairs.is_empty() {
        note(losses, Loss::EarlierTurns);
    }
    Some(last)
}

fn query_response(chat: &Conversation, losses: &mut Vec<Loss>) -> Option<Map<String, Value>> {
    let (query, response) = single_turn(chat, losses)?;
    Some(object([
        ("query", json!(query)),
        ("response", json!(response)),
    ]))
}

fn flat_prompt(chat: &Conversation, losses: &mut Vec<Loss>) -> Option<Map<String, Value>> {
    let (prompt, completion) = single_turn(chat, losses)?;
    Some(object([
        ("prompt", json!(prompt)),
        ("completion", json!(completion)),
    ]))
}

/// Lists of messages: the last answer is the completion, everything before it the prompt.
fn prompt_completion(chat: &Conversation, losses: &mut Vec<Loss>) -> Option<Map<String, Value>> {
    let last = chat
        .messages
        .iter()
        .rposition(|message| message.role == Role::Assistant)?;
    if last + 1 < chat.messages.len() {
        note(losses, Loss::LaterMessages);
    }
    let (prompt, completion) = chat.messages[..=last].split_at(last);
    let earlier =
        |message: &Message| message.role == Role::Assistant && message.weight != Some(0.0);
    if prompt.iter().any(earlier) {
        note(losses, Loss::EarlierAnswers);
    }
    if completion
        .iter()
        .any(|message| message.weight.is_some_and(|weight| weight != 1.0))
    {
        note(losses, Loss::Weights);
    }
    let mut list = |messages: &[Message]| -> Value {
        let unweighted = messages.iter().map(|message| Message {
            weight: None,
            ..message.clone()
        });
        let messages = unweighted.map(|message| openai_message(&message, losses));
        messages.collect()
    };
    let mut fields = object([("prompt", list(prompt)), ("completion", list(completion))]);
    if !chat.tools.is_empty() {
        fields.insert("tools".into(), json!(chat.tools));
    }
    Some(fields)
}

/// A weight of 1 is what an answer has anyway; on other roles a weight means nothing.
fn note_weights(messages: &[Message], losses: &mut Vec<Loss>) {
    let answers = messages
        .iter()
        .filter(|message| message.role == Role::Assistant);
    if answers
        .filter_map(|message| message.weight)
        .any(|weight| weight != 1.0)
    {
        note(losses, Loss::Weights);
    }
}

fn note_message_keys(messages: &[Message], losses: &mut Vec<Loss>) {
    if messages.iter().any(|message| message.name.is_some()) {
        note(losses, Loss::Names);
    }
    if messages
        .iter()
        .any(|message| message.tool_call_id.is_some())
    {
        note(losses, Loss::CallIds);
    }
    if messages.iter().any(|message| !message.extra.is_empty()) {
        note(losses, Loss::MessageKeys);
    }
}

pub(super) fn note(losses: &mut Vec<Loss>, loss: Loss) {
    if !losses.contains(&loss) {
        losses.push(loss);
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
