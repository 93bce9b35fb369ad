//! Finds a text with any of its letters written large or small, many texts at a time.
//!
//! Of the text the letter that is rarest is looked for, by instructions that compare many bytes at
//! once; only where that is, the letters around it are compared. What is found is what the regular
//! expression of that text finds, which without a single literal steps through every byte.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3, memmem};
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Bytes of text in languages that use Latin letters, the most frequent first; all others are rarer.
const FREQUENT: &[u8] = b" eaoinsrtldcumpgbhvfy.,qEAISCjzLPRTDMxNOBF0k12wUGHV";

#[derive(Debug)]
pub(super) enum Needle {
    /// A text without letters that can be written in another way.
    Same(Box<memmem::Finder<'static>>),
    Folded(Folded),
}

#[derive(Debug)]
pub(super) struct Folded {
    /// For each character the ways of writing it.
    chars: Vec<Vec<char>>,
    /// Which of them is looked for.
    anchor: usize,
    /// Where in it one of `bytes` is.
    offset: usize,
    /// One, two or three.
    bytes: Vec<u8>,
}

impl Needle {
    /// `None` where nothing is looked for, or no letter of it has few enough ways of writing it.
    pub(super) fn new(text: &str, case_sensitive: bool) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let chars: Vec<Vec<char>> = text.chars().map(written).collect::<Option<_>>()?;
        if case_sensitive || chars.iter().all(|ways| ways.len() == 1) {
            return Some(Self::Same(Box::new(memmem::Finder::new(text).into_owned())));
        }
        Folded::new(chars).map(Self::Folded)
    }

    /// Where it is first.
    pub(super) fn find(&self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::Same(finder) => {
                let start = finder.find(text.as_bytes())?;
                Some(start..start + finder.needle().len())
            }
            Self::Folded(folded) => folded.find(text),
        }
    }
}

/// How a character may be written where case does not count, as regular expressions have it: Unicode's
/// simple case folding.
fn written(char: char) -> Option<Vec<char>> {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(char, char)]);
    class.try_case_fold_simple().ok()?;
    let ranges = class.ranges().iter();
    Some(
        ranges
            .flat_map(|range| range.start()..=range.end())
            .collect(),
    )
}

impl Folded {
    fn new(chars: Vec<Vec<char>>) -> Option<Self> {
        let anchors = chars.iter().enumerate();
        let anchors = anchors.filter_map(|(anchor, ways)| {
            let (offset, bytes) = anchor_bytes(ways)?;
            let rarity = bytes.iter().map(|byte| rarity(*byte)).min()?;
            Some((rarity, anchor, offset, bytes))
        });
        let best = anchors.max_by_key(|(rarity, ..)| *rarity);
        best.map(|(_, anchor, offset, bytes)| Self {
            chars,
            anchor,
            offset,
            bytes,
        })
    }

    fn find(&self, text: &str) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let mut from = 0;
        loop {
            let rest = &bytes[from..];
            let next = match self.bytes[..] {
                [a] => memchr(a, rest),
                [a, b] => memchr2(a, b, rest),
                [a, b, c] => memchr3(a, b, c, rest),
                _ => None,
            };
            let at = from + next?;
            from = at + 1;
            let found = at
                .checked_sub(self.offset)
                .and_then(|anchor| self.around(text, anchor));
            if found.is_some() {
                return found;
            }
        }
    }

    /// The whole text, where its anchor may begin at a place.
    fn around(&self, text: &str, anchor: usize) -> Option<Range<usize>> {
        let (before, behind) = text.split_at_checked(anchor)?;
        let (chars_before, chars_behind) = self.chars.split_at(self.anchor);
        let n_behind = matched(chars_behind.iter(), behind.chars())?;
        let n_before = matched(chars_before.iter().rev(), before.chars().rev())?;
        Some(anchor - n_before..anchor + n_behind)
    }
}

