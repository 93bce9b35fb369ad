//! The bytes of one JSON record to an object, or exactly what is wrong with them.

use std::fmt::{self, Formatter};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, map::Entry};

use super::{
    Place, Problem, ProblemKind,
    problem::{quote, show},
    scan::{Chunk, Fault},
};

/// A chunk as an object, or what is wrong with it.
pub(crate) fn object(
    chunk: &Chunk,
    place: Place,
    cap: usize,
) -> Result<Map<String, Value>, Box<Problem>> {
    if let Some(problem) = fault_of_walk(chunk, place, cap) {
        return Err(Box::new(problem));
    }
    let text = std::str::from_utf8(&chunk.bytes)
        .map_err(|error| Box::new(byte_problem(error, chunk, place)))?;
    if text.trim_start().starts_with('{') {
        return match read(text) {
            Ok((Value::Object(fields), noted)) => kept_exactly(fields, noted, text, place),
            Ok((other, _)) => Err(Box::new(not_an_object(&other, place))),
            Err(error) => Err(Box::new(unreadable(&error, chunk, text, place))),
        };
    }
    match serde_json::from_str::<Value>(text) {
        Ok(other) => Err(Box::new(not_an_object(&other, place))),
        Err(error) => Err(Box::new(unreadable(&error, chunk, text, place))),
    }
}

/// JSON that stands in a text, if reading it loses nothing of it.
pub(crate) fn of_text(text: &str) -> Option<Value> {
    let (value, noted) = read(text).ok()?;
    let is_rounded = || large_float(&value).and_then(|float| digits_of(float, text));
    let is_whole = noted.twice.is_none() && (!noted.has_large || is_rounded().is_none());
    is_whole.then_some(value)
}

fn not_an_object(value: &Value, place: Place) -> Problem {
    Problem::new(ProblemKind::NotAnObject, place, "")
        .found(show(value))
        .expected("an object with named fields")
        .advice("take it out")
}

/// The fields, unless reading them lost a field or digits of a number.
fn kept_exactly(
    fields: Map<String, Value>,
    noted: Noted,
    text: &str,
    place: Place,
) -> Result<Map<String, Value>, Box<Problem>> {
    if let Some(field) = noted.twice {
        let problem = Problem::new(ProblemKind::BrokenJson, place, &field)
            .found("the field twice, and one of them would be lost")
            .expected("each field once");
        return Err(Box::new(
            problem.advice("take one out, or give it another name"),
        ));
    }
    if noted.has_large
        && let Some((field, digits)) = rounded(&fields, text)
    {
        let problem = Problem::new(ProblemKind::BrokenJson, place, field)
            .found(format!(
                "the number {}, which would be rounded",
                quote(digits)
            ))
            .expected("a whole number of at most 64 bits, or text");
        return Err(Box::new(problem.advice("write it in quotes")));
    }
    Ok(fields)
}

/// A whole number that is too large to be kept exactly, with the field that it is in and its digits.
fn rounded<'a>(fields: &'a Map<String, Value>, text: &'a str) -> Option<(&'a str, &'a str)> {
    let mut found = fields
        .iter()
        .filter_map(|(name, value)| Some((name, large_float(value)?)));
    found.find_map(|(name, float)| Some((name.as_str(), digits_of(float, text)?)))
}

/// The whole number in a text that became this float.
fn digits_of(float: f64, text: &str) -> Option<&str> {
    // Floats of JSON are read quickly, and may be off by their last bits.
    let is_near = |size: f64| (size - float).abs() <= 1e-14 * float;
    let mut runs = text.split(|c: char| !c.is_ascii_digit());
    runs.find(|run| run.len() >= 19 && run.parse().is_ok_and(is_near))
}

/// The size of the first number that is a float and beyond whole numbers of 64 bits.
fn large_float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().map(f64::abs).filter(is_large),
        Value::Array(items) => items.iter().find_map(large_float),
        Value::Object(fields) => fields.values().find_map(large_float),
        _ => None,
    }
}

fn is_large(size: &f64) -> bool {
    *size >= i64::MAX as f64
}

/// A text as JSON, with what was noted of it.
fn read(text: &str) -> Result<(Value, Noted), serde_json::Error> {
    let mut noted = Noted::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Noting(&mut noted).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, noted))
}

