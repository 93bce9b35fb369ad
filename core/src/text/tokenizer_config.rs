//! The files beside `tokenizer.json`: special tokens, chat template, the ids that end generation.

use serde_json::{Map, Value};

use super::added_token::{self, AddedToken};
use super::{TextError, class_defaults};

/// Named special tokens, in the order transformers lists them.
pub(super) const SPECIAL_NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// What `tokenizer_config.json` and `special_tokens_map.json` say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenizerConfig {
    pub tokenizer_class: Option<String>,
    pub bos_token: Option<String>,
    pub eos_token: Option<String>,
    pub pad_token: Option<String>,
    pub unk_token: Option<String>,
    pub add_bos_token: Option<bool>,
    pub add_eos_token: Option<bool>,
    /// Whether a space stands before every text, where the class decides.
    pub add_prefix_space: Option<bool>,
    /// How transformers' classes for SentencePiece put spaces around special tokens.
    pub legacy: Option<bool>,
    /// Further tokens `<extra_id_…>` of T5's class.
    pub extra_ids: Option<u32>,
    /// Decoded text loses the spaces before English punctuation.
    pub cleans_up_spaces: bool,
    /// Tokens by id, as the file lists them.
    pub added_tokens: Vec<(u32, AddedToken)>,
    /// The named special tokens and the additional ones, in transformers' order.
    pub all_special_tokens: Vec<AddedToken>,
    /// Template variants by name; a single template is `default`.
    pub chat_template: Vec<(String, String)>,
    /// The special tokens as template variables.
    pub special_tokens: Map<String, Value>,
}

