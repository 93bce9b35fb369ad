//! `json.dumps` as transformers' `tojson` filter calls it: no HTML escaping, key order kept,
//! separators and floats printed the Python way.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::python::float_repr;

/// Arguments of `json.dumps` that templates set.
#[derive(Debug, Clone, Default)]
pub(super) struct JsonStyle {
    pub(super) ensure_ascii: bool,
    /// One level of indentation; `None` writes everything on one line.
    pub(super) indent: Option<String>,
    /// Between items, and between key and value.
    pub(super) separators: Option<(String, String)>,
    pub(super) sort_keys: bool,
}

/// The JSON text of a value.
pub(super) fn dumps(value: &Value, style: &JsonStyle) -> Result<String, Error> {
    let default_item = if style.indent.is_some() { "," } else { ", " };
    let (item, key) = match &style.separators {
        Some((item, key)) => (item.as_str(), key.as_str()),
        None => (default_item, ": "),
    };
    let mut writer = Writer {
        out: String::new(),
        style,
        item,
        key,
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer<'a> {
    out: String,
    style: &'a JsonStyle,
    item: &'a str,
    key: &'a str,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        match value.kind() {
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.container(['[', ']'], depth, &items, |writer, item| {
                    writer.value(item, depth + 1)
                })?;
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.style.sort_keys {
                    keys.sort();
                }
                self.container(['{', '}'], depth, &keys, |writer, key| {
                    let name = scalar(key).ok_or_else(|| not_serializable(key))?;
                    writer.string(key.as_str().unwrap_or(&name));
                    writer.out.push_str(writer.key);
                    writer.value(&value.get_item(key)?, depth + 1)
                })?;
            }
            _ => {
                let text = scalar(value).ok_or_else(|| not_serializable(value))?;
                self.out.push_str(&text);
            }
        }
        Ok(())
    }

    fn container(
        &mut self,
        [open, close]: [char; 2],
        depth: usize,
        items: &[Value],
        mut write: impl FnMut(&mut Self, &Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.out.push(open);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(self.item);
            }
            self.line(depth + 1);
            write(self, item)?;
        }
        if !items.is_empty() {
            self.line(depth);
        }
        self.out.push(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = &self.style.indent {
            self.out.push('\n');
            self.out.push_str(&indent.repeat(depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || (self.style.ensure_ascii && c > '~') => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// Numbers, booleans and null, as values and as keys. Strings give an empty text that keys ignore.
fn scalar(value: &Value) -> Option<String> {
    Some(match value.kind() {
        ValueKind::String => String::new(),
        ValueKind::None => "null".to_owned(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Number if value.is_integer() => value.to_string(),
        ValueKind::Number => {
            let x = f64::try_from(value.clone()).ok()?;
            if x.is_nan() {
                "NaN".to_owned()
            } else if x.is_infinite() {
                if x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
            } else {
                float_repr(x)
            }
        }
        _ => return None,
    })
}

fn not_serializable(value: &Value) -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("object of type {} is not JSON serializable", value.kind()),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dump(value: serde_json::Value, style: &JsonStyle) -> String {
        dumps(&Value::from_serialize(value), style).unwrap()
    }

    #[test]
    fn one_line_keeps_order_and_does_not_escape_html() {
        let value = json!({"b": [1, 1.0, 1e16, 1e-5], "a": "<é あ\u{7f}\u{1}>", "c": null, "d": [], "e": {}});
        assert_eq!(
            dump(value, &JsonStyle::default()),
            "{\"b\": [1, 1.0, 1e+16, 1e-05], \"a\": \"<é あ\u{7f}\\u0001>\", \"c\": null, \"d\": [], \"e\": {}}"
        );
    }

    #[test]
    fn indent_drops_the_space_after_commas() {
        let style = JsonStyle {
            indent: Some("  ".into()),
            ..JsonStyle::default()
        };
        assert_eq!(
            dump(json!({"a": [1, 2], "b": {}}), &style),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}"
        );
    }

    #[test]
    fn ascii_uses_surrogate_pairs() {
        let style = JsonStyle {
            ensure_ascii: true,
            ..JsonStyle::default()
        };
        assert_eq!(dump(json!("é😀"), &style), r#""\u00e9\ud83d\ude00""#);
    }
}