/// What a value does not tell of the text that it was read from.
#[derive(Default)]
struct Noted {
    /// The path of the first field that is there a second time.
    twice: Option<String>,
    /// There are floats beyond whole numbers of 64 bits.
    has_large: bool,
}

/// Reads a value as [`Value`] does, and notes what gets lost.
struct Noting<'a>(&'a mut Noted);

impl<'de> DeserializeSeed<'de> for Noting<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Noting<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        self.0.has_large |= is_large(&value.abs());
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let knew = self.0.twice.is_some();
            let Some(item) = access.next_element_seed(Noting(self.0))? else {
                return Ok(Value::Array(items));
            };
            if !knew && let Some(path) = &mut self.0.twice {
                *path = join(&format!("[{}]", items.len()), path);
            }
            items.push(item);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let knew = self.0.twice.is_some();
            let value = access.next_value_seed(Noting(self.0))?;
            if !knew && let Some(path) = &mut self.0.twice {
                *path = join(&name, path);
            }
            match fields.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(entry) => {
                    self.0.twice.get_or_insert_with(|| entry.key().clone());
                }
            }
        }
        Ok(Value::Object(fields))
    }
}

/// A path one step further out.
fn join(step: &str, path: &str) -> String {
    let dot = if path.starts_with('[') { "" } else { "." };
    format!("{step}{dot}{path}")
}

fn unreadable(error: &serde_json::Error, chunk: &Chunk, text: &str, place: Place) -> Problem {
    if error.is_eof() && chunk.fault == Some(Fault::LineBreakInString) {
        return Problem::new(ProblemKind::BrokenJson, place, "")
            .found("a line break inside a text")
            .expected("a closing quote")
            .advice("close the quote, or write \\n for a line break inside the text");
    }
    syntax_problem(error, chunk, text, place)
}

/// What the walk over the file saw, where that says more than parsing would.
fn fault_of_walk(chunk: &Chunk, place: Place, cap: usize) -> Option<Problem> {
    let problem = |kind, found: &str, expected: &str, advice: &str| {
        let problem = Problem::new(kind, place, "").found(found);
        Some(problem.expected(expected).advice(advice))
    };
    match chunk.fault? {
        Fault::ArrayNotClosed => {
            let advice = "the file may be cut off; fetch or export it again";
            problem(
                ProblemKind::UnclosedArray,
                "the end of the file",
                "`]`",
                advice,
            )
        }
        Fault::TooLarge => {
            let expected = format!("at most {} MiB", cap >> 20);
            let advice = "split the record, or write one record a line";
            problem(ProblemKind::TooLarge, "more", &expected, advice)
        }
        Fault::TooDeep => {
            let found = "brackets nested hundreds of levels deep";
            problem(
                ProblemKind::BrokenJson,
                found,
                "a record",
                "take the record out",
            )
        }
        Fault::LineBreakInString | Fault::NotClosed => None,
    }
}

/// What Python and others write where a number is none. Parsing stops inside of it, or behind a sign.
fn no_number(line: &str, byte: usize) -> Option<&'static str> {
    const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    let starts = |word: &&&str| {
        let is_there = |start: usize| {
            line.get(start..)
                .is_some_and(|rest| rest.starts_with(**word))
        };
        (byte.saturating_sub(2)..=byte).any(is_there)
    };
    WORDS.iter().find(starts).copied()
}

fn byte_problem(error: std::str::Utf8Error, chunk: &Chunk, place: Place) -> Problem {
    let (before, rest) = chunk.bytes.split_at(error.valid_up_to());
    let lines = before.iter().filter(|&&byte| byte == b'\n').count() as u64;
    let place = Place {
        line: place.line + lines,
        ..place
    };
    Problem::new(ProblemKind::InvalidEncoding, place, "")
        .found(format!(
            "the byte 0x{:02x}",
            rest.first().copied().unwrap_or_default()
        ))
        .expected("UTF-8 text")
        .advice("name the file's encoding, for example `--encoding windows-1252`")
}