impl TokenizerConfig {
    /// Reads `tokenizer_config.json`, completed by `special_tokens_map.json`.
    ///
    /// # Errors
    /// When a file is not a JSON object.
    pub fn from_json(
        config: Option<&[u8]>,
        special_tokens_map: Option<&[u8]>,
    ) -> Result<Self, TextError> {
        let config = object("tokenizer_config.json", config)?;
        let map = object("special_tokens_map.json", special_tokens_map)?;
        let class = config.get("tokenizer_class").and_then(Value::as_str);
        let added_tokens = added_token::by_id(&config);
        let mut special_tokens = Map::new();
        let mut all_special_tokens = Vec::new();
        for name in SPECIAL_NAMES {
            // The config wins where both name a token; a null in it means that there is none.
            let token = match config.get(name) {
                Some(value) => AddedToken::read(value),
                None => map
                    .get(name)
                    .and_then(AddedToken::read)
                    .or_else(|| class_defaults(class?, name).map(AddedToken::special)),
            };
            if let Some(token) = token {
                special_tokens.insert(name.to_owned(), Value::from(token.content.as_str()));
                let listed = added_tokens.iter().map(|(_, listed)| listed);
                let listed = listed
                    .clone()
                    .find(|listed| listed.content == token.content);
                all_special_tokens.push(listed.cloned().unwrap_or(token));
            }
        }
        let more = config
            .get("additional_special_tokens")
            .or_else(|| map.get("additional_special_tokens"));
        let more = more.and_then(Value::as_array).into_iter().flatten();
        let mut more: Vec<AddedToken> = more.filter_map(AddedToken::read).collect();
        match config.get("extra_special_tokens") {
            // transformers 4 has tokens with further names here, 5 the additional ones.
            Some(Value::Object(named)) => {
                for (name, token) in named {
                    let Some(token) = AddedToken::read(token) else {
                        continue;
                    };
                    special_tokens.insert(name.clone(), Value::from(token.content.as_str()));
                    all_special_tokens.push(token);
                }
            }
            Some(Value::Array(list)) => more.extend(list.iter().filter_map(AddedToken::read)),
            _ => {}
        }
        if !more.is_empty() {
            all_special_tokens.extend(more.iter().cloned());
            let more: Vec<&str> = more.iter().map(|token| token.content.as_str()).collect();
            special_tokens.insert("additional_special_tokens".to_owned(), Value::from(more));
        }
        let special = |name: &str| {
            special_tokens
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        Ok(Self {
            tokenizer_class: class.map(str::to_owned),
            bos_token: special("bos_token"),
            eos_token: special("eos_token"),
            pad_token: special("pad_token"),
            unk_token: special("unk_token"),
            add_bos_token: config.get("add_bos_token").and_then(Value::as_bool),
            add_eos_token: config.get("add_eos_token").and_then(Value::as_bool),
            add_prefix_space: config.get("add_prefix_space").and_then(Value::as_bool),
            legacy: config.get("legacy").and_then(Value::as_bool),
            extra_ids: config
                .get("extra_ids")
                .and_then(Value::as_u64)
                .and_then(|count| u32::try_from(count).ok()),
            cleans_up_spaces: config
                .get("clean_up_tokenization_spaces")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            added_tokens,
            all_special_tokens,
            chat_template: template_variants(config.get("chat_template")),
            special_tokens,
        })
    }
}

/// The ids in `eos_token_id` of `generation_config.json` or `config.json`: one, a list, or none.
///
/// # Errors
/// When the file is not a JSON object.
pub(super) fn eos_token_ids(
    file: &'static str,
    bytes: Option<&[u8]>,
) -> Result<Vec<u32>, TextError> {
    let config = object(file, bytes)?;
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    Ok(match config.get("eos_token_id") {
        Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
        Some(value) => id(value).into_iter().collect(),
        None => Vec::new(),
    })
}

fn object(file: &'static str, bytes: Option<&[u8]>) -> Result<Map<String, Value>, TextError> {
    let Some(bytes) = bytes else {
        return Ok(Map::new());
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|error| TextError::File {
        file,
        expected: "a JSON object",
        detail: error.to_string(),
    })
}

fn template_variants(value: Option<&Value>) -> Vec<(String, String)> {
    let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
    match value {
        Some(Value::String(template)) => vec![("default".to_owned(), template.clone())],
        Some(Value::Array(variants)) => variants
            .iter()
            .filter_map(|variant| Some((text(variant, "name")?, text(variant, "template")?)))
            .collect(),
        Some(Value::Object(variants)) => variants
            .iter()
            .filter_map(|(name, template)| Some((name.clone(), template.as_str()?.to_owned())))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_text_or_objects_and_null_means_none() {
        let config =
            br#"{"bos_token": null, "eos_token": {"content": "</s>"}, "add_bos_token": true,
                          "chat_template": [{"name": "default", "template": "x"}]}"#;
        let map = br#"{"bos_token": "<s>", "pad_token": "<pad>"}"#;
        let config = TokenizerConfig::from_json(Some(config), Some(map)).unwrap();
        assert_eq!(config.bos_token, None);
        assert_eq!(config.eos_token.as_deref(), Some("</s>"));
        assert_eq!(config.pad_token.as_deref(), Some("<pad>"));
        assert_eq!(config.add_bos_token, Some(true));
        assert_eq!(
            config.chat_template,
            [("default".to_owned(), "x".to_owned())]
        );
        let names: Vec<&String> = config.special_tokens.keys().collect();
        assert_eq!(names, ["eos_token", "pad_token"]);
    }

    #[test]
    fn both_dialects_of_further_special_tokens_are_read() {
        let read = |text: &str| TokenizerConfig::from_json(Some(text.as_bytes()), None).unwrap();
        let named = read(r#"{"extra_special_tokens": {"image_token": "<image>"}}"#);
        assert_eq!(named.special_tokens["image_token"], "<image>");
        assert_eq!(named.all_special_tokens[0].content, "<image>");
        let listed = read(r#"{"extra_special_tokens": ["<image>", {"content": "<x>"}]}"#);
        let expected = Value::from(vec!["<image>", "<x>"]);
        assert_eq!(listed.special_tokens["additional_special_tokens"], expected);
    }

    #[test]
    fn end_ids_are_one_or_many() {
        let ids = |text: &str| eos_token_ids("config.json", Some(text.as_bytes())).unwrap();
        assert_eq!(ids(r#"{"eos_token_id": 2}"#), [2]);
        assert_eq!(ids(r#"{"eos_token_id": [2, 3]}"#), [2, 3]);
        assert!(ids(r#"{"eos_token_id": null}"#).is_empty());
    }

    #[test]
    fn a_broken_file_is_named() {
        let error = TokenizerConfig::from_json(Some(b"[]"), None).unwrap_err();
        assert!(
            error.to_string().contains("`tokenizer_config.json`"),
            "{error}"
        );
    }
}
