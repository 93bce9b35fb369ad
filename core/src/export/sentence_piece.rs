//! A SentencePiece `.model` file as GGUF metadata, for models without `tokenizer.json`.
//!
//! Pieces keep their ids, scores and types, as llama.cpp's `convert_hf_to_gguf.py` writes them: BPE
//! as `llama`, Unigram as `t5` with its character map. Added tokens stand behind them, and rows of
//! the model without a token are filled up. llama.cpp has not all that SentencePiece can do: what
//! would change every text is refused, what changes some is a note. Two things are neither: texts that
//! spell the mark of a space themselves, and paths of Unigram that are worth the same but for
//! rounding (SentencePiece sums scores in f32, llama.cpp in f64).

use super::{
    ExportError,
    tokenizer::{PADDING_SCORE, SpecialTokens, key, padding, unused_note},
};
use crate::{
    arch::Arch,
    text::{
        TokenizerConfig,
        sentence_piece::{Kind, ModelFile, PieceTokenizer, PieceType, SPACE_MARK, open},
    },
    weights::gguf::Value,
};

/// The score that llama.cpp's script gives to added tokens; they are never merged.
const ADDED_SCORE: f32 = -1000.0;

type Metadata = Vec<(String, Value)>;

/// The vocabulary, and what stands around texts.
///
/// # Errors
/// Where the file is broken, does not fit the model, or cuts text as llama.cpp cannot.
pub(super) fn sentence_piece(
    (file, bytes): (&str, &[u8]),
    mut config: TokenizerConfig,
    arch: &Arch,
    notes: &mut Vec<String>,
) -> Result<(Metadata, SpecialTokens), ExportError> {
    let (model, tokenizer) = open(file, bytes, &mut config)?;
    let source = Source {
        model: &model,
        tokenizer: &tokenizer,
    };
    source.check().map_err(|detail| ExportError::PieceFile {
        file: file.to_owned(),
        detail,
    })?;
    source.note(notes);
    let metadata = source.metadata(arch.vocab_size, notes)?;
    let id = |token: &Option<String>| tokenizer.token_to_id(token.as_deref()?);
    let (before, after) = tokenizer.around();
    let special = SpecialTokens {
        bos: id(&config.bos_token),
        eos: id(&config.eos_token),
        padding: id(&config.pad_token),
        unknown: Some(model.unk_id),
        adds_bos: !before.is_empty(),
        // llama.cpp would close the prompt that the model is to go on with.
        adds_eos: !after.is_empty() && !tokenizer.closes_every_text(),
    };
    Ok((metadata, special))
}

struct Source<'a> {
    model: &'a ModelFile,
    tokenizer: &'a PieceTokenizer,
}

