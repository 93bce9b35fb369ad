//! How text is cut into words, for the search index and for what users look for.
//!
//! Texts are folded (compatibility forms, case, the accents of Latin and Greek letters) and cut at
//! what is neither letter nor digit. Scripts that put no spaces between words are cut into pairs of
//! neighbouring characters and the last character alone, so that any run of characters is a phrase:
//! 東京都 becomes 東京 京都 都. Symbols such as € and 🙂 are words of their own.
//!
//! Invariant: index, queries and the search through what is not indexed yet all come from
//! [`cut`]; what is found therefore does not depend on how far the index is.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a word that count; longer ones are no words, and only make the index large.
const MAX_WORD_CHARS: usize = 48;

/// Whether capitals are other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Kept,
    Folded,
}

/// The words of a text in their order, handed out one by one.
pub(super) fn cut(text: &str, case: Case, emit: &mut dyn FnMut(&str)) {
    let mut cutter = Cutter {
        emit,
        word: String::new(),
        n_chars: 0,
        joined: None,
    };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        // Most text needs no folding beyond case; the general way costs many times as much.
        let n_plain = plain_prefix(rest);
        if n_plain > 0 {
            for char in rest[..n_plain].chars() {
                cutter.push(match case {
                    Case::Kept => char,
                    Case::Folded => char.to_ascii_lowercase(),
                });
            }
            rest = &rest[n_plain..];
        } else {
            let n_odd = odd_prefix(rest).max(first.len_utf8());
            fold(&rest[..n_odd], case, &mut |char| cutter.push(char));
            rest = &rest[n_odd..];
        }
    }
    cutter.end_word();
    cutter.end_joined();
}

/// How far a text consists of characters that folding leaves alone, but for the case of ASCII.
fn plain_prefix(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let next_combines = chars
            .peek()
            .is_some_and(|(_, next)| is_combining_mark(*next));
        if !is_plain(char) || next_combines {
            return at;
        }
    }
    text.len()
}

fn odd_prefix(text: &str) -> usize {
    let plain = text
        .char_indices()
        .skip(1)
        .find(|(_, char)| is_plain(*char));
    plain.map_or(text.len(), |(at, _)| at)
}

fn is_plain(char: char) -> bool {
    matches!(char, '\0'..='\x7f' | '、'..='。' | 'ぁ'..='ゖ' | 'ァ'..='ヾ' | '一'..='鿿')
}

/// Compatibility forms, case, and accents of Latin and Greek.
fn fold(text: &str, case: Case, push: &mut dyn FnMut(char)) {
    let mut base = ' ';
    let bare = text.nfkd().filter(|&char| {
        if is_combining_mark(char) {
            return !(matches!(char, '\u{300}'..='\u{36f}')
                && (base.is_ascii() || matches!(base, 'Ͱ'..='Ͽ')));
        }
        base = char;
        true
    });
    match case {
        Case::Kept => bare.nfc().for_each(push),
        Case::Folded => bare
            .flat_map(char::to_lowercase)
            .map(|char| if char == 'ς' { 'σ' } else { char })
            .nfc()
            .for_each(push),
    }
}

/// What a character alone gives to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    Itself,
    /// No word reaches over it.
    Border,
    As(char),
    /// Several characters, none, or what joins its neighbour.
    Several,
}

