//! Rows as Parquet, with the types that `datasets.load_dataset` expects.
//!
//! A column is text, whole numbers, numbers, truth values, a list of objects (messages), or JSON text
//! where its values are of several kinds. Which paths hold JSON stands in the file under [`JSON_KEY`],
//! so that [`unpacked`] can take it back. Every value may be missing.

use std::sync::Arc;

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::{KeyValue, ParquetMetaData},
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};
use serde_json::{Map, Value};

use super::DocumentError;

/// Metadata of the file: paths of columns whose texts are JSON, as a JSON list.
pub const JSON_KEY: &str = "veneer.json";

/// Rows written at once; readers hold a group in memory.
const GROUP_ROWS: usize = 10_000;

/// A Parquet file of rows with these columns.
///
/// # Errors
/// If the library refuses it.
pub fn parquet(columns: &[String], rows: &[Map<String, Value>]) -> Result<Vec<u8>, DocumentError> {
    let columns: Vec<Column> = columns
        .iter()
        .filter_map(|name| Column::of(name, rows))
        .collect();
    written(&columns, rows).map_err(|error| DocumentError::Unsupported {
        name: "the Parquet file".into(),
        reason: format!("it cannot be written: {error}"),
    })
}

/// A row that [`parquet`] wrote, as it was: JSON texts parsed, missing values gone.
pub(super) fn unpacked(mut row: Map<String, Value>, json_paths: &[String]) -> Map<String, Value> {
    row.retain(|_, value| !value.is_null());
    for path in json_paths {
        match path.split_once('\u{0}') {
            None => parse_in(&mut row, path),
            Some((column, key)) => {
                let items = row.get_mut(column).and_then(Value::as_array_mut);
                for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
                    parse_in(item, key);
                }
            }
        }
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

/// The paths under [`JSON_KEY`]; `None` for a file that something else wrote.
pub(super) fn paths_of(metadata: &ParquetMetaData) -> Option<Vec<String>> {
    let pairs = metadata.file_metadata().key_value_metadata()?;
    let listed = pairs.iter().find(|pair| pair.key == JSON_KEY)?;
    serde_json::from_str(listed.value.as_deref()?).ok()
}

fn parse_in(object: &mut Map<String, Value>, key: &str) {
    let value = object.get_mut(key);
    if let Some(value) = value
        && let Some(parsed) = value
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok())
    {
        *value = parsed;
    }
}

/// What all values of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Whole,
    Number,
    Truth,
    Json,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(_) => Self::Text,
            Value::Bool(_) => Self::Truth,
            Value::Number(number) if number.is_i64() => Self::Whole,
            Value::Number(number) if number.is_f64() => Self::Number,
            _ => Self::Json,
        }
    }

    fn with(self, other: Self) -> Self {
        if self == other { self } else { Self::Json }
    }

    fn physical(self) -> Physical {
        match self {
            Self::Text | Self::Json => Physical::BYTE_ARRAY,
            Self::Whole => Physical::INT64,
            Self::Number => Physical::DOUBLE,
            Self::Truth => Physical::BOOLEAN,
        }
    }

    fn leaf(self, name: &str) -> Result<TypePtr, ParquetError> {
        let builder = Type::primitive_type_builder(name, self.physical())
            .with_repetition(Repetition::OPTIONAL);
        let builder = match self {
            Self::Text | Self::Json => builder.with_logical_type(Some(LogicalType::String)),
            _ => builder,
        };
        Ok(Arc::new(builder.build()?))
    }
}

struct Column<'a> {
    name: &'a str,
    shape: Shape,
}

enum Shape {
    Leaf(Kind),
    /// A list of objects: their keys, each with the kind of its values.
    Objects(Vec<(String, Kind)>),
}

impl<'a> Column<'a> {
    /// `None` for a column that no row has.
    fn of(name: &'a str, rows: &[Map<String, Value>]) -> Option<Self> {
        let values = || rows.iter().filter_map(|row| row.get(name));
        values().next()?;
        let shape = match keys(values()) {
            Some(keys) => Shape::Objects(keys),
            None => {
                let kind = values().map(Kind::of).reduce(Kind::with);
                Shape::Leaf(kind.unwrap_or(Kind::Json))
            }
        };
        Some(Self { name, shape })
    }

