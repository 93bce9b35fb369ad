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
    /// Where it is none, or none that is kept as it was typed.
    pub fn read(self, text: &str) -> Result<Value, Unread> {
        match self {
            Self::Text => Ok(Value::String(text.to_owned())),
            Self::Null => Ok(Value::Null),
            Self::Boolean => Ok(Value::Bool(text.trim() == "true")),
            Self::Number => match read_exactly(text.trim()) {
                Ok(Value::Number(number)) => Ok(Value::Number(number)),
                Err(Unread::Rounded) => Err(Unread::Rounded),
                _ => Err(Unread::NoNumber),
            },
            Self::Json => read_exactly(text),
        }
    }

    /// A value of another kind as one of this: what can be read so, else what the kind begins with.
    /// Nothing where a number would not be the same any more.
    pub fn convert(self, value: &Value) -> Option<Value> {
        let text = shown(value);
        match self.read(&text) {
            Ok(value) => Some(value),
            Err(Unread::Rounded) if self == Self::Number => None,
            Err(_) => Some(match self {
                Self::Number => Value::from(0),
                Self::Json => Value::Array(vec![value.clone()]),
                Self::Text | Self::Boolean | Self::Null => Value::Null,
            }),
        }
    }
}

/// Why what was typed is not taken; the page has words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    NoNumber,
    /// A whole number in it has more digits than are kept.
    Rounded,
    /// What the JSON reader says.
    Json(String),
}

/// What was typed without a kind beside it: numbers, `true`, `null` and lists are what they are in
/// JSON, everything else is text, and so is what would be rounded.
pub fn value_of(text: &str) -> Value {
    read_exactly(text).unwrap_or_else(|_| text.into())
}

fn read_exactly(text: &str) -> Result<Value, Unread> {
    let value = serde_json::from_str(text).map_err(|error| Unread::Json(error.to_string()))?;
    match is_rounded(text) {
        true => Err(Unread::Rounded),
        false => Ok(value),
    }
}

/// Whether JSON has a number whose whole part is beyond 64 bits, which would lose its last digits. One
/// with an exponent is meant as it is kept.
fn is_rounded(json: &str) -> bool {
    let is_of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let outside = outside_of_strings(json);
    let mut numbers = outside.split(|c| !is_of_number(c));
    numbers.any(|number| {
        let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let is_written_out = !number.contains(['e', 'E']) && !digits.is_empty();
        is_written_out && whole.parse::<i64>().is_err() && whole.parse::<u64>().is_err()
    })
}

fn outside_of_strings(json: &str) -> String {
    let (mut is_inside, mut is_escaped) = (false, false);
    let is_outside = |c: &char| {
        let is_quote = *c == '"' && !is_escaped;
        is_escaped = is_inside && *c == '\\' && !is_escaped;
        is_inside ^= is_quote;
        !is_inside
    };
    json.chars().filter(is_outside).collect()
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
    if is_rounded(text) {
        return Err(ObjectsError::Rounded);
    }
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
    /// A whole number in it has more digits than are kept.
    Rounded,
    /// From 1.
    NoObject {
        number: usize,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LONG: &str = "21000418450200051332";

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
        let check = |kind: JsonKind, before: Value, want: Value| {
            assert_eq!(kind.convert(&before), Some(want), "{kind:?} of {before}");
        };
        check(JsonKind::Number, json!("12"), json!(12));
        check(JsonKind::Number, json!("a"), json!(0));
        check(JsonKind::Text, json!(12), json!("12"));
        check(JsonKind::Json, json!("a b"), json!(["a b"]));
        check(JsonKind::Json, json!("[1]"), json!([1]));
        check(JsonKind::Json, json!(LONG), json!([LONG]));
        check(JsonKind::Boolean, json!("true"), json!(true));
        check(JsonKind::Null, json!("x"), json!(null));
        assert_eq!(JsonKind::Number.convert(&json!(LONG)), None);
    }

    #[test]
    fn a_number_that_would_be_rounded_is_no_number() {
        let deep = format!("{{\"a\": [1e20, {LONG}]}}");
        let tail = format!("-{LONG}.5");
        for text in [LONG, &tail] {
            assert_eq!(JsonKind::Number.read(text), Err(Unread::Rounded));
        }
        assert_eq!(JsonKind::Json.read(&deep), Err(Unread::Rounded));
        assert_eq!(
            read_objects(&format!("[{deep}]")),
            Err(ObjectsError::Rounded)
        );
        for text in [LONG, &deep, &tail] {
            assert_eq!(value_of(text), json!(text));
        }
    }

    #[test]
    fn a_number_that_is_kept_is_a_number() {
        for text in ["18446744073709551615", "-9223372036854775808", "-0"] {
            let number = JsonKind::Number.read(text).unwrap();
            assert_eq!(number.as_f64(), text.parse().ok());
            assert_eq!(value_of(text), number);
        }
        assert_eq!(value_of("1e20"), json!(1e20));
        let quoted = format!("[\"\\\\\", \"a\\\"{LONG}\", true]");
        assert!(value_of(&quoted).is_array(), "{quoted}");
        assert_eq!(value_of("a b"), json!("a b"));
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