/// As [`cut`] folds it.
pub(super) fn sound(char: char) -> Sound {
    let mut folded = Vec::new();
    fold(char.encode_utf8(&mut [0; 4]), Case::Folded, &mut |char| {
        folded.push(char);
    });
    let joins = |char: char| {
        matches!(kind(char), Kind::Mark | Kind::Nothing)
            || is_combining_mark(char)
            || matches!(char, 'ᄀ'..='ᇿ' | '\u{d7b0}'..='\u{d7ff}')
    };
    match folded[..] {
        [only] if joins(only) => Sound::Several,
        [only] if only == char => Sound::Itself,
        [only] => Sound::As(only),
        [first, ..]
            if kind(first) == Kind::Border
                && folded
                    .iter()
                    .all(|char| matches!(kind(*char), Kind::Border | Kind::Mark)) =>
        {
            Sound::Border
        }
        _ => Sound::Several,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    /// Of a script without spaces.
    Joined,
    Symbol,
    Mark,
    /// Passed over as if it were not there.
    Nothing,
    Border,
}

fn kind(char: char) -> Kind {
    match char {
        '\0'..='\x7f' if char.is_ascii_alphanumeric() => Kind::Letter,
        '\0'..='\x7f' => Kind::Border,
        // Selectors of a look, joiners, the soft hyphen.
        '\u{fe00}'..='\u{fe0f}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{ad}' | '\u{feff}' => {
            Kind::Nothing
        }
        '々'..='〇'
        | 'ぁ'..='ヺ'
        | 'ー'..='ヿ'
        | 'ㄅ'..='ㆿ'
        | 'ㇰ'..='ㇿ'
        | '㐀'..='䶿'
        | '一'..='鿿'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
        | 'ᄀ'..='ᇿ'
        | '가'..='힣'
        | 'ก'..='ฺ'
        | 'เ'..='๎'
        | '๐'..='๙'
        | 'ກ'..='\u{eff}'
        | 'က'..='႟'
        | 'ក'..='៓' => Kind::Joined,
        _ if is_combining_mark(char) => Kind::Mark,
        _ if char.is_alphanumeric() => Kind::Letter,
        '¢'..='¥'
        | '©'
        | '®'
        | '°'
        | '±'
        | '×'
        | '÷'
        | '\u{20a0}'..='\u{2bff}'
        | '\u{1f000}'..='\u{1faff}' => Kind::Symbol,
        _ => Kind::Border,
    }
}

struct Cutter<'a> {
    emit: &'a mut dyn FnMut(&str),
    word: String,
    n_chars: usize,
    /// The last character of a run without spaces.
    joined: Option<char>,
}

impl Cutter<'_> {
    fn push(&mut self, char: char) {
        let kind = kind(char);
        match kind {
            Kind::Nothing => return,
            // An accent on nothing, or on a symbol.
            Kind::Mark if self.word.is_empty() => return,
            _ => {}
        }
        if kind != Kind::Joined {
            self.end_joined();
        }
        match kind {
            Kind::Letter | Kind::Mark if self.n_chars == MAX_WORD_CHARS => {}
            Kind::Letter | Kind::Mark => {
                self.word.push(char);
                self.n_chars += 1;
            }
            Kind::Joined => {
                self.end_word();
                if let Some(before) = self.joined.replace(char) {
                    self.emit_chars(&[before, char]);
                }
            }
            Kind::Symbol => {
                self.end_word();
                self.emit_chars(&[char]);
            }
            Kind::Border | Kind::Nothing => self.end_word(),
        }
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            (self.emit)(&self.word);
            self.word.clear();
            self.n_chars = 0;
        }
    }

    fn end_joined(&mut self) {
        if let Some(last) = self.joined.take() {
            self.emit_chars(&[last]);
        }
    }

    fn emit_chars(&mut self, chars: &[char]) {
        let mut bytes = [0; 8];
        let mut n_bytes = 0;
        for char in chars {
            n_bytes += char.encode_utf8(&mut bytes[n_bytes..]).len();
        }
        if let Ok(word) = std::str::from_utf8(&bytes[..n_bytes]) {
            (self.emit)(word);
        }
    }
}

/// Words that must follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) words: Vec<String>,
    /// Whether the last word may go on.
    pub(super) open: bool,
}

/// What a user typed: phrases that must all be there. Each stretch without spaces is one, and so is
/// what stands in quotes; a star at the end of a word lets it go on. Nothing is an error.
pub(super) fn phrases(typed: &str, case: Case) -> Vec<Phrase> {
    let mut phrases = Vec::new();
    // Every other stretch is quoted; a quote that is never closed reaches to the end.
    for (number, stretch) in typed.split(['"', '“', '”', '„']).enumerate() {
        if number % 2 == 1 {
            phrases.extend(phrase(stretch, case));
        } else {
            let words = stretch.split_whitespace();
            phrases.extend(words.filter_map(|word| phrase(word, case)));
        }
    }
    phrases
}

