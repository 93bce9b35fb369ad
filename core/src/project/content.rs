//! What a record says: as the page edits it, as everything else computes with it, as it is stored.
//!
//! [`Content`] ↔ [`Record`] is one to one; previews need the way there too, so it is in `documents`.
//! Stored is the content as JSON, with what the record's file kept more apart than a record does
//! ([`Origin`]), so that it can go back the way it came.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ProjectError;
pub(super) use crate::documents::{content as content_of, turn_role};
use crate::{
    data::Format,
    protocol::studio::{Content, ContentBody, Turn, TurnRole},
    text::{Body, Conversation, Encoded, Message, Record, Role},
};

/// How a record stood in its file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Origin {
    pub(super) format: Format,
    /// Alpaca's `instruction` and `input`, which a record joins; otherwise empty.
    pub(super) raw: Map<String, Value>,
}

impl Origin {
    /// Keeps of a raw row what a record cannot give back.
    pub(super) fn new(format: Format, raw: Option<&Map<String, Value>>) -> Self {
        let mut kept = Map::new();
        let text = |key: &str| {
            let text = raw?.get(key)?.as_str()?;
            (!text.is_empty()).then(|| Value::from(text))
        };
        if format == Format::Alpaca
            && let (Some(instruction), Some(input)) = (text("instruction"), text("input"))
        {
            kept.insert("instruction".into(), instruction);
            kept.insert("input".into(), input);
        }
        Self { format, raw: kept }
    }

    /// Of a record that was written here: the format that holds all of it.
    pub(super) fn of(body: &Body) -> Self {
        let format = match body {
            Body::Chat(_) => Format::Openai,
            Body::Text { prompt, .. } if prompt.is_empty() => Format::Text,
            Body::Text { .. } => Format::PromptCompletion,
            Body::Tokens(_) => Format::Tokenized,
        };
        Self {
            format,
            raw: Map::new(),
        }
    }
}

/// The form of `content.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    body: ContentBody,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    extra: Map<String, Value>,
    format: Format,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    raw: Map<String, Value>,
}

/// A record as it is stored; what was read back by [`read_stored`].
pub(super) fn to_stored(record: Record, origin: Origin) -> Result<String, ProjectError> {
    let Content { body, extra } = content_of(record);
    let Origin { format, raw } = origin;
    let stored = Stored {
        body,
        extra,
        format,
        raw,
    };
    serde_json::to_string(&stored).map_err(|error| ProjectError::Broken {
        detail: format!("a record cannot be stored: {error}"),
    })
}

/// A stored record. It has no line: that belongs to the record, not to its text.
///
/// # Errors
/// If it was not stored by [`to_stored`].
pub(super) fn read_stored(json: &str) -> Result<(Record, Origin), ProjectError> {
    let stored: Stored = serde_json::from_str(json).map_err(|error| ProjectError::Broken {
        detail: format!("a stored record cannot be read: {error}"),
    })?;
    let Stored {
        body,
        extra,
        format,
        raw,
    } = stored;
    let record = record_of(Content { body, extra });
    Ok((record, Origin { format, raw }))
}

/// Whether a stored record may have reasoning, a weight that is none or all of it, a mark, or labels of
/// tokens; most have none of these, and need not be read to know it.
pub(super) fn may_have_terms(json: &str) -> bool {
    const NAMES: [&str; 4] = [
        "\"reasoning_content\":",
        "\"label\":",
        "\"kto_tag\":",
        "\"labels\":",
    ];
    let has = |name| memchr::memmem::find(json.as_bytes(), str::as_bytes(name)).is_some();
    NAMES.into_iter().any(has) || has_part_weight(json)
}

/// Whether any weight is a number other than 0 and 1.
fn has_part_weight(json: &str) -> bool {
    const NAME: &str = "\"weight\":";
    let is_part = |at: usize| {
        let value = json.get(at + NAME.len()..).unwrap_or_default();
        !["null", "0.0,", "0.0}", "1.0,", "1.0}"]
            .iter()
            .any(|plain| value.starts_with(plain))
    };
    memchr::memmem::find_iter(json.as_bytes(), NAME).any(is_part)
}

