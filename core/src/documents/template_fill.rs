//! Fields written from columns: `Region: {region}`.
//!
//! `{name}` stands for the cell of a column, `{{` and `}}` for braces; braces of a name itself are
//! written once where each is closed. A line of which every column is empty is left out, so that what a
//! table does not know is not taught as an empty value.
//!
//! Templates that fill a question, its input and its answer make the whole record. Columns that happen
//! to be called `output` or `system` are then no more than columns.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::DocumentError;
use crate::{
    data::{Format, describe_header, field_named, set_aside},
    protocol::studio::Phrase,
};

/// Templates by the field that each fills.
pub(super) struct Templates {
    fields: Vec<(String, Template)>,
    /// Columns that are read as fields in spite of templates that make the whole record.
    mapped: Vec<String>,
}

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
        Ok(Self {
            fields: parsed,
            mapped: Vec::new(),
        })
    }

    /// With columns that are read as fields beside the templates.
    pub(super) fn beside(mut self, columns: &[(String, String)]) -> Self {
        self.mapped = columns.iter().map(|(_, column)| column.clone()).collect();
        self
    }

    /// The format whose fields are filled.
    pub(super) fn format(&self) -> Option<Format> {
        [
            ("instruction", Format::Alpaca),
            ("query", Format::QueryResponse),
            ("prompt", Format::PromptCompletion),
            ("text", Format::Text),
        ]
        .into_iter()
        .find_map(|(field, format)| self.fills(field).then_some(format))
    }

    fn fills(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }

    pub(super) fn fill(&self, row: &mut Map<String, Value>) {
        let filled: Vec<String> = self
            .fields
            .iter()
            .map(|(_, template)| template.fill(row))
            .collect();
        for column in self.mere_columns(row) {
            set_aside(row, &column);
        }
        for ((field, _), text) in self.fields.iter().zip(filled) {
            row.insert(field.clone(), Value::String(text));
        }
    }

    /// Columns named after fields of a record that the templates make as a whole.
    fn mere_columns(&self, row: &Map<String, Value>) -> Vec<String> {
        const MADE: [&str; 3] = ["instruction", "input", "output"];
        if !MADE.iter().all(|field| self.fills(field)) {
            return Vec::new();
        }
        let is_mere = |column: &&String| {
            let field = field_named(column);
            field.is_some_and(|field| MADE.contains(&field) || field == "system")
                && !self.mapped.contains(column)
        };
        row.keys().filter(is_mere).cloned().collect()
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
        let lines = lines(field, text).map_err(|reason| DocumentError::Reading { reason })?;
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

/// A line break inside the name of a column ends no line.
fn lines(field: &str, text: &str) -> Result<Vec<Vec<Piece>>, String> {
    let mut lines = Vec::new();
    let (mut pieces, mut text_before) = (Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let doubled = matches!(c, '{' | '}') && chars.next_if_eq(&c).is_some();
        match c {
            '\n' => {
                pieces.push(Piece::Text(std::mem::take(&mut text_before)));
                lines.push(std::mem::take(&mut pieces));
            }
            '{' if !doubled => {
                pieces.push(Piece::Text(std::mem::take(&mut text_before)));
                pieces.push(Piece::Column(column_name(field, &mut chars)?));
            }
            '}' if !doubled => return Err(Phrase::TemplateClosesNothing.with([&field])),
            c => text_before.push(c),
        }
    }
    pieces.push(Piece::Text(text_before));
    lines.push(pieces);
    Ok(lines)
}

fn column_name(
    field: &str,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<String, String> {
    let mut name = String::new();
    let mut n_open = 0;
    for c in chars.by_ref() {
        match c {
            '}' if n_open == 0 => return Ok(name),
            '}' => n_open -= 1,
            '{' => n_open += 1,
            _ => {}
        }
        name.push(c);
    }
    Err(Phrase::TemplateNotClosed.with([&field, &name]))
}

/// A column in a template. A name that begins with a brace, or has one without its other half, cannot be
/// named there.
pub(super) fn placeholder(column: &str) -> Option<String> {
    let mut n_open = 0_usize;
    for c in column.chars() {
        n_open = match c {
            '{' => n_open + 1,
            '}' => n_open.checked_sub(1)?,
            _ => n_open,
        };
    }
    (n_open == 0 && !column.starts_with('{')).then(|| format!("{{{column}}}"))
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
        for odd in ["{x} y", "x{y", "x}"] {
            assert_eq!(placeholder(odd), None);
        }
        for odd in ["x{y}", "Score {max 10}", "Code of\nthe unit", "{{a}}"] {
            let line = placeholder(odd).map(|column| format!("{{{{{column}}}}}"));
            let line = line.unwrap_or_default();
            assert!(line.is_empty() || fill(&line, json!({odd: "1"})).as_deref() == Ok("{1}"));
        }
        check(&literal("x{y}"), json!({}), "x{y}");
    }

    #[test]
    fn columns_named_after_fields_stay_columns() {
        let templates = ["instruction", "input", "output"].map(|field| {
            let text = if field == "input" {
                "{plant} {Output}"
            } else {
                ""
            };
            (field.to_owned(), text.to_owned())
        });
        let row = json!({"plant": "A", "Output": "20", "system": "x"});
        let filled = |mapped: &[(String, String)]| {
            let Value::Object(mut row) = row.clone() else {
                panic!("an object")
            };
            let templates = Templates::parse(&templates, None).unwrap().beside(mapped);
            templates.fill(&mut row);
            row
        };
        let row = filled(&[]);
        assert_eq!(
            (&row["input"], &row["output"]),
            (&json!("A 20"), &json!(""))
        );
        assert!(!row.contains_key("Output") && !row.contains_key("system"));
        let kept = |name: &str| {
            row.iter()
                .any(|(key, value)| key.ends_with(name) && value != "")
        };
        assert!(kept("Output") && kept("system"));
        assert!(filled(&[("system".into(), "system".into())]).contains_key("system"));
    }

    #[test]
    fn faults_are_named() {
        for (template, said) in [
            ("{b}", "the column `b`"),
            ("{a", "no `}` after `{a`"),
            ("a}", "closes nothing"),
        ] {
            let error = fill(template, json!({"a": ""})).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