fn phrase(stretch: &str, case: Case) -> Option<Phrase> {
    let mut words = Vec::new();
    cut(stretch, case, &mut |word| words.push(word.to_owned()));
    let mut open = stretch.ends_with('*');
    let last = words.last()?;
    // In a text the run may go on behind its last character, which then stands in a pair.
    if is_joined(last) {
        let pair = words.len() >= 2 && ends_pair(&words[words.len() - 2], last);
        if pair {
            words.pop();
        }
        open = !pair;
    }
    Some(Phrase { words, open })
}

fn is_joined(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|char| kind(char) == Kind::Joined) && chars.next().is_none()
}

fn ends_pair(pair: &str, last: &str) -> bool {
    pair.len() > last.len()
        && pair.ends_with(last)
        && pair.chars().all(|char| kind(char) == Kind::Joined)
}

/// The same for the index, with everything quoted. `column` restricts it to one role.
pub(super) fn index_query(phrases: &[Phrase], column: Option<&str>) -> String {
    let quoted = phrases.iter().map(|phrase| {
        // No quotes can be in a word: they are borders.
        let star = if phrase.open { " *" } else { "" };
        format!("\"{}\"{star}", phrase.words.join(" "))
    });
    let all = quoted.collect::<Vec<_>>().join(" AND ");
    match column {
        Some(column) => format!("{{{column}}} : ({all})"),
        None => all,
    }
}

/// Whether all phrases are in the texts; what the index says about texts that it does not have yet.
pub(super) fn hold<'a>(
    texts: impl Iterator<Item = &'a str>,
    phrases: &[Phrase],
    case: Case,
) -> bool {
    let mut found = vec![false; phrases.len()];
    let mut words = Words::default();
    for text in texts {
        words.clear();
        cut(text, case, &mut |word| words.push(word));
        for (phrase, found) in phrases.iter().zip(&mut found) {
            *found = *found || words.contain(phrase);
        }
        if found.iter().all(|found| *found) {
            return true;
        }
    }
    found.iter().all(|found| *found)
}

/// Words of a text in one allocation.
#[derive(Default)]
struct Words {
    text: String,
    ends: Vec<usize>,
}

impl Words {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn push(&mut self, word: &str) {
        self.text.push_str(word);
        self.ends.push(self.text.len());
    }

