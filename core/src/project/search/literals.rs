//! What every match of a regular expression begins or ends with: quick to look for in a record as it is
//! stored, before its texts are read.

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{
    Hir,
    literal::{ExtractKind, Extractor},
};

/// An expression for one of several texts. A record with a text that the pattern matches has it, also
/// where it is stored as JSON; the other way round it need not be so. `None` where nothing is known.
pub(super) fn of_regex(pattern: &str, case_sensitive: bool) -> Option<Regex> {
    // Case is left to the expression that is made: each letter as two soon are too many texts.
    let hir = regex_syntax::parse(pattern).ok()?;
    let ends = [ExtractKind::Prefix, ExtractKind::Suffix].into_iter();
    // The longer the shortest of them, the less is found in vain.
    let shortest = |texts: &Vec<String>| texts.iter().map(String::len).min();
    let texts = ends
        .filter_map(|kind| all_ends(&hir, &kind))
        .max_by_key(shortest)?;
    let any: Vec<String> = texts.iter().map(|text| regex::escape(text)).collect();
    let mut regex = RegexBuilder::new(&any.join("|"));
    regex.case_insensitive(!case_sensitive).build().ok()
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
        of_regex(pattern, case_sensitive).map_or_else(String::new, |regex| regex.to_string())
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
        let found = |case_sensitive| of_regex("Órgano", case_sensitive).unwrap();
        assert!(found(false).is_match("el óRGANO"));
        assert!(!found(true).is_match("el óRGANO"));
        assert!(of_regex("(?i)órgano", true).is_none_or(|regex| regex.is_match("ÓRGANO")));
    }
}
