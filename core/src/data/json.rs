//! The bytes of one JSON record to an object, or exactly what is wrong with them.

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
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            let problem = Problem::new(ProblemKind::NotAnObject, place, "").found(show(&other));
            let problem = problem.expected("an object with named fields");
            Err(Box::new(problem.advice("take it out")))
        }
        Err(error) if error.is_eof() && chunk.fault == Some(Fault::LineBreakInString) => {
            let problem = Problem::new(ProblemKind::BrokenJson, place, "")
                .found("a line break inside a text")
                .expected("a closing quote")
                .advice("close the quote, or write \\n for a line break inside the text");
            Err(Box::new(problem))
        }
        Err(error) => Err(Box::new(syntax_problem(&error, chunk, text, place))),
    }
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
    let start = line_text.floor_char_boundary(byte.saturating_sub(12));
    problem
        .found(format!("{said} near {}", quote(line_text[start..].trim())))
        .advice("correct the JSON, or take the record out")
}
