//! A finished answer with what it should have been, as one JSON object a line.
//!
//! `{"prediction": "…", "reference": "…"}` or `"references": ["…", …]`; other fields are let be.

use serde_json::{Map, Value};

/// An answer and its references, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prediction {
    pub prediction: String,
    pub references: Vec<String>,
}

/// Why a line is no prediction.
#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    #[error("expected a JSON object: {source}")]
    Json { source: serde_json::Error },
    #[error(
        "expected a JSON object such as {{\"prediction\": …, \"reference\": …}}, found {found}"
    )]
    NotAnObject { found: &'static str },
    #[error("field `{field}` is missing; {fix}")]
    Missing {
        field: &'static str,
        fix: &'static str,
    },
    #[error("field `{field}` is {found}, expected {expected}")]
    Type {
        field: String,
        found: &'static str,
        expected: &'static str,
    },
    #[error("both `reference` and `references` are given; keep one of them")]
    TwoReferences,
    #[error("field `references` is an empty list, expected at least one text")]
    NoReference,
}

impl Prediction {
    /// Reads one line of a predictions file.
    pub fn from_json(line: &str) -> Result<Self, PredictionError> {
        let value =
            serde_json::from_str(line).map_err(|source| PredictionError::Json { source })?;
        let Value::Object(fields) = value else {
            return Err(PredictionError::NotAnObject {
                found: kind(&value),
            });
        };
        Ok(Self {
            prediction: prediction(&fields)?,
            references: references(&fields)?,
        })
    }
}

fn prediction(fields: &Map<String, Value>) -> Result<String, PredictionError> {
    let fix = "add the model's answer as text";
    let value = fields.get("prediction").ok_or(PredictionError::Missing {
        field: "prediction",
        fix,
    })?;
    text("prediction".to_owned(), value, "text")
}

fn references(fields: &Map<String, Value>) -> Result<Vec<String>, PredictionError> {
    let given = |field| fields.get(field).filter(|value| !value.is_null());
    let (field, value) = match (given("reference"), given("references")) {
        (Some(_), Some(_)) => return Err(PredictionError::TwoReferences),
        (Some(value), None) => ("reference", value),
        (None, Some(value)) => ("references", value),
        (None, None) => {
            let fix = "add the right answer as text, or several as a list in `references`";
            return Err(PredictionError::Missing {
                field: "reference",
                fix,
            });
        }
    };
    match value {
        Value::Array(items) if items.is_empty() => Err(PredictionError::NoReference),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, item)| text(format!("{field}[{i}]"), item, "text"))
            .collect(),
        value => Ok(vec![text(
            field.to_owned(),
            value,
            "text or a list of texts",
        )?]),
    }
}

fn text(field: String, value: &Value, expected: &'static str) -> Result<String, PredictionError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        value => Err(PredictionError::Type {
            field,
            found: kind(value),
            expected,
        }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number (put it in quotes)",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_several_references() {
        let one = Prediction::from_json(r#"{"id": 7, "prediction": "a", "reference": "b"}"#);
        assert_eq!(one.unwrap().references, ["b"]);
        let two = Prediction::from_json(r#"{"prediction": "a", "references": ["b", ""]}"#);
        assert_eq!(two.unwrap().references, ["b", ""]);
    }

    #[test]
    fn errors_name_the_field_and_the_fix() {
        let cases = [
            (r#"{"prediction": "a"}"#, "`reference` is missing"),
            (r#"{"reference": "a"}"#, "`prediction` is missing"),
            (
                r#"{"prediction": 4, "reference": "a"}"#,
                "`prediction` is a number",
            ),
            (r#"{"prediction": "a", "references": []}"#, "empty list"),
            (
                r#"{"prediction": "a", "references": ["b", null]}"#,
                "`references[1]` is null",
            ),
            (
                r#"{"prediction": "a", "reference": "b", "references": ["c"]}"#,
                "keep one",
            ),
            (r#"["a"]"#, "found a list"),
            (r#"{"prediction": "#, "expected a JSON object"),
        ];
        for (line, expected) in cases {
            let message = Prediction::from_json(line).unwrap_err().to_string();
            assert!(message.contains(expected), "{line}: {message}");
        }
    }
}
