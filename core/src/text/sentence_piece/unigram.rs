//! Cutting by the best path: of all ways to write a text in pieces, the one whose scores sum
//! highest; a character without a piece costs more than the rarest piece.

use super::model_file::PieceType;
use super::vocabulary::Vocabulary;

/// How much less than the lowest score unknown text is worth.
const UNKNOWN_PENALTY: f32 = 10.0;

#[derive(Clone, Copy)]
struct Best {
    score: f32,
    /// Where the last piece of the path starts, and its id.
    last: Option<(usize, u32)>,
}

impl Best {
    fn offer(&mut self, score: f32, last: (usize, u32)) {
        if self.last.is_none() || score > self.score {
            self.score = score;
            self.last = Some(last);
        }
    }
}

/// Unigram's view of a vocabulary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scores {
    unknown: f32,
}

impl Scores {
    pub(super) fn of(vocabulary: &Vocabulary) -> Self {
        let pieces = vocabulary.kinds.iter().zip(&vocabulary.scores);
        let normal = pieces.filter(|(kind, _)| **kind == PieceType::Normal);
        let lowest = normal.map(|(_, &score)| score).fold(f32::MAX, f32::min);
        Self {
            unknown: lowest - UNKNOWN_PENALTY,
        }
    }
}

/// The pieces of a normalized text, in order.
pub(super) fn cut<'a>(
    text: &'a str,
    vocabulary: &Vocabulary,
    scores: Scores,
) -> Vec<(&'a str, u32)> {
    let nowhere = Best {
        score: 0.0,
        last: None,
    };
    let mut best = vec![nowhere; text.len() + 1];
    for (start, c) in text.char_indices() {
        let here = best[start].score;
        let mut has_char = false;
        for (length, id) in vocabulary.prefixes(&text.as_bytes()[start..]) {
            let score = match vocabulary.kind(id) {
                Some(PieceType::Unused) => continue,
                // Scores are logarithms, so this is the most that a piece is worth, whatever the
                // file says.
                Some(PieceType::UserDefined) => 0.0,
                _ => vocabulary.score(id),
            };
            has_char |= length == c.len_utf8();
            // Of equal paths the first found stays; sums in f32, or other paths would be equal.
            best[start + length].offer(score + here, (start, id));
        }
        if !has_char {
            let score = scores.unknown + here;
            best[start + c.len_utf8()].offer(score, (start, vocabulary.unk_id));
        }
    }
    let mut out = Vec::new();
    let mut end = text.len();
    while let Some((start, id)) = best[end].last {
        out.push((&text[start..end], id));
        end = start;
    }
    out.reverse();
    out
}
