//! A tokenizer as GGUF metadata; a SentencePiece `.model` file goes to [`super::sentence_piece`].
//!
//! Two kinds of `tokenizer.json` are known to llama.cpp: byte-level BPE (`gpt2`: tokens and merges) and BPE with
//! byte fallback (`llama`: tokens and scores, the pair whose joined token scores highest is
//! merged first). Merges become scores there: the earlier a token is made, the higher.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{ExportError, pre_tokenizer, sentence_piece::sentence_piece};
use crate::{
    arch::Arch,
    text::{TokenizerConfig, sentence_piece::PieceType},
    weights::gguf::Value,
};

/// A model's tokenizer, as its files hold it.
#[derive(Debug, Clone, Copy)]
pub struct TokenizerFiles<'a> {
    pub vocabulary: VocabularyFile<'a>,
    /// What stands beside a `tokenizer.json`.
    pub tokenizer_config_json: Option<&'a [u8]>,
    /// Jinja source, wherever it was found.
    pub chat_template: Option<&'a str>,
    /// Ids that end generation, the most usual first.
    pub end_ids: &'a [u32],
    /// llama.cpp's name for the split of text, where the user knows it.
    pub pre: Option<&'a str>,
}

/// Where the tokens are.
#[derive(Debug, Clone, Copy)]
pub enum VocabularyFile<'a> {
    TokenizerJson(&'a [u8]),
    SentencePiece {
        /// The name of a `.model` file.
        name: &'a str,
        bytes: &'a [u8],
        /// What stands beside it, as the model's tokenizer was made of it.
        config: &'a TokenizerConfig,
    },
}

/// Score of tokens that no merge makes; below every merge's rank.
const NEVER_MERGED: f32 = -1e9;

/// The score that llama.cpp's script gives to rows without a token.
pub(super) const PADDING_SCORE: f32 = -10000.0;

/// What stands in a row without a token.
pub(super) fn padding(id: usize) -> (String, f32, PieceType) {
    (format!("[PAD{id}]"), PADDING_SCORE, PieceType::Unused)
}

pub(super) fn unused_note(n_unused: usize, vocab_size: usize) -> Option<String> {
    (n_unused > 0).then(|| {
        format!(
            "{n_unused} of {vocab_size} rows of the vocabulary have no token and are marked unused"
        )
    })
}

pub(super) fn tokenizer_metadata(
    files: Option<TokenizerFiles<'_>>,
    arch: &Arch,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Value)>, ExportError> {
    let Some(files) = files else {
        notes.push("the file holds no tokenizer: it takes token ids only".to_owned());
        return Ok(vec![key("model", Value::String("none".into()))]);
    };
    let (mut metadata, special) = match files.vocabulary {
        VocabularyFile::TokenizerJson(bytes) => {
            tokenizer_json(&json("tokenizer.json", bytes)?, &files, arch, notes)?
        }
        VocabularyFile::SentencePiece { name, .. } if files.pre.is_some() => {
            return Err(ExportError::PieceFile {
                file: name.to_owned(),
                detail: "--tokenizer-pre is for tokenizers that cut bytes".to_owned(),
            });
        }
        VocabularyFile::SentencePiece {
            name,
            bytes,
            config,
        } => sentence_piece((name, bytes), config.clone(), arch, notes)?,
    };
    metadata.extend(special.metadata(arch, files.end_ids));
    if let Some(template) = files.chat_template {
        metadata.push(key("chat_template", Value::String(template.to_owned())));
    } else {
        notes.push("the model has no chat template, so the file has none".to_owned());
    }
    Ok(metadata)
}

fn tokenizer_json(
    tokenizer: &Json,
    files: &TokenizerFiles<'_>,
    arch: &Arch,
    notes: &mut Vec<String>,
) -> Result<(Vec<(String, Value)>, SpecialTokens), ExportError> {
    let config = match files.tokenizer_config_json {
        Some(bytes) => json("tokenizer_config.json", bytes)?,
        None => Json::Null,
    };
    let vocabulary = Vocabulary::read(tokenizer, arch.vocab_size, notes)?;
    let mut metadata = match files.pre {
        Some(pre) => byte_level(tokenizer, pre)?,
        None if pre_tokenizer::is_byte_level(&tokenizer["pre_tokenizer"]) => byte_level(
            tokenizer,
            pre_tokenizer::name_for(&tokenizer["pre_tokenizer"], vocabulary.merged())?,
        )?,
        None => with_byte_fallback(tokenizer, &vocabulary)?,
    };
    metadata.extend(vocabulary.metadata());
    Ok((metadata, special_tokens(tokenizer, &config, &vocabulary)))
}

