//! Reading a `.model` file: protocol buffers, as far as SentencePiece writes them.
//!
//! Nothing that the file claims is believed: every length is compared with the bytes that are left.

use std::collections::{BTreeMap, BTreeSet};

use super::super::TextError;

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceType {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl PieceType {
    /// The type of a number, which is the same in `.model` and GGUF files.
    pub(crate) fn of(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Normal => 1,
            Self::Unknown => 2,
            Self::Control => 3,
            Self::UserDefined => 4,
            Self::Unused => 5,
            Self::Byte => 6,
        }
    }
}

/// An entry of the vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) score: f32,
    pub(crate) kind: PieceType,
}

/// How text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unigram,
    Bpe,
}

/// What is done to a text before it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NormalizerSettings {
    pub(crate) charsmap: Vec<u8>,
    pub(crate) add_dummy_prefix: bool,
    pub(crate) remove_extra_whitespaces: bool,
    pub(crate) escape_whitespaces: bool,
    /// The space that stands for a word's border is written behind the word.
    pub(crate) space_behind: bool,
}

/// A whole `.model` file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelFile {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) kind: Kind,
    pub(crate) byte_fallback: bool,
    pub(crate) unk_id: u32,
    pub(crate) bos_id: Option<u32>,
    pub(crate) eos_id: Option<u32>,
    pub(crate) pad_id: Option<u32>,
    /// What an unknown piece is decoded to.
    pub(crate) unk_surface: String,
    pub(crate) normalizer: NormalizerSettings,
}

/// Longer pieces are no pieces.
const MAX_PIECE_BYTES: usize = 1 << 16;

impl ModelFile {
    /// The pieces of a type.
    pub(crate) fn of_type(&self, kind: PieceType) -> impl Iterator<Item = (usize, &Piece)> {
        let pieces = self.pieces.iter().enumerate();
        pieces.filter(move |(_, piece)| piece.kind == kind)
    }

    /// For how many bytes there is a piece.
    pub(crate) fn n_bytes(&self) -> usize {
        let bytes = self.of_type(PieceType::Byte);
        bytes
            .filter_map(|(_, piece)| byte_of(&piece.text))
            .collect::<BTreeSet<u8>>()
            .len()
    }

    /// # Errors
    /// Says what is broken, and where.
    pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<Self, TextError> {
        let broken = |detail: String| TextError::SentencePiece {
            file: file.to_owned(),
            detail,
        };
        read(bytes).and_then(check).map_err(broken)
    }
}

fn read(bytes: &[u8]) -> Result<ModelFile, String> {
    let mut model = ModelFile {
        pieces: Vec::new(),
        kind: Kind::Unigram,
        byte_fallback: false,
        unk_id: 0,
        bos_id: Some(1),
        eos_id: Some(2),
        pad_id: None,
        unk_surface: " \u{2047} ".to_owned(),
        normalizer: NormalizerSettings {
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
            space_behind: false,
        },
    };
    let (mut has_training, mut has_normalizer) = (false, false);
    for field in Fields::of(bytes, 0) {
        let field = field?;
        match (field.number, field.value) {
            (1, Content::Bytes(message)) => {
                let id = model.pieces.len();
                let piece = piece(message, field.at).map_err(|why| format!("piece {id}: {why}"))?;
                model.pieces.push(piece);
            }
            (2, Content::Bytes(message)) => {
                has_training = true;
                training(message, field.at, &mut model)?;
            }
            (3, Content::Bytes(message)) => {
                has_normalizer = true;
                normalizer(message, field.at, &mut model.normalizer)?;
            }
            (5, Content::Bytes(message)) => denormalizer(message, field.at)?,
            (1..=3, _) => return Err(wrong_kind(&field, "a message")),
            _ => {}
        }
    }
    if model.pieces.is_empty() {
        return Err("it holds no pieces".to_owned());
    }
    if !has_training || !has_normalizer {
        let missing = if has_training {
            "normalizer"
        } else {
            "training"
        };
        return Err(format!(
            "after {} pieces the settings of the {missing} are missing, expected behind the \
             pieces; the file is cut short",
            model.pieces.len()
        ));
    }
    Ok(model)
}

