//! Values as YAML that every reader understands alike.
//!
//! YAML 1.1 and 1.2 disagree on which bare words are booleans, numbers or dates, so every text is
//! quoted as JSON does, numbers always have the dot and the sign that both need, and what one of
//! them does not allow in a file is escaped.

use std::fmt::Write as _;

use serde_json::Value;

/// A file of top-level entries and comments, in order.
#[derive(Debug, Default)]
pub(super) struct Yaml {
    text: String,
}

impl Yaml {
    pub(super) fn comment(&mut self, comment: &str) -> &mut Self {
        for line in comment.lines() {
            self.text += "# ";
            push_printable(&mut self.text, line);
            self.text.push('\n');
        }
        self
    }

    pub(super) fn blank(&mut self) -> &mut Self {
        self.text.push('\n');
        self
    }

    pub(super) fn entry(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        push_entry(&mut self.text, key, &value.into(), 0);
        self
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn push_entry(text: &mut String, key: &str, value: &Value, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
    push_key(text, key);
    text.push(':');
    push_value(text, value, indent);
}

/// The value behind `key:` or `-`, with the line break that ends it.
fn push_value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            for item in items {
                push_item(text, item, indent + 2);
            }
        }
        Value::Object(entries) if !entries.is_empty() => {
            text.push('\n');
            for (key, value) in entries {
                push_entry(text, key, value, indent + 2);
            }
        }
        scalar => {
            text.push(' ');
            push_scalar(text, scalar);
            text.push('\n');
        }
    }
}

fn push_item(text: &mut String, item: &Value, indent: usize) {
    let start = text.len();
    match item {
        // The first entry stands beside the dash.
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                push_entry(text, key, value, indent + 2);
            }
            text.replace_range(start + indent..start + indent + 1, "-");
        }
        other => {
            text.extend(std::iter::repeat_n(' ', indent));
            text.push('-');
            push_value(text, other, indent);
        }
    }
}

fn push_scalar(text: &mut String, value: &Value) {
    match value {
        Value::String(string) => push_text(text, string),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => push_float(text, float),
            _ => text.push_str(&number.to_string()),
        },
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
    }
}

/// YAML 1.1 takes `1e-8` for a text: a float has a dot, and its exponent a sign.
fn push_float(text: &mut String, float: f64) {
    let plain = format!("{float}");
    let written = if (1e-4..1e15).contains(&float.abs()) || float == 0.0 {
        plain
    } else {
        let short = format!("{float:e}");
        let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
        let dot = if digits.contains('.') { "" } else { ".0" };
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        format!("{digits}{dot}e{sign}{exponent}")
    };
    text.push_str(&written);
    if !written.contains('.') {
        text.push_str(".0");
    }
}

fn push_key(text: &mut String, key: &str) {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let starts = key
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if starts && plain && !WORDS.contains(&key.to_ascii_lowercase().as_str()) {
        text.push_str(key);
    } else {
        push_text(text, key);
    }
}

fn push_text(text: &mut String, string: &str) {
    let quoted = Value::String(string.into()).to_string();
    push_printable(text, &quoted);
}

/// Line breaks and characters that YAML does not allow in a file become escapes.
fn push_printable(text: &mut String, string: &str) {
    for c in string.chars() {
        let code = u32::from(c);
        let hidden =
            matches!(code, 0..0x20 | 0x7f..0xa0 | 0x2028 | 0x2029 | 0xfeff | 0xfffe | 0xffff);
        if hidden {
            // A text has no other way to fail than memory.
            write!(text, "\\u{code:04x}").ok();
        } else {
            text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: Value, expected: &str) {
        let mut yaml = Yaml::default();
        yaml.entry("k", value);
        assert_eq!(yaml.into_text(), expected);
    }

    #[test]
    fn words_that_one_version_takes_for_something_else_are_texts() {
        check(json!("no"), "k: \"no\"\n");
        check(json!("1e3"), "k: \"1e3\"\n");
        check(json!("a: b # c\n\"d\""), "k: \"a: b # c\\n\\\"d\\\"\"\n");
        check(json!({"on": 1, "ok_1": 2}), "k:\n  \"on\": 1\n  ok_1: 2\n");
    }

    #[test]
    fn floats_have_a_dot_and_a_signed_exponent() {
        check(json!(0.0002), "k: 0.0002\n");
        check(json!(3.0), "k: 3.0\n");
        check(json!(1e-8), "k: 1.0e-8\n");
        check(json!(1.5e-8), "k: 1.5e-8\n");
        check(json!(1e20), "k: 1.0e+20\n");
        check(json!(3), "k: 3\n");
    }

    #[test]
    fn lists_of_entries_nest() {
        check(
            json!([{"a": "x", "b": ["p", "q"]}, {"a": {"c": null}}, []]),
            "k:\n  - a: \"x\"\n    b:\n      - \"p\"\n      - \"q\"\n  - a:\n      c: null\n  - []\n",
        );
    }

    #[test]
    fn characters_that_break_readers_are_escaped() {
        check(
            json!("\u{85}\u{2028}\u{7f}é日"),
            "k: \"\\u0085\\u2028\\u007fé日\"\n",
        );
        let mut yaml = Yaml::default();
        yaml.comment("one\nkey: value\u{2028}other: value");
        assert_eq!(yaml.into_text(), "# one\n# key: value\\u2028other: value\n");
    }
}
