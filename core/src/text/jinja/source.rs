//! Rewrites a Jinja2 template into one that minijinja runs with the same result.
//!
//! - `{% generation %}` becomes a filter block, so that whitespace control works as for any tag.
//! - `x[a:b:c]` becomes `x.__slice__(a, b, c)`, because the slices of minijinja differ from
//!   Python's when they run backwards.
//! - String literals are decoded by Python's rules, neighbours are joined, and they are written
//!   back in the one escape form that both languages share.
//! - Line ends become `\n`, as Jinja2's lexer does.
//!
//! Everything outside tags, comments and `raw` blocks stays as it is.

use super::python::decode_string_literal;

/// Name of the filter that marks what a `{% generation %}` block wrote.
pub(super) const GENERATION_FILTER: &str = "__generation__";
/// Name of the method that slices as Python does.
pub(super) const SLICE_METHOD: &str = "__slice__";

/// Whether the template says itself which text the assistant wrote.
pub(crate) fn has_generation_tag(template: &str) -> bool {
    let mut rest = template;
    while let Some(at) = rest.find("{%") {
        rest = &rest[at + 2..];
        if first_word(rest).1 == "generation" {
            return true;
        }
    }
    false
}

/// The template in minijinja's dialect.
pub(crate) fn rewrite(template: &str) -> String {
    let template = template.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template.as_str();
    while let Some(at) = next_tag(rest) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let used = match &rest[..2] {
            "{#" => copy_until(rest, "#}", &mut out),
            "{%" if first_word(&rest[2..]).1 == "raw" => copy_raw(rest, &mut out),
            "{%" => rewrite_tag(rest, true, &mut out),
            _ => rewrite_tag(rest, false, &mut out),
        };
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

fn next_tag(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(1))
        .find(|&i| bytes[i] == b'{' && matches!(bytes[i + 1], b'{' | b'%' | b'#'))
}

/// Offset and text of the first word of a tag, after its whitespace control.
fn first_word(tag: &str) -> (usize, &str) {
    let body = tag.strip_prefix(['-', '+']).unwrap_or(tag);
    let start = tag.len() - body.trim_start().len();
    let len = tag[start..]
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(tag.len() - start);
    (start, &tag[start..start + len])
}

fn copy_until(text: &str, end: &str, out: &mut String) -> usize {
    let used = text.find(end).map_or(text.len(), |at| at + end.len());
    out.push_str(&text[..used]);
    used
}

fn copy_raw(text: &str, out: &mut String) -> usize {
    let mut from = 2;
    while let Some(at) = text[from..].find("{%") {
        from += at + 2;
        if first_word(&text[from..]).1 == "endraw" {
            let used = from + text[from..].find("%}").map_or(0, |at| at + 2);
            out.push_str(&text[..used]);
            return used;
        }
    }
    out.push_str(text);
    text.len()
}

/// Rewrites one `{{ … }}` or `{% … %}`; returns how many bytes of `text` it took.
fn rewrite_tag(text: &str, is_block: bool, out: &mut String) -> usize {
    let mut tag = Tag {
        text,
        at: 2,
        out,
        brackets: Vec::new(),
        ends_operand: false,
    };
    tag.out.push_str(&text[..2]);
    if is_block {
        tag.rename_generation();
    }
    tag.run(if is_block { "%}" } else { "}}" });
    tag.at
}

/// An open bracket of an expression.
enum Bracket {
    Plain,
    /// A subscript: where its `[` stands in the output, and where its current part starts.
    Subscript {
        open: usize,
        part: usize,
        n_colons: usize,
    },
}

struct Tag<'a> {
    text: &'a str,
    at: usize,
    out: &'a mut String,
    brackets: Vec<Bracket>,
    /// Whether a `[` at this place subscripts what stands before it.
    ends_operand: bool,
}

