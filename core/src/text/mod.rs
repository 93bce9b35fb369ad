//! Messages, chat templates, tokenizers, and the mask that says which tokens are trained.
//!
//! `Record` → text by the model's chat template ([`template`]) → which text the assistant wrote
//! ([`spans`]) → tokens and labels ([`encode`]) → checks before a run ([`preflight`]) and a view of
//! the mask for people ([`view`]).

mod added_token;
mod builtin;
mod byte_level;
mod chat_values;
mod conversation;
mod dialogue;
mod encode;
mod encoded;
mod error;
#[cfg(test)]
mod family_golden_tests;
mod gguf_file;
mod gguf_text;
#[cfg(test)]
mod golden_tests;
mod jinja;
mod mask;
mod model_text;
mod preflight;
mod record;
pub(crate) mod sentence_piece;
mod spans;
mod split_rule;
mod template;
#[cfg(test)]
mod test_tokenizer;
mod tokenizer;
mod tokenizer_class;
mod tokenizer_config;
#[cfg(test)]
mod tokenizer_golden_tests;
#[cfg(test)]
mod tokenizer_kind_tests;
mod train_tokenizer;
mod view;

pub use added_token::AddedToken;
pub use builtin::{builtin_template, builtin_template_names};
pub use conversation::{Conversation, Message, Role};
pub use dialogue::{Dialogue, DialogueOptions, DialogueTokens, encode_dialogue};
pub use encode::{
    EncodeOptions, Prepared, Prompt, TokenSpan, TrainOn, encode_prompt, encode_record,
};
pub use encoded::{Encoded, IGNORE_INDEX};
pub use error::TextError;
pub use gguf_file::GGUF_TEXT_FILE;
pub use gguf_text::GgufText;
pub use jinja::DateTime;
pub use model_text::{ModelText, TEXT_FILES, TOKENIZER_FILES, TextFiles};
#[cfg(feature = "studio")]
pub(crate) use preflight::end_never_trained;
pub use preflight::{
    Refusal, RefusalKind, check_record, control_token, inspect, prepare, trains_end,
};
pub use record::{Body, Record};
pub use split_rule::{SPLIT_RULES, SplitRule};
pub use template::{ChatTemplate, RenderOptions, Rendered};
pub use tokenizer::{Piece, Token, Tokenizer};
use tokenizer_class::class_defaults;
pub use tokenizer_config::TokenizerConfig;
pub use train_tokenizer::{
    END_TOKEN, PAD_TOKEN, START_TOKEN, TokenizerFiles, TrainTokenizerError, train_tokenizer,
};
pub use view::{TokenRow, marked_text, token_table};
