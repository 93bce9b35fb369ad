//! What the types of a Parquet file do not say of its values, so that rows come back as they were.

use parquet::file::metadata::{KeyValue, ParquetMetaData};
use serde_json::{Map, Value};

use super::JSON_KEY;

/// Metadata of the file: paths of columns without values that were null, and of numbers among which
/// whole ones had no point, as a JSON object of lists.
const VALUES_KEY: &str = "veneer.values";

/// Between a column of objects and a key of theirs, in a path.
const KEY_MARK: char = '\u{0}';

/// Columns, or keys of the objects in a column, of which there is more to say.
#[derive(Debug, Default)]
pub(in crate::documents) struct Paths {
    /// Texts that are JSON.
    pub(super) json: Vec<String>,
    /// Every row has a value there, if only null.
    pub(super) null: Vec<String>,
    /// Whole numbers are written without a point.
    pub(super) whole: Vec<String>,
}

impl Paths {
    /// `None` for a file that something else wrote.
    pub(in crate::documents) fn of(metadata: &ParquetMetaData) -> Option<Self> {
        let pairs = metadata.file_metadata().key_value_metadata()?;
        let listed = |key: &str| pairs.iter().find(|pair| pair.key == key)?.value.as_deref();
        let json = serde_json::from_str(listed(JSON_KEY)?).ok()?;
        let values = listed(VALUES_KEY).and_then(|text| serde_json::from_str(text).ok());
        let values: Value = values.unwrap_or_default();
        let paths = |key: &str| {
            let paths = values.get(key).and_then(Value::as_array).into_iter();
            let paths = paths.flatten().filter_map(Value::as_str);
            paths.map(str::to_owned).collect()
        };
        Some(Self {
            json,
            null: paths("null"),
            whole: paths("whole"),
        })
    }

    pub(super) fn metadata(&self) -> Vec<KeyValue> {
        let json = serde_json::to_string(&self.json).unwrap_or_default();
        let mut pairs = vec![KeyValue::new(JSON_KEY.to_owned(), json)];
        if !self.null.is_empty() || !self.whole.is_empty() {
            let values = serde_json::json!({"null": self.null, "whole": self.whole});
            pairs.push(KeyValue::new(VALUES_KEY.to_owned(), values.to_string()));
        }
        pairs
    }
}

/// The path of a key of the objects in a column.
pub(super) fn path(column: &str, key: &str) -> String {
    format!("{column}{KEY_MARK}{key}")
}

/// A row that [`super::parquet`] wrote, as it was: JSON texts parsed, missing values gone.
pub(in crate::documents) fn unpacked(
    mut row: Map<String, Value>,
    paths: &Paths,
) -> Map<String, Value> {
    row.retain(|name, value| !value.is_null() || paths.null.contains(name));
    for path in &paths.json {
        each_at(&mut row, path, &parse);
    }
    for path in &paths.whole {
        each_at(&mut row, path, &without_point);
    }
    for value in row.values_mut() {
        let items = value.as_array_mut().into_iter().flatten();
        for item in items.filter_map(Value::as_object_mut) {
            // A call stands instead of text: that there is none is said.
            let calls = item.get("tool_calls").is_some_and(|calls| !calls.is_null());
            item.retain(|key, value| !value.is_null() || (calls && key == "content"));
        }
    }
    row
}

fn each_at(row: &mut Map<String, Value>, path: &str, change: &dyn Fn(&mut Value)) {
    match path.split_once(KEY_MARK) {
        None => row.get_mut(path).into_iter().for_each(change),
        Some((column, key)) => {
            let items = row.get_mut(column).and_then(Value::as_array_mut);
            for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
                item.get_mut(key).into_iter().for_each(change);
            }
        }
    }
}

fn parse(value: &mut Value) {
    let parsed = value.as_str().map(serde_json::from_str);
    if let Some(Ok(parsed)) = parsed {
        *value = parsed;
    }
}

/// Whole numbers of a value as they were before fractions beside them made doubles of them.
fn without_point(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_point),
        Value::Object(fields) => fields.values_mut().for_each(without_point),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0);
            if let Some(float) = whole.filter(|_| number.is_f64()) {
                *value = Value::from(float as i64);
            }
        }
        _ => {}
    }
}

/// Whether numbers are whole and fractional ones, and the whole ones have no point.
pub(super) fn have_wholes_without_point<'a>(values: impl Iterator<Item = &'a Value>) -> bool {
    let mut seen = Numbers::default();
    values.for_each(|value| seen.add(value));
    seen.whole && seen.fraction && !seen.with_idle_point
}

#[derive(Default)]
struct Numbers {
    whole: bool,
    fraction: bool,
    /// `4.0`
    with_idle_point: bool,
}

impl Numbers {
    fn add(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.add(field)),
            Value::Number(number) if number.is_f64() => {
                self.fraction = true;
                self.with_idle_point |= number.as_f64().is_some_and(|float| float.fract() == 0.0);
            }
            Value::Number(_) => self.whole = true,
            _ => {}
        }
    }
}
