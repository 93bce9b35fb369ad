//! The pieces of a `.model` file, to be found by text and by prefix.

use std::collections::{BTreeMap, HashMap};

use super::model_file::{ModelFile, PieceType, byte_of};

/// Pieces by text. Control, unknown and byte pieces are reserved: text never spells them.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Pieces that text may hold, sorted by their bytes.
    sorted: Vec<(String, u32)>,
    by_text: HashMap<String, u32>,
    reserved: HashMap<String, u32>,
    /// Pieces that a user defined, longest first by first byte.
    user_defined: BTreeMap<u8, Vec<String>>,
    pub(super) bytes: Vec<u32>,
    pub(super) scores: Vec<f32>,
    pub(super) kinds: Vec<PieceType>,
    pub(super) texts: Vec<String>,
    pub(super) unk_id: u32,
}

impl Vocabulary {
    pub(super) fn new(model: &ModelFile) -> Self {
        let mut vocabulary = Self {
            sorted: Vec::new(),
            by_text: HashMap::new(),
            reserved: HashMap::new(),
            user_defined: BTreeMap::new(),
            bytes: vec![model.unk_id; 256],
            scores: model.pieces.iter().map(|piece| piece.score).collect(),
            kinds: model.pieces.iter().map(|piece| piece.kind).collect(),
            texts: model
                .pieces
                .iter()
                .map(|piece| piece.text.clone())
                .collect(),
            unk_id: model.unk_id,
        };
        for (id, piece) in (0_u32..).zip(&model.pieces) {
            let text = piece.text.clone();
            match piece.kind {
                PieceType::Normal | PieceType::Unused | PieceType::UserDefined => {
                    vocabulary.sorted.push((text.clone(), id));
                    vocabulary.by_text.insert(text, id);
                }
                PieceType::Control | PieceType::Unknown => {
                    vocabulary.reserved.insert(text, id);
                }
                PieceType::Byte => {
                    if let Some(byte) = byte_of(&text) {
                        vocabulary.bytes[usize::from(byte)] = id;
                    }
                    vocabulary.reserved.insert(text, id);
                }
            }
            if piece.kind == PieceType::UserDefined
                && let Some(&first) = piece.text.as_bytes().first()
            {
                let begins = vocabulary.user_defined.entry(first).or_default();
                begins.push(piece.text.clone());
            }
        }
        vocabulary.sorted.sort_unstable();
        for symbols in vocabulary.user_defined.values_mut() {
            symbols.sort_by_key(|symbol| std::cmp::Reverse(symbol.len()));
        }
        vocabulary
    }

    /// A piece that text may hold.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.by_text.get(text).copied()
    }

    /// The id of a piece; that of unknown text where there is none.
    pub(super) fn id(&self, text: &str) -> u32 {
        let reserved = self.reserved.get(text).copied();
        reserved.or_else(|| self.find(text)).unwrap_or(self.unk_id)
    }

    pub(super) fn kind(&self, id: u32) -> Option<PieceType> {
        self.kinds.get(id as usize).copied()
    }

    pub(super) fn score(&self, id: u32) -> f32 {
        self.scores.get(id as usize).copied().unwrap_or(0.0)
    }

    /// Every piece that a text begins with, the shortest first.
    pub(super) fn prefixes<'v>(
        &'v self,
        text: &'v [u8],
    ) -> impl Iterator<Item = (usize, u32)> + 'v {
        let mut range = 0..self.sorted.len();
        let mut length = 0;
        std::iter::from_fn(move || {
            while length < text.len() && !range.is_empty() {
                let wanted = text[length];
                let byte = |entry: &(String, u32)| entry.0.as_bytes().get(length).copied();
                let within = &self.sorted[range.clone()];
                // `None`, a piece that ends here, sorts before every byte.
                let low = within.partition_point(|entry| byte(entry) < Some(wanted));
                let high = within.partition_point(|entry| byte(entry) <= Some(wanted));
                range = range.start + low..range.start + high;
                length += 1;
                if let Some((piece, id)) =
                    self.sorted.get(range.start).filter(|_| !range.is_empty())
                    && piece.len() == length
                {
                    return Some((length, *id));
                }
            }
            None
        })
    }

    /// The length of the longest symbol of a user that a text begins with.
    pub(super) fn user_defined(&self, text: &str) -> Option<usize> {
        let symbols = self.user_defined.get(text.as_bytes().first()?)?;
        let found = symbols.iter().find(|symbol| text.starts_with(*symbol));
        found.map(String::len)
    }
}
