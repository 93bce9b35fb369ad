//! The tokenizers of sacrebleu that need no model: `13a`, `intl`, `char`, `zh` and `none`.
//!
//! Each returns text whose white space separates the tokens. `13a` is mteval-v13a, the default of
//! WMT; `intl` is mteval-v14's international mode; `zh` separates Chinese characters first.

use std::{borrow::Cow, fmt, str::FromStr, sync::LazyLock};

use regex::Regex;

use super::python_text::{strip, strip_end};

/// How BLEU splits text into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BleuTokenizer {
    /// Western languages; sacrebleu's default.
    #[default]
    V13a,
    /// Splits at every Unicode punctuation mark and symbol.
    Intl,
    /// One token a character.
    Char,
    /// Chinese, also usable for Japanese: one token a Chinese character, the rest as in `13a`.
    Zh,
    /// Splits at white space only.
    None,
}

/// A name that is no tokenizer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{found}` is not a BLEU tokenizer, expected one of {}",
    expected_names()
)]
pub struct UnknownTokenizer {
    pub found: String,
}

impl BleuTokenizer {
    pub const ALL: [Self; 5] = [Self::V13a, Self::Intl, Self::Char, Self::Zh, Self::None];

    /// sacrebleu's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::V13a => "13a",
            Self::Intl => "intl",
            Self::Char => "char",
            Self::Zh => "zh",
            Self::None => "none",
        }
    }

    /// The text with white space between tokens.
    pub(super) fn tokenize(self, text: &str) -> String {
        let text = strip_end(text);
        match self {
            Self::V13a => western(&format!(" {} ", without_markup(text))),
            Self::Intl => international(text),
            Self::Char => text.chars().flat_map(|c| [c, ' ']).collect(),
            Self::Zh => western(&chinese(strip(text))),
            Self::None => text.to_owned(),
        }
    }
}

impl fmt::Display for BleuTokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BleuTokenizer {
    type Err = UnknownTokenizer;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL
            .into_iter()
            .find(|tokenizer| tokenizer.name() == name);
        known.ok_or_else(|| UnknownTokenizer {
            found: name.to_owned(),
        })
    }
}

fn expected_names() -> String {
    BleuTokenizer::ALL.map(BleuTokenizer::name).join(", ")
}

/// mteval's clean-up before tokenization: line ends, end-of-line hyphens and SGML entities.
fn without_markup(text: &str) -> String {
    let text = text
        .replace("<skipped>", "")
        .replace("-\n", "")
        .replace('\n', " ");
    if !text.contains('&') {
        return text;
    }
    text.replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
}

/// Replacements in this order, each over the whole text.
fn apply(rules: &[(Regex, &str)], text: &str) -> String {
    let mut text = Cow::Borrowed(text);
    for (pattern, replacement) in rules {
        text = Cow::Owned(pattern.replace_all(&text, *replacement).into_owned());
    }
    text.into_owned()
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is constant")
}

/// What mteval-v13a does for Western languages.
fn western(text: &str) -> String {
    static RULES: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
        [
            // ASCII marks other than the apostrophe, comma, hyphen and period.
            (pattern(r"([ -&(-+/:-@\[-`{-~])"), " $1 "),
            // A period or comma stays only between digits.
            (pattern(r"([^0-9])([.,])"), "$1 $2 "),
            (pattern(r"([.,])([^0-9])"), " $1 $2"),
            // A hyphen after a digit.
            (pattern(r"([0-9])(-)"), "$1 $2 "),
        ]
    });
    apply(&*RULES, text)
}

/// What mteval-v14 does with `--international-tokenization`.
fn international(text: &str) -> String {
    static RULES: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
        [
            (pattern(r"(\P{N})(\p{P})"), "$1 $2 "),
            (pattern(r"(\p{P})(\P{N})"), " $1 $2"),
            (pattern(r"(\p{S})"), " $1 "),
        ]
    });
    apply(&*RULES, text)
}

/// Spaces around each character that sacrebleu takes for Chinese.
fn chinese(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if is_chinese(c) {
            spaced.extend([' ', c, ' ']);
        } else {
            spaced.push(c);
        }
    }
    spaced
}

/// sacrebleu's table. Its two ranges beyond U+FFFF are written with four-digit escapes, so that
/// they really are U+2001 to U+2A6D (punctuation, arrows, mathematics) and U+2F81 to U+2FA1;
/// scores agree only when that is repeated.
fn is_chinese(c: char) -> bool {
    matches!(c,
        '\u{2001}'..='\u{2a6d}'
        | '\u{2e80}'..='\u{2eff}'
        | '\u{2f00}'..='\u{2fdf}'
        | '\u{2ff0}'..='\u{2fff}'
        | '\u{3000}'..='\u{303f}'
        | '\u{3100}'..='\u{312f}'
        | '\u{31a0}'..='\u{31bf}'
        | '\u{31c0}'..='\u{31ef}'
        | '\u{3200}'..='\u{33ff}'
        | '\u{3400}'..='\u{4db5}'
        | '\u{4e00}'..='\u{9fbb}'
        | '\u{f900}'..='\u{fa2d}'
        | '\u{fa30}'..='\u{fa6a}'
        | '\u{fa70}'..='\u{fad9}'
        | '\u{fe10}'..='\u{fe1f}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::python_text::words;

    fn tokens(tokenizer: BleuTokenizer, text: &str) -> Vec<String> {
        words(&tokenizer.tokenize(text))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn numbers_keep_their_separators_and_words_lose_them() {
        let split = tokens(
            BleuTokenizer::V13a,
            "ROE: 12,5% (2023-24), &quot;alto&quot;.",
        );
        assert_eq!(
            split,
            [
                "ROE", ":", "12,5", "%", "(", "2023", "-", "24", ")", ",", "\"", "alto", "\"", "."
            ]
        );
    }

    #[test]
    fn international_leaves_a_period_after_a_final_number() {
        assert_eq!(
            tokens(BleuTokenizer::Intl, "¿En 2023? Sí"),
            ["¿", "En", "2023", "?", "Sí"]
        );
        assert_eq!(
            tokens(BleuTokenizer::Intl, "since 2023."),
            ["since", "2023."]
        );
    }

    #[test]
    fn chinese_characters_stand_alone_and_kana_do_not() {
        assert_eq!(
            tokens(BleuTokenizer::Zh, "我爱you."),
            ["我", "爱", "you", "."]
        );
        assert_eq!(tokens(BleuTokenizer::Zh, "ひらがな"), ["ひらがな"]);
    }

    #[test]
    fn names_round_trip() {
        for tokenizer in BleuTokenizer::ALL {
            assert_eq!(tokenizer.name().parse(), Ok(tokenizer));
        }
        let error = "mecab".parse::<BleuTokenizer>().unwrap_err();
        assert!(
            error.to_string().contains("13a, intl, char, zh, none"),
            "{error}"
        );
    }
}
