//! Answers of each model beside the reference, with what the reference does not say marked.

use super::{html::escape, page::AnswerRow};

/// As many as a reader will read.
const MAX_ANSWERS: usize = 20;
/// Longer answers are shown unmarked: the comparison grows with the product of the lengths.
const MAX_MARKED_TOKENS: usize = 2_000;

/// The section, empty without answers.
pub(super) fn section(answers: &[AnswerRow]) -> String {
    if answers.is_empty() {
        return String::new();
    }
    let n_shown = answers.len().min(MAX_ANSWERS);
    let which = if n_shown < answers.len() {
        format!("The first {n_shown} of {} answers.", answers.len())
    } else {
        String::new()
    };
    let rows: String = answers
        .iter()
        .take(MAX_ANSWERS)
        .enumerate()
        .map(row)
        .collect();
    format!(
        "<section><h2>Answers side by side</h2><p class=\"muted\">{which} <mark>Marked</mark> is \
         what the reference does not say there.</p>{rows}</section>"
    )
}

fn row((i, answer): (usize, &AnswerRow)) -> String {
    let AnswerRow {
        prompt,
        reference,
        answers,
    } = answer;
    let column = |name: &str, class: &str, badge: &str, html: String| {
        format!(
            "<div><h4 class=\"{class}\">{name} {badge}</h4><p class=\"text\" dir=\"auto\">{}</p></div>",
            if html.is_empty() {
                "<i class=\"muted\">empty</i>".to_owned()
            } else {
                html
            }
        )
    };
    let badge = |answer: &str| {
        if answer.trim() == reference.trim() {
            "<span class=\"chip good\">equal</span>"
        } else {
            ""
        }
    };
    // Where there are several, the first is what the others are measured against.
    let column_of = |(at, (name, answer)): (usize, &(String, String))| {
        let class = match at {
            0 if answers.len() > 1 => "base",
            _ => "tuned",
        };
        column(
            &escape(name),
            class,
            badge(answer),
            marked(answer, reference),
        )
    };
    [
        format!("<article><h3><span class=\"muted\">{}</span> ", i + 1),
        format!(
            "<span class=\"text\" dir=\"auto\">{}</span></h3><div class=\"columns\">",
            escape(prompt)
        ),
        column("Reference", "", "", escape(reference)),
        answers.iter().enumerate().map(column_of).collect(),
        "</div></article>".to_owned(),
    ]
    .concat()
}

/// The answer as HTML with the stretches marked that are not in its longest common subsequence
/// with the reference.
fn marked(answer: &str, reference: &str) -> String {
    let (answer, reference) = (tokens(answer), tokens(reference));
    if answer.len().max(reference.len()) > MAX_MARKED_TOKENS {
        return escape(&answer.concat());
    }
    let common = common(&answer, &reference);
    let mut html = String::new();
    let mut rest = answer.as_slice();
    let mut flags = common.as_slice();
    while let Some(&is_common) = flags.first() {
        let length = flags.iter().take_while(|flag| **flag == is_common).count();
        let text = escape(&rest[..length].concat());
        html.push_str(&if is_common {
            text
        } else {
            format!("<mark>{text}</mark>")
        });
        (rest, flags) = (&rest[length..], &flags[length..]);
    }
    html
}

/// For each token of `answer` whether it is part of the longest common subsequence.
fn common(answer: &[&str], reference: &[&str]) -> Vec<bool> {
    let width = reference.len() + 1;
    // Row i, column j: length for the tokens of the answer from i and of the reference from j on.
    let mut lengths = vec![0u16; (answer.len() + 1) * width];
    for i in (0..answer.len()).rev() {
        for j in (0..reference.len()).rev() {
            lengths[i * width + j] = if answer[i] == reference[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let mut flags = vec![false; answer.len()];
    let (mut i, mut j) = (0, 0);
    while i < answer.len() && j < reference.len() {
        if answer[i] == reference[j] {
            flags[i] = true;
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    // A space between two marked words is marked as well, and a marked space alone is not.
    for (i, token) in answer.iter().enumerate() {
        if token.trim().is_empty() {
            let marked = |i: Option<usize>| i.and_then(|i| flags.get(i)).is_some_and(|flag| !flag);
            flags[i] = !(marked(i.checked_sub(1)) && marked(Some(i + 1)));
        }
    }
    flags
}

/// Words, numbers with their separators, runs of white space, and everything else one by one; so
/// are the characters of scripts that put no space between words.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut previous = None;
    for (i, c) in text.char_indices() {
        let kind = kind(c, &text[..i], &text[i + c.len_utf8()..]);
        let continues = kind != Kind::Single && previous == Some(kind);
        if !continues && i > start {
            tokens.push(&text[start..i]);
            start = i;
        }
        previous = Some(kind);
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
    tokens
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Word,
    Space,
    Single,
}

/// What a character is part of. A period or comma between digits belongs to the number, so that a
/// wrong figure is marked as a whole.
fn kind(c: char, before: &str, after: &str) -> Kind {
    let is_digit = |c: char| c.is_ascii_digit();
    match c {
        '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'.. => Kind::Single,
        '.' | ',' if before.ends_with(is_digit) && after.starts_with(is_digit) => Kind::Word,
        c if c.is_alphanumeric() => Kind::Word,
        c if c.is_whitespace() => Kind::Space,
        _ => Kind::Single,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_cover_the_text() {
        let text = "¿Fue de 3,5 %?\n東京 ok, no";
        let split = tokens(text);
        assert_eq!(split.concat(), text);
        let expected = "¿|Fue| |de| |3,5| |%|?|\n|東|京| |ok|,| |no";
        assert_eq!(split, expected.split('|').collect::<Vec<_>>());
    }

    #[test]
    fn what_the_reference_lacks_is_marked_as_one_stretch() {
        assert_eq!(
            marked("el activo fue muy grande <b>", "el activo fue 3,5"),
            "el activo fue <mark>muy grande &lt;b&gt;</mark>"
        );
        assert_eq!(marked("27,3 %", "27,5 %"), "<mark>27,3</mark> %");
        assert_eq!(marked("東京です", "東京だ"), "東京<mark>です</mark>");
        assert_eq!(marked("same", "same"), "same");
        assert_eq!(marked("", "x"), "");
    }
}