/// Tokens by id, without holes.
struct Vocabulary {
    tokens: Vec<(String, PieceType)>,
    ids: BTreeMap<String, usize>,
}

impl Vocabulary {
    fn read(
        tokenizer: &Json,
        vocab_size: usize,
        notes: &mut Vec<String>,
    ) -> Result<Self, ExportError> {
        let model = &tokenizer["model"];
        // Files of before 2021 do not say it; only BPE has merges.
        let is_bpe =
            model["type"] == "BPE" || model["type"].is_null() && !model["merges"].is_null();
        let vocab = model["vocab"].as_object().filter(|_| is_bpe);
        let vocab = vocab.ok_or_else(|| {
            wrong(
                "`model.type`",
                &model["type"],
                "`BPE` (Unigram only becomes GGUF where it is a SentencePiece `.model` without a \
                 tokenizer.json beside it)",
            )
        })?;
        let unknown = model["unk_token"].as_str();
        let mut named: BTreeMap<usize, (String, PieceType)> = BTreeMap::new();
        for (token, id) in vocab {
            let kind = match token.as_str() {
                token if Some(token) == unknown => PieceType::Unknown,
                token if byte_of(token).is_some() && model["byte_fallback"] == true => {
                    PieceType::Byte
                }
                _ => PieceType::Normal,
            };
            named.insert(index(token, id, vocab_size)?, (token.clone(), kind));
        }
        for added in tokenizer["added_tokens"].as_array().into_iter().flatten() {
            let token = added["content"].as_str();
            let token =
                token.ok_or_else(|| wrong("`added_tokens`", added, "tokens with content"))?;
            let kind = match added["special"] == true {
                true if Some(token) == unknown => PieceType::Unknown,
                true => PieceType::Control,
                false => PieceType::UserDefined,
            };
            named.insert(
                index(token, &added["id"], vocab_size)?,
                (token.to_owned(), kind),
            );
        }
        let n_named = named.len();
        let tokens: Vec<_> = (0..vocab_size)
            .map(|id| {
                let (text, _, kind) = padding(id);
                named.remove(&id).unwrap_or((text, kind))
            })
            .collect();
        notes.extend(unused_note(vocab_size - n_named, vocab_size));
        let ids = tokens.iter().enumerate();
        let ids = ids.map(|(id, (token, _))| (token.clone(), id)).collect();
        Ok(Self { tokens, ids })
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|(token, _)| token.as_str())
    }

    fn merged(&self) -> impl Iterator<Item = &str> {
        let normal = |(_, kind): &&(String, PieceType)| *kind == PieceType::Normal;
        let tokens = self.tokens.iter().filter(normal);
        tokens.map(|(token, _)| token.as_str())
    }

    fn metadata(&self) -> [(String, Value); 2] {
        [
            key("tokens", Value::strings(self.texts())),
            key(
                "token_type",
                Value::i32s(self.tokens.iter().map(|(_, kind)| kind.number().into())),
            ),
        ]
    }
}

fn byte_level(tokenizer: &Json, pre: &str) -> Result<Vec<(String, Value)>, ExportError> {
    let merges = merges(tokenizer)?;
    let joined = merges.into_iter().map(|(left, right)| {
        // The space between the halves is the separator; inside a half it is spelt `Ġ`.
        let spelt = |half: String| half.replace(' ', "\u{120}");
        format!("{} {}", spelt(left), spelt(right))
    });
    Ok(vec![
        key("model", Value::String("gpt2".into())),
        key("pre", Value::String(pre.to_owned())),
        key("merges", Value::strings(joined)),
    ])
}

fn with_byte_fallback(
    tokenizer: &Json,
    vocabulary: &Vocabulary,
) -> Result<Vec<(String, Value)>, ExportError> {
    let bytes = |(_, kind): &&(String, PieceType)| *kind == PieceType::Byte;
    let n_bytes = vocabulary.tokens.iter().filter(bytes).count();
    if n_bytes != 256 {
        return Err(ExportError::Tokenizer {
            field: "`pre_tokenizer` and `model.byte_fallback`".into(),
            found: format!("not byte-level, with {n_bytes} byte tokens"),
            expected: "byte-level BPE, or byte fallback with tokens `<0x00>` to `<0xFF>`".into(),
        });
    }
    let mut scores = vec![NEVER_MERGED; vocabulary.tokens.len()];
    for (rank, (left, right)) in merges(tokenizer)?.into_iter().enumerate() {
        let id = vocabulary.ids.get(&format!("{left}{right}"));
        if let Some(score) = id.and_then(|id| scores.get_mut(*id))
            && *score == NEVER_MERGED
        {
            *score = -(rank as f32);
        }
    }
    for (score, (_, kind)) in scores.iter_mut().zip(&vocabulary.tokens) {
        if matches!(
            kind,
            PieceType::Control | PieceType::Unknown | PieceType::Byte
        ) {
            *score = 0.0;
        }
    }
    Ok(vec![
        key("model", Value::String("llama".into())),
        key("pre", Value::String("default".into())),
        key("scores", Value::f32s(scores)),
        key(
            "add_space_prefix",
            Value::Bool(adds_space_prefix(tokenizer)?),
        ),
    ])
}

