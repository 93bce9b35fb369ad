//! Which texts may hold a word, quick to tell: what [`words::cut`] does to a text, turned round into a
//! regular expression for the text as it stands.
//!
//! Invariant: where [`words::cut`] hands out a word of a text, its expression matches the text. The
//! other way round it need not be so.

use std::{collections::HashMap, sync::OnceLock};

use regex::Regex;

use crate::project::words::{self, Sound};

/// For one word, with its case folded.
pub(super) fn of_word(word: &str) -> Option<Regex> {
    let mut pattern = spelling(word);
    pattern.push('|');
    push_class(&mut pattern, &spellings().several);
    Regex::new(&pattern).ok()
}

/// For the same word, but only as far as it is spelled character by character.
pub(super) fn spelled(word: &str) -> Option<Regex> {
    Regex::new(&spelling(word)).ok()
}

fn spelling(word: &str) -> String {
    let others = &spellings().others;
    let mut pattern = String::new();
    for char in word.chars() {
        let others = others.get(&char).map_or("", String::as_str);
        push_class(&mut pattern, &format!("{char}{others}"));
    }
    pattern
}

fn push_class(pattern: &mut String, chars: &str) {
    pattern.push('[');
    for char in chars.chars() {
        pattern.push_str(&regex::escape(char.encode_utf8(&mut [0; 4])));
    }
    pattern.push(']');
}

struct Spellings {
    /// What becomes one character, by that character, without itself.
    others: HashMap<char, String>,
    /// What becomes several characters, nothing, or a part of its neighbour. Texts with any of these
    /// are to be read.
    several: String,
}

/// Where characters stand that folding changes or that are passed over.
const ODD: [std::ops::RangeInclusive<char>; 7] = [
    'A'..='Z',
    '\u{80}'..='\u{33ff}',
    '\u{a000}'..='\u{abff}',
    '\u{d7b0}'..='\u{d7ff}',
    '\u{f900}'..='\u{1f2ff}',
    '\u{1fbf0}'..='\u{1fbf9}',
    '\u{2f800}'..='\u{2fa1f}',
];

/// Selectors of a variant, tags.
const ODD_FAR: std::ops::RangeInclusive<char> = '\u{e0000}'..='\u{e01ff}';

fn spellings() -> &'static Spellings {
    static SPELLINGS: OnceLock<Spellings> = OnceLock::new();
    SPELLINGS.get_or_init(|| {
        let mut spellings = Spellings {
            others: HashMap::new(),
            several: String::new(),
        };
        for char in ODD.into_iter().flatten().chain(ODD_FAR) {
            match words::sound(char) {
                Sound::Itself | Sound::Border => {}
                Sound::As(other) => spellings.others.entry(other).or_default().push(char),
                Sound::Several => spellings.several.push(char),
            }
        }
        spellings
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{project::words::Case, rng::Rng};

    fn words_of(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        words::cut(text, Case::Folded, &mut |word| words.push(word.to_owned()));
        words
    }

    #[track_caller]
    fn is_seen(text: &str) {
        let json = serde_json::Value::from(text).to_string();
        for word in words_of(text) {
            let regex = of_word(&word).unwrap();
            assert!(regex.is_match(&json), "`{word}` of {text:?} in {json}");
        }
    }

    #[test]
    fn every_character_that_folding_changes_is_known() {
        let spellings = spellings();
        for char in '\0'..=char::MAX {
            match words::sound(char) {
                Sound::As(other) => assert!(spellings.others[&other].contains(char), "{char:?}"),
                Sound::Several => assert!(spellings.several.contains(char), "{char:?}"),
                Sound::Itself | Sound::Border => {}
            }
        }
    }

    #[test]
    fn words_are_seen_however_they_are_written() {
        let pool: Vec<char> = "aeñNéÉß한ᄒ\u{1161}\u{11ab}ㅎガカ\u{3099}ｶﾞｱ東京㈱㍿ﬁ½…~～ \u{301}\u{fe0f}\u{200d}🙂€℃①²İıςΣάй\u{306}и\"\\\n\u{1}ำกิเ葛\u{e0100}שׁ\u{fb2a}\u{ad}Ａ１-"
            .chars()
            .collect();
        let mut rng = Rng::new(3, 0);
        for _ in 0..3_000 {
            let n = 1 + rng.below(7);
            let text: String = (0..n).map(|_| *rng.pick(&pool)).collect();
            is_seen(&text);
        }
    }

    #[test]
    fn most_texts_are_told_apart() {
        let sees = |word: &str, text: &str| of_word(&words_of(word)[0]).unwrap().is_match(text);
        assert!(sees("credito", "el CRÉDITO"));
        assert!(sees("crédito", "el credito"));
        assert!(!sees("credito", "la crónica… de años y días"));
        assert!(sees("東京", "「東京都」"));
        assert!(!sees("東京", "京東とか、カンマ。"));
    }
}
