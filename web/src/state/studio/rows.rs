//! Rows that came from the worker, kept in chunks, and which ones to ask for next.
//!
//! When records change the rows in sight stay as they are until newer ones come, so nothing flickers;
//! all others go. One request is under way at a time: when its answer is there, what is in sight
//! *then* is asked for, so that fast scrolling leaves nothing to wait for behind it.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use veneer_core::protocol::studio::{RecordKey, Row, Window};

/// Rows that come and go together.
pub const CHUNK: u64 = 64;

/// Chunks that are kept; with long texts a row takes about a kilobyte.
const KEPT: usize = 48;

/// A place of the list, as many rows as one request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub from: u64,
    pub n: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The state of the records that is shown now.
    version: u64,
    /// By number of chunk.
    chunks: BTreeMap<u64, Chunk>,
}

#[derive(Debug, Clone, PartialEq)]
struct Chunk {
    version: u64,
    /// Length of the list that it was cut from.
    n: u64,
    rows: Vec<Arc<Row>>,
}

impl Rows {
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The row at a place of the list, though it may be older than the list.
    pub fn get(&self, at: u64) -> Option<&Arc<Row>> {
        let chunk = self.chunks.get(&(at / CHUNK))?;
        chunk.rows.get((at % CHUNK) as usize)
    }

    /// The row at a place, if it is as the list is now.
    pub fn fresh(&self, at: u64) -> Option<&Arc<Row>> {
        let chunk = self.chunks.get(&(at / CHUNK))?;
        let row = chunk.rows.get((at % CHUNK) as usize);
        row.filter(|_| chunk.version == self.version)
    }

    /// Rows of another version belong to what is shown now: what is not in sight is forgotten.
    pub fn renew(&mut self, version: u64, visible: &Range<u64>) {
        self.version = version;
        self.chunks.retain(|number, _| touches(*number, visible));
    }

    /// Where among some places a record is now.
    pub fn find(&self, record: RecordKey, places: Range<u64>) -> Option<u64> {
        places
            .into_iter()
            .find(|at| self.fresh(*at).is_some_and(|row| row.record == record))
    }

    /// Nothing of a project stays when another one is opened.
    pub fn clear(&mut self) {
        self.chunks.clear();
    }

    /// What to ask for so that all of `shown` is there, beginning with what is in sight.
    pub fn wanted(&self, visible: &Range<u64>, shown: &Range<u64>, n: u64) -> Option<Wanted> {
        self.lacking(visible, n).or_else(|| self.lacking(shown, n))
    }

    fn lacking(&self, range: &Range<u64>, n: u64) -> Option<Wanted> {
        let end = range.end.min(n);
        let first =
            (range.start / CHUNK..end.div_ceil(CHUNK)).find(|chunk| !self.is_whole(*chunk, n))?;
        let last = (first..end.div_ceil(CHUNK))
            .take_while(|chunk| !self.is_whole(*chunk, n))
            .last()?;
        let from = first * CHUNK;
        Some(Wanted {
            from,
            n: ((last + 1) * CHUNK).min(n) - from,
        })
    }

    /// Whether a chunk is as the list is now. One that ends early was cut from a shorter list, or
    /// asking for it again would bring the same.
    fn is_whole(&self, number: u64, n: u64) -> bool {
        let want = (n - (number * CHUNK).min(n)).min(CHUNK);
        self.chunks.get(&number).is_some_and(|chunk| {
            let is_full = chunk.rows.len() as u64 >= want || chunk.n == n;
            chunk.version == self.version && is_full
        })
    }

    /// Takes rows in that were asked for under a version.
    pub fn put(&mut self, window: &Window, version: u64, visible: &Range<u64>) {
        // An older answer never covers what is newer.
        let is_older = |chunk: &Chunk| chunk.version > version;
        for (n, rows) in window.rows.chunks(CHUNK as usize).enumerate() {
            let number = window.from / CHUNK + n as u64;
            if !window.from.is_multiple_of(CHUNK) || self.chunks.get(&number).is_some_and(is_older)
            {
                continue;
            }
            let rows = rows.iter().cloned().map(Arc::new).collect();
            let n = window.n;
            self.chunks.insert(number, Chunk { version, n, rows });
        }
        self.forget_far(visible);
    }

    /// Chunks behind the end of the list, which got shorter.
    pub fn cut(&mut self, n: u64) {
        self.chunks.retain(|number, _| number * CHUNK < n);
    }

    fn forget_far(&mut self, visible: &Range<u64>) {
        while self.chunks.len() > KEPT {
            let middle = (visible.start + visible.end) / 2 / CHUNK;
            let (first, last) = (self.chunks.keys().next(), self.chunks.keys().next_back());
            let (Some(first), Some(last)) = (first.copied(), last.copied()) else {
                return;
            };
            let farther = match middle.abs_diff(first) > middle.abs_diff(last) {
                true => first,
                false => last,
            };
            self.chunks.remove(&farther);
        }
    }
}

