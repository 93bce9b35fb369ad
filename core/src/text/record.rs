//! One dataset record, whichever format it came from.

use serde_json::{Map, Value};

use super::{Conversation, Encoded};

/// A record and what its file said beside the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub body: Body,
    /// Columns that are not part of the text (source, tags, metadata), kept for the way out.
    pub extra: Map<String, Value>,
    /// Line of the file (from 1) where the record starts, or its number in a JSON array.
    pub line: u64,
}

/// What a record teaches.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Messages, rendered by the model's chat template.
    Chat(Conversation),
    /// Plain continuation: no template; prompt and completion are concatenated, then the end token.
    /// An empty prompt means that the whole text is trained (continued pre-training).
    Text { prompt: String, completion: String },
    /// Already tokenized; needs no tokenizer.
    Tokens(Encoded),
}
