//! What the values of a column have in common, and the Parquet types for it.

use std::sync::Arc;

use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    errors::ParquetError,
    schema::types::{Type, TypePtr},
};
use serde_json::{Map, Value};

/// The shape of values.
pub(super) enum Shape {
    Leaf(Kind),
    /// Values of one shape.
    List(Box<Shape>),
    /// The keys of objects, each with the shape of its values.
    Object(Vec<(String, Shape)>),
}

impl Shape {
    /// What all of these values are; JSON where they differ.
    fn of(values: &[&Value]) -> Self {
        let given = || values.iter().filter(|value| !value.is_null());
        let lists: Option<Vec<&Vec<Value>>> = given().map(|value| value.as_array()).collect();
        let objects: Option<Vec<_>> = given().map(|value| value.as_object()).collect();
        let typed = match (lists, objects) {
            _ if given().next().is_none() => Some(Self::Leaf(Kind::Nothing)),
            (Some(lists), _) => Self::of_items(&lists),
            (_, Some(objects)) => Self::of_objects(&objects),
            _ => Some(Self::Leaf(Kind::of_all(given().copied()))),
        };
        typed.unwrap_or(Self::Leaf(Kind::Json))
    }

    /// What the values of a column are; objects, whose keys differ more often than not, are JSON.
    pub(super) fn of_column<'a, I>(values: impl Fn() -> I) -> Self
    where
        I: Iterator<Item = &'a Value>,
    {
        let kind = Kind::of_all(values());
        if kind != Kind::Json {
            return Self::Leaf(kind);
        }
        let given = values().filter(|value| !value.is_null());
        let lists: Option<Vec<&Vec<Value>>> = given.map(Value::as_array).collect();
        let typed = lists.and_then(|lists| Self::of_items(&lists));
        typed.unwrap_or(Self::Leaf(Kind::Json))
    }

    fn of_items(lists: &[&Vec<Value>]) -> Option<Self> {
        let kind = Kind::of_all(lists.iter().copied().flatten());
        if kind != Kind::Json {
            return Some(Self::List(Box::new(Self::Leaf(kind))));
        }
        let items: Vec<&Value> = lists.iter().copied().flatten().collect();
        let item = Self::of(&items);
        // Of null among objects, an object without keys would be left.
        let is_plain = matches!(item, Self::Leaf(_)) || !items.iter().any(|item| item.is_null());
        (is_plain && item.is_typed()).then(|| Self::List(Box::new(item)))
    }

    fn of_objects(objects: &[&Map<String, Value>]) -> Option<Self> {
        let first = objects.first().filter(|first| !first.is_empty())?;
        let is_like = |object: &&Map<String, Value>| {
            object.len() == first.len() && object.keys().all(|key| first.contains_key(key))
        };
        let are_alike = objects.iter().all(is_like);
        let shape = |key: &String| {
            let values: Vec<&Value> = objects
                .iter()
                .filter_map(|object| object.get(key))
                .collect();
            (key.clone(), Self::of(&values))
        };
        let keys: Vec<(String, Self)> = first.keys().filter(|_| are_alike).map(shape).collect();
        let is_typed = are_alike && keys.iter().all(|(_, shape)| shape.is_typed());
        is_typed.then_some(Self::Object(keys))
    }

    pub(super) fn is_typed(&self) -> bool {
        !matches!(self, Self::Leaf(Kind::Json))
    }

    /// Whether doubles are in it.
    pub(super) fn has_numbers(&self) -> bool {
        match self {
            Self::Leaf(kind) => *kind == Kind::Number,
            Self::List(item) => item.has_numbers(),
            Self::Object(keys) => keys.iter().any(|(_, shape)| shape.has_numbers()),
        }
    }

    /// Of a list of objects.
    pub(super) fn keys(&self) -> &[(String, Self)] {
        match self {
            Self::List(item) => match item.as_ref() {
                Self::Object(keys) => keys,
                _ => &[],
            },
            _ => &[],
        }
    }

