//! JSON as people type it: cells of a table, tools, calls of tools.

use serde_json::Value;
use veneer_core::protocol::studio::RecordKey;

/// Where JSON is typed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JsonField {
    pub project: Option<String>,
    pub record: Option<RecordKey>,
    pub place: String,
}

/// Kinds of JSON values, for a choice beside a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    Text,
    Number,
    Boolean,
    Null,
    Json,
}

impl JsonKind {
    pub const ALL: [Self; 5] = [
        Self::Text,
        Self::Number,
        Self::Boolean,
        Self::Null,
        Self::Json,
    ];

    pub fn of(value: &Value) -> Self {
        match value {
            Value::String(_) => Self::Text,
            Value::Number(_) => Self::Number,
            Value::Bool(_) => Self::Boolean,
            Value::Null => Self::Null,
            Value::Array(_) | Value::Object(_) => Self::Json,
        }
    }

    /// For tools that drive the page, and values of options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
            Self::Json => "json",
        }
    }

    pub fn named(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.unwrap_or(Self::Text)
    }

    /// What was typed as a value of this kind.
    ///
    /// # Errors
    /// What the JSON reader says; empty where there is nothing more to say than that it is no number.
    pub fn read(self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text => Ok(Value::String(text.to_owned())),
            Self::Null => Ok(Value::Null),
            Self::Boolean => Ok(Value::Bool(text.trim() == "true")),
            Self::Number => match serde_json::from_str(text.trim()) {
                Ok(Value::Number(number)) => Ok(Value::Number(number)),
                _ => Err(String::new()),
            },
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        }
    }

    /// A value of another kind as one of this: what can be read so, else what the kind begins with.
    pub fn convert(self, value: &Value) -> Value {
        let text = shown(value);
        self.read(&text).unwrap_or_else(|_| match self {
            Self::Number => Value::from(0),
            Self::Json => Value::Array(vec![value.clone()]),
            Self::Text | Self::Boolean | Self::Null => Value::Null,
        })
    }
}

/// A value as it stands in a cell.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) => pretty(value),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// JSON on several lines.
pub fn pretty(value: &Value) -> String {
    // A value that was parsed can be written.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A list of objects, such as tools; nothing at all is an empty one.
///
/// # Errors
/// Where it is no JSON, and which entry is no object.
pub fn read_objects(text: &str) -> Result<Vec<Value>, ObjectsError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let value: Value = serde_json::from_str(text).map_err(|error| ObjectsError::Json {
        line: error.line(),
        column: error.column(),
        detail: error.to_string(),
    })?;
    let Value::Array(list) = value else {
        return Err(ObjectsError::NoList);
    };
    match list.iter().position(|entry| !entry.is_object()) {
        Some(at) => Err(ObjectsError::NoObject { number: at + 1 }),
        None => Ok(list),
    }
}

/// What is wrong with a list of objects; the page has words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectsError {
    Json {
        line: usize,
        column: usize,
        detail: String,
    },
    NoList,
    /// From 1.
    NoObject {
        number: usize,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_keep_their_kind() {
        for value in [
            json!("a\nb"),
            json!(1.5),
            json!(12_345_678_901_u64),
            json!(true),
            json!(false),
            json!(null),
            json!([1, "x"]),
            json!({"b": 1, "a": [null]}),
        ] {
            let kind = JsonKind::of(&value);
            assert_eq!(kind.read(&shown(&value)), Ok(value), "{kind:?}");
            assert_eq!(JsonKind::named(kind.name()), kind);
        }
    }

    #[test]
    fn text_that_looks_like_a_number_stays_text() {
        assert_eq!(JsonKind::Text.read("0012"), Ok(json!("0012")));
        assert!(JsonKind::Number.read("0012").is_err());
        assert!(JsonKind::Number.read("\"1\"").is_err());
        assert_eq!(JsonKind::Number.read(" 1e3 "), Ok(json!(1e3)));
    }

    #[test]
    fn a_change_of_kind_keeps_what_it_can() {
        assert_eq!(JsonKind::Number.convert(&json!("12")), json!(12));
        assert_eq!(JsonKind::Number.convert(&json!("a")), json!(0));
        assert_eq!(JsonKind::Text.convert(&json!(12)), json!("12"));
        assert_eq!(JsonKind::Json.convert(&json!("a b")), json!(["a b"]));
        assert_eq!(JsonKind::Json.convert(&json!("[1]")), json!([1]));
        assert_eq!(JsonKind::Boolean.convert(&json!("true")), json!(true));
        assert_eq!(JsonKind::Null.convert(&json!("x")), json!(null));
    }

    #[test]
    fn a_list_of_objects_is_read_or_its_fault_named() {
        assert_eq!(read_objects(" "), Ok(Vec::new()));
        assert_eq!(read_objects("[{\"a\":1}]"), Ok(vec![json!({"a": 1})]));
        assert_eq!(read_objects("{}"), Err(ObjectsError::NoList));
        assert_eq!(
            read_objects("[{}, 1]"),
            Err(ObjectsError::NoObject { number: 2 })
        );
        assert!(matches!(
            read_objects("[\n{]"),
            Err(ObjectsError::Json { line: 2, .. })
        ));
    }
}
