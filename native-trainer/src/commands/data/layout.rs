//! Text for a terminal of 80 columns.

use veneer_core::data::{Loaded, Problem, Problems, Severity, Shape, Source};

use crate::{
    dataset::{count, preference, thousands},
    output::printable,
};

const WIDTH: usize = 79;

/// What a file turned out to be: a few lines with a label each.
pub(super) fn about(loaded: &Loaded) -> String {
    let mut text = about_source(&loaded.source);
    let read = loaded.records.len() as u64;
    let of = match loaded.n_in_file - loaded.n_left_out {
        all if all == read => String::new(),
        all => format!(" of {}", thousands(all)),
    };
    text += &labelled("records", &format!("{}{of}", thousands(read)));
    if loaded.n_pairs + loaded.n_marked > 0 {
        let left_out = match loaded.n_left_out {
            0 => String::new(),
            n => format!("; {} marked as bad left out", thousands(n)),
        };
        let what = format!(
            "{}{left_out}. This version trains on examples only: \
             `--take-chosen` uses the better answers; the columns stay in the data",
            preference(loaded)
        );
        text += &labelled("preference", &what);
    }
    text
}

pub(super) fn about_source(source: &Source) -> String {
    let mut text = labelled("format", &format!("{} ({})", source.format, source.reason));
    let file = match &source.shape {
        // What is in a project has no columns of its own.
        Shape::Given { columns } if columns.is_empty() => "a project of Veneer".to_owned(),
        shape => {
            let (shape, encoding) = (shape.describe(), &source.encoding);
            format!("{shape}, {encoding} ({})", source.encoding_reason)
        }
    };
    text += &labelled("file", &file);
    let renamed: Vec<String> = source
        .mapping
        .renames()
        .map(|assignment| format!("{} = {}", assignment.field, assignment.column))
        .collect();
    if !renamed.is_empty() {
        text += &labelled(
            "columns",
            &format!("{} (change with --map)", renamed.join(", ")),
        );
    }
    text
}

/// `  label     text`, wrapped under itself.
pub(super) fn labelled(label: &str, text: &str) -> String {
    wrapped(&format!("  {label:<10}  "), text)
}

/// Text after a head, wrapped and indented by the head's width; it may come from a file.
pub(in crate::commands) fn wrapped(head: &str, text: &str) -> String {
    let indent = " ".repeat(columns(head));
    let mut out = head.to_owned();
    let mut used = columns(head);
    let mut fresh = true;
    for word in printable(text).split(' ') {
        let width = columns(word);
        if !fresh && used + 1 + width > WIDTH {
            let end = out.trim_end().len();
            out.truncate(end);
            out.push('\n');
            out.push_str(&indent);
            (used, fresh) = (indent.len(), true);
        }
        if !fresh {
            out.push(' ');
            used += 1;
        }
        // A word wider than the line, as Japanese text without spaces is, is broken anywhere.
        for c in word.chars() {
            let width = columns(c.encode_utf8(&mut [0; 4]));
            if used + width > WIDTH {
                out.push('\n');
                out.push_str(&indent);
                used = indent.len();
            }
            out.push(c);
            used += width;
        }
        fresh = false;
    }
    let end = out.trim_end().len();
    out.truncate(end);
    out.push('\n');
    out
}

/// Columns that a terminal uses: East Asian wide characters take two (Unicode TR 11, by block).
pub(super) fn columns(text: &str) -> usize {
    let wide = |c: char| {
        matches!(u32::from(c),
            0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3
            | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6
            | 0x1f300..=0x1f64f | 0x1f900..=0x1f9ff | 0x20000..=0x3fffd)
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// The first problems, errors before warnings, each with what to do.
pub(super) fn problems(problems: &Problems, cap: usize) -> String {
    let first = problems.first(cap);
    let mut text = String::new();
    for severity in [Severity::Error, Severity::Warning] {
        let (n, noun) = match severity {
            Severity::Error => (problems.n_errors(), "error"),
            Severity::Warning => (problems.n_warnings(), "warning"),
        };
        let shown: Vec<_> = first
            .iter()
            .filter(|problem| problem.severity == severity)
            .collect();
        if shown.is_empty() {
            continue;
        }
        let of = if n > shown.len() as u64 {
            format!(", the first {}", shown.len())
        } else {
            String::new()
        };
        text += &format!("\n{}{of}:\n", count(n, noun));
        for problem in shown {
            text += &one_problem(problem);
        }
    }
    text
}

fn one_problem(problem: &Problem) -> String {
    let mut text = wrapped("  ", &problem.to_string());
    if !problem.advice.is_empty() {
        text += &wrapped("      -> ", &problem.advice);
    }
    text
}

/// How many problems of each kind there are.
pub(super) fn problem_counts(problems: &Problems) -> String {
    let mut text = String::new();
    for (kind, n) in problems.counts() {
        let severity = match kind.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        text += &format!("  {:>9}  {severity:<8} {}\n", thousands(*n), kind.title());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_does_not_act_on_the_terminal() {
        assert_eq!(wrapped("", "a\u{1b}[31mb"), "a\\u{1b}[31mb\n");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let text = "word ".repeat(40) + &"保険".repeat(60) + " " + &"x".repeat(100);
        let out = wrapped("  label  ", &text);
        assert!(out.lines().all(|line| columns(line) <= WIDTH), "{out}");
        assert!(
            out.lines()
                .skip(1)
                .all(|line| line.starts_with("         "))
        );
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        assert_eq!(letters(&out), letters(&text) + "label".len());
    }
}
