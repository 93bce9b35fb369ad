//! A model's tokenizer and chat template, as a GGUF file's metadata hold them.
//!
//! Three kinds are known. `gpt2` is byte-level BPE: tokens in GPT-2's byte alphabet, merges in order
//! of rank, and a rule for cutting text ([`super::SplitRule`]). `llama` is SentencePiece's BPE with
//! byte fallback: tokens with scores, where the pair whose joined token scores highest is merged
//! first; every pair that makes a token is a merge there, ranked by the score of what it makes. `t5` is
//! SentencePiece's Unigram: tokens with scores, of which the best path is taken
//! ([`super::sentence_piece`]).

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer as Engine,
    decoders::{
        byte_fallback::ByteFallback, fuse::Fuse, sequence::Sequence as Decoders, strip::Strip,
    },
    models::bpe::{BPE, Vocab},
    normalizers::{NFC, Prepend, Replace, Sequence as Normalizers},
    pre_tokenizers::{
        byte_level::ByteLevel,
        sequence::Sequence as PreTokenizers,
        split::{Split, SplitPattern},
    },
    tokenizer::SplitDelimiterBehavior,
};

use super::sentence_piece::{self, SPACE_MARK};
use super::{ChatTemplate, ModelText, SplitRule, TextError, Tokenizer, TokenizerConfig};

/// What the metadata say, by the names of their keys under `tokenizer.ggml`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct GgufText<'a> {
    /// `gpt2`, `llama`, `t5`; absent or `none` in files that only take token ids.
    pub model: Option<&'a str>,
    pub pre: Option<&'a str>,
    /// By id.
    pub tokens: Vec<&'a str>,
    /// `llama_token_type` of each token; empty means that all are normal.
    pub token_type: Vec<u64>,
    /// Of each token, where the model is `llama` or `t5`.
    pub scores: Vec<f32>,
    /// `left right`, in order of rank, where the model is `gpt2`.
    pub merges: Vec<&'a str>,
    pub bos_token_id: Option<u32>,
    pub eos_token_id: Option<u32>,
    pub padding_token_id: Option<u32>,
    pub unknown_token_id: Option<u32>,
    /// `eot_token_id` and `eom_token_id`.
    pub other_end_ids: Vec<u32>,
    pub add_bos_token: Option<bool>,
    pub add_eos_token: Option<bool>,
    pub add_space_prefix: Option<bool>,
    /// Where the model is `t5`: runs of spaces count as one, and those around a text as none.
    pub remove_extra_whitespaces: Option<bool>,
    /// Where the model is `t5`: what SentencePiece replaces before it cuts.
    pub precompiled_charsmap: Vec<u8>,
    /// Jinja sources by name; the main one is `default`.
    pub chat_templates: Vec<(String, String)>,
}

/// `llama_token_type`
const NORMAL: u64 = 1;
const UNKNOWN: u64 = 2;
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;
const UNUSED: u64 = 5;

/// Longer tokens than any vocabulary has are not taken apart: that takes the square of the length.
const MAX_MERGED_BYTES: usize = 1024;

/// Special tokens after which an answer is complete, whether or not the file says so.
const END_TOKENS: [&str; 9] = [
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_sentence|>",
    "<end_of_turn>",
    "</s>",
];

impl ModelText {
    /// Builds tokenizer and template. `template_name` takes a built-in template instead of the
    /// file's own.
    ///
    /// # Errors
    /// Kinds of tokenizers and rules for cutting text that are not known; a vocabulary or a
    /// template that is broken.
    pub fn from_gguf(parts: &GgufText<'_>, template_name: Option<&str>) -> Result<Self, TextError> {
        let parts = &with_defaults(parts);
        let config = parts.config();
        let templates = &config.chat_template;
        let template = match template_name {
            Some(name) => Some(ChatTemplate::builtin(name, config.special_tokens.clone())?),
            None if templates.is_empty() => None,
            None => {
                let special_tokens = config.special_tokens.clone();
                Some(ChatTemplate::with_variants(templates, special_tokens)?)
            }
        };
        Ok(Self {
            tokenizer: parts.tokenizer()?,
            template,
            end_token_ids: parts.end_ids(),
            bos_token_id: parts.bos_token_id,
            pad_token_id: parts.padding_token_id,
            tokenizer_config: config,
        })
    }
}

