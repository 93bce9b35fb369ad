//! Tokens that stand beside a tokenizer's model, as `tokenizer_config.json` writes them.

use serde_json::{Map, Value};

/// A token that is found in text before anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedToken {
    pub content: String,
    /// Takes the white space before it.
    pub lstrip: bool,
    /// Takes the white space behind it.
    pub rstrip: bool,
    pub single_word: bool,
    pub normalized: bool,
    pub special: bool,
}

impl AddedToken {
    pub(super) fn special(content: &str) -> Self {
        Self {
            content: content.to_owned(),
            lstrip: false,
            rstrip: false,
            single_word: false,
            normalized: false,
            special: true,
        }
    }

    /// A token is written as text or as an object with its text in `content`.
    pub(super) fn read(value: &Value) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return Some(Self::special(text));
        }
        let is_set = |name: &str| value.get(name).and_then(Value::as_bool);
        let special = is_set("special").unwrap_or(false);
        Some(Self {
            content: value.get("content")?.as_str()?.to_owned(),
            lstrip: is_set("lstrip").unwrap_or(false),
            rstrip: is_set("rstrip").unwrap_or(false),
            single_word: is_set("single_word").unwrap_or(false),
            normalized: is_set("normalized").unwrap_or(!special),
            special,
        })
    }
}

/// `added_tokens_decoder`: tokens by id, in the order of their ids.
pub(super) fn by_id(config: &Map<String, Value>) -> Vec<(u32, AddedToken)> {
    let entries = config
        .get("added_tokens_decoder")
        .and_then(Value::as_object);
    let read = |(id, token): (&String, &Value)| Some((id.parse().ok()?, AddedToken::read(token)?));
    let mut tokens: Vec<_> = entries.into_iter().flatten().filter_map(read).collect();
    tokens.sort_by_key(|(id, _)| *id);
    tokens
}
