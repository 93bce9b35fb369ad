//! Rows as Parquet, with the types that `datasets.load_dataset` expects.
//!
//! A column is text, whole numbers, numbers, truth values, a list of any of them (tokens) or of objects
//! (messages), or JSON text where its values are of several kinds. Null is of every kind, and whole
//! numbers beside fractional ones are numbers. Objects and lists in a message (calls) have types of their
//! own where all of them are of one shape, so that a chat template takes them; a key that only some had
//! would come back as null in the others. Which paths hold JSON stands in the file under
//! [`JSON_KEY`], so that [`unpacked`] can take it back. Every value may be missing.

mod shape;
mod taken_back;

use std::sync::Arc;

use parquet::{
    basic::{Compression, Repetition},
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::{Type, TypePtr},
};
use serde_json::{Map, Value};

use super::DocumentError;
use shape::{Kind, Shape, Step, keys};
pub(super) use taken_back::{Paths, unpacked};
use taken_back::{have_wholes_without_point, path};

/// Metadata of the file: paths of columns whose texts are JSON, as a JSON list.
pub const JSON_KEY: &str = "veneer.json";

/// The column of the schemas that a conversation may call.
const TOOLS: &str = "tools";

/// Rows written at once; readers hold a group in memory.
const GROUP_ROWS: usize = 10_000;

/// Items of lists after which a group ends earlier: those of tokens are long.
const GROUP_ITEMS: usize = 1 << 22;

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
            Some(_) => Shape::Leaf(Kind::Json),
            None => Shape::of_column(values),
        };
        Some(Self { name, shape })
    }

    fn is_json(&self) -> bool {
        matches!(self.shape, Shape::Leaf(Kind::Json))
    }

    /// Add what is to be said of it so that its values come back.
    fn list(&self, rows: &[Map<String, Value>], paths: &mut Paths) {
        let values = || rows.iter().filter_map(|row| row.get(self.name));
        if self.is_json() {
            return paths.json.push(self.name.to_owned());
        }
        if rows.iter().all(|row| row.contains_key(self.name)) && values().any(Value::is_null) {
            paths.null.push(self.name.to_owned());
        }
        if self.shape.keys().is_empty() && self.shape.has_numbers() {
            let is_whole = have_wholes_without_point(values());
            paths.whole.extend(is_whole.then(|| self.name.to_owned()));
        }
        for (key, shape) in self.shape.keys() {
            let items = || values().filter_map(Value::as_array).flatten();
            let path = path(self.name, key);
            if !shape.is_typed() {
                paths.json.push(path);
            } else if shape.has_numbers()
                && have_wholes_without_point(items().filter_map(|item| item.get(key)))
            {
                paths.whole.push(path);
            }
        }
    }

    fn n_items(&self, row: &Map<String, Value>) -> usize {
        let items = match self.shape {
            Shape::List(_) => row.get(self.name).and_then(Value::as_array),
            _ => None,
        };
        items.map_or(0, Vec::len)
    }
}