impl Tag<'_> {
    fn rename_generation(&mut self) {
        let (start, word) = first_word(&self.text[self.at..]);
        let replacement = match word {
            "generation" => format!("filter {GENERATION_FILTER}"),
            "endgeneration" => "endfilter".to_owned(),
            _ => return,
        };
        self.out.push_str(&self.text[self.at..self.at + start]);
        self.out.push_str(&replacement);
        self.at += start + word.len();
    }

    fn run(&mut self, end: &str) {
        while let Some(c) = self.text[self.at..].chars().next() {
            if self.brackets.is_empty() && self.text[self.at..].starts_with(end) {
                self.out.push_str(end);
                self.at += end.len();
                return;
            }
            match c {
                '"' | '\'' => self.string(),
                '[' | '(' | '{' => self.open(c),
                ']' | ')' | '}' => self.close(c),
                ':' => self.colon(),
                c if c.is_alphanumeric() || c == '_' => self.word(),
                c => {
                    if !c.is_whitespace() {
                        self.ends_operand = false;
                    }
                    self.push(c);
                }
            }
        }
    }

    fn push(&mut self, c: char) {
        self.out.push(c);
        self.at += c.len_utf8();
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let len = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let word = &rest[..len];
        self.out.push_str(word);
        self.at += len;
        self.ends_operand = !matches!(
            word,
            "in" | "not" | "and" | "or" | "if" | "else" | "elif" | "is" | "for" | "set" | "do"
        );
    }

    /// One string literal and those that directly follow it, which Jinja2 joins.
    fn string(&mut self) {
        let mut value = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(len) = literal_len(rest) else {
                // An open literal is left for the parser to report.
                self.out.push_str(rest);
                self.at = self.text.len();
                return;
            };
            value.push_str(&decode_string_literal(&rest[1..len - 1]));
            self.at += len;
            let next = self.text[self.at..].trim_start();
            if !next.starts_with(['"', '\'']) {
                break;
            }
            self.at = self.text.len() - next.len();
        }
        self.out.push('"');
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                self.out.push('\\');
            }
            self.out.push(c);
        }
        self.out.push('"');
        self.ends_operand = true;
    }

    fn open(&mut self, c: char) {
        let open = self.out.len();
        let subscript = c == '[' && self.ends_operand;
        self.push(c);
        self.brackets.push(if subscript {
            Bracket::Subscript {
                open,
                part: open + 1,
                n_colons: 0,
            }
        } else {
            Bracket::Plain
        });
        self.ends_operand = false;
    }

    fn close(&mut self, c: char) {
        let closed = self.brackets.pop();
        self.at += c.len_utf8();
        match closed {
            Some(Bracket::Subscript { part, n_colons, .. }) if c == ']' && n_colons > 0 => {
                self.end_part(part);
                self.out.push(')');
            }
            _ => self.out.push(c),
        }
        self.ends_operand = true;
    }

    fn colon(&mut self) {
        let Some(Bracket::Subscript {
            open,
            part,
            n_colons,
        }) = self
            .brackets
            .pop_if(|top| matches!(top, Bracket::Subscript { .. }))
        else {
            self.ends_operand = false;
            return self.push(':');
        };
        self.at += 1;
        let mut part = part;
        if n_colons == 0 {
            let call = format!(".{SLICE_METHOD}(");
            self.out.replace_range(open..open + 1, &call);
            part += call.len() - 1;
        }
        self.end_part(part);
        self.out.push(',');
        let part = self.out.len();
        self.brackets.push(Bracket::Subscript {
            open,
            part,
            n_colons: n_colons + 1,
        });
        self.ends_operand = false;
    }

    /// A bound that was left out is written as `none`.
    fn end_part(&mut self, part: usize) {
        if self.out[part..].trim().is_empty() {
            self.out.push_str("none");
        }
    }
}

/// Length of the string literal that `text` starts with, quotes included.
fn literal_len(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, expected: &str) {
        assert_eq!(rewrite(template), expected);
    }

    #[test]
    fn text_outside_tags_stays() {
        check(
            "a[1:2] 'x' {# {% generation %} b[1:] #} {",
            "a[1:2] 'x' {# {% generation %} b[1:] #} {",
        );
    }

    #[test]
    fn raw_blocks_stay() {
        let raw = "{%- raw -%}{{ a[1:] }}{%- endraw %}";
        check(raw, raw);
    }

    #[test]
    fn generation_keeps_whitespace_control() {
        check(
            "{%- generation -%}x{%+ endgeneration %}",
            "{%- filter __generation__ -%}x{%+ endfilter %}",
        );
    }

    #[test]
    fn slices_become_calls() {
        check("{{ a[1:] }}", "{{ a.__slice__(1,none) }}");
        check("{{ a[::-1][0] }}", "{{ a.__slice__(none,none,-1)[0] }}");
        check(
            "{{ a[b[1]:c['x'][:2]] }}",
            "{{ a.__slice__(b[1],c[\"x\"].__slice__(none,2)) }}",
        );
        check("{{ 'ab'[:1] }}", "{{ \"ab\".__slice__(none,1) }}");
    }

    #[test]
    fn dictionaries_and_lists_are_no_slices() {
        check("{{ {'a': [1, 2]} }}", "{{ {\"a\": [1, 2]} }}");
        check(
            "{% for x in [1] %}{% endfor %}",
            "{% for x in [1] %}{% endfor %}",
        );
        check("{{ a[{'b': 1}['b']] }}", "{{ a[{\"b\": 1}[\"b\"]] }}");
    }

    #[test]
    fn literals_are_pythons() {
        check(
            r#"{{ 'a\n\'"\q\u00e9' 'b' }}"#,
            "{{ \"a\n'\\\"\\\\q\u{e9}b\" }}",
        );
        check("{{ '}}' }}", "{{ \"}}\" }}");
    }

    #[test]
    fn line_ends_become_newlines() {
        check("a\r\nb\rc", "a\nb\nc");
    }

    #[test]
    fn open_tags_do_not_panic() {
        for template in ["{{ 'a", "{% ", "{{ a[1:", "{#", "{{ ]", "{% raw %}", "{"] {
            rewrite(template);
        }
    }

    #[test]
    fn the_generation_tag_is_found() {
        assert!(has_generation_tag("{% if x %}{%-  generation -%}"));
        assert!(!has_generation_tag("{% if generation %}{% generations %}"));
    }
}