fn piece(message: &[u8], at: usize) -> Result<Piece, String> {
    let mut piece = Piece {
        text: String::new(),
        score: 0.0,
        kind: PieceType::Normal,
    };
    for field in Fields::of(message, at) {
        let field = field?;
        match (field.number, field.value) {
            (1, Content::Bytes(text)) => {
                let text = std::str::from_utf8(text).ok();
                let text = text.filter(|text| text.len() <= MAX_PIECE_BYTES);
                piece.text = text.ok_or("its text is not UTF-8")?.to_owned();
            }
            (2, Content::Fixed32(bits)) => piece.score = f32::from_bits(bits),
            (3, Content::Number(kind)) => {
                let kind = PieceType::of(kind).ok_or(kind);
                piece.kind =
                    kind.map_err(|other| format!("its type is {other}, expected 1 to 6"))?;
            }
            (1, _) => return Err(wrong_kind(&field, "text")),
            (2, _) => return Err(wrong_kind(&field, "a score")),
            _ => {}
        }
    }
    if piece.text.is_empty() {
        return Err("it has no text".to_owned());
    }
    if !piece.score.is_finite() {
        return Err(format!(
            "the score of `{}` is {}, expected a number",
            piece.text, piece.score
        ));
    }
    Ok(piece)
}

fn training(message: &[u8], at: usize, model: &mut ModelFile) -> Result<(), String> {
    for field in Fields::of(message, at) {
        let field = field?;
        match (field.number, field.value) {
            (3, Content::Number(1)) => model.kind = Kind::Unigram,
            (3, Content::Number(2)) => model.kind = Kind::Bpe,
            (3, Content::Number(kind)) => {
                return Err(format!(
                    "its pieces are cut by words or characters (kind {kind}), expected 1 (Unigram) or 2 (BPE)"
                ));
            }
            (24, Content::Number(set)) => model.normalizer.space_behind = set != 0,
            (35, Content::Number(set)) => model.byte_fallback = set != 0,
            // The piece of type Unknown counts, whatever field 40 says.
            (41, Content::Number(id)) => model.bos_id = u32::try_from(id).ok(),
            (42, Content::Number(id)) => model.eos_id = u32::try_from(id).ok(),
            (43, Content::Number(id)) => model.pad_id = u32::try_from(id).ok(),
            (44, Content::Bytes(text)) => {
                model.unk_surface = String::from_utf8_lossy(text).into_owned();
            }
            _ => {}
        }
    }
    Ok(())
}

fn normalizer(message: &[u8], at: usize, settings: &mut NormalizerSettings) -> Result<(), String> {
    for field in Fields::of(message, at) {
        let field = field?;
        match (field.number, field.value) {
            (2, Content::Bytes(map)) => settings.charsmap = map.to_vec(),
            (3, Content::Number(set)) => settings.add_dummy_prefix = set != 0,
            (4, Content::Number(set)) => settings.remove_extra_whitespaces = set != 0,
            (5, Content::Number(set)) => settings.escape_whitespaces = set != 0,
            _ => {}
        }
    }
    Ok(())
}

fn denormalizer(message: &[u8], at: usize) -> Result<(), String> {
    for field in Fields::of(message, at) {
        let field = field?;
        if let (2, Content::Bytes(map)) = (field.number, field.value)
            && !map.is_empty()
        {
            return Err(
                "it rewrites decoded text (`denormalizer_spec`), which is not supported".into(),
            );
        }
    }
    Ok(())
}

/// What no reader of these files takes.
fn check(mut model: ModelFile) -> Result<ModelFile, String> {
    let n_pieces = model.pieces.len();
    let unknown = model.of_type(PieceType::Unknown);
    let unknown: Vec<usize> = unknown.map(|(id, _)| id).collect();
    let &[unk_id] = unknown.as_slice() else {
        return Err(format!(
            "it has {} pieces for unknown text, expected 1",
            unknown.len()
        ));
    };
    if model.byte_fallback {
        let n_bytes = model.n_bytes();
        if n_bytes != 256 {
            return Err(format!(
                "it falls back to bytes but has pieces for {n_bytes} of them, expected 256"
            ));
        }
    }
    let mut known = BTreeMap::new();
    for (id, piece) in model.pieces.iter().enumerate() {
        if let Some(first) = known.insert(piece.text.as_str(), id) {
            return Err(format!("`{}` is piece {first} and piece {id}", piece.text));
        }
    }
    model.unk_id = u32::try_from(unk_id).map_err(|_| "it has too many pieces")?;
    // Older trainers write the defaults also where there is no such piece.
    let there = |id: &u32| {
        let piece = model.pieces.get(*id as usize);
        piece.is_some_and(|piece| matches!(piece.kind, PieceType::Control | PieceType::UserDefined))
    };
    for id in [model.bos_id, model.eos_id, model.pad_id]
        .into_iter()
        .flatten()
    {
        if id as usize >= n_pieces {
            return Err(format!(
                "a special token has id {id}, the file has {n_pieces} pieces"
            ));
        }
    }
    (model.bos_id, model.eos_id, model.pad_id) = (
        model.bos_id.filter(there),
        model.eos_id.filter(there),
        model.pad_id.filter(there),
    );
    Ok(model)
}