    fn schema(&self) -> Result<TypePtr, ParquetError> {
        let keys = match &self.shape {
            Shape::Leaf(kind) => return kind.leaf(self.name),
            Shape::Objects(keys) => keys,
        };
        let leaves: Result<Vec<TypePtr>, ParquetError> =
            keys.iter().map(|(key, kind)| kind.leaf(key)).collect();
        let element = Type::group_type_builder("element")
            .with_repetition(Repetition::REQUIRED)
            .with_fields(leaves?)
            .build()?;
        let list = Type::group_type_builder("list")
            .with_repetition(Repetition::REPEATED)
            .with_fields(vec![Arc::new(element)])
            .build()?;
        let column = Type::group_type_builder(self.name)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::List))
            .with_fields(vec![Arc::new(list)])
            .build()?;
        Ok(Arc::new(column))
    }

    fn json_paths(&self) -> Vec<String> {
        match &self.shape {
            Shape::Leaf(Kind::Json) => vec![self.name.to_owned()],
            Shape::Leaf(_) => Vec::new(),
            Shape::Objects(keys) => keys
                .iter()
                .filter(|(_, kind)| *kind == Kind::Json)
                .map(|(key, _)| format!("{}\u{0}{key}", self.name))
                .collect(),
        }
    }
}

/// The keys of lists of objects; `None` where the values are anything else. A key whose values are
/// sometimes null has the kind of the others.
fn keys<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Vec<(String, Kind)>> {
    let mut keys: Vec<(String, Option<Kind>)> = Vec::new();
    let mut any = false;
    for value in values {
        for item in value.as_array()? {
            any = true;
            let object = item.as_object().filter(|object| !object.is_empty())?;
            for (key, value) in object {
                let kind = (!value.is_null()).then(|| Kind::of(value));
                match keys.iter_mut().find(|(known, _)| known == key) {
                    Some((_, known)) => {
                        *known = match (*known, kind) {
                            (Some(one), Some(other)) => Some(one.with(other)),
                            (one, other) => one.or(other),
                        }
                    }
                    None => keys.push((key.clone(), kind)),
                }
            }
        }
    }
    let keys = keys
        .into_iter()
        .map(|(key, kind)| (key, kind.unwrap_or(Kind::Json)));
    any.then(|| keys.collect())
}

fn written(columns: &[Column<'_>], rows: &[Map<String, Value>]) -> Result<Vec<u8>, ParquetError> {
    let fields: Result<Vec<TypePtr>, ParquetError> = columns.iter().map(Column::schema).collect();
    let schema = Type::group_type_builder("schema")
        .with_fields(fields?)
        .build()?;
    let paths: Vec<String> = columns.iter().flat_map(Column::json_paths).collect();
    let paths = serde_json::to_string(&paths).unwrap_or_default();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(vec![KeyValue::new(JSON_KEY.to_owned(), paths)]))
        .build();
    let mut out = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut out, Arc::new(schema), Arc::new(properties))?;
    for rows in rows.chunks(GROUP_ROWS) {
        let mut group = writer.next_row_group()?;
        for column in columns {
            match &column.shape {
                Shape::Leaf(kind) => flat(&mut group, *kind, column.name, rows)?,
                Shape::Objects(keys) => {
                    for (key, kind) in keys {
                        nested(&mut group, *kind, (column.name, key), rows)?;
                    }
                }
            }
        }
        group.close()?;
    }
    writer.close()?;
    Ok(out)
}

type Group<'a, 'b> = SerializedRowGroupWriter<'a, &'b mut Vec<u8>>;

fn flat(
    group: &mut Group<'_, '_>,
    kind: Kind,
    name: &str,
    rows: &[Map<String, Value>],
) -> Result<(), ParquetError> {
    let mut leaf = Leaf::default();
    for row in rows {
        match row.get(name) {
            Some(value) => leaf.push(Some(value), 1, 0),
            None => leaf.push(None, 0, 0),
        }
    }
    leaf.write(group, kind)
}

/// One key of a list of objects. Definition levels: 0 no list, 1 an empty one, 2 an object without
/// the key, 3 a value; repetition: 0 a new row, 1 a further object.
fn nested(
    group: &mut Group<'_, '_>,
    kind: Kind,
    (name, key): (&str, &str),
    rows: &[Map<String, Value>],
) -> Result<(), ParquetError> {
    let mut leaf = Leaf::default();
    for row in rows {
        let Some(items) = row.get(name).and_then(Value::as_array) else {
            leaf.push(None, 0, 0);
            continue;
        };
        if items.is_empty() {
            leaf.push(None, 1, 0);
        }
        for (i, item) in items.iter().enumerate() {
            let repetition = i16::from(i > 0);
            match item.get(key).filter(|value| !value.is_null()) {
                Some(value) => leaf.push(Some(value), 3, repetition),
                None => leaf.push(None, 2, repetition),
            }
        }
    }
    leaf.write(group, kind)
}

/// Values of one leaf with their levels.
#[derive(Default)]
struct Leaf<'a> {
    values: Vec<&'a Value>,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

impl<'a> Leaf<'a> {
    fn push(&mut self, value: Option<&'a Value>, definition: i16, repetition: i16) {
        self.values.extend(value);
        self.definitions.push(definition);
        self.repetitions.push(repetition);
    }

