//! Records with a value each, in runs: what a change of many records is kept as.
//!
//! A hundred thousand neighbours that get the same value are a few bytes. In the file a run is the
//! number of records left out before it, the number of records in it (both LEB128, as in DWARF), and
//! the value behind a byte that says of which kind it is.

use rusqlite::types::Value;

use super::ProjectError;

/// Runs in the order of ids; no record is in two.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Runs(Vec<Run>);

/// Records without a gap, all with one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) first: u64,
    /// At least 1; the last record is still an id of SQLite.
    pub(super) n: u64,
    pub(super) value: Value,
}

impl Run {
    pub(super) fn last(&self) -> u64 {
        self.first + (self.n - 1)
    }
}

impl Runs {
    /// Records in their order, each once.
    pub(super) fn of(values: impl IntoIterator<Item = (u64, Value)>) -> Self {
        let mut runs = Self::default();
        for (record, value) in values {
            runs.push(Run {
                first: record,
                n: 1,
                value,
            });
        }
        runs
    }

    pub(super) fn all(&self) -> &[Run] {
        &self.0
    }

    /// Whether a record is in one of them.
    pub(super) fn has(&self, record: u64) -> bool {
        self.value(record).is_some()
    }

    /// The value of a record, if it is in one of them.
    pub(super) fn value(&self, record: u64) -> Option<&Value> {
        let place = self.0.partition_point(|run| run.last() < record);
        let run = self.0.get(place).filter(|run| run.first <= record);
        run.map(|run| &run.value)
    }

    /// Without some records, which come in their order.
    pub(super) fn without(&self, records: &[u64]) -> Self {
        let mut left = Self::default();
        for run in &self.0 {
            let mut first = run.first;
            let mut push = |first: u64, end: u64| {
                if first < end {
                    let value = run.value.clone();
                    let n = end - first;
                    left.push(Run { first, n, value });
                }
            };
            let from = records.partition_point(|record| *record < run.first);
            let inside = records[from..].iter().take_while(|r| **r <= run.last());
            for record in inside {
                push(first, *record);
                first = record + 1;
            }
            push(first, run.last() + 1);
        }
        left
    }

    /// Behind all others; joined with the last one where that is one run.
    pub(super) fn push(&mut self, run: Run) {
        match self.0.last_mut() {
            Some(last) if last.last() + 1 == run.first && last.value == run.value => {
                last.n += run.n;
            }
            _ => self.0.push(run),
        }
    }

    /// # Errors
    /// If records are not in their order, each once, as where a table is damaged.
    pub(super) fn encode(&self) -> Result<Vec<u8>, ProjectError> {
        let mut bytes = Vec::with_capacity(8 * self.0.len());
        let mut end = 0;
        for run in &self.0 {
            let n_left_out = run.first.checked_sub(end).ok_or_else(unreadable)?;
            put_number(&mut bytes, n_left_out);
            put_number(&mut bytes, run.n);
            put_value(&mut bytes, &run.value);
            end = run.last() + 1;
            if end > i64::MAX as u64 {
                return Err(unreadable());
            }
        }
        Ok(bytes)
    }

    /// # Errors
    /// If these are not the bytes of runs.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ProjectError> {
        let mut reader = Reader { bytes };
        let mut runs = Self::default();
        let mut end = 0_u64;
        while !reader.bytes.is_empty() {
            let run = reader.run(end).ok_or_else(unreadable)?;
            end = run.last() + 1;
            runs.push(run);
        }
        Ok(runs)
    }
}

fn unreadable() -> ProjectError {
    ProjectError::Broken {
        detail: "an entry of its history cannot be read".into(),
    }
}

/// How many records are in at least one of these.
pub(super) fn n_records<'a>(all: impl IntoIterator<Item = &'a Runs>) -> u64 {
    let runs = all.into_iter().flat_map(|runs| &runs.0);
    let mut ranges: Vec<(u64, u64)> = runs.map(|run| (run.first, run.last() + 1)).collect();
    ranges.sort_unstable();
    let (mut n, mut counted_to) = (0, 0);
    for (first, end) in ranges {
        n += end.saturating_sub(first.max(counted_to));
        counted_to = counted_to.max(end);
    }
    n
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(0),
        Value::Integer(number) => {
            bytes.push(1);
            // Small ones are short, also below zero.
            put_number(bytes, ((number << 1) ^ (number >> 63)) as u64);
        }
        Value::Real(number) => {
            bytes.push(2);
            bytes.extend(number.to_bits().to_le_bytes());
        }
        Value::Text(text) => {
            bytes.push(3);
            put_number(bytes, text.len() as u64);
            bytes.extend(text.as_bytes());
        }
        Value::Blob(blob) => {
            bytes.push(4);
            put_number(bytes, blob.len() as u64);
            bytes.extend(blob);
        }
    }
}

