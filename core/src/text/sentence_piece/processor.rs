//! Text to pieces with their places, and pieces to text, as SentencePiece itself does.

use std::ops::Range;

use super::super::TextError;
use super::charsmap::CharsMap;
use super::model_file::{Kind, ModelFile, PieceType, byte_of};
use super::normalizer::{Normalizer, SPACE_MARK};
use super::unigram::Scores;
use super::vocabulary::Vocabulary;
use super::{bpe, unigram};

/// A piece and the bytes of the text it stands for. Of a character's bytes the last one has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) id: u32,
    /// The text of the piece; for unknown text that text.
    pub(super) text: String,
    pub(super) bytes: Range<usize>,
    /// Where the text begins whose bytes these are: before `bytes` only for parts of a character.
    pub(super) whole: Range<usize>,
}

/// A SentencePiece model, ready to be used.
#[derive(Debug, Clone)]
pub(super) struct Processor {
    pub(super) vocabulary: Vocabulary,
    normalizer: Normalizer,
    kind: Kind,
    scores: Scores,
    byte_fallback: bool,
    unk_surface: String,
}

impl Processor {
    /// # Errors
    /// When the character map is broken.
    pub(super) fn new(file: &str, model: &ModelFile) -> Result<Self, TextError> {
        let map = CharsMap::read(&model.normalizer.charsmap);
        let map = map.map_err(|detail| TextError::SentencePiece {
            file: file.to_owned(),
            detail,
        })?;
        let vocabulary = Vocabulary::new(model);
        Ok(Self {
            scores: Scores::of(&vocabulary),
            vocabulary,
            normalizer: Normalizer {
                settings: model.normalizer.clone(),
                map,
            },
            kind: model.kind,
            byte_fallback: model.byte_fallback,
            unk_surface: model.unk_surface.clone(),
        })
    }

    /// The same model, which puts no space before a text.
    pub(super) fn without_prefix(mut self) -> Self {
        self.normalizer.settings.add_dummy_prefix = false;
        self
    }

    pub(super) fn adds_prefix(&self) -> bool {
        self.normalizer.settings.add_dummy_prefix
    }

    pub(super) fn encode(&self, text: &str) -> Vec<Placed> {
        let normalized = self.normalizer.run(text, &self.vocabulary);
        let pieces = match self.kind {
            Kind::Bpe => bpe::cut(&normalized.text, &self.vocabulary),
            Kind::Unigram => unigram::cut(&normalized.text, &self.vocabulary, self.scores),
        };
        let mut out: Vec<Placed> = Vec::with_capacity(pieces.len());
        let (mut at, mut after_unknown) = (0, false);
        for (piece, id) in pieces {
            let place = |at: usize| normalized.origin.get(at).copied().unwrap_or(text.len());
            let bytes = place(at)..place(at + piece.len());
            at += piece.len();
            let is_unknown = id == self.vocabulary.unk_id;
            if is_unknown && self.byte_fallback {
                self.push_bytes(piece, bytes, &mut out);
            } else if let Some(last) = out.last_mut().filter(|_| is_unknown && after_unknown) {
                last.text.push_str(piece);
                last.bytes.end = bytes.end;
                last.whole.end = bytes.end;
            } else {
                out.push(Placed {
                    id,
                    text: piece.to_owned(),
                    whole: bytes.clone(),
                    bytes,
                });
            }
            after_unknown = is_unknown;
        }
        out
    }

    fn push_bytes(&self, piece: &str, bytes: Range<usize>, out: &mut Vec<Placed>) {
        for (index, byte) in piece.bytes().enumerate() {
            let is_last = index + 1 == piece.len();
            let end = if is_last { bytes.end } else { bytes.start };
            out.push(Placed {
                id: self.vocabulary.bytes[usize::from(byte)],
                text: format!("<0x{byte:02X}>"),
                bytes: bytes.start..end,
                whole: bytes.clone(),
            });
        }
    }

    /// The text of pieces given by their texts.
    pub(super) fn decode<'p>(&self, pieces: impl Iterator<Item = &'p str>) -> String {
        self.join(pieces, self.drops_space())
    }

    /// Whether decoded text loses the space before it.
    pub(super) fn drops_space(&self) -> bool {
        let settings = &self.normalizer.settings;
        settings.add_dummy_prefix || settings.remove_extra_whitespaces
    }

    /// The text of pieces that stand behind others: no space is dropped.
    pub(super) fn decode_inside<'p>(&self, pieces: impl Iterator<Item = &'p str>) -> String {
        self.join(pieces, false)
    }

    fn join<'p>(&self, pieces: impl Iterator<Item = &'p str>, drops_space: bool) -> String {
        let removes = self.normalizer.settings.remove_extra_whitespaces;
        let mut out = String::new();
        let mut bytes: Vec<u8> = Vec::new();
        let (mut at_start, mut dropped) = (true, false);
        for piece in pieces {
            let id = self.vocabulary.id(piece);
            let kind = self.vocabulary.kind(id);
            if let (Some(PieceType::Byte), Some(byte)) = (kind, byte_of(piece)) {
                bytes.push(byte);
                continue;
            }
            flush(&mut bytes, &mut out);
            at_start &= !dropped && out.is_empty();
            dropped = false;
            match kind {
                Some(PieceType::Control) => {}
                Some(PieceType::Unknown) => {
                    let is_named = self.vocabulary.texts.get(id as usize).map(String::as_str);
                    let is_named = is_named == Some(piece);
                    out.push_str(if is_named { &self.unk_surface } else { piece });
                }
                _ => {
                    let rest = piece
                        .strip_prefix(SPACE_MARK)
                        .filter(|_| at_start && drops_space);
                    dropped = rest.is_some() && !removes;
                    out.push_str(&rest.unwrap_or(piece).replace(SPACE_MARK, " "));
                }
            }
        }
        flush(&mut bytes, &mut out);
        out
    }
}

/// Writes bytes as text; each that is no part of a character becomes a replacement character.
fn flush(bytes: &mut Vec<u8>, out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk
            .invalid()
            .iter()
            .for_each(|_| out.push(char::REPLACEMENT_CHARACTER));
    }
    bytes.clear();
}
