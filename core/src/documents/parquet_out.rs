//! Rows as Parquet, with the types that `datasets.load_dataset` expects.
//!
//! A column is text, whole numbers, numbers, truth values, a list of objects (messages), or JSON text
//! where its values are of several kinds. Objects and lists in a message (calls) have types of their own
//! where all of them are of one shape, so that a chat template takes them; a key that only some had
//! would come back as null in the others. Which paths hold JSON stands in the file under
//! [`JSON_KEY`], so that [`unpacked`] can take it back. Every value may be missing.

mod shape;

use std::sync::Arc;

use parquet::{
    basic::{Compression, Repetition},
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
use shape::{Kind, Shape, Step, keys};

/// Metadata of the file: paths of columns whose texts are JSON, as a JSON list.
pub const JSON_KEY: &str = "veneer.json";

/// The column of the schemas that a conversation may call.
const TOOLS: &str = "tools";

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

struct Column<'a> {
    name: &'a str,
    shape: Shape,
}

impl<'a> Column<'a> {
    /// `None` for a column that no row has.
    fn of(name: &'a str, rows: &[Map<String, Value>]) -> Option<Self> {
        let values = || rows.iter().filter_map(|row| row.get(name));
        values().next()?;
        let shape = match keys(values()) {
            // Schemas of tools are of use as a whole, or as one text.
            Some(keys) if name != TOOLS || keys.iter().all(|(_, shape)| shape.is_typed()) => {
                Shape::List(Box::new(Shape::Object(keys)))
            }
            _ => {
                let kind = values().map(Kind::of).reduce(Kind::with);
                Shape::Leaf(kind.unwrap_or(Kind::Json))
            }
        };
        Some(Self { name, shape })
    }

    fn json_paths(&self) -> Vec<String> {
        match &self.shape {
            Shape::Leaf(Kind::Json) => vec![self.name.to_owned()],
            shape => shape
                .keys()
                .iter()
                .filter(|(_, shape)| matches!(shape, Shape::Leaf(Kind::Json)))
                .map(|(key, _)| format!("{}\u{0}{key}", self.name))
                .collect(),
        }
    }
}

fn written(columns: &[Column<'_>], rows: &[Map<String, Value>]) -> Result<Vec<u8>, ParquetError> {
    let fields: Result<Vec<TypePtr>, ParquetError> = columns
        .iter()
        .map(|column| column.shape.schema(column.name, Repetition::OPTIONAL))
        .collect();
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
                shape => nested(&mut group, shape, column.name, rows)?,
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

/// The leaves of a column with parts.
fn nested(
    group: &mut Group<'_, '_>,
    shape: &Shape,
    name: &str,
    rows: &[Map<String, Value>],
) -> Result<(), ParquetError> {
    let mut leaves = Vec::new();
    shape.leaves(&mut Vec::new(), &mut leaves);
    for (way, kind) in leaves {
        let mut leaf = Leaf::default();
        for row in rows {
            leaf.optional(row.get(name), &way, Levels::default());
        }
        leaf.write(group, kind)?;
    }
    Ok(())
}

/// How far a way is defined, and how many lists it is in; at a further item of one of them, which.
#[derive(Debug, Clone, Copy, Default)]
struct Levels {
    definition: i16,
    lists: i16,
    repetition: i16,
}

impl Levels {
    fn defined(self, n: i16) -> Self {
        Self {
            definition: self.definition + n,
            ..self
        }
    }
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

    /// What stands at the end of a way from a value that may be missing.
    fn optional(&mut self, value: Option<&'a Value>, way: &[Step<'_>], at: Levels) {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return self.push(None, at.definition, at.repetition);
        };
        self.within(value, way, at.defined(1));
    }

    fn within(&mut self, value: &'a Value, way: &[Step<'_>], at: Levels) {
        match way.split_first() {
            None => self.push(Some(value), at.definition, at.repetition),
            Some((Step::Key(key), rest)) => self.optional(value.get(key), rest, at),
            Some((Step::Items, rest)) => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                if items.is_empty() {
                    self.push(None, at.definition, at.repetition);
                }
                for (i, item) in items.iter().enumerate() {
                    let lists = at.lists + 1;
                    let repetition = if i > 0 { lists } else { at.repetition };
                    let at = Levels {
                        lists,
                        repetition,
                        ..at.defined(1)
                    };
                    match rest.first() {
                        Some(Step::Key(_)) => self.within(item, rest, at),
                        Some(Step::Items) | None => self.optional(Some(item), rest, at),
                    }
                }
            }
        }
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

    fn schema(rows: Vec<Value>) -> String {
        use parquet::file::reader::{FileReader as _, SerializedFileReader};

        let (columns, rows) = rows_of(rows);
        let bytes = bytes::Bytes::from(parquet(&columns, &rows).expect("written"));
        let file = SerializedFileReader::new(bytes).expect("a Parquet file");
        let mut text = Vec::new();
        let schema = file.metadata().file_metadata().schema().clone();
        parquet::schema::printer::print_schema(&mut text, &schema);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn calls_of_one_shape_have_types_and_others_are_text() {
        let chat = |call: Value| {
            json!({"messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": "", "tool_calls": call}]})
        };
        let call = |arguments: Value| json!({"id": "1", "function": {"name": "f", "arguments": arguments}});
        let alike = || {
            vec![
                chat(json!([call(json!("{}")), call(json!("{}"))])),
                chat(json!([])),
                chat(json!([call(json!(null))])),
                json!({"messages": [{"role": "user", "content": "q"}]}),
            ]
        };
        round_trip(alike());
        let typed = schema(alike());
        assert!(
            typed.contains("OPTIONAL BYTE_ARRAY arguments (STRING)"),
            "{typed}"
        );
        let unlike = || {
            vec![
                chat(json!([call(json!({"a": 1}))])),
                chat(json!([call(json!({"b": [[1], []]}))])),
            ]
        };
        round_trip(unlike());
        let texts = schema(unlike());
        assert!(
            texts.contains("OPTIONAL BYTE_ARRAY tool_calls (STRING)"),
            "{texts}"
        );
    }

    #[test]
    fn tools_have_types_or_are_one_text() {
        let tools = |properties: Value| {
            let parameters = json!({"properties": properties, "required": ["a"]});
            json!({"tools": [{"type": "function", "function": {"parameters": parameters}}]})
        };
        let alike = || vec![tools(json!({"a": {"type": "string"}})); 2];
        round_trip(alike());
        let typed = schema(alike());
        assert!(typed.contains("OPTIONAL group required (LIST)"), "{typed}");
        let unlike = || vec![tools(json!({"a": {"n": 1}})), tools(json!({"b": {"n": 1}}))];
        round_trip(unlike());
        let texts = schema(unlike());
        assert!(
            texts.contains("OPTIONAL BYTE_ARRAY tools (STRING)"),
            "{texts}"
        );
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
