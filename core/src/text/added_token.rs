//! Tokens that stand beside a tokenizer's model, as `tokenizer_config.json` writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TextError;

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

/// `added_tokens.json`: ids by token. Those with a name elsewhere are special.
pub(super) fn added_tokens(
    bytes: &[u8],
    special: &[AddedToken],
) -> Result<Vec<(u32, AddedToken)>, TextError> {
    let ids: BTreeMap<String, u32> =
        serde_json::from_slice(bytes).map_err(|error| TextError::File {
            file: "added_tokens.json",
            expected: "an object with ids by token",
            detail: error.to_string(),
        })?;
    let read = |(content, id): (String, u32)| {
        let is_special = special.iter().any(|token| token.content == content);
        let token = AddedToken {
            normalized: !is_special,
            special: is_special,
            ..AddedToken::special(&content)
        };
        (id, token)
    };
    let mut tokens: Vec<_> = ids.into_iter().map(read).collect();
    tokens.sort_by_key(|(id, _)| *id);
    Ok(tokens)
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