/// Whether ` ` is put before the text; spaces themselves must become `▁` somewhere.
fn adds_space_prefix(tokenizer: &Json) -> Result<bool, ExportError> {
    let steps = |step: &Json, inner: &str| match step[inner].as_array() {
        Some(steps) => steps.clone(),
        None => vec![step.clone()],
    };
    let normalizers = steps(&tokenizer["normalizer"], "normalizers");
    let pre_tokenizers = steps(&tokenizer["pre_tokenizer"], "pretokenizers");
    let metaspace = pre_tokenizers
        .iter()
        .find(|step| step["type"] == "Metaspace");
    if let Some(metaspace) = metaspace {
        return Ok(metaspace["prepend_scheme"] != "never" && metaspace["add_prefix_space"] != false);
    }
    let replaces = |step: &Json| step["type"] == "Replace" && step["content"] == "▁";
    if !normalizers.iter().any(replaces) {
        return Err(wrong(
            "`normalizer`",
            &tokenizer["normalizer"],
            "spaces written as `▁`",
        ));
    }
    Ok(normalizers
        .iter()
        .any(|step| step["type"] == "Prepend" && step["prepend"] == "▁"))
}

/// Tokens with a name, and which of them stand around a text.
pub(super) struct SpecialTokens {
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    pub(super) padding: Option<u32>,
    pub(super) unknown: Option<u32>,
    pub(super) adds_bos: bool,
    pub(super) adds_eos: bool,
}

impl SpecialTokens {
    fn metadata(&self, arch: &Arch, end_ids: &[u32]) -> Vec<(String, Value)> {
        let ends = || end_ids.iter().chain(&arch.eos_token_ids).copied();
        let eos = self.eos.or(ends().next());
        let ids = [
            ("bos", self.bos.or(arch.bos_token_id)),
            ("eos", eos),
            ("eot", ends().find(|id| Some(*id) != eos)),
            ("padding", self.padding),
            ("unknown", self.unknown),
        ];
        let ids = ids
            .into_iter()
            .filter_map(|(name, id)| Some(key(&format!("{name}_token_id"), Value::U32(id?))));
        let adds = [("bos", self.adds_bos), ("eos", self.adds_eos)];
        let adds = adds.map(|(name, adds)| key(&format!("add_{name}_token"), Value::Bool(adds)));
        ids.chain(adds).collect()
    }
}

fn special_tokens(tokenizer: &Json, config: &Json, vocabulary: &Vocabulary) -> SpecialTokens {
    let id = |token: &str| u32::try_from(*vocabulary.ids.get(token)?).ok();
    let named = |name: &str| {
        let token = &config[name];
        id(token.as_str().or_else(|| token["content"].as_str())?)
    };
    let (adds_bos, adds_eos) = added_around(&tokenizer["post_processor"]);
    SpecialTokens {
        bos: named("bos_token"),
        eos: named("eos_token"),
        padding: named("pad_token"),
        unknown: tokenizer["model"]["unk_token"].as_str().and_then(id),
        adds_bos: config["add_bos_token"].as_bool().unwrap_or(adds_bos),
        adds_eos: config["add_eos_token"].as_bool().unwrap_or(adds_eos),
    }
}

/// Whether a template of the post-processor starts and ends with a special token.
fn added_around(post_processor: &Json) -> (bool, bool) {
    let steps = match post_processor["processors"].as_array() {
        Some(steps) => steps.iter().collect(),
        None => vec![post_processor],
    };
    let template = steps
        .into_iter()
        .find(|step| step["type"] == "TemplateProcessing")
        .and_then(|step| step["single"].as_array());
    let special = |piece: Option<&Json>| piece.is_some_and(|p| !p["SpecialToken"].is_null());
    template.map_or((false, false), |pieces| {
        (special(pieces.first()), special(pieces.last()))
    })
}

