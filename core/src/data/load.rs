//! A whole dataset in memory.

use std::io::Read;

use serde_json::{Map, Value};

use super::{DatasetError, Problems, ReadOptions, Reader, Record, Source, Supervision};

/// All records of a file in memory, with what is wrong with it.
#[derive(Debug)]
pub struct Loaded {
    pub records: Vec<Record>,
    /// Number of each record in the file, from 1, beside `records`.
    pub numbers: Vec<u64>,
    /// The records as they stood in the file, beside `records`; empty unless asked for.
    pub raw: Vec<Map<String, Value>>,
    pub source: Source,
    pub problems: Problems,
    /// Records in the file, readable or not.
    pub n_in_file: u64,
    /// Preference data: pairs of a chosen and a rejected answer.
    pub n_pairs: u64,
    /// Preference data: answers marked good or bad.
    pub n_marked: u64,
    /// Records marked as bad that were left out (`take_chosen`).
    pub n_left_out: u64,
}

/// Read a whole dataset. Faults of single records are in `problems`; the rest is read.
///
/// # Errors
/// If the dataset as a whole cannot be read.
pub fn read(source: impl Read, options: &ReadOptions) -> Result<Loaded, DatasetError> {
    let mut reader = Reader::new(source, options.clone())?;
    let mut loaded = Loaded {
        records: Vec::new(),
        numbers: Vec::new(),
        raw: Vec::new(),
        source: reader.source(),
        problems: Problems::keeping(options.kept_problems),
        n_in_file: 0,
        n_pairs: 0,
        n_marked: 0,
        n_left_out: 0,
    };
    for item in reader.by_ref() {
        let item = item?;
        loaded.n_in_file += 1;
        loaded.problems.extend(item.problems);
        let Some(record) = item.record else { continue };
        loaded.n_pairs += u64::from(item.supervision == Supervision::Pair);
        loaded.n_marked += u64::from(matches!(item.supervision, Supervision::Marked(_)));
        if options.take_chosen && item.supervision == Supervision::Marked(false) {
            loaded.n_left_out += 1;
            continue;
        }
        loaded.records.push(record);
        loaded.numbers.push(item.place.record);
        loaded.raw.extend(item.raw);
    }
    loaded.problems.extend(reader.leftovers());
    loaded.source = reader.source();
    Ok(loaded)
}
