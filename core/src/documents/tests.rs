//! Files as people hand them over, from bytes to records.

use std::rc::Rc;

use super::{Arrival, InputFile, Part, file::Bytes, inspect};
use crate::{
    data::Format,
    protocol::studio::{PartKind, Reading, RecordReading},
    text::{Body, Role},
};

mod archives;
mod damage;
mod parquet;
mod parquet_damage;
mod sheets;
mod statistics;
mod use_cases;
mod workbook_cells;

/// A file of `tests/fixtures/documents`.
macro_rules! fixture {
    ($name:literal) => {
        crate::documents::file::Bytes::of(
            $name,
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../tests/fixtures/documents/",
                $name
            ))
            .as_slice(),
        )
    };
}
use fixture;

/// The only part of a file.
#[track_caller]
fn only(file: Rc<dyn InputFile>) -> Part {
    let mut parts = inspect(file);
    assert_eq!(parts.len(), 1);
    parts.remove(0)
}

#[track_caller]
fn columns(part: &Part) -> Vec<&str> {
    match &part.view.kind {
        PartKind::Table { columns } => columns.iter().map(String::as_str).collect(),
        other => panic!("{other:?}: {}", part.view.reason),
    }
}

fn reading(part: &Part) -> &RecordReading {
    match &part.view.reading {
        Reading::Records(reading) => reading,
        Reading::Chunks(_) => panic!("read as text"),
    }
}

/// All that comes under the reading that was guessed.
#[track_caller]
fn arrivals(part: &Part) -> Vec<Arrival> {
    read(part, reading(part).clone())
}

#[track_caller]
fn read(part: &Part, reading: RecordReading) -> Vec<Arrival> {
    let arrivals = part.records(&Reading::Records(reading), None);
    let arrivals = arrivals.unwrap_or_else(|error| panic!("{}", error.full()));
    arrivals
        .map(|arrival| arrival.unwrap_or_else(|error| panic!("{}", error.full())))
        .collect()
}

/// What the user asks and what is answered.
#[track_caller]
fn turns(arrival: &Arrival) -> (String, String) {
    let record = arrival
        .record
        .as_ref()
        .unwrap_or_else(|| panic!("{:?}", arrival.problems));
    let Body::Chat(chat) = &record.body else {
        panic!("a chat")
    };
    let said = |role| {
        let mut messages = chat.messages.iter().filter(|message| message.role == role);
        messages
            .next_back()
            .map_or(String::new(), |message| message.text().to_owned())
    };
    (said(Role::User), said(Role::Assistant))
}

#[track_caller]
fn extra<'a>(arrival: &'a Arrival, name: &str) -> &'a str {
    let record = arrival.record.as_ref().expect("a record");
    record
        .extra
        .get(name)
        .and_then(|value| value.as_str())
        .unwrap_or_else(|| panic!("{:?}", record.extra))
}

fn problems(arrivals: &[Arrival]) -> Vec<String> {
    arrivals
        .iter()
        .flat_map(|arrival| &arrival.problems)
        .map(ToString::to_string)
        .collect()
}
