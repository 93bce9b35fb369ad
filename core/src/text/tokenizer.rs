//! Text to token ids and back, by the model's own `tokenizer.json`.
//!
//! Every token knows the bytes of the text it stands for, so that a mask over text becomes a mask
//! over tokens without searching.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use regex::Regex;
use tokenizers::{AddedToken as Added, PreTokenizerWrapper, Tokenizer as Engine};

use super::byte_level::ByteLevel;
use super::sentence_piece::{self, ModelFile, PieceTokenizer, PlacedToken};
use super::{TextError, TokenizerConfig};

/// Classes whose BOS and EOS transformers sets from `add_bos_token` and `add_eos_token`,
/// whatever the post-processor in `tokenizer.json` says.
const REBUILDS_POST_PROCESSOR: [&str; 4] = [
    "LlamaTokenizer",
    "CodeLlamaTokenizer",
    "GemmaTokenizer",
    "CohereTokenizer",
];

/// A token and the bytes of the text it covers (empty for tokens that were added around it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    pub bytes: Range<usize>,
}

/// A token as other tools list it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Piece {
    pub id: u32,
    /// As the vocabulary writes it (`Ġhello`, `▁hello`).
    pub token: String,
    /// The code points of the text it stands for, by the tokenizer's own account; (0, 0) for tokens
    /// that were added around the text.
    pub chars: (usize, usize),
}

/// An id with its code points.
type Placement = (u32, (usize, usize));