/// As llama.cpp does: ids without a token are none, and a vocabulary that names none has those of
/// the first Llama or of T5, but for T5's padding, which nothing depends on.
fn with_defaults<'a>(parts: &GgufText<'a>) -> GgufText<'a> {
    let mut parts = parts.clone();
    let n_tokens = parts.tokens.len();
    let there = |id: &u32| (*id as usize) < n_tokens;
    let [unknown, bos, eos, padding] = match parts.model {
        Some("llama") => [Some(0), Some(1), Some(2), None],
        Some("t5") => [Some(2), None, Some(1), None],
        _ => [None; 4],
    };
    for (id, default) in [
        (&mut parts.unknown_token_id, unknown),
        (&mut parts.bos_token_id, bos),
        (&mut parts.eos_token_id, eos),
        (&mut parts.padding_token_id, padding),
    ] {
        *id = id.filter(there).or(default).filter(there);
    }
    parts.other_end_ids.retain(there);
    parts
}

impl<'a> GgufText<'a> {
    fn token(&self, id: Option<u32>) -> Option<String> {
        let id = usize::try_from(id?).ok()?;
        self.tokens.get(id).map(|token| (*token).to_owned())
    }

    fn kind_of(&self, id: usize) -> u64 {
        self.token_type.get(id).copied().unwrap_or(NORMAL)
    }

    /// Tokens that may stand in text, with their ids.
    fn named(&self) -> impl Iterator<Item = (&'a str, usize)> {
        let used = |(id, _): &(usize, &&str)| self.kind_of(*id) != UNUSED;
        let tokens = self.tokens.iter().enumerate().filter(used);
        tokens.map(|(id, token)| (*token, id))
    }

    fn config(&self) -> TokenizerConfig {
        let named = [
            ("bos_token", self.token(self.bos_token_id)),
            ("eos_token", self.token(self.eos_token_id)),
            ("pad_token", self.token(self.padding_token_id)),
            ("unk_token", self.token(self.unknown_token_id)),
        ];
        let special_tokens: Map<String, Value> = named
            .iter()
            .filter_map(|(name, token)| Some(((*name).to_owned(), Value::from(token.clone()?))))
            .collect();
        let [bos_token, eos_token, pad_token, unk_token] = named.map(|(_, token)| token);
        TokenizerConfig {
            bos_token,
            eos_token,
            pad_token,
            unk_token,
            add_bos_token: self.add_bos_token,
            add_eos_token: self.add_eos_token,
            chat_template: self.chat_templates.clone(),
            special_tokens,
            ..TokenizerConfig::default()
        }
    }