/// The record that a body holds.
///
/// # Errors
/// If there is no such body, or it is damaged.
pub(super) fn read_body(db: &Connection, body: i64) -> Result<(Record, Origin), ProjectError> {
    let mut statement = db.prepare_cached("SELECT json FROM content WHERE body = ?1")?;
    let mut rows = statement.query([body])?;
    let Some(row) = rows.next()? else {
        return Err(ProjectError::Broken {
            detail: format!("text {body} is missing"),
        });
    };
    let json = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    read_stored(json)
}

pub(super) fn record_of(content: Content) -> Record {
    let body = match content.body {
        ContentBody::Chat { turns, tools } => Body::Chat(Conversation {
            messages: turns.into_iter().map(message_of).collect(),
            tools,
        }),
        ContentBody::Text { prompt, completion } => Body::Text { prompt, completion },
        ContentBody::Tokens { input_ids, labels } => Body::Tokens(Encoded { input_ids, labels }),
    };
    Record {
        body,
        extra: content.extra,
        line: 0,
    }
}

pub(super) fn text_role(role: TurnRole) -> Role {
    match role {
        TurnRole::System => Role::System,
        TurnRole::Developer => Role::Developer,
        TurnRole::User => Role::User,
        TurnRole::Assistant => Role::Assistant,
        TurnRole::Tool => Role::Tool,
    }
}

fn message_of(turn: Turn) -> Message {
    let Turn {
        role,
        text,
        weight,
        name,
        tool_calls,
        tool_call_id,
        extra,
    } = turn;
    Message {
        role: text_role(role),
        content: text,
        name,
        weight,
        tool_calls,
        tool_call_id,
        extra,
    }
}

/// Where a preference pair has its answers.
pub(super) const PAIR: [&str; 2] = ["chosen", "rejected"];

/// A preference pair holds its better answer twice: as the text that is trained, and under `chosen`
/// for the way out. Where its answers are whole conversations, it holds what was said before them
/// three times. An edit of the one is an edit of the others.
pub(super) fn keep_pair(before: &Record, after: &mut Record) {
    if !before.extra.contains_key("rejected")
        || before.extra.get("chosen") != after.extra.get("chosen")
    {
        return;
    }
    for key in PAIR {
        if let Some(pair) = after.extra.get_mut(key)
            && before.extra.get(key) == Some(pair)
        {
            keep_said_before(&before.body, &after.body, pair);
        }
    }
    let (Some(old), Some(new)) = (answer(before), answer(after)) else {
        return;
    };
    let new = Value::from(new);
    let Some(chosen) = after.extra.get_mut("chosen") else {
        return;
    };
    let text = match chosen {
        Value::Array(messages) => messages.last_mut().and_then(said),
        Value::Object(_) => said(chosen),
        text => Some(text),
    };
    if let Some(text) = text
        && text.as_str() == Some(old)
    {
        *text = new;
    }
}

/// Changes what stands in front of the answer of a whole conversation as it was changed in the record.
fn keep_said_before(before: &Body, after: &Body, pair: &mut Value) {
    let (Body::Chat(old), Body::Chat(new), Value::Array(messages)) = (before, after, pair) else {
        return;
    };
    let n = old.messages.len();
    if new.messages.len() != n || messages.len() != n {
        return;
    }
    let pairs = old.messages.iter().zip(&new.messages).zip(messages);
    for ((old, new), message) in pairs.take(n.saturating_sub(1)) {
        if let Some(text) = said(message)
            && text.as_str() == old.content.as_deref()
            && let Some(new) = &new.content
        {
            *text = Value::from(new.as_str());
        }
    }
}

/// The text of a message in its file's form.
fn said(message: &mut Value) -> Option<&mut Value> {
    let keys = ["content", "value"].into_iter();
    let key = keys.into_iter().find(|key| message.get(*key).is_some())?;
    message.get_mut(key)
}

fn answer(record: &Record) -> Option<&str> {
    match &record.body {
        Body::Chat(chat) => {
            let last = chat.messages.iter().rfind(|m| m.role == Role::Assistant)?;
            last.content.as_deref()
        }
        Body::Text { completion, .. } => Some(completion),
        Body::Tokens(_) => None,
    }
}
