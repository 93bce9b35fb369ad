//! Why text could not become tokens.

use crate::protocol::studio::Phrase;

/// Everything that can go wrong between a record and its tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    #[error(
        "`{file}` cannot be read as {expected}: {detail}; fetch the model again or repair the file"
    )]
    File {
        file: &'static str,
        expected: &'static str,
        detail: String,
    },

    #[error(
        "the tokenizer does not fit the model: its highest id is {max_id} (token `{token}`), the model's vocabulary has {n_vocab} entries; take tokenizer and weights from the same model"
    )]
    Vocabulary {
        max_id: u32,
        token: String,
        n_vocab: usize,
    },

    #[error(
        "the model has no tokenizer.json and no SentencePiece `.model` file, but the record is text; add one of them or use tokenized data (`input_ids`, `labels`)"
    )]
    NoTokenizer,

    #[error("{}", Phrase::NoTemplate.with([names]))]
    NoTemplate { names: String },

    #[error("there is no built-in chat template `{name}`; choose one of {names}")]
    UnknownTemplate { name: String, names: String },

    #[error("the chat template has no variant `{name}`, it has {names}")]
    NoVariant { name: String, names: String },

    #[error("the chat template cannot be parsed: {detail}")]
    TemplateSyntax { detail: String },

    #[error("the chat template rejects the conversation: {message}")]
    Rejected { message: String },

    #[error("{}", Phrase::TemplateFails.with([detail]))]
    TemplateFailed { detail: String },

    #[error("{}", Phrase::TemplateHidesAnswers.with([message_index]))]
    NoAssistantSpan { message_index: usize },

    #[error("`{file}` cannot be read as a SentencePiece model: {detail}; fetch the model again")]
    SentencePiece { file: String, detail: String },

    #[error(
        "`{file}` is used by the class `{found}`, which is not supported without a tokenizer.json \
         (supported: LlamaTokenizer, CodeLlamaTokenizer, GemmaTokenizer, T5Tokenizer)"
    )]
    SentencePieceClass { file: String, found: String },

    #[error("the messages cannot be read: {detail}")]
    Dialogue { detail: String },

    #[error("the last message cannot be continued: {detail}")]
    CannotContinue { detail: String },

    #[error("the tokenizer cannot encode the text: {detail}")]
    Encode { detail: String },

    #[error("the tokenizer cannot decode the ids: {detail}")]
    Decode { detail: String },

    #[error(
        "the record has {n_labels} labels for {n_ids} token ids; give every token one label, -100 where it is not trained"
    )]
    LabelCount { n_ids: usize, n_labels: usize },

    #[error("{}", Phrase::IdOutOfVocabulary.with([index, id, n_vocab]))]
    IdRange {
        index: usize,
        id: u32,
        n_vocab: usize,
    },

    #[error(
        "label {index} of the record is {found}, expected its token id {expected} or -100; labels are not shifted"
    )]
    Label {
        index: usize,
        found: i32,
        expected: u32,
    },

    #[error(
        "the file's tokenizer is of kind `{found}`, which is not supported (supported: {known})"
    )]
    TokenizerKind { found: String, known: String },

    #[error(
        "the file's tokenizer cuts text by the rule `{found}`, which is not known here; any other \
         rule would give other tokens (known: {known})"
    )]
    SplitRule { found: String, known: String },

    #[error("the file's vocabulary is broken: {detail}; fetch the file again")]
    GgufVocabulary { detail: String },
}
