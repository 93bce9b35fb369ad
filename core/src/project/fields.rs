//! Columns beside the text, by value: read once from the texts, then kept.

use std::collections::HashMap;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ProjectError, columns::Columns};

/// The values of one column for every body.
#[derive(Default)]
pub(super) struct FieldColumn {
    pub(super) name: String,
    epoch: u64,
    /// By place of the body; 0 where it has none, otherwise one more than the value's number.
    values: Vec<u32>,
    numbers: HashMap<String, u32>,
}

impl FieldColumn {
    pub(super) fn new(name: &str, columns: &Columns) -> Self {
        Self {
            name: name.to_owned(),
            epoch: columns.epoch,
            values: vec![0],
            numbers: HashMap::new(),
        }
    }

    /// The number of a value's text; `None` where nothing has it.
    pub(super) fn number(&self, value: &str) -> Option<u32> {
        self.numbers.get(value).copied()
    }

    pub(super) fn value(&self, place: u32) -> Option<u32> {
        let number = self.values.get(place as usize)?;
        number.checked_sub(1)
    }

    /// Reads bodies that came since, at most `n_rows`; true once there are no more.
    pub(super) fn catch_up(
        &mut self,
        db: &Connection,
        columns: &Columns,
        n_rows: usize,
    ) -> Result<bool, ProjectError> {
        if self.epoch != columns.epoch {
            *self = Self::new(&std::mem::take(&mut self.name), columns);
        }
        let mut statement = db.prepare_cached("SELECT json FROM content WHERE body = ?1")?;
        let mut n_read = 0;
        while n_read < n_rows && self.values.len() < columns.bodies.len() {
            let body = &columns.bodies[self.values.len()];
            let number = if columns.set(body.fields).contains(&self.name) {
                n_read += 1;
                let mut rows = statement.query([body.id])?;
                let json = rows.next()?.map(|row| row.get_ref(0)).transpose()?;
                let json = json.map(|json| json.as_str()).transpose();
                let json = json.map_err(rusqlite::Error::from)?.unwrap_or_default();
                self.number_of(value_text(json, &self.name))
            } else {
                0
            };
            self.values.push(number);
        }
        Ok(self.values.len() == columns.bodies.len())
    }

    pub(super) fn n_read(&self) -> u64 {
        self.values.len() as u64
    }

    fn number_of(&mut self, value: Option<String>) -> u32 {
        let Some(value) = value else { return 0 };
        let next = self.numbers.len() as u32;
        *self.numbers.entry(value).or_insert(next) + 1
    }
}

#[derive(Deserialize)]
struct Beside {
    #[serde(default)]
    extra: Map<String, Value>,
}

/// A value as text: strings as they are, everything else as JSON.
fn value_text(json: &str, name: &str) -> Option<String> {
    let mut beside: Beside = serde_json::from_str(json).ok()?;
    match beside.extra.remove(name)? {
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::value_text;

    #[test]
    fn values_are_text() {
        let json = r#"{"body":{"text":{}},"extra":{"a":"x","b":1,"c":true,"d":null,"e":["y"]}}"#;
        let texts: Vec<_> = ["a", "b", "c", "d", "e", "f"]
            .into_iter()
            .map(|name| value_text(json, name))
            .collect();
        let expected = [
            Some("x"),
            Some("1"),
            Some("true"),
            Some("null"),
            Some("[\"y\"]"),
            None,
        ];
        assert_eq!(texts, expected.map(|text| text.map(str::to_owned)));
    }
}