    fn end_ids(&self) -> Vec<u32> {
        let known = self.named().filter(|(token, id)| {
            END_TOKENS.contains(token) && matches!(self.kind_of(*id), CONTROL | USER_DEFINED)
        });
        let known = known.filter_map(|(_, id)| u32::try_from(id).ok());
        let told = self.eos_token_id.iter().chain(&self.other_end_ids);
        let mut ids: Vec<u32> = told.copied().chain(known).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn tokenizer(&self) -> Result<Option<Tokenizer>, TextError> {
        let (engine, adds_bos) = match self.model {
            None | Some("none" | "no_vocab") => return Ok(None),
            Some("gpt2") => {
                let rule = SplitRule::named(self.pre.unwrap_or("default"))?;
                (self.byte_level(rule)?, rule.adds_bos)
            }
            Some("llama") => (self.sentence_piece()?, true),
            Some("t5") => {
                let (model, pieces) = sentence_piece::of_gguf(self, self.config())?;
                return Tokenizer::from_pieces("tokenizer.ggml", &model, pieces).map(Some);
            }
            Some(other) => {
                return Err(TextError::TokenizerKind {
                    found: other.to_owned(),
                    known: "gpt2, llama, t5".to_owned(),
                });
            }
        };
        let mut tokenizer = Tokenizer::from_engine(self.with_added(engine)).map_err(broken)?;
        let ids = |wanted: bool, id: Option<u32>| id.filter(|_| wanted).into_iter().collect();
        tokenizer.set_around(
            ids(self.add_bos_token.unwrap_or(adds_bos), self.bos_token_id),
            ids(self.add_eos_token.unwrap_or(false), self.eos_token_id),
        );
        Ok(Some(tokenizer))
    }

    /// The tokenizer of a `llama` vocabulary with its added tokens.
    pub(super) fn sentence_piece_engine(&self) -> Result<Engine, TextError> {
        Ok(self.with_added(self.sentence_piece()?))
    }

    fn byte_level(&self, rule: &SplitRule) -> Result<Engine, TextError> {
        let merges = self.merges.iter().map(|merge| {
            // The halves have no spaces; a merge of the space itself starts with one.
            let first = merge.chars().next().map_or(0, char::len_utf8);
            let split = merge[first..]
                .find(' ')
                .map(|at| merge.split_at(first + at));
            let (left, right) = split.ok_or_else(|| {
                broken(format!(
                    "merge `{merge}` is not two tokens with a space between"
                ))
            })?;
            Ok((left.to_owned(), right[1..].to_owned()))
        });
        let model = BPE::builder()
            .vocab_and_merges(self.vocab()?, merges.collect::<Result<_, TextError>>()?)
            .ignore_merges(rule.ignore_merges)
            .build()
            .map_err(broken)?;
        let mut engine = Engine::new(model);
        let mut steps: Vec<PreTokenizerWrapper> = Vec::new();
        for pattern in rule.patterns {
            let pattern = SplitPattern::Regex((*pattern).to_owned());
            let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
            steps.push(split.map_err(broken)?.into());
        }
        let bytes = ByteLevel::new(false, false, false);
        steps.push(bytes.into());
        engine
            .with_normalizer(rule.composes.then_some(NFC))
            .with_pre_tokenizer(Some(PreTokenizers::new(steps)))
            .with_decoder(Some(bytes));
        Ok(engine)
    }

    fn sentence_piece(&self) -> Result<Engine, TextError> {
        if self.scores.len() != self.tokens.len() {
            return Err(broken(format!(
                "{} scores for {} tokens",
                self.scores.len(),
                self.tokens.len()
            )));
        }
        let vocab = self.vocab()?;
        let mut model = BPE::builder()
            .vocab_and_merges(vocab, self.merges_by_score())
            .byte_fallback(true)
            .fuse_unk(true);
        if let Some(unknown) = self.token(self.unknown_token_id) {
            model = model.unk_token(unknown);
        }
        let mut engine = Engine::new(model.build().map_err(broken)?);
        let prefix = self.add_space_prefix.unwrap_or(true);
        let mut normalizers: Vec<NormalizerWrapper> = Vec::new();
        let mut decoders: Vec<DecoderWrapper> =
            vec![Replace::new(SPACE_MARK, " ").map_err(broken)?.into()];
        decoders.extend([ByteFallback::new().into(), Fuse::new().into()]);
        if prefix {
            normalizers.push(Prepend::new(SPACE_MARK.to_owned()).into());
            decoders.push(Strip::new(' ', 1, 0).into());
        }
        normalizers.push(Replace::new(" ", SPACE_MARK).map_err(broken)?.into());
        engine
            .with_normalizer(Some(Normalizers::new(normalizers)))
            .with_decoder(Some(Decoders::new(decoders)));
        Ok(engine)
    }

    fn vocab(&self) -> Result<Vocab, TextError> {
        self.named()
            .map(|(token, id)| {
                let id = u32::try_from(id).map_err(broken)?;
                Ok((token.to_owned(), id))
            })
            .collect()
    }

    /// Every pair of tokens whose join is a token, the highest score first; of one token, the
    /// pair with the longest left half.
    fn merges_by_score(&self) -> Vec<(String, String)> {
        let is_normal = |(token, id): &(&str, usize)| {
            self.kind_of(*id) == NORMAL && token.len() <= MAX_MERGED_BYTES
        };
        let normal = self.named().filter(is_normal).map(|(token, _)| token);
        let normal: BTreeSet<&str> = normal.collect();
        let mut merges = Vec::new();
        for (token, id) in self.named().filter(is_normal) {
            for (at, _) in token.char_indices().skip(1) {
                let (left, right) = token.split_at(at);
                if normal.contains(left) && normal.contains(right) {
                    merges.push((self.scores[id], at, left, right));
                }
            }
        }
        merges.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        let owned = |(_, _, left, right): (f32, usize, &str, &str)| (left.into(), right.into());
        merges.into_iter().map(owned).collect()
    }

    /// Control tokens and those that a user defined are found in text before anything else.
    fn with_added(&self, mut engine: Engine) -> Engine {
        let ids = [self.bos_token_id, self.eos_token_id, self.unknown_token_id];
        let told = ids
            .into_iter()
            .flatten()
            .chain(self.other_end_ids.iter().copied());
        let told: Vec<usize> = told.filter_map(|id| usize::try_from(id).ok()).collect();
        let (mut special, mut plain) = (Vec::new(), Vec::new());
        for (token, id) in self.named().filter(|(token, _)| !token.is_empty()) {
            let added = |special| AddedToken::from(token, special).normalized(false);
            match self.kind_of(id) {
                CONTROL | UNKNOWN => special.push(added(true)),
                USER_DEFINED => plain.push(added(false)),
                _ if told.contains(&id) => special.push(added(true)),
                _ => {}
            }
        }
        engine.add_special_tokens(&special);
        engine.add_tokens(&plain);
        engine
    }
}

fn broken(detail: impl ToString) -> TextError {
    TextError::GgufVocabulary {
        detail: detail.to_string(),
    }
}
