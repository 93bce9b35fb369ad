//! Python's idea of white space and of words, which the reference libraries inherit.
//!
//! `str.split` and `str.strip` also treat U+001C to U+001F as white space, which Unicode's
//! White_Space property, and so Rust, does not. Python's `\w` has letters and numbers but no
//! combining marks, unlike the `\w` of the `regex` crate.

/// `str.isspace` for one character.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `text.split()`.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// `text.strip()`.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `text.rstrip()`.
pub(super) fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// `string.punctuation`: the 32 ASCII marks.
pub(super) fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_that_only_python_knows_split_words() {
        let text = "\u{3000}a\u{1c}b\u{85}c\u{a0}";
        assert_eq!(words(text).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(strip("\u{1f} a b \u{3000}"), "a b");
        assert_eq!(strip_end(" a \u{1d}"), " a");
    }
}