/// `None` where the bytes end, or say what cannot be.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn run(&mut self, end: u64) -> Option<Run> {
        let first = end.checked_add(self.number()?)?;
        let n = self.number()?;
        let is_of_sqlite = first.checked_add(n)? <= i64::MAX as u64 && n > 0;
        let value = self.value()?;
        is_of_sqlite.then_some(Run { first, n, value })
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.take(1)?[0] {
            0 => Value::Null,
            1 => {
                let number = self.number()?;
                Value::Integer((number >> 1) as i64 ^ -((number & 1) as i64))
            }
            2 => Value::Real(f64::from_bits(u64::from_le_bytes(
                self.take(8)?.try_into().ok()?,
            ))),
            3 => Value::Text(String::from_utf8(self.counted()?.to_vec()).ok()?),
            4 => Value::Blob(self.counted()?.to_vec()),
            _ => return None,
        })
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte < 0x80 {
                // What does not fit is not lost without a word.
                return (bits << shift >> shift == bits).then_some(number);
            }
        }
        None
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let n = usize::try_from(self.number()?).ok()?;
        self.take(n)
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(n)?;
        self.bytes = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn some(rng: &mut Rng) -> Vec<(u64, Value)> {
        let mut record = 0;
        let pairs = (0..rng.below(60)).map(|_| {
            record += 1 + [0, 0, 0, rng.below(300) as u64][rng.below(4)];
            let values = [
                Value::Null,
                Value::Integer(rng.below(3) as i64 - 1),
                Value::Integer([i64::MIN, i64::MAX, 1 << 40][rng.below(3)]),
                Value::Real(0.1),
                Value::Text(["", "Ana", "花子"][rng.below(3)].into()),
                Value::Blob(vec![0, 255]),
            ];
            (record, values[rng.below(6)].clone())
        });
        pairs.collect()
    }

    fn pairs(runs: &Runs) -> Vec<(u64, Value)> {
        let each = |run: &Run| {
            let value = run.value.clone();
            (run.first..=run.last()).map(move |record| (record, value.clone()))
        };
        runs.all().iter().flat_map(each).collect()
    }

    #[test]
    fn what_is_kept_comes_back() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed, 0);
            let values = some(&mut rng);
            let runs = Runs::of(values.clone());
            assert_eq!(pairs(&runs), values);
            assert_eq!(Runs::decode(&runs.encode().unwrap()).unwrap(), runs);
            assert_eq!(n_records([&runs, &runs]), values.len() as u64);
            for record in 0..40 {
                let is_there = values.iter().any(|(other, _)| *other == record);
                assert_eq!(runs.has(record), is_there);
            }
            let gone: Vec<u64> = (0..300).filter(|_| rng.below(3) == 0).collect();
            let left = values.iter().filter(|(record, _)| !gone.contains(record));
            assert_eq!(
                pairs(&runs.without(&gone)),
                left.cloned().collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn neighbours_with_one_value_are_a_few_bytes() {
        let runs = Runs::of((1..=100_000).map(|record| (record, Value::Integer(0))));
        assert_eq!((runs.all().len(), runs.encode().unwrap().len()), (1, 6));
    }

    #[test]
    fn records_that_come_twice_or_are_no_ids_are_told() {
        for records in [[3, 3], [3, 2], [3, i64::MAX as u64]] {
            let runs = Runs::of(records.map(|record| (record, Value::Null)));
            assert!(runs.encode().is_err(), "{records:?}");
        }
    }

    #[test]
    fn broken_bytes_are_told_and_cost_nothing() {
        let whole = Runs::of([(7, Value::Text("花子".into()))])
            .encode()
            .unwrap();
        for n in 1..whole.len() {
            assert!(Runs::decode(&whole[..n]).is_err(), "{n} bytes");
        }
        let most = [[0xff; 9].as_slice(), &[1]].concat();
        let broken: [&[u8]; 5] = [
            &[1, 0, 0],
            &[1, 1, 9],
            // More records than there are ids, and texts longer than what is left.
            &[&[1], &most[..], &[0]].concat(),
            &[&[1, 1, 3], &most[..]].concat(),
            &[0xff; 12],
        ];
        for bytes in broken {
            assert!(Runs::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