/// Pairs in rank order, from either spelling: `"a b"` or `["a", "b"]`.
fn merges(tokenizer: &Json) -> Result<Vec<(String, String)>, ExportError> {
    let merges = &tokenizer["model"]["merges"];
    let pairs = merges.as_array();
    let pairs = pairs.ok_or_else(|| wrong("`model.merges`", merges, "a list of pairs"))?;
    pairs
        .iter()
        .map(|pair| {
            let halves = match pair {
                Json::String(text) => text.split_once(' '),
                Json::Array(halves) => match halves.as_slice() {
                    [Json::String(left), Json::String(right)] => Some((&**left, &**right)),
                    _ => None,
                },
                _ => None,
            };
            halves
                .map(|(left, right)| (left.to_owned(), right.to_owned()))
                .ok_or_else(|| wrong("`model.merges`", pair, "pairs of tokens"))
        })
        .collect()
}

/// The byte of a token such as `<0x0A>`.
fn byte_of(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}

fn index(token: &str, id: &Json, vocab_size: usize) -> Result<usize, ExportError> {
    let number = id.as_u64();
    let number = number.ok_or_else(|| wrong("an id", id, "a whole number"))?;
    usize::try_from(number)
        .ok()
        .filter(|id| *id < vocab_size)
        .ok_or_else(|| ExportError::TokenBeyondVocabulary {
            token: token.to_owned(),
            id: number,
            vocab_size,
        })
}

pub(super) fn key(name: &str, value: Value) -> (String, Value) {
    let prefix = if name == "chat_template" {
        "tokenizer"
    } else {
        "tokenizer.ggml"
    };
    (format!("{prefix}.{name}"), value)
}

fn json(file: &'static str, bytes: &[u8]) -> Result<Json, ExportError> {
    serde_json::from_slice(bytes).map_err(|source| ExportError::Json { file, source })
}

