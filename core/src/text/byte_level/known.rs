//! The pieces that were merged before, with their tokens.
//!
//! A text asks for one every few bytes. So short pieces, which nearly all are, are numbers here that
//! are compared at once, and the tokens of all lie behind each other.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Part;

/// Pieces that are kept, and how long they may be.
pub(super) const MOST_KNOWN: usize = 1 << 16;
pub(super) const LONGEST_KNOWN: usize = 64;

/// Bytes of a piece that is a number, besides the one that says how many there are.
const SHORT: usize = 15;

#[derive(Debug, Default)]
pub(super) struct Known {
    short: HashMap<u128, Span, RandomState>,
    long: HashMap<Box<str>, Span, RandomState>,
    parts: Vec<Part>,
}

/// Where the tokens of a piece lie: the first, and how many.
#[derive(Debug, Clone, Copy)]
struct Span(u32, u32);

impl Known {
    pub(super) fn get(&self, piece: &str) -> Option<&[Part]> {
        let span = match number(piece) {
            Some(number) => self.short.get(&number),
            None => self.long.get(piece),
        };
        let Span(first, n) = *span?;
        self.parts.get(first as usize..)?.get(..n as usize)
    }

    /// Keeps a piece that is not there yet, as far as there is room.
    pub(super) fn keep(&mut self, piece: &str, parts: &[Part]) {
        if self.len() >= MOST_KNOWN || piece.len() > LONGEST_KNOWN {
            return;
        }
        // A token stands for a byte at least: both are far below 2^32.
        let span = Span(self.parts.len() as u32, parts.len() as u32);
        self.parts.extend_from_slice(parts);
        match number(piece) {
            Some(number) => self.short.insert(number, span),
            None => self.long.insert(piece.into(), span),
        };
    }

    pub(super) fn len(&self) -> usize {
        self.short.len() + self.long.len()
    }
}

/// A short piece as its bytes and, in the last, their number.
fn number(piece: &str) -> Option<u128> {
    if piece.len() > SHORT {
        return None;
    }
    let mut bytes = [0; SHORT + 1];
    bytes
        .get_mut(..piece.len())?
        .copy_from_slice(piece.as_bytes());
    bytes[SHORT] = piece.len() as u8;
    Some(u128::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_kept_apart() {
        let mut known = Known::default();
        let pieces = [
            "a",
            "a\0",
            "\0a",
            "\0",
            "\0\0",
            "fifteen letters",
            "sixteen letters!",
            "sixteen letters?",
            "保険料は",
        ];
        for (id, piece) in (0..).zip(pieces) {
            assert!(known.get(piece).is_none(), "{piece:?}");
            let part = |end| Part {
                id,
                end,
                spaces: (0, 0),
            };
            let parts: Vec<Part> = (0..=id).map(part).collect();
            known.keep(piece, &parts);
        }
        assert_eq!(known.len(), pieces.len());
        for (id, piece) in (0..).zip(pieces) {
            let ids: Vec<u32> = known
                .get(piece)
                .unwrap()
                .iter()
                .map(|part| part.id)
                .collect();
            assert_eq!(ids, vec![id; id as usize + 1], "{piece:?}");
        }
    }
}
