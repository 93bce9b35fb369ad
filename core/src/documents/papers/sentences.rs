//! Where a text may be cut: after sentences, in any of the languages that people write in here.

/// Cut a text behind its sentences; joined, the pieces give the text.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = match c {
            '。' | '！' | '？' | '\n' => true,
            '.' | '!' | '?' | '…' => chars.peek().is_none_or(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if !ends {
            continue;
        }
        // Closing quotes and brackets, and the white space behind, belong to the sentence before; what
        // indents the next line belongs to that.
        let mut end = at + c.len_utf8();
        while let Some(&(next_at, next)) = chars.peek() {
            let belongs = next.is_whitespace()
                || matches!(next, '」' | '』' | '）' | ')' | '»' | '”' | '"' | '\'');
            if !belongs {
                break;
            }
            end = next_at + next.len_utf8();
            chars.next();
        }
        if let Some((lines, indent)) = text[at..end].rsplit_once('\n')
            && indent.chars().all(char::is_whitespace)
        {
            end = at + lines.len() + 1;
        }
        pieces.push(&text[start..end]);
        start = end;
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// Cut what is still too long: behind words where there are any, else between characters.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut last: Option<char> = None;
    for (at, c) in text.char_indices() {
        let cuts = last.is_some_and(|last| {
            (last.is_whitespace() && !c.is_whitespace()) || is_ideographic(last)
        });
        if cuts {
            pieces.push(&text[start..at]);
            start = at;
        }
        last = Some(c);
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

fn is_ideographic(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(sentences(text), expected);
        assert_eq!(sentences(text).concat(), text);
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        check("Uno. Dos?  ¿Tres!", &["Uno. ", "Dos?  ", "¿Tres!"]);
        check("El ROE fue 8.3 % en 2022.", &["El ROE fue 8.3 % en 2022."]);
        check(
            "「はい。」と言った。次。",
            &["「はい。」", "と言った。", "次。"],
        );
        check("a\nb", &["a\n", "b"]);
        check("a\n\n    b. \n  c", &["a\n\n", "    b. \n", "  c"]);
        check("", &[]);
    }

    #[test]
    fn words_are_cut_only_where_needed() {
        assert_eq!(words("uno dos  tres"), ["uno ", "dos  ", "tres"]);
        assert_eq!(words("日本語ab c"), ["日", "本", "語", "ab ", "c"]);
        assert_eq!(words(&"x".repeat(9)).len(), 1);
    }
}
