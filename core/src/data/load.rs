//! A whole dataset in memory.

use std::io::Read;

use serde_json::{Map, Value};

use super::{
    DatasetError, Problems, ReadOptions, Reader, Record, Source, Supervision,
    supervision::{are_marks, mark},
};

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

impl Loaded {
    pub(crate) fn empty(source: Source, kept_problems: usize) -> Self {
        Self {
            records: Vec::new(),
            numbers: Vec::new(),
            raw: Vec::new(),
            source,
            problems: Problems::keeping(kept_problems),
            n_in_file: 0,
            n_pairs: 0,
            n_marked: 0,
            n_left_out: 0,
        }
    }

    /// Count a record by what it says about right and wrong; false if it is to be left out.
    pub(crate) fn counts_as(&mut self, supervision: Supervision, take_chosen: bool) -> bool {
        self.n_pairs += u64::from(supervision == Supervision::Pair);
        self.n_marked += u64::from(matches!(supervision, Supervision::Marked(_)));
        let left_out = take_chosen && supervision == Supervision::Marked(false);
        self.n_left_out += u64::from(left_out);
        !left_out
    }

    /// Counts 1 and 0 of the records from `start` on as marks where they can be nothing else, now that
    /// all of them are known; those marked as bad are left out where that is asked for.
    pub(crate) fn settle_marks(&mut self, start: usize, take_chosen: bool) {
        if !are_marks(self.records.get(start..).unwrap_or_default()) {
            return;
        }
        let mut kept = vec![true; start];
        for record in self.records.iter().skip(start) {
            let mark = mark(record).filter(|mark| !mark.is_sure);
            self.n_marked += u64::from(mark.is_some());
            kept.push(!take_chosen || mark.is_none_or(|mark| mark.is_good));
        }
        self.n_left_out += kept.iter().filter(|kept| !**kept).count() as u64;
        keep(&mut self.records, &kept);
        keep(&mut self.numbers, &kept);
        keep(&mut self.raw, &kept);
    }
}

/// Keeps the items beside which it says so; there may be none at all.
fn keep<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    items.retain(|_| kept.next().copied().unwrap_or(true));
}

/// Read a whole dataset. Faults of single records are in `problems`; the rest is read.
///
/// # Errors
/// If the dataset as a whole cannot be read.
pub fn read(source: impl Read, options: &ReadOptions) -> Result<Loaded, DatasetError> {
    read_all(Reader::new(source, options.clone())?, options)
}

/// What a reader gives, to its end.
fn read_all<R: Read>(reader: Reader<R>, options: &ReadOptions) -> Result<Loaded, DatasetError> {
    let mut loaded = Loaded::empty(reader.source(), options.kept_problems);
    loaded.source = read_into(&mut loaded, reader, options)?;
    Ok(loaded)
}

/// The same behind what was read before; returns what the reader found out about its source.
///
/// # Errors
/// If it cannot be read to the end.
pub(crate) fn read_into<R: Read>(
    loaded: &mut Loaded,
    mut reader: Reader<R>,
    options: &ReadOptions,
) -> Result<Source, DatasetError> {
    let start = loaded.records.len();
    for item in reader.by_ref() {
        let item = item?;
        loaded.n_in_file += u64::from(item.place.record > 0);
        loaded.problems.extend(item.problems);
        let Some(record) = item.record else { continue };
        if !loaded.counts_as(item.supervision, options.take_chosen) {
            continue;
        }
        loaded.records.push(record);
        loaded.numbers.push(item.place.record);
        loaded.raw.extend(item.raw);
    }
    loaded.settle_marks(start, options.take_chosen);
    loaded.problems.extend(reader.leftovers());
    Ok(reader.source())
}