/// How many bytes of a text are those characters, if they are.
fn matched<'a>(
    chars: impl Iterator<Item = &'a Vec<char>>,
    mut text: impl Iterator<Item = char>,
) -> Option<usize> {
    let mut n_bytes = 0;
    for ways in chars {
        let char = text.next().filter(|char| ways.contains(char))?;
        n_bytes += char.len_utf8();
    }
    Some(n_bytes)
}

/// A place in a character and its bytes there, at most three: the rarest of all places.
fn anchor_bytes(ways: &[char]) -> Option<(usize, Vec<u8>)> {
    let len = ways.first()?.len_utf8();
    if ways.iter().any(|way| way.len_utf8() != len) {
        return None;
    }
    let bytes_at = |offset: usize| {
        let byte = |way: &char| way.encode_utf8(&mut [0; 4]).as_bytes()[offset];
        let mut bytes: Vec<u8> = ways.iter().map(byte).collect();
        bytes.sort_unstable();
        bytes.dedup();
        (offset, bytes)
    };
    // What a character begins with is shared by all of its script.
    let offsets = (0..len).rev().map(bytes_at);
    offsets.into_iter().find(|(_, bytes)| bytes.len() <= 3)
}

fn rarity(byte: u8) -> usize {
    let place = FREQUENT.iter().position(|frequent| *frequent == byte);
    place.unwrap_or(FREQUENT.len())
}

#[cfg(test)]
mod tests {
    use regex::RegexBuilder;

    use super::*;
    use crate::rng::Rng;

    /// Against the regular expression that stands for it.
    #[track_caller]
    fn check(needle: &str, text: &str) {
        let slow = RegexBuilder::new(&regex::escape(needle))
            .case_insensitive(true)
            .build()
            .unwrap();
        let Some(fast) = Needle::new(needle, false) else {
            return;
        };
        let slow = slow.find(text).map(|found| found.range());
        assert_eq!(fast.find(text), slow, "{needle:?} in {text:?}");
    }

    #[test]
    fn letters_are_found_large_and_small() {
        let text = "El PORTFOLIO, ſIcher Ébano; 300 K an der Straße, ΣΊΣΥΦΟΣ, Ǆ ǅ ǆ 東京ABC";
        for needle in [
            "portfolio",
            "sicher",
            "ébano",
            "k",
            "K",
            "straße",
            "STRASSE",
            "σίσυφος",
            "ǆ ǆ",
            "京abc",
            "ſ",
            "El portfolio,",
            "0 k",
            "x",
            "c",
        ] {
            check(needle, text);
        }
        let portfolio = Needle::new("portfolio", false).unwrap();
        assert_eq!(portfolio.find(text), Some(3..12));
        let exact = Needle::new("portfolio", true).unwrap();
        assert_eq!(
            (exact.find(text), exact.find("a portfolio")),
            (None, Some(2..11))
        );
        assert!(Needle::new("", false).is_none());
    }

    #[test]
    fn it_finds_what_the_regular_expression_finds() {
        let pool: Vec<char> = "aAbBsSſkKKéÉñÑßẞиИσςΣ京… 9ǅiİıI".chars().collect();
        let mut rng = Rng::new(5, 0);
        let mut draw = |n: usize| -> String { (0..n).map(|_| *rng.pick(&pool)).collect() };
        for round in 0..20_000 {
            let (needle, text) = (draw(1 + round % 3), draw(round % 40));
            check(&needle, &text);
        }
    }

    #[test]
    fn the_rarest_letter_is_looked_for() {
        let Some(Needle::Folded(folded)) = Needle::new("portfolio", false) else {
            panic!("letters have case");
        };
        assert_eq!(folded.bytes, b"Ff");
        assert!(matches!(
            Needle::new("99,5 %", false),
            Some(Needle::Same(_))
        ));
        // Each has a way of writing it that takes more bytes.
        assert!(Needle::new("sk", false).is_none());
    }
}
