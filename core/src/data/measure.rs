//! How long a record is.

use super::{Body, Record};

/// Every text of a record, in order.
pub(crate) fn texts(record: &Record) -> Vec<&str> {
    match &record.body {
        Body::Chat(chat) => chat.messages.iter().map(|message| message.text()).collect(),
        Body::Text { prompt, completion } => vec![prompt, completion],
        Body::Tokens(_) => Vec::new(),
    }
}

/// Characters of its texts; for a tokenized record the tokens.
pub(crate) fn n_chars(record: &Record) -> usize {
    match &record.body {
        Body::Tokens(encoded) => encoded.len(),
        _ => texts(record).iter().map(|text| text.chars().count()).sum(),
    }
}

/// Tokens of its texts, without what a template adds between them.
pub fn n_tokens(record: &Record, count: &dyn Fn(&str) -> usize) -> usize {
    match &record.body {
        Body::Tokens(encoded) => encoded.len(),
        _ => texts(record).into_iter().map(count).sum(),
    }
}