fn touches(chunk: u64, range: &Range<u64>) -> bool {
    chunk * CHUNK < range.end && range.start < (chunk + 1) * CHUNK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: u64, n: u64) -> Window {
        let rows = (from..from + n).map(|at| Row {
            record: RecordKey(at + 1),
            ..Row::default()
        });
        Window {
            from,
            rows: rows.collect(),
            n: 100_000,
        }
    }

    fn wanted(from: u64, n: u64) -> Option<Wanted> {
        Some(Wanted { from, n })
    }

    #[test]
    fn what_is_in_sight_is_asked_for_first() {
        let mut rows = Rows::default();
        assert_eq!(
            rows.wanted(&(130..140), &(120..150), 100_000),
            wanted(128, 64)
        );
        rows.put(&window(128, 64), 0, &(130..140));
        assert_eq!(
            rows.wanted(&(130..140), &(120..150), 100_000),
            wanted(64, 64)
        );
        rows.put(&window(64, 64), 0, &(130..140));
        assert_eq!(rows.wanted(&(130..140), &(120..150), 100_000), None);
        assert_eq!(rows.get(130).unwrap().record, RecordKey(131));
        assert_eq!(rows.get(192), None);
    }

    #[test]
    fn the_end_of_the_list_is_no_gap() {
        let mut rows = Rows::default();
        assert_eq!(rows.wanted(&(0..10), &(0..20), 70), wanted(0, 64));
        assert_eq!(rows.wanted(&(60..70), &(60..70), 70), wanted(0, 70));
        rows.put(&window(0, 70), 0, &(60..70));
        assert_eq!(rows.wanted(&(60..70), &(0..70), 70), None);
        // The list grew behind what is there.
        assert_eq!(rows.wanted(&(60..80), &(60..80), 80), wanted(64, 16));
        assert_eq!(rows.wanted(&(0..0), &(0..0), 0), None);
    }

    #[test]
    fn old_rows_stay_until_new_ones_come() {
        let mut rows = Rows::default();
        rows.put(&window(0, 128), 0, &(0..10));
        rows.renew(1, &(0..10));
        assert!(rows.get(5).is_some());
        assert!(rows.fresh(5).is_none());
        assert!(rows.get(70).is_none(), "what is not in sight is forgotten");
        assert_eq!(rows.wanted(&(0..10), &(0..20), 100_000), wanted(0, 64));

        let mut newer = window(0, 64);
        newer.rows[5].prompt = "newer".to_owned();
        rows.put(&newer, 1, &(0..10));
        assert_eq!(rows.fresh(5).unwrap().prompt, "newer");
        rows.put(&window(0, 64), 0, &(0..10));
        assert_eq!(rows.get(5).unwrap().prompt, "newer", "a late answer");
    }

    #[test]
    fn far_rows_go_when_there_are_many() {
        let mut rows = Rows::default();
        for chunk in 0..200 {
            let from = chunk * CHUNK;
            rows.put(&window(from, CHUNK), 0, &(from..from + 10));
        }
        assert_eq!(rows.chunks.len(), KEPT);
        assert!(rows.get(199 * CHUNK).is_some());
        assert!(rows.get(0).is_none());
    }

    #[test]
    fn a_shorter_list_has_no_rows_behind_its_end() {
        let mut rows = Rows::default();
        rows.put(&window(0, 128), 0, &(0..10));
        rows.cut(10);
        assert!(rows.get(5).is_some());
        assert!(rows.get(70).is_none());
    }

    #[test]
    fn a_chunk_that_ends_early_is_not_asked_for_for_ever() {
        let mut rows = Rows::default();
        let mut short = window(0, 5);
        rows.put(&short, 0, &(0..10));
        assert_eq!(rows.wanted(&(0..10), &(0..10), 10), wanted(0, 10));
        short.n = 10;
        rows.put(&short, 0, &(0..10));
        assert_eq!(rows.wanted(&(0..10), &(0..10), 10), None);
    }

    #[test]
    fn a_record_is_found_where_it_is_now() {
        let mut rows = Rows::default();
        rows.put(&window(0, 64), 0, &(0..10));
        assert_eq!(rows.find(RecordKey(8), 0..100), Some(7));
        assert_eq!(rows.find(RecordKey(80), 0..100), None);
        rows.renew(1, &(0..10));
        assert_eq!(rows.find(RecordKey(8), 0..100), None, "old rows");
    }

    #[test]
    fn an_answer_to_something_else_is_left_out() {
        let mut rows = Rows::default();
        rows.put(&window(10, 5), 0, &(0..10));
        assert_eq!(rows, Rows::default());
    }
}