fn syntax_problem(error: &serde_json::Error, chunk: &Chunk, text: &str, place: Place) -> Problem {
    // A record that is cut off ends where its text does, not behind the line break after it.
    let text = if error.is_eof() {
        text.trim_end()
    } else {
        text
    };
    let last = text.lines().count().saturating_sub(1);
    let offset = error.line().saturating_sub(1).min(last) as u64;
    let line_text = text.lines().nth(offset as usize).unwrap_or_default();
    // serde_json counts bytes; people and editors count characters.
    let byte = if error.is_eof() {
        line_text.len()
    } else {
        error.column()
    };
    let byte = line_text.floor_char_boundary(byte.saturating_sub(1));
    let column = line_text[..byte].chars().count() as u64;
    let column = column + if offset == 0 { chunk.column } else { 1 };
    let place = Place {
        line: place.line + offset,
        ..place
    };
    let mut said = error.to_string();
    if let Some(at) = said.rfind(" at line ") {
        said.truncate(at);
    }
    let problem = Problem::new(ProblemKind::BrokenJson, place, "").at_column(column);
    if error.is_eof() {
        let advice = "the record is cut off; complete it or take it out";
        return problem
            .found("the end of the record")
            .expected("the rest of it")
            .advice(advice);
    }
    if let Some(word) = no_number(line_text, byte) {
        return problem
            .found(format!("{word}, which JSON has no number for"))
            .expected("a number or null")
            .advice("write null, or take the field out; Python: json.dumps(…, allow_nan=False)");
    }
    let start = line_text.floor_char_boundary(byte.saturating_sub(12));
    problem
        .found(format!("{said} near {}", quote(line_text[start..].trim())))
        .advice("correct the JSON, or take the record out")
}

#[cfg(test)]
mod tests {
    use super::of_text;
    use crate::data::{ReadOptions, read};

    #[test]
    fn numbers_that_json_does_not_have_are_named() {
        for word in ["NaN", "Infinity", "-Infinity"] {
            let text =
                format!("{{\"text\": \"Narrow\"}}\n{{\"text\": \"a\", \"score\": {word}}}\n");
            let loaded = read(text.as_bytes(), &ReadOptions::default()).unwrap();
            let said = loaded.problems.first(9)[0].to_string();
            assert!(
                said.contains(&format!("found {word}, which JSON has no number for")),
                "{said}"
            );
            assert!(said.contains("line 2"), "{said}");
        }
    }

    #[track_caller]
    fn check(record: &str, field: &str, found: &str) {
        let text = format!("{{\"text\": \"Narrow\"}}\n{record}\n");
        let loaded = read(text.as_bytes(), &ReadOptions::default()).unwrap();
        let said: Vec<String> = loaded
            .problems
            .first(9)
            .iter()
            .map(|p| p.to_string())
            .collect();
        let is_said = |said: &String| said.contains(field) && said.contains(found);
        assert!(said.iter().any(is_said), "{said:?}");
    }

    #[test]
    fn a_field_that_stands_twice_is_named_however_deep() {
        let twice = "the field twice";
        check(r#"{"text": "a", "text": "b"}"#, "`text`", twice);
        check(
            r#"{"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "a", "content": "b"}]}"#,
            "`messages[1].content`",
            twice,
        );
        check(
            r#"{"text": "a", "meta": {"all": [[{"x": 1}, {"x": 1, "x": 1, "y": {"z": 1, "z": 2}}]]}}"#,
            "`meta.all[0][1].",
            twice,
        );
        check(
            r#"{"text": "a", "n": [1, {"m": 123456789012345678901}]}"#,
            "`n`",
            "which would be rounded",
        );
    }

    #[test]
    fn values_are_read_as_they_are_elsewhere() {
        for text in [
            r#"{"a": [1, -2, 2.50, 1e300, 18446744073709551615, null, true, "x\ny", {}], "b": {"c": []}}"#,
            "[]",
            "\"a\"",
            "nul",
            "{\"a\": 1} x",
            "{\"a\" 1}",
            "[1,]",
        ] {
            let ours = super::read(text);
            let theirs = serde_json::from_str::<serde_json::Value>(text);
            match (ours, theirs) {
                (Ok((ours, _)), Ok(theirs)) => assert_eq!(ours, theirs),
                (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
                other => panic!("{:?}", other.1),
            }
        }
    }

    #[test]
    fn json_in_a_text_is_read_only_if_nothing_of_it_is_lost() {
        assert!(of_text(r#"{"a": [1, 2.5, 1e300, "123456789012345678901"]}"#).is_some());
        for lost in [
            r#"{"account": 123456789012345678901}"#,
            r#"[{"a": -123456789012345678901}]"#,
            r#"{"a": 1, "a": 2}"#,
            "{",
        ] {
            assert_eq!(of_text(lost), None, "{lost}");
        }
    }
}