/// A tokenizer with its special tokens.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    engine: Engine,
    /// Cuts and joins text instead of `engine`, where the model came as a SentencePiece file.
    pieces: Option<PieceTokenizer>,
    /// Cuts and merges instead of `engine` where it can; made when it is first needed.
    fast: OnceLock<Option<Arc<ByteLevel>>>,
    vocab_size: usize,
    max_id: u32,
    /// Special tokens by text, longest first.
    special: Vec<(String, u32)>,
    /// Their ids, in order.
    special_ids: Vec<u32>,
    special_pattern: Option<Regex>,
    /// Ids put before and after a text, where the class decides and not `tokenizer.json`.
    around: Option<(Vec<u32>, Vec<u32>)>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When the file is not one.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TextError> {
        let broken = |detail: String| TextError::File {
            file: "tokenizer.json",
            expected: "a tokenizer of the `tokenizers` library",
            detail,
        };
        let mut engine = Engine::from_bytes(bytes).map_err(|error| broken(error.to_string()))?;
        // Lengths are ours to decide; the file may still hold those of its training.
        engine.with_padding(None);
        engine
            .with_truncation(None)
            .map_err(|error| broken(error.to_string()))?;
        Self::from_engine(engine).map_err(|error| broken(error.to_string()))
    }

    /// Gathers the special tokens of a tokenizer that was read or built.
    pub(super) fn from_engine(engine: Engine) -> Result<Self, regex::Error> {
        let vocab = engine.get_vocab(true);
        let special = engine
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| token.special && !token.content.is_empty())
            .map(|(id, token)| (token.content, id))
            .collect();
        let max_id = vocab.values().copied().max().unwrap_or(0);
        Self::with_special(engine, special, (vocab.len(), max_id))
    }

    /// Reads a SentencePiece file; `config` is what stands beside it, and gets the special tokens
    /// that only the file names.
    pub(super) fn from_sentence_piece(
        file: &str,
        bytes: &[u8],
        config: &mut TokenizerConfig,
    ) -> Result<Self, TextError> {
        let (model, pieces) = sentence_piece::open(file, bytes, config)?;
        Self::from_pieces(file, &model, pieces)
    }

    /// A tokenizer that cuts text into the pieces of a model.
    pub(super) fn from_pieces(
        file: &str,
        model: &ModelFile,
        pieces: PieceTokenizer,
    ) -> Result<Self, TextError> {
        let special = pieces.special_tokens();
        let special = special.map(|(token, id)| (token.to_owned(), id)).collect();
        let engine = sentence_piece::engine(file, model)?;
        let tokenizer = Self::with_special(engine, special, pieces.size());
        let mut tokenizer = tokenizer.map_err(|error| TextError::SentencePiece {
            file: file.to_owned(),
            detail: error.to_string(),
        })?;
        tokenizer.pieces = Some(pieces);
        Ok(tokenizer)
    }

    fn with_special(
        engine: Engine,
        mut special: Vec<(String, u32)>,
        (vocab_size, max_id): (usize, u32),
    ) -> Result<Self, regex::Error> {
        special.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        let mut special_ids: Vec<u32> = special.iter().map(|&(_, id)| id).collect();
        special_ids.sort_unstable();
        let alternatives: Vec<String> = special
            .iter()
            .map(|(text, _)| regex::escape(text))
            .collect();
        let special_pattern = match alternatives.is_empty() {
            true => None,
            false => Some(Regex::new(&alternatives.join("|"))?),
        };
        Ok(Self {
            vocab_size,
            max_id,
            engine,
            pieces: None,
            fast: OnceLock::new(),
            special,
            special_ids,
            special_pattern,
            around: None,
        })
    }

    /// Does to a tokenizer what transformers does with the file beside it: tokens that only the
    /// config names are added, `add_prefix_space` is obeyed, and for some classes `add_bos_token`
    /// and `add_eos_token`.
    ///
    /// # Errors
    /// When the library takes no such tokens.
    pub fn configure(&mut self, config: &TokenizerConfig) -> Result<(), TextError> {
        self.add_missing(config)?;
        if let Some(PreTokenizerWrapper::ByteLevel(cut)) = self.engine.get_pre_tokenizer() {
            let mut cut = *cut;
            cut.add_prefix_space = config.add_prefix_space.unwrap_or(false);
            self.engine.with_pre_tokenizer(Some(cut));
            self.fast = OnceLock::new();
        }
        self.surround(config);
        Ok(())
    }

    fn add_missing(&mut self, config: &TokenizerConfig) -> Result<(), TextError> {
        let known: Vec<String> = self
            .engine
            .get_added_tokens_decoder()
            .into_values()
            .map(|token| token.content)
            .collect();
        let listed = config.added_tokens.iter().map(|(_, token)| token);
        let mut missing: Vec<Added> = Vec::new();
        for token in listed.chain(&config.all_special_tokens) {
            let is_new = !known.contains(&token.content)
                && missing.iter().all(|other| other.content != token.content);
            if is_new {
                let is_special = token.special
                    || config
                        .all_special_tokens
                        .iter()
                        .any(|special| special.content == token.content);
                missing.push(
                    Added::from(token.content.as_str(), is_special)
                        .lstrip(token.lstrip)
                        .rstrip(token.rstrip)
                        .single_word(token.single_word)
                        .normalized(token.normalized),
                );
            }
        }
        if !missing.is_empty() {
            self.engine.add_tokens(&missing);
            let rebuilt = Self::from_engine(self.engine.clone());
            *self = rebuilt.map_err(|error| TextError::File {
                file: "tokenizer_config.json",
                expected: "the tokens of a tokenizer",
                detail: error.to_string(),
            })?;
        }
        Ok(())
    }

    fn surround(&mut self, config: &TokenizerConfig) {
        let class = config.tokenizer_class.as_deref().unwrap_or_default();
        if !REBUILDS_POST_PROCESSOR.contains(&class.trim_end_matches("Fast")) {
            return;
        }
        let id = |wanted: bool, token: &Option<String>| -> Vec<u32> {
            let token = token.as_deref().filter(|_| wanted);
            token
                .and_then(|token| self.token_to_id(token))
                .into_iter()
                .collect()
        };
        self.around = Some((
            id(config.add_bos_token.unwrap_or(true), &config.bos_token),
            id(config.add_eos_token.unwrap_or(false), &config.eos_token),
        ));
    }

    /// Sets the ids that are put before and after a text.
    pub(super) fn set_around(&mut self, before: Vec<u32>, after: Vec<u32>) {
        self.around = Some((before, after));
    }

    /// The tokens of a text; with `add_special_tokens` also those the tokenizer puts around it.
    ///
    /// # Errors
    /// When the tokenizer's model has no way to write the text.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<Token>, TextError> {
        if let Some(pieces) = &self.pieces {
            let mut covered = 0;
            let placed = pieces.encode(text, add_special_tokens).into_iter();
            let token = placed.map(|token| Token {
                id: token.id,
                bytes: match token.bytes {
                    Some(_) => cover(token.whole.start, token.whole.end, &mut covered),
                    None => token.whole,
                },
            });
            return Ok(token.collect());
        }
        let own = add_special_tokens && self.around.is_none();
        let fast = match own {
            true => None,
            false => self.encode_fast(text),
        };
        let mut tokens = match fast {
            Some(tokens) => tokens,
            None => self.encode_slowly(text, own)?,
        };
        if let Some((before, after)) = self.around.as_ref().filter(|_| add_special_tokens) {
            let added = |ids: &[u32], at: usize| -> Vec<Token> {
                ids.iter().map(|&id| Token { id, bytes: at..at }).collect()
            };
            tokens.splice(0..0, added(before, 0));
            tokens.extend(added(after, text.len()));
        }
        Ok(tokens)
    }

    fn encode_fast(&self, text: &str) -> Option<Vec<Token>> {
        let make = || ByteLevel::of(&self.engine).map(Arc::new);
        let fast = self.fast.get_or_init(make).as_ref()?;
        let mut covered = 0;
        let placed = fast.encode(&self.engine, text)?.into_iter();
        let token = placed.map(|(id, (start, end))| Token {
            id,
            bytes: cover(start, end, &mut covered),
        });
        Some(token.collect())
    }

    /// By the library, which with `own` puts its own tokens around the text.
    fn encode_slowly(&self, text: &str, own: bool) -> Result<Vec<Token>, TextError> {
        let encoding = self
            .engine
            .encode(text, own)
            .map_err(|error| TextError::Encode {
                detail: error.to_string(),
            })?;
        let ids = encoding.get_ids().iter().zip(encoding.get_offsets());
        let mut covered = 0;
        let token = ids.zip(encoding.get_special_tokens_mask());
        let token = token.map(|((&id, &(start, end)), &mask)| Token {
            id,
            bytes: match mask == 1 && (start, end) == (0, 0) {
                true => covered..covered,
                false => cover(start, end, &mut covered),
            },
        });
        Ok(token.collect())
    }

    /// The tokens of a text with their names and places, as the reference libraries list them.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn pieces(&self, text: &str, add_special_tokens: bool) -> Result<Vec<Piece>, TextError> {
        let places = match &self.pieces {
            Some(pieces) => char_places(text, &pieces.encode(text, add_special_tokens)),
            None => self.engine_places(text, add_special_tokens)?,
        };
        let named = |(id, chars)| Piece {
            id,
            token: self.id_to_token(id).unwrap_or_default(),
            chars,
        };
        Ok(places.into_iter().map(named).collect())
    }

    fn engine_places(
        &self,
        text: &str,
        add_special_tokens: bool,
    ) -> Result<Vec<Placement>, TextError> {
        let own = add_special_tokens && self.around.is_none();
        let encoding = self
            .engine
            .encode_char_offsets(text, own)
            .map_err(|error| TextError::Encode {
                detail: error.to_string(),
            })?;
        let listed = encoding.get_ids().iter().zip(encoding.get_offsets());
        let mut places: Vec<Placement> = listed.map(|(&id, &chars)| (id, chars)).collect();
        if let Some((before, after)) = self.around.as_ref().filter(|_| add_special_tokens) {
            let added = |ids: &[u32]| -> Vec<_> { ids.iter().map(|&id| (id, (0, 0))).collect() };
            places.splice(0..0, added(before));
            places.extend(added(after));
        }
        Ok(places)
    }

    /// The text of token ids.
    ///
    /// # Errors
    /// When the tokenizer's decoder fails.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, TextError> {
        if let Some(pieces) = &self.pieces {
            return Ok(pieces.decode(ids, skip_special_tokens));
        }
        self.engine
            .decode(ids, skip_special_tokens)
            .map_err(|error| TextError::Decode {
                detail: error.to_string(),
            })
    }

    /// The text of ids that stand in the midst of others or, with `at_start`, before all others; for
    /// texts that are shown while they grow.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_part(
        &self,
        ids: &[u32],
        skip_special_tokens: bool,
        at_start: bool,
    ) -> Result<String, TextError> {
        match &self.pieces {
            Some(pieces) => Ok(pieces.decode_part(ids, skip_special_tokens, at_start)),
            None => self.decode(ids, skip_special_tokens),
        }
    }

    /// The id of a token given by its text in the vocabulary.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        match &self.pieces {
            Some(pieces) => pieces.token_to_id(token),
            None => self.engine.token_to_id(token),
        }
    }

    /// The vocabulary's text of an id, as the tokenizer's model writes it (`Ġhello`, `▁hello`).
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        match &self.pieces {
            Some(pieces) => pieces.id_to_token(id),
            None => self.engine.id_to_token(id),
        }
    }

    /// Entries of the vocabulary, added tokens included.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Checks that every id has a row in a model with `n_vocab` entries.
    ///
    /// # Errors
    /// Names the highest id that does not.
    pub fn fits_vocab(&self, n_vocab: usize) -> Result<(), TextError> {
        if (self.max_id as usize) < n_vocab || self.vocab_size == 0 {
            return Ok(());
        }
        Err(TextError::Vocabulary {
            max_id: self.max_id,
            token: self.id_to_token(self.max_id).unwrap_or_default(),
            n_vocab,
        })
    }

    /// Special tokens and their ids.
    pub fn special_tokens(&self) -> impl Iterator<Item = (&str, u32)> {
        self.special.iter().map(|(text, id)| (text.as_str(), *id))
    }

    /// Whether an id is a special token's.
    pub fn is_special(&self, id: u32) -> bool {
        self.special_ids.binary_search(&id).is_ok()
    }

    /// Where special tokens are spelled out in a text.
    pub(super) fn find_special<'t>(
        &'t self,
        text: &'t str,
    ) -> impl Iterator<Item = (Range<usize>, &'t str)> {
        self.special_pattern
            .iter()
            .flat_map(move |pattern| pattern.find_iter(text))
            .map(|found| (found.range(), found.as_str()))
    }

    /// The `tokenizers` library's own object, for writers of other formats.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// Places in bytes as places in code points.
