//! Fields written from columns: `Region: {region}`.
//!
//! `{name}` stands for the cell of a column, `{{` and `}}` for braces. A line of which every column
//! is empty is left out, so that what a table does not know is not taught as an empty value.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::DocumentError;
use crate::{
    data::{Format, describe_header},
    protocol::studio::Phrase,
};

/// Templates by the field that each fills.
pub(super) struct Templates(Vec<(String, Template)>);

struct Template {
    lines: Vec<Vec<Piece>>,
}

enum Piece {
    Text(String),
    Column(String),
}

impl Templates {
    /// `columns` are those that there are, as far as that is known.
    pub(super) fn parse(
        templates: &[(String, String)],
        columns: Option<&[String]>,
    ) -> Result<Self, DocumentError> {
        let mut parsed = Vec::new();
        for (field, text) in templates {
            let template = Template::parse(field, text)?;
            let used = template.lines.iter().flatten().filter_map(Piece::column);
            let unknown = |name: &&str| columns.is_some_and(|c| !c.iter().any(|c| c == name));
            if let Some(name) = used.into_iter().find(unknown) {
                let columns = describe_header(columns.unwrap_or_default());
                return Err(DocumentError::Reading {
                    reason: Phrase::TemplateWithoutColumn.with([field, &name, &columns]),
                });
            }
            parsed.push((field.clone(), template));
        }
        Ok(Self(parsed))
    }

    /// The format whose fields are filled.
    pub(super) fn format(&self) -> Option<Format> {
        let fills = |name: &str| self.0.iter().any(|(field, _)| field == name);
        [
            ("instruction", Format::Alpaca),
            ("query", Format::QueryResponse),
            ("prompt", Format::PromptCompletion),
            ("text", Format::Text),
        ]
        .into_iter()
        .find_map(|(field, format)| fills(field).then_some(format))
    }

    pub(super) fn fill(&self, row: &mut Map<String, Value>) {
        let filled: Vec<String> = self
            .0
            .iter()
            .map(|(_, template)| template.fill(row))
            .collect();
        for ((field, _), text) in self.0.iter().zip(filled) {
            row.insert(field.clone(), Value::String(text));
        }
    }
}

impl Piece {
    fn column(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Column(name) => Some(name),
        }
    }
}

impl Template {
    fn parse(field: &str, text: &str) -> Result<Self, DocumentError> {
        let mut lines = Vec::new();
        for line in text.split('\n') {
            let pieces = pieces(field, line);
            lines.push(pieces.map_err(|reason| DocumentError::Reading { reason })?);
        }
        Ok(Self { lines })
    }

    fn fill(&self, row: &Map<String, Value>) -> String {
        let lines = self.lines.iter().filter_map(|line| fill_line(line, row));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// `None`: the line has columns, and all of them are empty.
fn fill_line(line: &[Piece], row: &Map<String, Value>) -> Option<String> {
    let mut text = String::new();
    let (mut n_columns, mut n_filled) = (0, 0);
    for piece in line {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Column(name) => {
                let value = row.get(name).map_or(Cow::Borrowed(""), shown);
                n_columns += 1;
                n_filled += usize::from(!value.trim().is_empty());
                text.push_str(&value);
            }
        }
    }
    (n_columns == 0 || n_filled > 0).then_some(text)
}

/// A value as a person would write it.
pub(super) fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn pieces(field: &str, line: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let doubled = matches!(c, '{' | '}') && chars.next_if_eq(&c).is_some();
        if doubled || !matches!(c, '{' | '}') {
            text.push(c);
        } else if c == '{' {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Column(column_name(field, &mut chars)?));
        } else {
            return Err(Phrase::TemplateClosesNothing.with([&field]));
        }
    }
    if !text.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn column_name(
    field: &str,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<String, String> {
    let mut name = String::new();
    for c in chars.by_ref() {
        if c == '}' {
            return Ok(name);
        }
        name.push(c);
    }
    Err(Phrase::TemplateNotClosed.with([&field, &name]))
}

/// A column in a template. A name with braces in it cannot be named there.
pub(super) fn placeholder(column: &str) -> Option<String> {
    (!column.contains(['{', '}'])).then(|| format!("{{{column}}}"))
}

/// Text in a template that is no column.
pub(super) fn literal(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fill(template: &str, row: Value) -> Result<String, String> {
        let Value::Object(mut row) = row else {
            panic!("an object")
        };
        let columns: Vec<String> = row.keys().cloned().collect();
        let templates = Templates::parse(&[("input".into(), template.into())], Some(&columns))
            .map_err(|error| error.to_string())?;
        templates.fill(&mut row);
        Ok(row["input"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn check(template: &str, row: Value, expected: &str) {
        assert_eq!(fill(template, row).as_deref(), Ok(expected));
    }

    #[test]
    fn columns_stand_where_they_are_named() {
        check(
            "地域: {地域}\nAge: {age}",
            json!({"地域": "東京都", "age": 41}),
            "地域: 東京都\nAge: 41",
        );
    }

    #[test]
    fn a_line_of_empty_cells_is_left_out() {
        let row = json!({"a": "", "b": "1", "c": null});
        check("a {a}\nb {b} {c}\nplain\n{c}", row, "b 1 \nplain");
    }

    #[test]
    fn braces_are_written_twice() {
        check("{{\"a\": {a}}}", json!({"a": 1}), "{\"a\": 1}");
    }

    #[test]
    fn names_and_texts_come_back() {
        let name = "人口 (千人)";
        check(&placeholder(name).unwrap(), json!({name: "1"}), "1");
        assert_eq!(placeholder("x{y}"), None);
        check(&literal("x{y}"), json!({}), "x{y}");
    }

    #[test]
    fn faults_are_named() {
        for (template, said) in [
            ("{b}", "the column `b`"),
            ("{a", "no `}` behind `{a`"),
            ("a}", "closes nothing"),
        ] {
            let error = fill(template, json!({"a": ""})).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
