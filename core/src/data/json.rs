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
) -> Result<Map<String, Value>, Problem> {
    let fault = |found: &str, expected: &str, advice: &str| {
        let problem = Problem::new(ProblemKind::BrokenJson, place, "");
        problem.found(found).expected(expected).advice(advice)
    };
    match chunk.fault {
        Some(Fault::ArrayNotClosed) => {
            let problem = Problem::new(ProblemKind::UnclosedArray, place, "");
            let advice = "the file may be cut off; fetch or export it again";
            return Err(problem
                .found("the end of the file")
                .expected("`]`")
                .advice(advice));
        }
        Some(Fault::TooLarge) => {
            let problem = Problem::new(ProblemKind::TooLarge, place, "");
            let expected = format!("at most {} MiB", cap >> 20);
            let advice = "split the record, or write one record a line";
            return Err(problem.found("more").expected(expected).advice(advice));
        }
        Some(Fault::TooDeep) => {
            let found = "brackets nested hundreds of levels deep";
            return Err(fault(found, "a record", "take the record out"));
        }
        Some(Fault::LineBreakInString | Fault::NotClosed) | None => {}
    }
    let text = match std::str::from_utf8(&chunk.bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &chunk.bytes[..error.valid_up_to()];
            let lines = before.iter().filter(|&&byte| byte == b'\n').count() as u64;
            let place = Place {
                line: place.line + lines,
                ..place
            };
            let byte = chunk
                .bytes
                .get(error.valid_up_to())
                .copied()
                .unwrap_or_default();
            let problem = Problem::new(ProblemKind::InvalidEncoding, place, "")
                .found(format!("the byte 0x{byte:02x}"))
                .expected("UTF-8 text")
                .advice("name the file's encoding, for example `--encoding windows-1252`");
            return Err(problem);
        }
    };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            let problem = Problem::new(ProblemKind::NotAnObject, place, "").found(show(&other));
            Err(problem
                .expected("an object with named fields")
                .advice("take it out"))
        }
        Err(error) if error.is_eof() && chunk.fault == Some(Fault::LineBreakInString) => {
            let advice = "close the quote, or write \\n for a line break inside the text";
            Err(fault(
                "a line break inside a text",
                "a closing quote",
                advice,
            ))
        }
        Err(error) => Err(syntax_problem(&error, chunk, text, place)),
    }
}

fn syntax_problem(error: &serde_json::Error, chunk: &Chunk, text: &str, place: Place) -> Problem {
    let offset = error.line().saturating_sub(1) as u64;
    let line_text = text.lines().nth(offset as usize).unwrap_or_default();
    // serde_json counts bytes; people and editors count characters.
    let byte = line_text.floor_char_boundary(error.column().saturating_sub(1));
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