    fn write(self, group: &mut Group<'_, '_>, kind: Kind) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else {
            return Err(ParquetError::General("more columns than the schema".into()));
        };
        let levels = (Some(&self.definitions[..]), Some(&self.repetitions[..]));
        let values = self.values.iter();
        match kind {
            Kind::Text => {
                let texts: Vec<ByteArray> = values
                    .map(|value| value.as_str().unwrap_or_default().into())
                    .collect();
                let typed = column.typed::<ByteArrayType>();
                typed.write_batch(&texts, levels.0, levels.1)?;
            }
            Kind::Json => {
                let texts: Vec<ByteArray> = values
                    .map(|value| value.to_string().into_bytes().into())
                    .collect();
                let typed = column.typed::<ByteArrayType>();
                typed.write_batch(&texts, levels.0, levels.1)?;
            }
            Kind::Whole => {
                let numbers: Vec<i64> = values.filter_map(|value| value.as_i64()).collect();
                let typed = column.typed::<Int64Type>();
                typed.write_batch(&numbers, levels.0, levels.1)?;
            }
            Kind::Number => {
                let numbers: Vec<f64> = values.filter_map(|value| value.as_f64()).collect();
                let typed = column.typed::<DoubleType>();
                typed.write_batch(&numbers, levels.0, levels.1)?;
            }
            Kind::Truth => {
                let truths: Vec<bool> = values.filter_map(|value| value.as_bool()).collect();
                let typed = column.typed::<BoolType>();
                typed.write_batch(&truths, levels.0, levels.1)?;
            }
        }
        column.close()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::documents::{Part, file::Bytes, inspect};

    fn rows_of(rows: Vec<Value>) -> (Vec<String>, Vec<Map<String, Value>>) {
        let rows: Vec<Map<String, Value>> = rows
            .into_iter()
            .map(|row| row.as_object().expect("an object").clone())
            .collect();
        let mut columns: Vec<String> = Vec::new();
        for name in rows.iter().flat_map(Map::keys) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        (columns, rows)
    }

    fn part(bytes: Vec<u8>) -> Part {
        let mut parts = inspect(Bytes::of("a.parquet", bytes));
        assert_eq!(parts.len(), 1);
        parts.remove(0)
    }

    /// Rows out and in again, as any Parquet file comes in.
    #[track_caller]
    fn round_trip(rows: Vec<Value>) {
        let (columns, rows) = rows_of(rows);
        let part = part(parquet(&columns, &rows).expect("written"));
        let table = crate::documents::parquet_file::table(part.file(), &Default::default());
        let back: Vec<Map<String, Value>> = table
            .expect("a table")
            .rows
            .map(|row| match row.expect("a row") {
                crate::data::Row::Object { object, .. } => object,
                crate::data::Row::Broken(problem) => panic!("{problem}"),
            })
            .collect();
        assert_eq!(back, rows);
    }

    #[test]
    fn conversations_come_back_as_lists_of_objects() {
        let call =
            json!({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
        let chats = vec![
            json!({"messages": [
                {"role": "user", "content": "¿Qué?"},
                {"role": "assistant", "content": null, "tool_calls": [call]},
                {"role": "tool", "content": "1", "tool_call_id": "c1"},
                {"role": "assistant", "content": "1", "weight": 0}], "tools": [{"type": "function"}]}),
            json!({"messages": [{"role": "user", "content": "q"}], "n": 1}),
            json!({"messages": []}),
        ];
        round_trip(chats.clone());
        let (columns, rows) = rows_of(chats);
        let part = part(parquet(&columns, &rows).expect("written"));
        let arrivals = part.records(&part.view.reading, None).expect("read");
        let arrivals: Vec<_> = arrivals.map(|arrival| arrival.expect("a row")).collect();
        let record = arrivals[0].record.as_ref().expect("a record");
        let crate::data::Body::Chat(chat) = &record.body else {
            panic!("a conversation")
        };
        assert_eq!((chat.messages.len(), chat.tools.len()), (4, 1));
        assert_eq!(chat.messages[1].tool_calls.len(), 1);
    }

    #[test]
    fn columns_keep_their_types_and_mixed_ones_are_json() {
        round_trip(vec![
            json!({"a": "x", "n": 1, "f": 0.5, "t": true, "mixed": 1, "deep": {"k": [1]}}),
            json!({"n": -7, "mixed": "1", "deep": null}),
            json!({"a": "", "big": 18_446_744_073_709_551_615_u64}),
        ]);
    }

    #[test]
    fn many_rows_are_several_groups() {
        round_trip(
            (0..25_000)
                .map(|i| json!({"text": format!("r{i}")}))
                .collect(),
        );
    }
}
