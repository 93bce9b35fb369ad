//! Columns beside the text, and whether one type holds all values of each.
//!
//! `datasets` (up to 4.0 at least) gives a column of a JSON file one Arrow type, and refuses the
//! whole file where its values have none in common.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What the values of each column have in common, with the number of records that have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(BTreeMap<String, (Kind, u64)>);

impl Columns {
    pub(super) fn add(&mut self, columns: &Map<String, Value>) {
        for (name, value) in columns {
            let kind = Kind::of(value);
            let n = u64::from(kind != Kind::Nothing);
            match self.0.get_mut(name) {
                Some((known, count)) => {
                    *known = std::mem::replace(known, Kind::Mixed).with(kind);
                    *count += n;
                }
                None => {
                    self.0.insert(name.clone(), (kind, n));
                }
            }
        }
    }

    /// Columns that no one type holds.
    pub(super) fn mixed(&self) -> impl Iterator<Item = (&str, u64)> {
        let mixed = self.0.iter().filter(|(_, (kind, _))| *kind == Kind::Mixed);
        mixed.map(|(name, (_, n))| (name.as_str(), *n))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Null, which every type has.
    Nothing,
    Truth,
    Number,
    Text,
    List(Box<Kind>),
    Object(BTreeMap<String, Kind>),
    Mixed,
}

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(_) => Self::Truth,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Array(items) => {
                let kinds = items.iter().map(Self::of);
                Self::list(kinds.fold(Self::Nothing, Self::with))
            }
            Value::Object(fields) => {
                let kinds = fields.iter();
                Self::object(kinds.map(|(key, value)| (key.clone(), Self::of(value))))
            }
        }
    }

    fn list(items: Self) -> Self {
        match items {
            Self::Mixed => Self::Mixed,
            items => Self::List(Box::new(items)),
        }
    }

    fn object(fields: impl Iterator<Item = (String, Self)>) -> Self {
        let fields: BTreeMap<String, Self> = fields.collect();
        match fields.values().any(|kind| *kind == Self::Mixed) {
            true => Self::Mixed,
            false => Self::Object(fields),
        }
    }

    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (Self::List(one), Self::List(other)) => Self::list(one.with(*other)),
            (Self::Object(mut fields), Self::Object(others)) => {
                for (key, kind) in others {
                    let known = fields.remove(&key).unwrap_or(Self::Nothing);
                    fields.insert(key, known.with(kind));
                }
                Self::object(fields.into_iter())
            }
            (one, other) if one == other => one,
            _ => Self::Mixed,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(values: [Value; 2], is_mixed: bool) {
        let mut columns = Columns::default();
        for value in values {
            columns.add(&Map::from_iter([("c".to_owned(), value)]));
        }
        assert_eq!(columns.mixed().count() == 1, is_mixed, "{columns:?}");
    }

    #[test]
    fn a_column_has_one_type_or_is_mixed() {
        check([json!(1), json!("x")], true);
        check([json!(1), json!(0.5)], false);
        check([json!(null), json!("x")], false);
        check([json!([1]), json!(["x"])], true);
        check([json!([]), json!(["x"])], false);
        check([json!({"a": 1}), json!({"b": "x"})], false);
        check([json!({"a": 1}), json!({"a": {"b": 1}})], true);
        check([json!([1, "x"]), json!(null)], true);
    }
}
