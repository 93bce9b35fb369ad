//! Where a search is found in a text that is shown.
//!
//! The worker decides which records match; this marks the places. Both see words the same way: without
//! case and accents, and any run of characters in scripts that are written without spaces.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use veneer_core::protocol::studio::{Search, SearchMode};

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub text: String,
    pub is_match: bool,
}

/// Finds the places of one search.
#[derive(Debug, Clone)]
pub enum Highlighter {
    Words {
        words: Vec<Vec<char>>,
        case_sensitive: bool,
    },
    Pattern(Regex),
}

/// Whether a text that was typed looks for anything; white space alone is no word.
pub fn seeks(text: &str, mode: SearchMode) -> bool {
    match mode {
        SearchMode::Words => !text.trim().is_empty(),
        SearchMode::Text | SearchMode::Regex => !text.is_empty(),
    }
}

impl Highlighter {
    /// `None` for a search that marks nothing; the text of the error where a pattern is wrong.
    pub fn new(search: &Search) -> Result<Option<Self>, String> {
        if !seeks(&search.text, search.mode) {
            return Ok(None);
        }
        let pattern = match search.mode {
            SearchMode::Words => {
                let case_sensitive = search.case_sensitive;
                let words = words(&search.text, case_sensitive);
                let highlighter = Self::Words {
                    words,
                    case_sensitive,
                };
                return Ok(highlighter.has_words().then_some(highlighter));
            }
            SearchMode::Text => regex::escape(&search.text),
            SearchMode::Regex => search.text.clone(),
        };
        RegexBuilder::new(&pattern)
            .case_insensitive(!search.case_sensitive)
            .size_limit(1 << 20)
            .build()
            .map(|pattern| Some(Self::Pattern(pattern)))
            .map_err(|error| last_line(&error.to_string()))
    }

    fn has_words(&self) -> bool {
        !matches!(self, Self::Words { words, .. } if words.is_empty())
    }

    /// Places of the matches, in order, none over another.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::Pattern(pattern) => {
                let found = pattern.find_iter(text).map(|found| found.range());
                found.filter(|range| !range.is_empty()).collect()
            }
            Self::Words {
                words,
                case_sensitive,
            } => {
                let chars = text.char_indices();
                let chars: Vec<(usize, char)> = chars
                    .map(|(at, c)| (at, fold(c, *case_sensitive)))
                    .collect();
                find_words(words, &chars, text.len())
            }
        }
    }

    /// The text in parts; joined they give it again.
    pub fn parts(&self, text: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut done = 0;
        let mut push = |range: Range<usize>, is_match| {
            if !range.is_empty() {
                parts.push(Part {
                    text: text[range].to_owned(),
                    is_match,
                });
            }
        };
        for found in self.find(text) {
            push(done..found.start, false);
            done = found.end;
            push(found, true);
        }
        push(done..text.len(), false);
        parts
    }

    /// The same for a line that shows about `n_chars`: where the first match lies behind them, the
    /// text begins shortly before it.
    pub fn parts_in_line(&self, text: &str, n_chars: usize) -> Vec<Part> {
        let first = self.find(text).first().map_or(0, |found| found.start);
        let n_before = text[..first].chars().count();
        if n_before < n_chars {
            return self.parts(text);
        }
        let from = text[..first]
            .char_indices()
            .rev()
            .take(n_chars / 4)
            .last()
            .map_or(first, |(at, _)| at);
        let mut parts = self.parts(&text[from..]);
        if let Some(part) = parts.first_mut() {
            match part.is_match {
                true => parts.insert(0, plain("… ".to_owned())),
                false => part.text.insert_str(0, "… "),
            }
        }
        parts
    }
}

fn plain(text: String) -> Part {
    Part {
        text,
        is_match: false,
    }
}

