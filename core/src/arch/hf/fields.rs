//! The fields of a config.json by type, with errors that name them.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Map, Value};

use super::ArchError;

/// More layers, heads or columns than any model has: refuse before anything is allocated.
pub(super) const MAX_COUNT: usize = 1 << 24;

/// An object of config.json. Remembers what was asked for, so that a field that changes results
/// and that nobody read can be refused.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// Put before names in errors, as in `rope_scaling.`.
    prefix: String,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        Self {
            object,
            prefix: String::new(),
            asked: RefCell::default(),
        }
    }

    /// An object inside this one; `None` where it is missing, null or empty.
    pub(super) fn inside(&self, key: &str) -> Result<Option<Fields<'a>>, ArchError> {
        match self.given(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) if object.is_empty() => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Fields {
                object,
                prefix: format!("{}{key}.", self.prefix),
                asked: RefCell::default(),
            })),
            Some(other) => Err(self.wrong(key, other, "an object")),
        }
    }

    /// What stands there, null included.
    pub(super) fn given(&self, key: &str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.object.get(key)
    }

    /// What stands there, without counting as read.
    pub(super) fn unread(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let asked = self.asked.borrow().clone();
        self.object
            .iter()
            .filter(move |(key, _)| !asked.contains(*key))
    }

    /// `missing` where there is no such field, `None` where it is null.
    fn nullable<T>(
        &self,
        key: &str,
        missing: Option<T>,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, ArchError> {
        match self.given(key) {
            None => Ok(missing),
            Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(value) => Ok(Some(value)),
                None => Err(self.wrong(key, value, expected)),
            },
        }
    }

    /// A count that must be there.
    pub(super) fn count(&self, key: &str) -> Result<usize, ArchError> {
        self.optional_count(key)?.ok_or_else(|| self.missing(key))
    }

    pub(super) fn count_or(&self, key: &str, default: usize) -> Result<usize, ArchError> {
        Ok(self.optional_count(key)?.unwrap_or(default))
    }

    /// `None` where it is missing or null.
    pub(super) fn optional_count(&self, key: &str) -> Result<Option<usize>, ArchError> {
        self.nullable_count(key, None)
    }

    pub(super) fn nullable_count(
        &self,
        key: &str,
        missing: Option<usize>,
    ) -> Result<Option<usize>, ArchError> {
        let expected = format!("a whole number from 1 to {MAX_COUNT}");
        self.nullable(key, missing, &expected, |value| {
            let n = usize::try_from(value.as_u64()?).ok()?;
            (1..=MAX_COUNT).contains(&n).then_some(n)
        })
    }

    /// A positive number that must be there.
    pub(super) fn positive(&self, key: &str) -> Result<f64, ArchError> {
        self.optional_positive(key)?
            .ok_or_else(|| self.missing(key))
    }

    pub(super) fn positive_or(&self, key: &str, default: f64) -> Result<f64, ArchError> {
        Ok(self.optional_positive(key)?.unwrap_or(default))
    }

    pub(super) fn optional_positive(&self, key: &str) -> Result<Option<f64>, ArchError> {
        self.nullable_positive(key, None)
    }

    pub(super) fn nullable_positive(
        &self,
        key: &str,
        missing: Option<f64>,
    ) -> Result<Option<f64>, ArchError> {
        self.nullable(key, missing, "a positive number", |value| {
            let number = value.as_f64()?;
            (number.is_finite() && number > 0.0).then_some(number)
        })
    }

    pub(super) fn flag_or(&self, key: &str, default: bool) -> Result<bool, ArchError> {
        let flag = self.nullable(key, None, "true or false", Value::as_bool)?;
        Ok(flag.unwrap_or(default))
    }

    /// `None` where it is missing or null.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, ArchError> {
        match self.given(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, other, "a string")),
        }
    }

    /// `None` where it is missing or null.
    pub(super) fn list(&self, key: &str) -> Result<Option<&'a [Value]>, ArchError> {
        match self.given(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(other) => Err(self.wrong(key, other, "a list")),
        }
    }

    /// `len` positive numbers that must be there.
    pub(super) fn positives(&self, key: &str, len: usize) -> Result<Vec<f32>, ArchError> {
        let items = self.list(key)?.ok_or_else(|| self.missing(key))?;
        let positive = |item: &Value| {
            let number = item.as_f64()? as f32;
            (number.is_finite() && number > 0.0).then_some(number)
        };
        let numbers: Option<Vec<f32>> = items.iter().map(positive).collect();
        numbers.filter(|n| n.len() == len).ok_or_else(|| {
            let found = format!("a list of {}", items.len());
            self.field(key, found, &format!("{len} positive numbers"))
        })
    }

    /// Ids of one token or of several; none where the field is missing or null.
    pub(super) fn token_ids(&self, key: &str) -> Result<Vec<u32>, ArchError> {
        let id = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let ids =
            self.nullable(
                key,
                None,
                "the id of a token, or a list of ids",
                |value| match value {
                    Value::Array(items) => items.iter().map(id).collect(),
                    one => Some(vec![id(one)?]),
                },
            );
        Ok(ids?.unwrap_or_default())
    }

    pub(super) fn missing(&self, key: &str) -> ArchError {
        ArchError::Missing {
            field: format!("{}{key}", self.prefix),
        }
    }

    pub(super) fn wrong(&self, key: &str, found: &Value, expected: &str) -> ArchError {
        let mut found = match found {
            Value::String(text) => format!("`{text}`"),
            other => other.to_string(),
        };
        // A whole object in a message helps nobody.
        if let Some((cut, _)) = found.char_indices().nth(100) {
            found.truncate(cut);
            found.push('…');
        }
        self.field(key, found, expected)
    }

    pub(super) fn field(&self, key: &str, found: String, expected: &str) -> ArchError {
        ArchError::Field {
            field: format!("{}{key}", self.prefix),
            found,
            expected: expected.to_owned(),
        }
    }
}
