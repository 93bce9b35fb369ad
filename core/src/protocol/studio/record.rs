//! One record as the editor shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{FindingView, Side, SourceView};

/// A record for as long as the project lives.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RecordKey(pub u64);

/// Who says a message. Names follow OpenAI's and transformers' templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnRole {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

impl TurnRole {
    pub const ALL: [Self; 5] = [
        Self::System,
        Self::Developer,
        Self::User,
        Self::Assistant,
        Self::Tool,
    ];

    /// As files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// What a record says; an edit replaces it as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub body: ContentBody,
    /// Columns beside the text.
    #[serde(default)]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentBody {
    Chat {
        turns: Vec<Turn>,
        tools: Vec<Value>,
    },
    Text {
        prompt: String,
        completion: String,
    },
    Tokens {
        input_ids: Vec<u32>,
        labels: Vec<i32>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    pub role: TurnRole,
    /// `None` only where tool calls stand instead of text.
    pub text: Option<String>,
    /// OpenAI's weight: 0 keeps an answer out of the loss.
    #[serde(default)]
    pub weight: Option<f32>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub tool_calls: Vec<Value>,
    #[serde(default)]
    pub tool_call_id: Option<String>,
    /// Further keys, such as reasoning.
    #[serde(default)]
    pub extra: Map<String, Value>,
}

impl Turn {
    pub fn new(role: TurnRole, text: impl Into<String>) -> Self {
        Self {
            role,
            text: Some(text.into()),
            weight: None,
            name: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            extra: Map::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordView {
    pub record: RecordKey,
    pub content: Content,
    /// As it came in, where it was edited since.
    pub original: Option<Content>,
    /// Its place in the dataset, from 1.
    pub position: u64,
    pub tags: Vec<String>,
    pub side: Option<Side>,
    pub reviewer: String,
    pub source: Option<SourceView>,
    /// Line of the source, page of the document.
    pub line: u64,
    pub page: Option<u32>,
    pub language: String,
    pub n_chars: u64,
    /// Tokens of each message's text and of the whole record under the chosen model.
    pub n_tokens: Option<RecordTokens>,
    pub findings: Vec<FindingView>,
    pub in_trash: bool,
    /// With the action that the edit became, where there was one.
    pub project: Option<super::ProjectView>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordTokens {
    pub of_turns: Vec<u64>,
    /// With what the template adds.
    pub whole: u64,
    pub trained: u64,
    pub limit: u64,
}