    /// A node of the schema. Objects of a list are always there; whatever else may be missing.
    pub(super) fn schema(
        &self,
        name: &str,
        repetition: Repetition,
    ) -> Result<TypePtr, ParquetError> {
        let group = Type::group_type_builder(name).with_repetition(repetition);
        let group = match self {
            Self::Leaf(kind) => return kind.leaf(name),
            Self::Object(keys) => {
                let fields = keys.iter();
                let fields = fields.map(|(key, shape)| shape.schema(key, Repetition::OPTIONAL));
                group.with_fields(fields.collect::<Result<_, _>>()?)
            }
            Self::List(item) => {
                let of_item = match item.as_ref() {
                    Self::Object(_) => Repetition::REQUIRED,
                    _ => Repetition::OPTIONAL,
                };
                let list = Type::group_type_builder("list")
                    .with_repetition(Repetition::REPEATED)
                    .with_fields(vec![item.schema("element", of_item)?])
                    .build()?;
                group
                    .with_logical_type(Some(LogicalType::List))
                    .with_fields(vec![Arc::new(list)])
            }
        };
        Ok(Arc::new(group.build()?))
    }

    /// The way to each leaf, in the order of the schema.
    pub(super) fn leaves<'b>(
        &'b self,
        way: &mut Vec<Step<'b>>,
        found: &mut Vec<(Vec<Step<'b>>, Kind)>,
    ) {
        match self {
            Self::Leaf(kind) => found.push((way.clone(), *kind)),
            Self::List(item) => {
                way.push(Step::Items);
                item.leaves(way, found);
                way.pop();
            }
            Self::Object(keys) => {
                for (key, shape) in keys {
                    way.push(Step::Key(key));
                    shape.leaves(way, found);
                    way.pop();
                }
            }
        }
    }
}

/// From a value to one in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Items,
    Key(&'a str),
}

/// The keys of lists of objects; `None` where the values are anything else. A key may be missing.
pub(super) fn keys<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Vec<(String, Shape)>> {
    let mut keys: Vec<(String, Vec<&Value>)> = Vec::new();
    for value in values.filter(|value| !value.is_null()) {
        for item in value.as_array()? {
            let object = item.as_object().filter(|object| !object.is_empty())?;
            for (key, value) in object {
                match keys.iter_mut().find(|(known, _)| known == key) {
                    Some((_, values)) => values.push(value),
                    None => keys.push((key.clone(), vec![value])),
                }
            }
        }
    }
    let shapes = keys.into_iter();
    let shapes: Vec<_> = shapes
        .map(|(key, values)| (key, Shape::of(&values)))
        .collect();
    (!shapes.is_empty()).then_some(shapes)
}

/// What all values of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Null, which every type has.
    Nothing,
    Text,
    /// Whole numbers that a double holds as well.
    Whole,
    /// Whole numbers of which it does not hold all.
    Long,
    Number,
    Truth,
    Json,
}

impl Kind {
    fn of_all<'a>(mut values: impl Iterator<Item = &'a Value>) -> Self {
        let with = |known: Self, value: &Value| match known.with(Self::of(value)) {
            Self::Json => None,
            kind => Some(kind),
        };
        values.try_fold(Self::Nothing, with).unwrap_or(Self::Json)
    }

    fn of(value: &Value) -> Self {
        const EXACT: u64 = 1 << 53;
        match value {
            Value::Null => Self::Nothing,
            Value::String(_) => Self::Text,
            Value::Bool(_) => Self::Truth,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(number) => match number.as_i64() {
                Some(whole) if whole.unsigned_abs() <= EXACT => Self::Whole,
                Some(_) => Self::Long,
                None => Self::Json,
            },
            Value::Array(_) | Value::Object(_) => Self::Json,
        }
    }

    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (Self::Whole, Self::Long) | (Self::Long, Self::Whole) => Self::Long,
            (Self::Whole, Self::Number) | (Self::Number, Self::Whole) => Self::Number,
            (one, other) if one == other => one,
            _ => Self::Json,
        }
    }

    fn physical(self) -> Physical {
        match self {
            Self::Nothing | Self::Text | Self::Json => Physical::BYTE_ARRAY,
            Self::Whole | Self::Long => Physical::INT64,
            Self::Number => Physical::DOUBLE,
            Self::Truth => Physical::BOOLEAN,
        }
    }

    fn leaf(self, name: &str) -> Result<TypePtr, ParquetError> {
        let builder = Type::primitive_type_builder(name, self.physical())
            .with_repetition(Repetition::OPTIONAL);
        let builder = match self {
            Self::Nothing | Self::Text | Self::Json => {
                builder.with_logical_type(Some(LogicalType::String))
            }
            _ => builder,
        };
        Ok(Arc::new(builder.build()?))
    }
}
