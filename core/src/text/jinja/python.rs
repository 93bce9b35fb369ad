//! Python's view of values: how they print, which characters are whitespace, string literals.

use std::fmt::Write as _;

use minijinja::value::{Value, ValueKind};

/// `str(value)`: what `{{ value }}` writes.
pub(super) fn str_of(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_undefined() => String::new(),
        None => repr(value),
    }
}

/// `repr(value)`: how a value prints inside lists and dictionaries.
pub(super) fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

fn write_repr(value: &Value, out: &mut String) {
    match value.kind() {
        ValueKind::String => write_string_repr(value.as_str().unwrap_or_default(), out),
        ValueKind::Number if !value.is_integer() => {
            out.push_str(
                &f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float_repr),
            );
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().into_iter().flatten();
            write_joined(out, ['[', ']'], items, |item, out| write_repr(&item, out));
        }
        ValueKind::Map => {
            let keys = value.try_iter().into_iter().flatten();
            write_joined(out, ['{', '}'], keys, |key, out| {
                write_repr(&key, out);
                out.push_str(": ");
                write_repr(&value.get_item(&key).unwrap_or_default(), out);
            });
        }
        ValueKind::Undefined => out.push_str("Undefined"),
        _ => out.push_str(&value.to_string()),
    }
}

fn write_joined(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl Iterator<Item = Value>,
    mut write: impl FnMut(Value, &mut String),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(close);
}

fn write_string_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => write_escape(u32::from(c), out),
        }
    }
    out.push(quote);
}

fn write_escape(code: u32, out: &mut String) {
    // Writing to a String cannot fail.
    let _ok = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// `str.isprintable` for what text holds in practice: controls, separators other than the space,
/// formatting characters and private use are escaped; unassigned code points are taken as printable.
fn is_printable(c: char) -> bool {
    let formatting = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    c == ' ' || !(c.is_control() || is_space(c) || formatting)
}

/// `repr` of a float: the shortest digits that read back, with an exponent below 1e-4 and from 1e16.
pub(super) fn float_repr(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{x:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if x != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = x.to_string();
    if plain.contains('.') {
        plain
    } else {
        plain + ".0"
    }
}

/// `str.isspace` of one character: Unicode white space and the four ASCII separators.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Characters at which `str.splitlines` ends a line.
pub(super) fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// `str.splitlines`: `\r\n` is one line end, and a final one opens no empty line.
pub(super) fn split_lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !is_line_end(c) {
            continue;
        }
        let mut end = at + c.len_utf8();
        if c == '\r' && chars.next_if(|&(_, next)| next == '\n').is_some() {
            end += 1;
        }
        lines.push(&text[start..if keep_ends { end } else { at }]);
        start = end;
    }
    if start < text.len() {
        lines.push(&text[start..]);
    }
    lines
}

/// The value of a string literal, quotes taken off. Unknown escapes keep their backslash;
/// `\N{…}` does too, because it would need the table of Unicode names.
pub(super) fn decode_string_literal(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            out.push('\\');
            break;
        };
        let (text, used) = decode_escape(c, rest);
        match text {
            Some(decoded) => out.extend(decoded),
            None => {
                out.push('\\');
                out.push(c);
            }
        }
        rest = &rest[used..];
    }
    out.push_str(rest);
    out
}

/// The character an escape stands for (`Some(None)` for an escaped line end) and its length.
fn decode_escape(c: char, rest: &str) -> (Option<Option<char>>, usize) {
    let simple = match c {
        '\n' => return (Some(None), 1),
        '\\' | '\'' | '"' => c,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return hex_escape(rest, 2),
        'u' => return hex_escape(rest, 4),
        'U' => return hex_escape(rest, 8),
        '0'..='7' => {
            let len = rest
                .bytes()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b))
                .count();
            let code = u32::from_str_radix(&rest[..len], 8).ok();
            return (code.and_then(char::from_u32).map(Some), len);
        }
        _ => return (None, c.len_utf8()),
    };
    (Some(Some(simple)), 1)
}

fn hex_escape(rest: &str, n_digits: usize) -> (Option<Option<char>>, usize) {
    let code = rest
        .get(1..=n_digits)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match code.and_then(char::from_u32) {
        Some(c) => (Some(Some(c)), 1 + n_digits),
        None => (None, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (-0.0, "-0.0"),
            (1e100, "1e+100"),
            (-2.5e-7, "-2.5e-07"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (x, expected) in cases {
            assert_eq!(float_repr(x), expected);
        }
    }

    #[test]
    fn containers_print_as_in_python() {
        let value = Value::from_serialize(
            serde_json::json!({"a": [1, "it's", null, true], "b": {"c": "x\n"}}),
        );
        assert_eq!(
            repr(&value),
            r#"{'a': [1, "it's", None, True], 'b': {'c': 'x\n'}}"#
        );
    }

    #[test]
    fn lines_split_as_in_python() {
        assert_eq!(split_lines("a\r\nb\n\nc\n", false), ["a", "b", "", "c"]);
        assert_eq!(
            split_lines("a\rb\u{2028}c", true),
            ["a\r", "b\u{2028}", "c"]
        );
        assert!(split_lines("", false).is_empty());
    }

    #[test]
    fn literals_decode_as_in_python() {
        assert_eq!(
            decode_string_literal(r"\x41\u3042\101\d\\n"),
            "A\u{3042}A\\d\\n"
        );
        assert_eq!(decode_string_literal(r"\u12"), r"\u12");
        assert_eq!(decode_string_literal("\\"), "\\");
    }
}