/// Values are cut to what fits a line.
fn wrong(field: &str, found: &Json, expected: &str) -> ExportError {
    let mut found = found.to_string();
    if let Some((cut, _)) = found.char_indices().nth(120) {
        found.truncate(cut);
        found.push('…');
    }
    ExportError::Tokenizer {
        field: field.to_owned(),
        found,
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONFIG: &[u8] = br#"{"model_type": "llama", "vocab_size": 300, "hidden_size": 8,
        "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8,
        "bos_token_id": 1, "eos_token_id": [2, 7]}"#;

    fn byte_level_json() -> Json {
        json!({
            "added_tokens": [
                {"id": 4, "content": "<|end|>", "special": true},
                {"id": 5, "content": "<tool>", "special": false},
            ],
            "normalizer": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
            "post_processor": null,
            "model": {"type": "BPE", "byte_fallback": false, "unk_token": null,
                "vocab": {"a": 0, "b": 1, "ab": 2, "\u{120}": 3},
                "merges": [["a", "b"], ["a b", "b"]]},
        })
    }

    fn byte_fallback_json() -> Json {
        let mut vocab = serde_json::Map::new();
        for token in ["<unk>", "<s>", "</s>"] {
            vocab.insert(token.into(), json!(vocab.len()));
        }
        for byte in 0..=255u8 {
            vocab.insert(format!("<0x{byte:02X}>"), json!(vocab.len()));
        }
        for token in ["a", "b", "\u{2581}", "ab", "\u{2581}ab"] {
            vocab.insert(token.into(), json!(vocab.len()));
        }
        json!({
            "added_tokens": [
                {"id": 0, "content": "<unk>", "special": true},
                {"id": 1, "content": "<s>", "special": true},
                {"id": 2, "content": "</s>", "special": true},
            ],
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "\u{2581}"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"}]},
            "pre_tokenizer": null,
            "post_processor": {"type": "TemplateProcessing", "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A"}}]},
            "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>", "vocab": vocab,
                "merges": ["a b", "\u{2581} ab"]},
        })
    }

    fn metadata(tokenizer: &Json, config: &Json) -> Result<BTreeMap<String, Value>, ExportError> {
        let arch = Arch::from_json(CONFIG).unwrap();
        let (tokenizer, config) = (tokenizer.to_string(), config.to_string());
        let files = TokenizerFiles {
            vocabulary: VocabularyFile::TokenizerJson(tokenizer.as_bytes()),
            tokenizer_config_json: Some(config.as_bytes()),
            chat_template: Some("{{ messages }}"),
            end_ids: &[],
            pre: None,
        };
        let metadata = tokenizer_metadata(Some(files), &arch, &mut Vec::new())?;
        Ok(metadata.into_iter().collect())
    }

    fn token(metadata: &BTreeMap<String, Value>, id: usize) -> (&str, Value) {
        let tokens = metadata["tokenizer.ggml.tokens"].as_array().unwrap();
        let types = metadata["tokenizer.ggml.token_type"].as_array().unwrap();
        assert_eq!((tokens.len(), types.len()), (300, 300));
        (tokens[id].as_str().unwrap(), types[id].clone())
    }

    #[test]
    fn byte_level_bpe_becomes_gpt2() {
        let config = json!({"eos_token": "<|end|>", "pad_token": {"content": "b"}});
        let found = metadata(&byte_level_json(), &config).unwrap();
        assert_eq!(found["tokenizer.ggml.model"].as_str(), Some("gpt2"));
        assert_eq!(found["tokenizer.ggml.pre"].as_str(), Some("gpt-2"));
        let merges = Value::strings(["a b", "a\u{120}b b"]);
        assert_eq!(found["tokenizer.ggml.merges"], merges);
        assert_eq!(token(&found, 2), ("ab", Value::I32(1)));
        assert_eq!(token(&found, 4), ("<|end|>", Value::I32(3)));
        assert_eq!(token(&found, 5), ("<tool>", Value::I32(4)));
        assert_eq!(token(&found, 6), ("[PAD6]", Value::I32(5)));
        assert_eq!(found["tokenizer.ggml.eos_token_id"], Value::U32(4));
        // The model's own end tokens stay known beside the tokenizer's.
        assert_eq!(found["tokenizer.ggml.eot_token_id"], Value::U32(2));
        assert_eq!(found["tokenizer.ggml.padding_token_id"], Value::U32(1));
        assert_eq!(found["tokenizer.ggml.add_bos_token"], Value::Bool(false));
        let template = found["tokenizer.chat_template"].as_str();
        assert_eq!(template, Some("{{ messages }}"));
    }

    #[test]
    fn byte_fallback_becomes_llama_with_merge_ranks_as_scores() {
        let config = json!({"bos_token": "<s>", "eos_token": "</s>"});
        let found = metadata(&byte_fallback_json(), &config).unwrap();
        assert_eq!(found["tokenizer.ggml.model"].as_str(), Some("llama"));
        assert_eq!(token(&found, 0), ("<unk>", Value::I32(2)));
        assert_eq!(token(&found, 1), ("<s>", Value::I32(3)));
        assert_eq!(token(&found, 3), ("<0x00>", Value::I32(6)));
        let scores = found["tokenizer.ggml.scores"].as_array().unwrap();
        assert_eq!(scores[262], Value::F32(0.0));
        assert_eq!(scores[263], Value::F32(-1.0));
        assert_eq!(scores[259], Value::F32(NEVER_MERGED));
        assert_eq!(found["tokenizer.ggml.add_space_prefix"], Value::Bool(true));
        assert_eq!(found["tokenizer.ggml.add_bos_token"], Value::Bool(true));
        assert_eq!(found["tokenizer.ggml.add_eos_token"], Value::Bool(false));
        assert_eq!(found["tokenizer.ggml.unknown_token_id"], Value::U32(0));
    }

    #[test]
    fn tokenizer_config_overrules_the_post_processor() {
        let config = json!({"add_bos_token": false});
        let found = metadata(&byte_fallback_json(), &config).unwrap();
        assert_eq!(found["tokenizer.ggml.add_bos_token"], Value::Bool(false));
    }

    #[test]
    fn a_tokenizer_of_another_model_is_refused() {
        let mut tokenizer = byte_level_json();
        tokenizer["added_tokens"][0]["id"] = json!(300);
        let error = metadata(&tokenizer, &Json::Null).unwrap_err();
        assert!(matches!(
            error,
            ExportError::TokenBeyondVocabulary { id: 300, .. }
        ));
    }

    #[test]
    fn other_kinds_are_named() {
        let mut tokenizer = byte_level_json();
        tokenizer["model"]["type"] = json!("Unigram");
        let error = metadata(&tokenizer, &Json::Null).unwrap_err().to_string();
        assert!(
            error.contains("Unigram") && error.contains("BPE"),
            "{error}"
        );
        let mut tokenizer = byte_fallback_json();
        tokenizer["model"]["byte_fallback"] = json!(false);
        assert!(metadata(&tokenizer, &Json::Null).is_err());
    }
}