fn char_places(text: &str, tokens: &[PlacedToken]) -> Vec<Placement> {
    let mut chars_before = vec![0; text.len() + 1];
    let mut n_chars = 0;
    for (at, before) in chars_before.iter_mut().enumerate() {
        *before = n_chars;
        n_chars += usize::from(text.is_char_boundary(at));
    }
    let place = |token: &PlacedToken| match &token.bytes {
        Some(bytes) => (chars_before[bytes.start], chars_before[bytes.end]),
        None => (0, 0),
    };
    tokens
        .iter()
        .map(|token| (token.id, place(token)))
        .collect()
}

/// The bytes a token stands for. Byte-level tokenizers take the leading space out of the offsets,
/// so a gap before a token belongs to it; parts of one character repeat its offsets.
fn cover(start: usize, end: usize, covered: &mut usize) -> Range<usize> {
    let start = start.min(*covered);
    *covered = end.max(*covered);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte-level tokenizer without merges: one token a byte, and three special tokens.
    pub(in crate::text) fn byte_level() -> Tokenizer {
        Tokenizer::from_json(&super::super::test_tokenizer::byte_level_json()).unwrap()
    }

    #[test]
    fn gaps_belong_to_the_next_token_and_repeated_offsets_stay() {
        let mut covered = 0;
        let ranges: Vec<_> = [(0, 2), (3, 5), (6, 6), (6, 9), (6, 9), (9, 10)]
            .map(|(start, end)| cover(start, end, &mut covered))
            .to_vec();
        assert_eq!(ranges, [0..2, 2..5, 5..6, 6..9, 6..9, 9..10]);
    }

    #[test]
    fn tokens_know_their_bytes() {
        let tokenizer = byte_level();
        let text = "a あ<|im_end|>";
        let tokens = tokenizer.encode(text, false).unwrap();
        let spans: Vec<_> = tokens
            .iter()
            .map(|token| &text[token.bytes.clone()])
            .collect();
        assert_eq!(spans, ["a", " ", "あ", "あ", "あ", "<|im_end|>"]);
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), "a あ");
    }

    #[test]
    fn a_vocabulary_that_is_too_small_is_refused() {
        let tokenizer = byte_level();
        assert_eq!(tokenizer.fits_vocab(tokenizer.vocab_size()), Ok(()));
        let error = tokenizer.fits_vocab(100).unwrap_err();
        assert!(
            error.to_string().contains("vocabulary has 100 entries"),
            "{error}"
        );
    }

    #[test]
    fn a_broken_file_is_named() {
        let error = Tokenizer::from_json(b"{").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`tokenizer.json` cannot be read"),
            "{error}"
        );
    }

    #[test]
    fn llama_classes_add_what_the_config_says() {
        let mut tokenizer = byte_level();
        let config = TokenizerConfig {
            tokenizer_class: Some("LlamaTokenizerFast".into()),
            bos_token: Some("<|im_start|>".into()),
            eos_token: Some("<|im_end|>".into()),
            add_eos_token: Some(true),
            ..TokenizerConfig::default()
        };
        tokenizer.configure(&config).unwrap();
        let ids: Vec<u32> = tokenizer
            .encode("a", true)
            .unwrap()
            .iter()
            .map(|token| token.id)
            .collect();
        let id = |token| tokenizer.token_to_id(token).unwrap();
        assert_eq!(ids, [id("<|im_start|>"), id("a"), id("<|im_end|>")]);
        assert_eq!(tokenizer.encode("a", false).unwrap().len(), 1);
    }
}
