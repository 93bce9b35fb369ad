//! What the reader gives, as the project takes it in.

use serde_json::{Map, Value};

use super::{
    DocumentError,
    file::{Progress, Stream},
};
use crate::{
    data::{Format, Item, Mapping, Problem, Reader, Supervision},
    text::Record,
};

/// A row that came: a record, or why there is none.
pub struct Arrival {
    pub record: Option<Record>,
    pub format: Format,
    /// As it stood in the file, where formats keep more apart than a record does; under the names
    /// of the format's fields.
    pub raw: Option<Map<String, Value>>,
    /// From 1.
    pub line: u64,
    pub page: Option<u32>,
    pub problems: Vec<Problem>,
    /// Share of the part that was read, 0 to 1.
    pub progress: f64,
}

pub type Arrivals = Box<dyn Iterator<Item = Result<Arrival, DocumentError>>>;

/// Records of rows, one after the other.
pub(super) struct RecordArrivals {
    reader: Reader<Stream>,
    name: String,
    progress: Progress,
    take_chosen: bool,
    mapping: Mapping,
    /// What was not read at all, once the last record has come.
    leftovers: Option<std::vec::IntoIter<Problem>>,
}

impl RecordArrivals {
    pub(super) fn new(
        mut reader: Reader<Stream>,
        name: &str,
        progress: Progress,
        take_chosen: bool,
    ) -> Self {
        let source = reader.source();
        // Only this format has a field (`input`) that a conversation does not keep apart.
        reader.keep_raw(source.format == Format::Alpaca);
        Self {
            mapping: source.mapping,
            reader,
            name: name.into(),
            progress,
            take_chosen,
            leftovers: None,
        }
    }

    pub(super) fn reader(&self) -> &Reader<Stream> {
        &self.reader
    }

    fn arrival(&self, mut item: Item) -> Arrival {
        if let Some(raw) = &mut item.raw {
            self.mapping.apply(raw);
        }
        Arrival {
            record: item.record,
            format: item.format,
            raw: item.raw,
            line: item.place.line,
            page: None,
            problems: item.problems,
            progress: self.progress.get(),
        }
    }

    fn leftover(&mut self) -> Option<Arrival> {
        let leftovers = match &mut self.leftovers {
            Some(leftovers) => leftovers,
            none => none.insert(self.reader.leftovers().into_iter()),
        };
        let problem = leftovers.next()?;
        Some(Arrival {
            record: None,
            format: self.reader.source().format,
            raw: None,
            line: problem.line,
            page: None,
            problems: vec![problem],
            progress: 1.0,
        })
    }
}

impl Iterator for RecordArrivals {
    type Item = Result<Arrival, DocumentError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(item) = self.reader.next() else {
                return self.leftover().map(Ok);
            };
            match item {
                Err(error) => return Some(Err(DocumentError::from_data(&self.name, error))),
                Ok(item) if self.take_chosen && item.supervision == Supervision::Marked(false) => {}
                Ok(item) => return Some(Ok(self.arrival(item))),
            }
        }
    }
}
