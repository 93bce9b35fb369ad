//! What every match of a regular expression begins or ends with: quick to look for in a record as it is
//! stored, before its texts are read.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{
    Hir,
    literal::{ExtractKind, Extractor},
};

use super::needle::Needle;

/// What one of is in every match.
#[derive(Debug)]
pub(super) struct Literals {
    texts: Vec<String>,
    case_sensitive: bool,
}

impl Literals {
    /// Texts that are the same where a record is stored as JSON. A record that the pattern matches has
    /// one of them; the other way round it need not be so. `None` where nothing is known.
    pub(super) fn of_regex(pattern: &str, case_sensitive: bool) -> Option<Self> {
        // Case is left to what looks for them: each letter as two soon are too many texts.
        let hir = regex_syntax::parse(pattern).ok()?;
        let ends = [ExtractKind::Prefix, ExtractKind::Suffix].into_iter();
        // The longer the shortest of them, the less is found in vain.
        let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min();
        let texts = ends
            .filter_map(|kind| all_ends(&hir, &kind))
            .max_by_key(shortest)?;
        Some(Self {
            texts,
            case_sensitive,
        })
    }

    /// Finds any of them.
    pub(super) fn regex(&self) -> Option<Regex> {
        let any: Vec<String> = self.texts.iter().map(|text| regex::escape(text)).collect();
        let mut regex = RegexBuilder::new(&any.join("|"));
        regex.case_insensitive(!self.case_sensitive).build().ok()
    }

    /// What all of them begin or end with, which is quicker to look for than several.
    pub(super) fn needle(&self) -> Option<Needle> {
        let (first, others) = self.texts.split_first()?;
        if others.is_empty() {
            return Needle::new(first, self.case_sensitive);
        }
        let n_bytes = |n_chars: usize| first.chars().take(n_chars).map(char::len_utf8).sum();
        let n_before = |other: &String| {
            let pairs = first.chars().zip(other.chars());
            pairs.take_while(|(a, b)| a == b).count()
        };
        let n_behind = |other: &String| {
            let pairs = first.chars().rev().zip(other.chars().rev());
            pairs.take_while(|(a, b)| a == b).count()
        };
        let before: usize = n_bytes(others.iter().map(n_before).min()?);
        let n_behind = others.iter().map(n_behind).min()?;
        let behind = first.len() - n_bytes(first.chars().count() - n_behind);
        let shared = match before >= behind {
            true => &first[..before],
            false => &first[first.len() - behind..],
        };
        // Less than this is in most texts.
        const FEWEST_BYTES: usize = 3;
        (shared.len() >= FEWEST_BYTES)
            .then(|| Needle::new(shared, self.case_sensitive))
            .flatten()
    }
}

/// Texts one of which is at that end of every match.
fn all_ends(hir: &Hir, kind: &ExtractKind) -> Option<Vec<String>> {
    let found = Extractor::new().kind(kind.clone()).extract(hir);
    let literals = found.literals()?.iter();
    literals
        .map(|literal| as_stored(literal.as_bytes(), kind))
        .collect()
}

/// As much of an end as is written in JSON as it is; `None` where that is nothing.
fn as_stored(end: &[u8], kind: &ExtractKind) -> Option<String> {
    // A character may be cut off in its midst.
    let text = String::from_utf8_lossy(end);
    let is_escaped =
        |c: char| c.is_control() || matches!(c, '"' | '\\' | char::REPLACEMENT_CHARACTER);
    let kept = match kind {
        ExtractKind::Suffix => text.rsplit(is_escaped).next(),
        _ => text.split(is_escaped).next(),
    };
    kept.filter(|kept| !kept.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn told(pattern: &str, case_sensitive: bool) -> String {
        let literals = Literals::of_regex(pattern, case_sensitive);
        let regex = literals.and_then(|literals| literals.regex());
        regex.map_or_else(String::new, |regex| regex.to_string())
    }

    #[test]
    fn what_matches_begin_or_end_with_is_known() {
        assert_eq!(told("portfolio", true), "portfolio");
        assert_eq!(told("(la|el) ratio", true), "la ratio|el ratio");
        assert_eq!(told(r"99\.\d+", true), r"99\.");
        assert_eq!(told(r"\d+ %", true), " %");
        assert_eq!(told(r"^解約\b", true), "解約");
        assert_eq!(told(r#"a"b.*"#, true), "a");
        assert_eq!(told("x.*c\nde", true), "de");
        for pattern in ["", "a*", r"\d", ".", r#""."#, "(", r"\n\\"] {
            assert_eq!(told(pattern, true), "", "{pattern}");
        }
    }

    #[test]
    fn case_counts_where_it_does() {
        let regex = |pattern: &str, case_sensitive| {
            Literals::of_regex(pattern, case_sensitive).and_then(|literals| literals.regex())
        };
        let found = |case_sensitive| regex("Órgano", case_sensitive).unwrap();
        assert!(found(false).is_match("el óRGANO"));
        assert!(!found(true).is_match("el óRGANO"));
        assert!(regex("(?i)órgano", true).is_none_or(|regex| regex.is_match("ÓRGANO")));
    }

    #[test]
    fn what_all_have_is_looked_for_at_once() {
        let finds = |pattern: &str, text: &str| {
            let literals = Literals::of_regex(pattern, false).unwrap();
            literals.needle().map(|needle| needle.find(text).is_some())
        };
        assert_eq!(finds("(la|el) ratio", "un RATIO"), Some(true));
        assert_eq!(finds("(la|el) ratio", "la razón"), Some(false));
        assert_eq!(finds("ratio (alto|bajo)", "Ratio b"), Some(true));
        assert_eq!(finds("東京(都|の)", "東京"), Some(true));
        assert_eq!(finds("alto|bajo", "alto"), None);
    }
}
