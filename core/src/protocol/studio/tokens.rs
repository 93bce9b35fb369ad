//! Records as a model sees them.

use serde::{Deserialize, Serialize};

/// Tokenizer and template that a project is written for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TextModelView {
    pub name: String,
    /// Names of built-in templates that can be taken instead of the model's own.
    pub templates: Vec<String>,
    pub has_own_template: bool,
    pub options: TextOptions,
    pub end_tokens: Vec<String>,
    pub n_vocab: u64,
    /// Records counted under it and these options.
    pub n_counted: u64,
    pub n_records: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextOptions {
    pub max_length: u32,
    pub train_on: TrainWhat,
    /// A built-in template in place of the model's own.
    pub template: Option<String>,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            max_length: 2048,
            train_on: TrainWhat::Assistant,
            template: None,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainWhat {
    All,
    #[default]
    Assistant,
    Last,
}

impl TrainWhat {
    /// As the command line takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Assistant => "assistant",
            Self::Last => "last",
        }
    }
}

/// One record under tokenizer and template.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokensView {
    /// The exact text the model sees.
    pub text: String,
    pub tokens: Vec<TokenView>,
    /// Tokens kept; the others lie behind the limit.
    pub n_kept: u64,
    pub n_trained: u64,
    pub limit: u64,
    /// What training would refuse.
    pub refusals: Vec<RefusalView>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenView {
    pub id: u32,
    /// What it stands for in the text. Of a character that has several tokens the first stands for all
    /// of it, and the others for their bytes, as `⟨E5 B9⟩`; the vocabulary's own spelling where there is
    /// no text.
    pub text: String,
    pub trained: bool,
    pub cut: bool,
    pub ends_generation: bool,
    pub special: bool,
}

/// The same refusal as in training, with the fixes there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefusalView {
    pub kind: super::FindingKind,
    pub message: String,
    pub hint: String,
    pub fixes: Vec<super::FixName>,
}
