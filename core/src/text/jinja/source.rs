//! Rewrites a Jinja2 template into one that minijinja runs with the same result.
//!
//! - `{% generation %}` becomes a filter block, so that whitespace control works as for any tag.
//! - `x[a:b:c]` becomes `x.__slice__(a, b, c)`, because the slices of minijinja differ from
//!   Python's when they run backwards.
//! - String literals are decoded by Python's rules, neighbours are joined, and they are written
//!   back in the one escape form that both languages share.
//! - Operands of `~` go through `string`, because minijinja writes them in its own way, not Python's.
//! - What a `for` runs through goes through a filter that refuses `none`, as Python does.
//! - Line ends become `\n`, as Jinja2's lexer does.
//!
//! Everything outside tags, comments and `raw` blocks stays as it is.

use super::python::decode_string_literal;

/// Name of the filter that marks what a `{% generation %}` block wrote.
pub(super) const GENERATION_FILTER: &str = "__generation__";
/// Name of the filter that lets through what a loop may run through.
pub(super) const ITERABLE_FILTER: &str = "__iterable__";
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
    let at = 2 + usize::from(text[2..].starts_with(['-', '+']));
    out.push_str(&text[..at]);
    let operand = out.len();
    let mut tag = Tag {
        text,
        at,
        out,
        levels: vec![Level {
            bracket: Bracket::Tag,
            operand,
            joins: false,
        }],
        ends_operand: false,
        looped: match is_block && first_word(&text[2..]).1 == "for" {
            true => Looped::Awaited,
            false => Looped::No,
        },
    };
    if is_block {
        tag.rename_generation();
    }
    tag.run(if is_block { "%}" } else { "}}" });
    tag.at
}

/// What the innermost brackets are.
enum Bracket {
    /// None: the tag itself.
    Tag,
    Plain,
    /// A subscript: where its `[` stands in the output, and where its current part starts.
    Subscript {
        open: usize,
        part: usize,
        n_colons: usize,
    },
}

/// What stands between brackets.
struct Level {
    bracket: Bracket,
    /// Where in the output the operand begins that a `~` here would join.
    operand: usize,
    /// Whether a `~` stands before that operand.
    joins: bool,
}

/// Where in a `{% for … %}` the rewriting is.
enum Looped {
    No,
    /// Before `in`.
    Awaited,
    /// In what the loop runs through, which starts here in the output.
    From(usize),
}

