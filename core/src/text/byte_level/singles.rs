//! Bytes that are a piece by themselves, told by the byte behind them.
//!
//! Digits, spaces and punctuation make most pieces of texts with figures, one byte each. Whether the
//! expression ends a piece behind a byte is asked of its automaton once, for every byte and every one
//! that may follow, and only looked up from then on.

use std::collections::HashMap;

use regex_automata::{
    Anchored, Input,
    hybrid::{LazyStateID, dfa},
    util::syntax,
};

use super::Part;

/// Bytes that are characters by themselves.
const N: usize = 128;

#[derive(Debug, Default)]
pub(super) struct Singles {
    /// For each byte those that leave it alone where they follow, a bit each.
    followers: Vec<u128>,
    parts: Vec<Part>,
}

impl Singles {
    /// `part` hands out the token of a byte, where it is one.
    pub(super) fn of(pattern: &str, part: impl Fn(u8) -> Option<Part>) -> Self {
        let mut singles = Self {
            followers: followers(pattern).unwrap_or_else(|| vec![0; N]),
            parts: Vec::with_capacity(N),
        };
        for (byte, followers) in (0..).zip(&mut singles.followers) {
            let part = part(byte);
            if part.is_none() {
                *followers = 0;
            }
            singles.parts.push(part.unwrap_or_default());
        }
        singles
    }

    /// The token of a byte that is a piece by itself where this one is behind it.
    pub(super) fn get(&self, byte: u8, next: u8) -> Option<&Part> {
        let followers = self.followers.get(usize::from(byte))?;
        let is_alone = followers.checked_shr(u32::from(next))? & 1 == 1;
        self.parts.get(usize::from(byte)).filter(|_| is_alone)
    }
}

/// `None` where the automaton cannot say it of two bytes.
fn followers(pattern: &str) -> Option<Vec<u128>> {
    let looks_around = !syntax::parse(pattern)
        .ok()?
        .properties()
        .look_set()
        .is_empty();
    if looks_around {
        return None;
    }
    let dfa = dfa::DFA::new(pattern).ok()?;
    let mut asked = Asked {
        cache: dfa.create_cache(),
        dfa: &dfa,
        is_over: HashMap::new(),
    };
    let start = Input::new("").anchored(Anchored::Yes);
    let start = dfa.start_state_forward(&mut asked.cache, &start).ok()?;
    let mut followers = vec![0; N];
    for (byte, followers) in (0..).zip(&mut followers) {
        let behind = asked.next(start, byte)?;
        for next in 0..N as u8 {
            let behind = asked.next(behind, next)?;
            // The automaton tells of a match one byte late.
            if behind.is_match() && asked.is_over(behind)? {
                *followers |= 1 << next;
            }
        }
    }
    // States that were forgotten have other numbers.
    (asked.cache.clear_count() == 0).then_some(followers)
}

struct Asked<'a> {
    dfa: &'a dfa::DFA,
    cache: dfa::Cache,
    is_over: HashMap<LazyStateID, bool>,
}

impl Asked<'_> {
    fn next(&mut self, state: LazyStateID, byte: u8) -> Option<LazyStateID> {
        self.dfa.next_state(&mut self.cache, state, byte).ok()
    }

    /// Whether no longer match can come, whatever follows.
    fn is_over(&mut self, state: LazyStateID) -> Option<bool> {
        if let Some(known) = self.is_over.get(&state) {
            return Some(*known);
        }
        let mut is_over = true;
        for byte in 0..=u8::MAX {
            is_over &= self.next(state, byte)?.is_dead();
        }
        self.is_over.insert(state, is_over);
        Some(is_over)
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn what_two_bytes_tell_holds_whatever_follows() {
        let tails = [
            "", "a", "1", " ", "\n", ".", "'s", "é", "保", "  x", "\r\n", "ab12",
        ];
        for (pattern, least) in [
            (
                r"\p{N}| ?\p{L}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+",
                2000,
            ),
            (r"\p{N}{1,3}| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+", 500),
            (r"(?i:'s|'t)|a+|.", 1000),
        ] {
            let followers = followers(pattern).unwrap();
            let regex = Regex::new(&format!("^(?:{pattern})")).unwrap();
            let mut n_alone = 0;
            for byte in 0..N as u8 {
                for next in 0..N as u8 {
                    if followers[usize::from(byte)] >> next & 1 == 0 {
                        continue;
                    }
                    n_alone += 1;
                    for tail in tails {
                        let text = format!("{}{}{tail}", char::from(byte), char::from(next));
                        assert_eq!(regex.find(&text).unwrap().end(), 1, "{text:?} by {pattern}");
                    }
                }
            }
            assert!(n_alone > least, "{n_alone} by {pattern}");
        }
        assert_eq!(followers(r"\ba"), None);
        assert_eq!(followers("a+").unwrap()[usize::from(b'a')] >> b'a' & 1, 0);
        assert_eq!(followers("a+").unwrap()[usize::from(b'a')] >> b'b' & 1, 1);
    }
}