/// The byte that a piece like `<0x0A>` stands for.
pub(super) fn byte_of(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let digits = digits.get(..2).filter(|_| digits.len() == 2)?;
    u8::from_str_radix(digits, 16).ok()
}

/// The content of a field, by its wire type.
#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    Number(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
    Other,
}

#[derive(Debug, Clone, Copy)]
struct Field<'a> {
    number: u64,
    value: Content<'a>,
    /// Where the content begins, counted from the start of the file.
    at: usize,
}

fn wrong_kind(field: &Field<'_>, expected: &str) -> String {
    format!(
        "field {} at byte {} is not {expected}",
        field.number, field.at
    )
}

/// The fields of a message, in order.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8], base: usize) -> Self {
        Self { bytes, at: 0, base }
    }

    fn number(&mut self) -> Result<u64, String> {
        let start = self.at;
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.cut(1))?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(format!("byte {} begins no number", self.base + start))
    }

    fn take(&mut self, n_bytes: u64) -> Result<&'a [u8], String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let n = usize::try_from(n_bytes).ok().filter(|&n| n <= rest.len());
        let n = n.ok_or_else(|| self.cut(n_bytes))?;
        self.at += n;
        Ok(&rest[..n])
    }

    fn cut(&self, n_expected: u64) -> String {
        format!(
            "at byte {} it needs {n_expected} more bytes, {} are left; the file is cut short or not \
             a SentencePiece model",
            self.base + self.at,
            self.bytes.len().saturating_sub(self.at)
        )
    }

    fn field(&mut self) -> Result<Field<'a>, String> {
        let start = self.base + self.at;
        let tag = self.number()?;
        let (value, at) = match tag & 7 {
            0 => (Content::Number(self.number()?), self.at),
            1 => {
                self.take(8)?;
                (Content::Other, self.at)
            }
            2 => {
                let length = self.number()?;
                let at = self.at;
                (Content::Bytes(self.take(length)?), at)
            }
            5 => {
                let at = self.at;
                let bytes = self.take(4)?;
                let bits = bytes.iter().rev();
                let bits = bits.fold(0, |bits, &byte| bits << 8 | u32::from(byte));
                (Content::Fixed32(bits), at)
            }
            kind => {
                return Err(format!(
                    "byte {start} begins a field of kind {kind}, expected 0, 1, 2 or 5; it is not a \
                     SentencePiece model"
                ));
            }
        };
        Ok(Field {
            number: tag >> 3,
            value,
            at: self.base + at,
        })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.at = self.bytes.len();
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLAMA: &[u8] = include_bytes!("../../../../tests/fixtures/sentence_piece/llama.model");

    fn fault(bytes: &[u8]) -> String {
        ModelFile::read("x.model", bytes).unwrap_err().to_string()
    }

    #[test]
    fn every_cut_is_an_error_that_names_the_file() {
        assert!(ModelFile::read("x.model", LLAMA).is_ok());
        for length in (0..LLAMA.len() - 1).step_by(101) {
            let message = fault(&LLAMA[..length]);
            assert!(message.contains("`x.model`"), "{message}");
        }
        let message = fault(&LLAMA[..LLAMA.len() / 2]);
        assert!(message.contains("cut short"), "{message}");
    }

    #[test]
    fn changed_bytes_never_panic() {
        let mut n_refused = 0;
        for at in (0..LLAMA.len()).step_by(37) {
            let mut bytes = LLAMA.to_vec();
            bytes[at] ^= 0x55;
            n_refused += usize::from(ModelFile::read("x.model", &bytes).is_err());
        }
        assert!(n_refused > 50, "only {n_refused} were refused");
    }

    #[test]
    fn other_files_are_told_apart() {
        assert!(fault(b"").contains("no pieces"));
        assert!(fault(b"{\"version\": 1}").contains("not a SentencePiece model"));
        // A length beyond any memory.
        let huge = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert!(fault(&huge).contains("cut short"));
    }

    #[test]
    fn two_equal_pieces_are_refused() {
        let message =
            fault(&[LLAMA, &[0x0a, 3, 0x0a, 1, b'a'], &[0x0a, 3, 0x0a, 1, b'a']].concat());
        assert!(message.contains("`a` is piece"), "{message}");
    }
}
