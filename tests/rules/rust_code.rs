//! Rust source without its comments and literals, so that a word in a text is not taken for code.

/// The source with comments, strings and character literals blanked; lines and columns stay.
pub fn without_texts(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = text_end(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
            continue;
        }
        for &c in &chars[at..end] {
            code.push(if c == '\n' { '\n' } else { ' ' });
        }
        at = end;
    }
    code
}

/// The source up to its unit tests, which by convention come last.
pub fn without_tests(source: &str) -> &str {
    source
        .find("#[cfg(test)]\nmod ")
        .map_or(source, |at| &source[..at])
}

/// Numbers lines from 1.
pub fn numbered(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// End of the comment or literal that starts at `at`; `at` itself when none does.
fn text_end(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or(' ');
    match (chars[at], next(1)) {
        ('/', '/') => find(chars, at, |rest| rest[0] == '\n'),
        ('/', '*') => block_comment_end(chars, at),
        ('"', _) => string_end(chars, at + 1),
        ('r', '"' | '#') if !continues_a_word(chars, at) => raw_string_end(chars, at),
        ('\'', '\\') => find(chars, at + 3, |rest| rest[0] == '\'') + 1,
        ('\'', _) if next(2) == '\'' => at + 3,
        _ => at,
    }
    .min(chars.len())
}

fn find(chars: &[char], from: usize, stop: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len())
        .find(|&at| stop(&chars[at..]))
        .unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// `r"…"` or `r#"…"#`; `r#name` is code.
fn raw_string_end(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|&&c| c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return start;
    }
    let closes = |rest: &[char]| {
        rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|&c| c == '#')
    };
    find(chars, open + 1, closes) + 1 + hashes
}

fn continues_a_word(chars: &[char], at: usize) -> bool {
    // `br"…"` is a literal too; its `b` stays in the code, which does no harm.
    at > 0 && (chars[at - 1].is_alphanumeric() && chars[at - 1] != 'b' || chars[at - 1] == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, kept: &str) {
        let code = without_texts(source);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), kept);
        assert_eq!(code.lines().count(), source.lines().count());
    }

    #[test]
    fn comments_go() {
        check("a // b\nc /* d /* e */ f\n */ g", "a c g");
    }

    #[test]
    fn literals_go() {
        check(r#"a("b \" c", 'd', '\'', '\n')"#, "a( , , , )");
        check("a(r\"b\\\", r#\"c\"d\"#)", "a( , )");
    }

    #[test]
    fn code_that_looks_like_a_literal_stays() {
        check(
            "fn a<'b>(r#type: &'b str) {}",
            "fn a<'b>(r#type: &'b str) {}",
        );
    }

    #[test]
    fn unfinished_text_ends_with_the_file() {
        check("a \"b", "a");
        check("a /* b", "a");
        check("a '\\", "a");
    }

    #[test]
    fn tests_are_cut_off() {
        assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {}"), "a\n");
    }
}