struct Tag<'a> {
    text: &'a str,
    at: usize,
    out: &'a mut String,
    /// Never empty.
    levels: Vec<Level>,
    /// Whether a `[` at this place subscripts what stands before it.
    ends_operand: bool,
    looped: Looped,
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
            if self.levels.len() == 1 && self.ends(end) {
                return;
            }
            match c {
                '"' | '\'' => self.string(),
                '[' | '(' | '{' => self.open(c),
                ']' | ')' | '}' => self.close(c),
                ':' => self.colon(),
                '~' => self.join(),
                '+' | '-' if self.ends_operand => self.operator(c),
                ',' | '=' | '<' | '>' | '!' => self.operator(c),
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

    /// Ends the tag, if its end is here.
    fn ends(&mut self, end: &str) -> bool {
        let rest = &self.text[self.at..];
        let n_control = usize::from(rest.starts_with(['-', '+']));
        if !rest[n_control..].starts_with(end) {
            return false;
        }
        self.end_operand();
        self.end_looped();
        let used = n_control + end.len();
        self.out.push_str(&rest[..used]);
        self.at += used;
        true
    }

    fn push(&mut self, c: char) {
        self.out.push(c);
        self.at += c.len_utf8();
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the tag's own level stays")
    }

    /// What binds less than `~`.
    fn operator(&mut self, c: char) {
        self.end_operand();
        self.push(c);
        self.begin_operand();
    }

    fn join(&mut self) {
        self.write_operand();
        self.push('~');
        self.begin_operand();
        self.level().joins = true;
    }

    fn begin_operand(&mut self) {
        let operand = self.out.len();
        self.level().operand = operand;
        self.ends_operand = false;
    }

    fn end_operand(&mut self) {
        if std::mem::take(&mut self.level().joins) {
            self.write_operand();
        }
    }

    /// Makes the current operand of `~` a string, unless it is written as one.
    fn write_operand(&mut self) {
        let from = self.level().operand;
        let operand = self.out[from..].trim();
        if !operand.starts_with('"') || literal_len(operand) != Some(operand.len()) {
            self.filtered(from, "string");
        }
    }

    /// Puts what stands in the output since `from` through a filter.
    fn filtered(&mut self, from: usize, filter: &str) {
        let written = &self.out[from..];
        let start = from + written.len() - written.trim_start().len();
        let end = self.out.trim_end().len();
        // Where there is nothing, the parser says so.
        if start < end {
            self.out.insert_str(end, &format!(")|{filter}"));
            self.out.insert(start, '(');
        }
    }

    fn end_looped(&mut self) {
        if let Looped::From(start) = self.looped {
            self.filtered(start, ITERABLE_FILTER);
            self.looped = Looped::No;
        }
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let mut len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit());
        if is_number && !rest.starts_with("0x") && rest[..len].ends_with(['e', 'E']) {
            let exponent = rest[len..].strip_prefix(['-', '+']).unwrap_or_default();
            let digits = exponent.find(|c| !is_part(c)).unwrap_or(exponent.len());
            len += if digits > 0 { 1 + digits } else { 0 };
        }
        let word = &rest[..len];
        let before = self.out.trim_end();
        // An attribute of this name, or `is not` and `is in`, which belong to the operand.
        let is_attribute = before.ends_with('.');
        let in_test = matches!(word, "not" | "in") && before.ends_with(" is");
        let is_operator = !is_attribute
            && matches!(
                word,
                "in" | "not" | "and" | "or" | "if" | "else" | "elif" | "for" | "set" | "do"
            );
        let ends_loop = !is_attribute && matches!(word, "if" | "recursive");
        if is_operator && !in_test || ends_loop {
            self.end_operand();
            if ends_loop && self.levels.len() == 1 {
                self.end_looped();
            }
        }
        self.out.push_str(word);
        self.at += len;
        self.ends_operand = !is_operator && word != "is";
        if is_operator && !in_test {
            self.begin_operand();
        }
        if word == "in" && self.levels.len() == 1 && matches!(self.looped, Looped::Awaited) {
            self.looped = Looped::From(self.out.len());
        }
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
        self.levels.push(Level {
            bracket: match subscript {
                true => Bracket::Subscript {
                    open,
                    part: open + 1,
                    n_colons: 0,
                },
                false => Bracket::Plain,
            },
            operand: open + 1,
            joins: false,
        });
        self.ends_operand = false;
    }

    fn close(&mut self, c: char) {
        self.end_operand();
        self.at += c.len_utf8();
        // A bracket that was never opened is left for the parser to report.
        let closed = match self.levels.len() {
            1 => None,
            _ => self.levels.pop(),
        };
        match closed.map(|level| level.bracket) {
            Some(Bracket::Subscript { part, n_colons, .. }) if c == ']' && n_colons > 0 => {
                self.end_part(part);
                self.out.push(')');
            }
            _ => self.out.push(c),
        }
        self.ends_operand = true;
    }

    fn colon(&mut self) {
        self.end_operand();
        let Bracket::Subscript {
            open,
            part,
            n_colons,
        } = self.level().bracket
        else {
            return self.operator(':');
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
        self.begin_operand();
        let part = self.out.len();
        self.level().bracket = Bracket::Subscript {
            open,
            part,
            n_colons: n_colons + 1,
        };
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
            "{% if x in [1] %}{% endif %}",
            "{% if x in [1] %}{% endif %}",
        );
        check("{{ a[{'b': 1}['b']] }}", "{{ a[{\"b\": 1}[\"b\"]] }}");
    }

    #[test]
    fn operands_of_tilde_become_strings() {
        check(
            "{{ 'a' ~ b.c[1] ~ -d|e(f) }}",
            "{{ \"a\" ~ (b.c[1])|string ~ (-d|e(f))|string }}",
        );
        check(
            "{{- a ~ b + c ~ 2 * d - e -}}",
            "{{- (a)|string ~ (b)|string + (c)|string ~ (2 * d)|string - e -}}",
        );
        check(
            "{% if x is not none and 'y' in a ~ b == c %}",
            "{% if x is not none and \"y\" in (a)|string ~ (b)|string == c %}",
        );
        check(
            "{{ f(a ~ 1e-5, k=[b ~ 'x'])[c ~ d:] ~ {'e': f ~ g} }}",
            "{{ (f((a)|string ~ (1e-5)|string, k=[(b)|string ~ \"x\"]).__slice__((c)|string ~ (d)|string,none))|string ~ ({\"e\": (f)|string ~ (g)|string})|string }}",
        );
        check(
            "{% set x = a ~ b if c else d.set ~ e %}",
            "{% set x = (a)|string ~ (b)|string if c else (d.set)|string ~ (e)|string %}",
        );
        check("{{ ~ }}{{ a ~ }}", "{{ ~ }}{{ (a)|string ~ }}");
    }

    #[test]
    fn what_a_loop_runs_through_is_looked_at() {
        check(
            "{%- for a, b in c.items() -%}",
            "{%- for a, b in (c.items())|__iterable__ -%}",
        );
        check(
            "{% for x in y or [z if w] if x in v recursive %}",
            "{% for x in (y or [z if w])|__iterable__ if x in v recursive %}",
        );
        check(
            "{% for x in 'a' ~ b recursive +%}",
            "{% for x in (\"a\" ~ (b)|string)|__iterable__ recursive +%}",
        );
        check("{% for x in %}", "{% for x in %}");
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
        for template in [
            "{{ 'a",
            "{% ",
            "{{ a[1:",
            "{#",
            "{{ ]",
            "{% raw %}",
            "{",
            "{{ a ~",
            "{{ ]~[",
            "{% for",
            "{% for x in",
            "{{ 1e- }}",
            "{{ 1e+",
        ] {
            rewrite(template);
        }
    }

    #[test]
    fn the_generation_tag_is_found() {
        assert!(has_generation_tag("{% if x %}{%-  generation -%}"));
        assert!(!has_generation_tag("{% if generation %}{% generations %}"));
    }
}