/// How many of the rows make the next group.
fn group_size(columns: &[Column<'_>], rows: &[Map<String, Value>]) -> usize {
    let mut n_items = 0;
    let fits = |row: &&Map<String, Value>| {
        let before = n_items;
        n_items += columns
            .iter()
            .map(|column| column.n_items(row))
            .sum::<usize>();
        before == 0 || n_items <= GROUP_ITEMS
    };
    rows.iter().take(GROUP_ROWS).take_while(fits).count()
}

fn written(columns: &[Column<'_>], rows: &[Map<String, Value>]) -> Result<Vec<u8>, ParquetError> {
    let fields: Result<Vec<TypePtr>, ParquetError> = columns
        .iter()
        .map(|column| column.shape.schema(column.name, Repetition::OPTIONAL))
        .collect();
    let schema = Type::group_type_builder("schema")
        .with_fields(fields?)
        .build()?;
    let mut paths = Paths::default();
    for column in columns {
        column.list(rows, &mut paths);
    }
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(paths.metadata()))
        .build();
    let mut out = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut out, Arc::new(schema), Arc::new(properties))?;
    let mut rest = rows;
    while !rest.is_empty() {
        let (rows, behind) = rest.split_at(group_size(columns, rest).clamp(1, rest.len()));
        rest = behind;
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
            // Beside JSON a null is one, so that it is told from what is missing.
            Some(value) if kind == Kind::Json || !value.is_null() => leaf.push(Some(value), 1, 0),
            _ => leaf.push(None, 0, 0),
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
            Kind::Text | Kind::Nothing => {
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
            Kind::Whole | Kind::Long => {
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
    fn null_is_of_every_type_and_whole_numbers_are_numbers() {
        let rows = || {
            vec![
                json!({"t": "web", "r": 4, "w": 1, "none": null, "flag": null, "d": 4.0}),
                json!({"t": null, "r": 4.5, "w": null, "none": null, "flag": true, "d": 1}),
            ]
        };
        let typed = schema(rows());
        for column in [
            "BYTE_ARRAY t (STRING)",
            "DOUBLE r",
            "INT64 w",
            "BYTE_ARRAY none (STRING)",
            "BOOLEAN flag",
            "DOUBLE d",
        ] {
            assert!(typed.contains(&format!("OPTIONAL {column}")), "{typed}");
        }
        // 4.0 beside 1 says that whole numbers may have a point.
        let plain = |mut row: Value| {
            row["d"] = json!(row["d"].as_f64());
            row
        };
        round_trip(rows().into_iter().map(plain).collect());
        let mut large = rows();
        large[0]["r"] = json!(9_007_199_254_740_993_i64);
        assert!(schema(large.clone()).contains("BYTE_ARRAY r (STRING)"));
        round_trip(large.into_iter().map(plain).collect());
        round_trip(vec![
            json!({"n": 9_007_199_254_740_993_i64}),
            json!({"n": 1}),
        ]);
    }

    #[test]
    fn lists_are_lists() {
        let rows = || {
            vec![
                json!({"input_ids": [1, 2], "labels": [-100, 2], "tags": ["a", "b"], "m": [0.5, 1],
                    "history": [["q", "a"], ["r", "b"]], "e": [], "mixed": [1, "x"]}),
                json!({"input_ids": [3], "labels": [-100], "tags": [], "m": [2],
                    "history": [], "e": [], "mixed": []}),
                json!({"input_ids": [], "labels": null, "tags": [null, "c"], "m": null}),
            ]
        };
        let typed = schema(rows());
        for (column, n) in [("INT64", 2), ("DOUBLE", 1), ("BYTE_ARRAY", 3)] {
            let element = format!("OPTIONAL {column} element");
            assert_eq!(typed.matches(&element).count(), n, "{typed}");
        }
        assert!(typed.contains("BYTE_ARRAY mixed (STRING)"), "{typed}");
        round_trip(rows());
    }

    #[test]
    fn weights_of_messages_are_numbers() {
        let answer = |weight: Value| json!({"role": "assistant", "content": "a", "weight": weight});
        let rows = || {
            vec![
                json!({"messages": [answer(json!(0.1)), answer(json!(0))]}),
                json!({"messages": [answer(json!(1))]}),
                json!({"messages": null}),
            ]
        };
        assert!(schema(rows()).contains("OPTIONAL DOUBLE weight"));
        round_trip(rows());
    }

    #[test]
    fn long_lists_end_a_group_earlier() {
        let (columns, rows) = rows_of(vec![json!({"ids": vec![7; 100]}); 3]);
        let columns: Vec<Column<'_>> = columns
            .iter()
            .filter_map(|name| Column::of(name, &rows))
            .collect();
        assert_eq!(group_size(&columns, &rows), 3);
        let (_, long) = rows_of(vec![json!({"ids": vec![7; GROUP_ITEMS / 2]}); 3]);
        assert_eq!(group_size(&columns, &long), 2);
        let (_, longer) = rows_of(vec![json!({"ids": vec![7; GROUP_ITEMS + 1]}); 2]);
        assert_eq!(group_size(&columns, &longer), 1);
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
