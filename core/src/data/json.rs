//! The bytes of one JSON record to an object, or exactly what is wrong with them.

use std::fmt::{self, Formatter};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

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
        return match serde_json::from_str::<Fields>(text) {
            Ok(Fields {
                fields,
                twice: None,
            }) => match rounded(&fields, text) {
                None => Ok(fields),
                Some((field, digits)) => {
                    let problem = Problem::new(ProblemKind::BrokenJson, place, field)
                        .found(format!(
                            "the number {}, which would be rounded",
                            quote(digits)
                        ))
                        .expected("a whole number of at most 64 bits, or text");
                    Err(Box::new(problem.advice("write it in quotes")))
                }
            },
            Ok(Fields {
                twice: Some(field), ..
            }) => {
                let problem = Problem::new(ProblemKind::BrokenJson, place, &field)
                    .found("the field twice, and one of them would be lost")
                    .expected("each field once");
                Err(Box::new(
                    problem.advice("take one out, or give it another name"),
                ))
            }
            Err(error) => Err(Box::new(unreadable(&error, chunk, text, place))),
        };
    }
    match serde_json::from_str::<Value>(text) {
        Ok(other) => {
            let problem = Problem::new(ProblemKind::NotAnObject, place, "").found(show(&other));
            let problem = problem.expected("an object with named fields");
            Err(Box::new(problem.advice("take it out")))
        }
        Err(error) => Err(Box::new(unreadable(&error, chunk, text, place))),
    }
}

/// A whole number that is too large to be kept exactly, with the field that it is in and its digits.
fn rounded<'a>(fields: &'a Map<String, Value>, text: &'a str) -> Option<(&'a str, &'a str)> {
    let mut found = fields
        .iter()
        .filter_map(|(name, value)| Some((name, large_float(value)?)));
    found.find_map(|(name, float)| {
        let mut runs = text.split(|c: char| !c.is_ascii_digit());
        let is_it = |run: &&str| run.len() >= 19 && run.parse() == Ok(float);
        Some((name.as_str(), runs.find(is_it)?))
    })
}

/// The size of the first number that is a float and beyond whole numbers of 64 bits.
fn large_float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) if number.is_f64() => {
            let size = number.as_f64()?.abs();
            (size >= i64::MAX as f64).then_some(size)
        }
        Value::Array(items) => items.iter().find_map(large_float),
        Value::Object(fields) => fields.values().find_map(large_float),
        _ => None,
    }
}

/// An object whose fields are told apart from those that overwrite another.
struct Fields {
    fields: Map<String, Value>,
    /// The first that is there a second time.
    twice: Option<String>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields;

            fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields, A::Error> {
                let (mut fields, mut twice) = (Map::new(), None);
                while let Some(name) = access.next_key::<String>()? {
                    let value = access.next_value()?;
                    if twice.is_none() && fields.contains_key(&name) {
                        twice = Some(name.clone());
                    }
                    fields.insert(name, value);
                }
                Ok(Fields { fields, twice })
            }
        }

        deserializer.deserialize_map(Collect)
    }
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
}