impl Source<'_> {
    /// What llama.cpp would do otherwise to every text.
    fn check(&self) -> Result<(), String> {
        let settings = &self.model.normalizer;
        let adds_space = self.tokenizer.adds_space();
        if settings.space_behind {
            return Err("it marks the space behind a word (`treat_whitespace_as_suffix`)".into());
        }
        if !settings.escape_whitespaces {
            return Err("it keeps spaces as they are (`escape_whitespaces` is off)".into());
        }
        match self.model.kind {
            Kind::Bpe if self.model.n_bytes() != 256 => Err(format!(
                "it is BPE with pieces for {} of the 256 bytes; llama.cpp needs all of them",
                self.model.n_bytes()
            )),
            Kind::Unigram if settings.remove_extra_whitespaces && !adds_space => Err(
                "it removes spaces but puts none before a text; llama.cpp always does both".into(),
            ),
            Kind::Bpe | Kind::Unigram => Ok(()),
        }
    }

    /// What llama.cpp does otherwise to some texts.
    fn note(&self, notes: &mut Vec<String>) {
        let (model, settings) = (self.model, &self.model.normalizer);
        let is_unigram = model.kind == Kind::Unigram;
        let adds_space = self.tokenizer.adds_space();
        let maps = !settings.charsmap.is_empty();
        let has = |kind| model.of_type(kind).next().is_some();
        let added = || self.tokenizer.added().values();
        let has_plain = added().any(|token| !token.special);
        let swallows = added().any(|token| token.lstrip || token.rstrip);
        let differences = [
            (
                is_unigram && model.byte_fallback,
                "the tokenizer writes what it has no piece for in bytes; llama.cpp makes one \
                 unknown token of it in vocabularies of this kind",
            ),
            (
                is_unigram && maps && has(PieceType::UserDefined),
                "the tokenizer leaves user-defined pieces as they are and replaces other \
                 characters; llama.cpp replaces theirs too",
            ),
            (
                is_unigram && maps && has_plain,
                "llama.cpp leaves characters that an added token begins with as they are, the \
                 tokenizer replaces them",
            ),
            (
                is_unigram && adds_space && !settings.remove_extra_whitespaces,
                "llama.cpp puts no space before texts of nothing but spaces, the tokenizer does",
            ),
            (
                !is_unigram && maps,
                "the tokenizer replaces characters (such as full-width letters) before it cuts; \
                 llama.cpp does not in vocabularies of this kind, and makes other tokens of them",
            ),
            (
                !is_unigram && settings.remove_extra_whitespaces,
                "the tokenizer removes spaces at the ends of texts and doubled ones; llama.cpp \
                 keeps them in vocabularies of this kind",
            ),
            (
                !is_unigram && has(PieceType::Unused),
                "the tokenizer takes unused pieces apart; llama.cpp uses them",
            ),
            (
                !is_unigram && adds_space && has(PieceType::UserDefined),
                "llama.cpp puts a space behind user-defined pieces, the tokenizer does not",
            ),
            (
                adds_space && !self.tokenizer.adds_space_everywhere(),
                "llama.cpp puts a space behind every special token, the tokenizer (`legacy` is \
                 off) only before a text",
            ),
            (
                swallows,
                "some special tokens take the spaces around them; llama.cpp keeps those",
            ),
            (
                self.tokenizer.closes_every_text(),
                "the tokenizer puts its end token behind every text; the file says not to, or a \
                 prompt would be closed too",
            ),
        ];
        let held = differences.into_iter().filter(|(holds, _)| *holds);
        notes.extend(held.map(|(_, note)| note.to_owned()));
    }

    fn metadata(
        &self,
        vocab_size: usize,
        notes: &mut Vec<String>,
    ) -> Result<Metadata, ExportError> {
        let mut tokens: Vec<(String, f32, PieceType)> = (0..vocab_size).map(padding).collect();
        let mut n_named = 0;
        let mut put = |id: usize, text: &str, score: f32, kind: PieceType| {
            let Some(token) = tokens.get_mut(id) else {
                return Err(ExportError::TokenBeyondVocabulary {
                    token: text.to_owned(),
                    id: id as u64,
                    vocab_size,
                });
            };
            n_named += usize::from(id >= n_named);
            *token = (text.to_owned(), score, kind);
            Ok(())
        };
        for (id, piece) in self.model.pieces.iter().enumerate() {
            let text = piece.text.as_str();
            match (self.model.kind, piece.kind) {
                // llama.cpp cuts with unused pieces too, where they are worth it.
                (Kind::Unigram, PieceType::Unused) => {
                    put(id, text, PADDING_SCORE, PieceType::Unused)?;
                }
                // The best path takes them for what they are worth; llama.cpp would cut there first.
                (Kind::Unigram, PieceType::UserDefined) => put(id, text, 0.0, PieceType::Normal)?,
                // Looked for before spaces are marked.
                (Kind::Bpe, PieceType::UserDefined) => {
                    put(id, &text.replace(SPACE_MARK, " "), piece.score, piece.kind)?;
                }
                _ => put(id, text, piece.score, piece.kind)?,
            }
        }
        for (&id, token) in self.tokenizer.added() {
            let own = self.model.pieces.get(id as usize);
            let same = own.filter(|piece| piece.text == token.content);
            match (same.map(|piece| piece.kind), token.special) {
                (Some(PieceType::Unknown | PieceType::Control), _) => {}
                (_, true) => put(id as usize, &token.content, ADDED_SCORE, PieceType::Control)?,
                (_, false) => {
                    let text = token.content.replace(SPACE_MARK, " ");
                    put(id as usize, &text, ADDED_SCORE, PieceType::UserDefined)?;
                }
            }
        }
        notes.extend(unused_note(vocab_size - n_named, vocab_size));
        let settings = &self.model.normalizer;
        let mut metadata = vec![
            key("pre", Value::String("default".into())),
            key(
                "tokens",
                Value::strings(tokens.iter().map(|(text, ..)| text.as_str())),
            ),
            key(
                "scores",
                Value::f32s(tokens.iter().map(|(_, score, _)| *score)),
            ),
            key(
                "token_type",
                Value::i32s(tokens.iter().map(|(.., kind)| kind.number().into())),
            ),
            key("add_space_prefix", Value::Bool(self.tokenizer.adds_space())),
        ];
        match self.model.kind {
            Kind::Bpe => metadata.push(key("model", Value::String("llama".into()))),
            Kind::Unigram => {
                let removes = Value::Bool(settings.remove_extra_whitespaces);
                metadata.push(key("model", Value::String("t5".into())));
                metadata.push(key("remove_extra_whitespaces", removes));
                if !settings.charsmap.is_empty() {
                    let map = Value::u8s(settings.charsmap.iter().copied());
                    metadata.push(key("precompiled_charsmap", map));
                }
            }
        }
        Ok(metadata)
    }
}
