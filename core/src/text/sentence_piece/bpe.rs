//! Cutting by merging: of all neighbours whose join is a piece, those that score highest become
//! one, the leftmost first, until there are none.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

use super::model_file::PieceType;
use super::vocabulary::Vocabulary;

/// A stretch of the text; empty once it was merged into its left neighbour.
struct Symbol {
    bytes: Range<usize>,
    previous: Option<usize>,
    next: Option<usize>,
    /// Defined by a user: never merged.
    is_frozen: bool,
}

/// Two neighbours that may become one.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    n_bytes: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        // Scores were checked to be numbers; zero and minus zero are equal, as in the reference.
        let by_score = self.score.partial_cmp(&other.score);
        let by_score = by_score.unwrap_or(Ordering::Equal);
        by_score.then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

struct Merging<'a> {
    text: &'a str,
    vocabulary: &'a Vocabulary,
    symbols: Vec<Symbol>,
    waiting: BinaryHeap<Pair>,
    /// Where the halves of pieces part that are not to be used themselves.
    parts: HashMap<&'a str, usize>,
}

/// The pieces of a normalized text, in order.
pub(super) fn cut<'a>(text: &'a str, vocabulary: &'a Vocabulary) -> Vec<(&'a str, u32)> {
    let mut merging = Merging {
        text,
        vocabulary,
        symbols: symbols(text, vocabulary),
        waiting: BinaryHeap::new(),
        parts: HashMap::new(),
    };
    for right in 1..merging.symbols.len() {
        merging.propose(Some(right - 1), Some(right));
    }
    while let Some(pair) = merging.waiting.pop() {
        merging.merge(&pair);
    }
    let mut out = Vec::new();
    let mut at = (!merging.symbols.is_empty()).then_some(0);
    while let Some(index) = at {
        let symbol = &merging.symbols[index];
        merging.take_apart(&text[symbol.bytes.clone()], &mut out);
        at = symbol.next;
    }
    out
}

fn symbols(text: &str, vocabulary: &Vocabulary) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let whole = vocabulary.user_defined(&text[at..]);
        let end = at + whole.unwrap_or(c.len_utf8());
        let index = symbols.len();
        symbols.push(Symbol {
            bytes: at..end,
            previous: index.checked_sub(1),
            next: (end < text.len()).then_some(index + 1),
            is_frozen: whole.is_some(),
        });
        at = end;
    }
    symbols
}

impl<'a> Merging<'a> {
    fn propose(&mut self, left: Option<usize>, right: Option<usize>) {
        let (Some(left), Some(right)) = (left, right) else {
            return;
        };
        let (first, second) = (&self.symbols[left], &self.symbols[right]);
        if first.is_frozen || second.is_frozen {
            return;
        }
        let joined = &self.text[first.bytes.start..second.bytes.end];
        let Some(id) = self.vocabulary.find(joined) else {
            return;
        };
        if self.vocabulary.kind(id) == Some(PieceType::Unused) {
            self.parts.insert(joined, first.bytes.len());
        }
        self.waiting.push(Pair {
            score: self.vocabulary.score(id),
            left,
            right,
            n_bytes: joined.len(),
        });
    }

    fn merge(&mut self, pair: &Pair) {
        let (left, right) = (
            &self.symbols[pair.left].bytes,
            &self.symbols[pair.right].bytes,
        );
        let is_past = left.is_empty() || right.is_empty();
        if is_past || left.len() + right.len() != pair.n_bytes {
            return;
        }
        let (end, next) = (right.end, self.symbols[pair.right].next);
        self.symbols[pair.right].bytes = end..end;
        let merged = &mut self.symbols[pair.left];
        merged.bytes.end = end;
        merged.next = next;
        let previous = merged.previous;
        if let Some(next) = next {
            self.symbols[next].previous = Some(pair.left);
        }
        self.propose(previous, Some(pair.left));
        self.propose(Some(pair.left), next);
    }

    /// A piece that is not to be used falls back into what it was merged from.
    fn take_apart(&self, text: &'a str, out: &mut Vec<(&'a str, u32)>) {
        let mut waiting = vec![text];
        while let Some(text) = waiting.pop() {
            let id = self.vocabulary.id(text);
            let is_unused = self.vocabulary.kind(id) == Some(PieceType::Unused);
            match self.parts.get(text).filter(|_| is_unused) {
                Some(&at) => waiting.extend([&text[at..], &text[..at]]),
                None => out.push((text, id)),
            }
        }
    }
}
