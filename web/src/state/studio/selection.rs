//! Which records are selected: some, or all of the list but some, so that choosing 100 000 is a word.

use std::collections::BTreeSet;

use veneer_core::protocol::studio::{RecordKey, Target};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Chosen {
    Only(BTreeSet<RecordKey>),
    /// Of the current list.
    AllBut(BTreeSet<RecordKey>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    chosen: Chosen,
    /// Place of the list where a range began.
    anchor: Option<u64>,
    /// What the range under way has added, to be taken away where it shrinks.
    added: Vec<RecordKey>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            chosen: Chosen::Only(BTreeSet::new()),
            anchor: None,
            added: Vec::new(),
        }
    }
}

impl Selection {
    pub fn contains(&self, record: RecordKey) -> bool {
        match &self.chosen {
            Chosen::Only(keys) => keys.contains(&record),
            Chosen::AllBut(keys) => !keys.contains(&record),
        }
    }

    /// How many of a list of `n` records.
    pub fn len(&self, n: u64) -> u64 {
        match &self.chosen {
            Chosen::Only(keys) => keys.len() as u64,
            Chosen::AllBut(keys) => n.saturating_sub(keys.len() as u64),
        }
    }

    pub fn is_empty(&self, n: u64) -> bool {
        self.len(n) == 0
    }

    pub fn is_all(&self) -> bool {
        matches!(&self.chosen, Chosen::AllBut(keys) if keys.is_empty())
    }

    pub fn clear(&mut self) {
        *self = Self {
            anchor: self.anchor,
            ..Self::default()
        };
    }

    pub fn select_all(&mut self) {
        self.chosen = Chosen::AllBut(BTreeSet::new());
        self.added.clear();
    }

    /// Turns one record over; a range begins here.
    pub fn toggle(&mut self, at: u64, record: RecordKey) {
        let contained = self.contains(record);
        self.set(record, !contained);
        self.begin(at);
    }

    /// A range that comes next begins here.
    pub fn begin(&mut self, at: u64) {
        self.anchor = Some(at);
        self.added.clear();
    }

    pub fn anchor(&self) -> Option<u64> {
        self.anchor
    }

    /// All places from the anchor to `to`, both ends; without an anchor only `to`.
    pub fn range_to(&self, to: u64) -> std::ops::Range<u64> {
        let from = self.anchor.unwrap_or(to);
        from.min(to)..from.max(to) + 1
    }

    /// Selects the records from the anchor to somewhere in place of those of the range before.
    pub fn extend(&mut self, records: impl IntoIterator<Item = RecordKey>) {
        for record in std::mem::take(&mut self.added) {
            self.set(record, false);
        }
        for record in records {
            if !self.contains(record) {
                self.set(record, true);
                self.added.push(record);
            }
        }
    }

    fn set(&mut self, record: RecordKey, selected: bool) {
        let (keys, holds) = match &mut self.chosen {
            Chosen::Only(keys) => (keys, selected),
            Chosen::AllBut(keys) => (keys, !selected),
        };
        match holds {
            true => keys.insert(record),
            false => keys.remove(&record),
        };
    }

    /// What a change goes to; `None` where nothing is selected.
    pub fn target(&self, n: u64) -> Option<Target> {
        if self.is_empty(n) {
            return None;
        }
        Some(match &self.chosen {
            Chosen::Only(keys) => Target::Records(keys.iter().copied().collect()),
            Chosen::AllBut(keys) => Target::List {
                except: keys.iter().copied().collect(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u64 = 100_000;

    fn key(n: u64) -> RecordKey {
        RecordKey(n)
    }

    fn keys(range: std::ops::Range<u64>) -> impl Iterator<Item = RecordKey> {
        range.map(RecordKey)
    }

    #[test]
    fn records_are_turned_over() {
        let mut selection = Selection::default();
        assert_eq!(selection.target(N), None);
        selection.toggle(4, key(5));
        selection.toggle(9, key(10));
        selection.toggle(4, key(5));
        assert_eq!(selection.target(N), Some(Target::Records(vec![key(10)])));
        assert_eq!(selection.len(N), 1);
    }

    #[test]
    fn all_but_some_is_said_without_naming_the_others() {
        let mut selection = Selection::default();
        selection.select_all();
        assert!(selection.is_all());
        assert_eq!(selection.len(N), N);
        selection.toggle(6, key(7));
        assert!(!selection.is_all());
        assert!(!selection.contains(key(7)) && selection.contains(key(8)));
        assert_eq!(selection.len(N), N - 1);
        assert_eq!(
            selection.target(N),
            Some(Target::List {
                except: vec![key(7)]
            })
        );
        selection.clear();
        assert_eq!(selection.target(N), None);
    }

    #[test]
    fn all_of_an_empty_list_is_nothing() {
        let mut selection = Selection::default();
        selection.select_all();
        assert_eq!(selection.target(0), None);
    }

    #[test]
    fn a_range_grows_and_shrinks_without_losing_what_was_there() {
        let mut selection = Selection::default();
        selection.toggle(20, key(21));
        selection.begin(10);
        assert_eq!(selection.range_to(14), 10..15);
        selection.extend(keys(11..31));
        assert_eq!(selection.len(N), 20);
        selection.extend(keys(11..13));
        assert_eq!(selection.len(N), 3);
        assert!(selection.contains(key(21)), "selected before the range");
        assert_eq!(selection.range_to(8), 8..11);
    }

    #[test]
    fn ranges_bring_exceptions_back() {
        let mut selection = Selection::default();
        selection.select_all();
        for n in 0..5 {
            selection.toggle(n, key(n));
        }
        selection.begin(1);
        selection.extend(keys(1..3));
        assert_eq!(selection.len(N), N - 3);
        selection.extend(keys(1..2));
        assert_eq!(selection.len(N), N - 4);
    }

    #[test]
    fn a_range_without_beginning_is_one_record() {
        assert_eq!(Selection::default().range_to(3), 3..4);
    }
}