    fn get(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    fn contain(&self, phrase: &Phrase) -> bool {
        let n = phrase.words.len();
        (0..(self.ends.len() + 1).saturating_sub(n)).any(|start| {
            phrase.words.iter().enumerate().all(|(at, word)| {
                let here = self.get(start + at);
                here == word || (phrase.open && at + 1 == n && here.starts_with(word.as_str()))
            })
        })
    }
}

/// Beginning of a text as lists are sorted by it.
pub(super) fn sort_key(start: &str) -> String {
    const N_CHARS: usize = 48;
    let folded = start.trim_start().chars().flat_map(char::to_lowercase);
    folded.take(N_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        cut(text, Case::Folded, &mut |word| words.push(word.to_owned()));
        words
    }

    fn holds(typed: &str, texts: &[&str]) -> bool {
        let phrases = phrases(typed, Case::Folded);
        hold(texts.iter().copied(), &phrases, Case::Folded)
    }

    #[track_caller]
    fn finds(typed: &str, text: &str) {
        assert!(holds(typed, &[text]), "`{typed}` is in `{text}`");
    }

    #[track_caller]
    fn misses(typed: &str, text: &str) {
        assert!(!holds(typed, &[text]), "`{typed}` is not in `{text}`");
    }

    #[test]
    fn texts_are_folded_and_cut() {
        assert_eq!(
            words("Hello, WORLD-wide 3rd"),
            ["hello", "world", "wide", "3rd"]
        );
        assert_eq!(
            words("¿Cómo están los NIÑOS?"),
            ["como", "estan", "los", "ninos"]
        );
        assert_eq!(words("ｶﾞﾗｽ"), ["ガラ", "ラス", "ス"]);
        assert_eq!(words("東京都は、大"), ["東京", "京都", "都は", "は", "大"]);
        assert_eq!(words("第１２回"), ["第", "12", "回"]);
        assert_eq!(words("50 € 🙂️!"), ["50", "€", "🙂"]);
        assert_eq!(words("ΣΊΣΥΦΟΣ σίσυφος"), ["σισυφοσ", "σισυφοσ"]);
        assert_eq!(words("й"), ["й"]);
        assert_eq!(words("* \" () -"), Vec::<String>::new());
    }

    #[test]
    fn the_fast_way_folds_as_the_general_one() {
        for text in [
            "か\u{3099}き",
            "e\u{301}a",
            "東\u{fe00}京",
            "Ａｂｃ漢字カナ",
            "İstanbul ﬁn",
            "\u{301}x",
            "の〜ヽヾゞ・ー",
        ] {
            let mut general = Vec::new();
            let mut emit = |word: &str| general.push(word.to_owned());
            let mut cutter = Cutter {
                emit: &mut emit,
                word: String::new(),
                n_chars: 0,
                joined: None,
            };
            fold(text, Case::Folded, &mut |char| cutter.push(char));
            cutter.end_word();
            cutter.end_joined();
            assert_eq!(words(text), general, "{text}");
        }
    }

    #[test]
    fn any_run_of_characters_is_found() {
        let text = "私は東京都庁で働いている。電話は03-1234です";
        for typed in [
            "東",
            "東京",
            "京都",
            "都庁で",
            "働いている",
            "る",
            "私は",
            "話は03",
            "3-1234で",
        ] {
            let runs = text.contains(typed);
            assert_eq!(
                holds(typed, &[text]),
                runs && typed != "3-1234で",
                "{typed}"
            );
        }
        misses("京東", text);
        misses("るで", text);
        finds("한국", "대한국민");
        finds("สวัส", "พูดสวัสดี");
    }

    #[test]
    fn all_words_anywhere_and_phrases_in_order() {
        finds("bank interest", "Interest rates of a bank");
        misses("\"bank interest\"", "Interest rates of a bank");
        finds("\"rates of a\"", "Interest rates, of a bank");
        finds("tasa \"niños\"", "la TASA de ninos");
        misses("ban", "bank");
        finds("ban*", "bank");
        misses("bank*", "ban");
        misses("rate bank", "the bank");
    }

    #[test]
    fn capitals_can_be_other_words() {
        let found = |typed, text| hold([text].into_iter(), &phrases(typed, Case::Kept), Case::Kept);
        assert!(found("Él", "dijo Él"));
        assert!(!found("Él", "dijo él"));
        assert!(!found("bank", "Bank"));
    }

    #[test]
    fn phrases_do_not_reach_over_messages() {
        let texts = ["the end", "of days"];
        assert!(!holds("\"end of\"", &texts));
        assert!(holds("end of", &texts));
    }

    #[test]
    fn odd_input_is_only_words() {
        assert!(phrases("\"", Case::Folded).is_empty());
        assert!(phrases("* ( ) \"\" -", Case::Folded).is_empty());
        let query = index_query(
            &phrases("a AND b* NEAR(x) col:\"y z\" 🙂", Case::Folded),
            None,
        );
        let expected = r#""a" AND "and" AND "b" * AND "near x" AND "col" AND "y z" AND "🙂""#;
        assert_eq!(query, expected);
        assert_eq!(
            index_query(&phrases("x", Case::Folded), Some("user")),
            r#"{user} : ("x")"#
        );
    }

    #[test]
    fn sorting_ignores_case() {
        assert_eq!(sort_key("  Ébène"), "ébène");
        assert_eq!(sort_key(&"あ".repeat(100)).chars().count(), 48);
    }
}