/// Syntax errors come with a drawing of the pattern; what is wrong stands in the last line.
fn last_line(error: &str) -> String {
    let line = error.lines().last().unwrap_or(error).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Words and `"phrases"` of a search.
fn words(text: &str, case_sensitive: bool) -> Vec<Vec<char>> {
    let folded =
        |text: &str| -> Vec<char> { text.chars().map(|c| fold(c, case_sensitive)).collect() };
    let mut words = Vec::new();
    for (n, piece) in text.split('"').enumerate() {
        let is_phrase = n % 2 == 1;
        match is_phrase {
            true => words.push(folded(piece.trim())),
            false => words.extend(piece.split(|c: char| !c.is_alphanumeric()).map(folded)),
        }
    }
    words.retain(|word: &Vec<char>| word.iter().any(|c| c.is_alphanumeric()));
    words
}

/// The accents of Latin letters do not tell, and case only if it is asked for.
fn fold(c: char, case_sensitive: bool) -> char {
    let lower = c.to_lowercase().next().unwrap_or(c);
    let plain = without_accent(lower);
    match case_sensitive && lower != c {
        true => plain.to_uppercase().next().unwrap_or(plain),
        false => plain,
    }
}

fn without_accent(lower: char) -> char {
    match lower {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

/// Places of words among the folded characters of a text that is `len` bytes long.
fn find_words(words: &[Vec<char>], chars: &[(usize, char)], len: usize) -> Vec<Range<usize>> {
    let end_of = |n: usize| chars.get(n).map_or(len, |(at, _)| *at);
    let mut found = Vec::new();
    let mut n = 0;
    while n < chars.len() {
        let longest = words
            .iter()
            .filter(|word| matches_at(word, chars, n))
            .map(Vec::len)
            .max();
        match longest {
            Some(len) => {
                found.push(chars[n].0..end_of(n + len));
                n += len;
            }
            None => n += 1,
        }
    }
    found
}

/// Whether a word stands there by itself. Characters of scripts without spaces are their own words.
fn matches_at(word: &[char], chars: &[(usize, char)], at: usize) -> bool {
    let Some(found) = chars.get(at..at + word.len()) else {
        return false;
    };
    let same = found.iter().zip(word).all(|((_, a), b)| a == b);
    let joins = |a: Option<&(usize, char)>, b: Option<&char>| {
        a.zip(b)
            .is_some_and(|((_, a), b)| is_letter(*a) && is_letter(*b))
    };
    let before = at.checked_sub(1).and_then(|before| chars.get(before));
    same && !joins(before, word.first()) && !joins(chars.get(at + word.len()), word.last())
}

/// Letters and digits of scripts that have spaces between words.
fn is_letter(c: char) -> bool {
    let is_alone = matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}'
        | '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}');
    c.is_alphanumeric() && !is_alone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(text: &str, mode: SearchMode) -> Search {
        Search {
            text: text.to_owned(),
            mode,
            case_sensitive: false,
            role: None,
        }
    }

    fn marked(parts: &[Part]) -> String {
        let parts = parts.iter().map(|part| match part.is_match {
            true => format!("[{}]", part.text),
            false => part.text.clone(),
        });
        parts.collect()
    }

    #[track_caller]
    fn check(search: &Search, text: &str, want: &str) {
        let highlighter = Highlighter::new(search).unwrap().unwrap();
        let parts = highlighter.parts(text);
        let joined: String = parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(joined, text);
        assert_eq!(marked(&parts), want);
    }

    #[test]
    fn words_are_found_whole_without_case_and_accents() {
        let words = search("credito yield", SearchMode::Words);
        check(
            &words,
            "El crédito CRÉDITO acreditó",
            "El [crédito] [CRÉDITO] acreditó",
        );
        check(&words, "Yields and yield.", "Yields and [yield].");
    }

    #[test]
    fn case_tells_where_it_is_asked_for() {
        let mut words = search("ETI Álava", SearchMode::Words);
        words.case_sensitive = true;
        check(&words, "eti ETI Alava alava", "eti [ETI] [Alava] alava");
    }

    #[test]
    fn phrases_stand_together() {
        let phrase = search("\"net income\" rate", SearchMode::Words);
        check(&phrase, "net income, net rate", "[net income], net [rate]");
    }

    #[test]
    fn japanese_is_found_in_the_middle_of_a_text() {
        check(
            &search("国勢調査", SearchMode::Words),
            "令和2年国勢調査の結果",
            "令和2年[国勢調査]の結果",
        );
    }

    #[test]
    fn texts_are_taken_as_they_stand() {
        check(
            &search("a.b", SearchMode::Text),
            "a.b axb A.B",
            "[a.b] axb [A.B]",
        );
        let mut exact = search("A.B", SearchMode::Text);
        exact.case_sensitive = true;
        check(&exact, "a.b A.B", "a.b [A.B]");
    }

    #[test]
    fn white_space_is_found_but_as_a_word() {
        check(&search("  ", SearchMode::Text), "a  b", "a[  ]b");
        check(&search("\n", SearchMode::Regex), "a\nb", "a[\n]b");
    }

    #[test]
    fn only_the_text_has_a_start_and_an_end_as_the_search_has_it() {
        check(
            &search(r"^\w|\w$", SearchMode::Regex),
            "ab\ncd",
            "[a]b\nc[d]",
        );
    }

    #[test]
    fn patterns_and_their_faults() {
        check(
            &search(r"\d+(,\d+)?", SearchMode::Regex),
            "3,5 y 7",
            "[3,5] y [7]",
        );
        let error = Highlighter::new(&search("(", SearchMode::Regex)).unwrap_err();
        assert_eq!(error, "unclosed group");
        assert!(Highlighter::new(&search("(a{1000}){1000}", SearchMode::Regex)).is_err());
    }

    #[test]
    fn nothing_is_marked_for_nothing() {
        assert!(
            Highlighter::new(&search("  ", SearchMode::Words))
                .unwrap()
                .is_none()
        );
        assert!(
            Highlighter::new(&search("\"\" -", SearchMode::Words))
                .unwrap()
                .is_none()
        );
        check(&search("x*", SearchMode::Regex), "ab", "ab");
    }

    #[test]
    fn a_late_match_is_brought_forward() {
        let highlighter = Highlighter::new(&search("needle", SearchMode::Words))
            .unwrap()
            .unwrap();
        let text = format!("{}needle in ñ", "hay ".repeat(50));
        let parts = highlighter.parts_in_line(&text, 40);
        assert_eq!(marked(&parts), "… y hay hay [needle] in ñ");
        assert_eq!(
            marked(&highlighter.parts_in_line("a needle", 40)),
            "a [needle]"
        );
        assert_eq!(marked(&highlighter.parts_in_line("none", 40)), "none");
        assert_eq!(marked(&highlighter.parts_in_line("", 40)), "");
    }
}
