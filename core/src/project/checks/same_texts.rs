//! Texts with the same fingerprint. Texts never change, so what is known of them stays true, and only
//! new ones are put in their places.

use std::collections::BTreeMap;

use crate::project::columns::{BodyColumns, Columns};

/// New texts that are put in one by one; with more, all are sorted again.
const FEW: usize = 256;

/// By which fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::project) enum Print {
    /// Of the whole.
    Whole,
    /// Of what is asked.
    Prompt,
}

/// Texts by what they share; some may have been removed since.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::project) struct SameTexts {
    /// The columns that were looked at: their epoch, and how many texts of them.
    epoch: u64,
    n: usize,
    by_whole: Sorted,
    by_prompt: Sorted,
}

/// Texts sorted by a fingerprint.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sorted {
    /// Places in the columns; those of one fingerprint in their order.
    places: Vec<u32>,
    /// Ids of those that are not alone with theirs.
    sharing: BTreeMap<u128, Vec<i64>>,
}

impl SameTexts {
    /// Whether there is no text that was not looked at.
    pub(in crate::project) fn is_up_to_date(&self, columns: &Columns) -> bool {
        (self.epoch, self.n) == (columns.epoch, columns.bodies.len())
    }

    pub(in crate::project) fn catch_up(&mut self, columns: &Columns) {
        let n = columns.bodies.len();
        let is_same = self.epoch == columns.epoch && self.n <= n;
        if is_same && self.n > 0 && n - self.n <= FEW {
            for place in self.n as u32..n as u32 {
                self.by_whole.insert(columns, Print::Whole, place);
                self.by_prompt.insert(columns, Print::Prompt, place);
            }
        } else {
            self.by_whole = Sorted::of(columns, Print::Whole);
            self.by_prompt = Sorted::of(columns, Print::Prompt);
        }
        (self.epoch, self.n) = (columns.epoch, n);
    }

    /// Ids of texts that have the same fingerprint, two at least each.
    pub(in crate::project) fn sharing(&self, by: Print) -> impl Iterator<Item = &Vec<i64>> {
        self.sorted(by).sharing.values()
    }

    /// Places of the texts with the fingerprint of this one, which is among them.
    pub(in crate::project) fn with(&self, columns: &Columns, by: Print, place: u32) -> &[u32] {
        match place {
            // What is missing shares nothing.
            0 => &[],
            place => self.sorted(by).with(columns, by, place),
        }
    }

    fn sorted(&self, by: Print) -> &Sorted {
        match by {
            Print::Whole => &self.by_whole,
            Print::Prompt => &self.by_prompt,
        }
    }
}

impl Sorted {
    fn of(columns: &Columns, by: Print) -> Self {
        // The first stands for what is missing.
        let texts = (0..).zip(&columns.bodies).skip(1);
        let mut texts: Vec<(u128, u32, i64)> = texts
            .map(|(place, body)| (print(body, by), place, body.id))
            .collect();
        texts.sort_unstable();
        let same = texts.chunk_by(|one, other| one.0 == other.0);
        let sharing = same.filter(|same| same.len() > 1).map(|same| {
            let ids = same.iter().map(|(_, _, id)| *id);
            (same[0].0, ids.collect())
        });
        Self {
            sharing: sharing.collect(),
            places: texts.iter().map(|(_, place, _)| *place).collect(),
        }
    }

    /// Puts in a text behind all others of its fingerprint.
    fn insert(&mut self, columns: &Columns, by: Print, place: u32) {
        let own = print(columns.body_at(place), by);
        let is_before = |other: &u32| print(columns.body_at(*other), by) <= own;
        self.places
            .insert(self.places.partition_point(is_before), place);
        let same = self.with(columns, by, place);
        if same.len() > 1 {
            let ids = same
                .iter()
                .map(|place| columns.body_at(*place).id)
                .collect();
            self.sharing.insert(own, ids);
        }
    }

    fn with(&self, columns: &Columns, by: Print, place: u32) -> &[u32] {
        let own = print(columns.body_at(place), by);
        let of = |other: &u32| print(columns.body_at(*other), by);
        let start = self.places.partition_point(|other| of(other) < own);
        let same = &self.places[start..];
        &same[..same.iter().take_while(|other| of(other) == own).count()]
    }
}

fn print(body: &BodyColumns, by: Print) -> u128 {
    match by {
        Print::Whole => body.whole_print,
        Print::Prompt => body.prompt_print,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{
        content::content_of,
        testing::{chat, in_memory, incoming, question, run_all},
    };

    #[test]
    fn putting_in_the_new_ones_finds_what_sorting_all_finds() {
        let mut project = in_memory(3);
        let mut known = SameTexts::default();
        for round in 0..6_usize {
            // Every other round repeats texts and questions, once within many, once within few.
            for i in 0..4 {
                let record = match (i + round) % 3 {
                    0 => question(i),
                    1 => chat("the same question", &format!("answer {}", i + round)),
                    _ => question(1000 * round + i),
                };
                project.add(None, content_of(record), 1).unwrap();
            }
            if round == 3 {
                let records = (0..500).map(|i| question(i / 2)).collect();
                let work = project.adding([incoming("a", records, &[])].into(), 2);
                run_all(&mut project, work).unwrap();
            }
            let mut lists = project.lists.borrow_mut();
            let columns = lists.caught_up(&project.store).unwrap();
            assert!(!known.is_up_to_date(columns));
            known.catch_up(columns);
            assert!(known.is_up_to_date(columns));
            let mut anew = SameTexts::default();
            anew.catch_up(columns);
            assert_eq!(known, anew);
            for place in 1..columns.bodies.len() as u32 {
                let with = known.with(columns, Print::Prompt, place);
                let own = columns.body_at(place).prompt_print;
                let other = |other: &u32| columns.body_at(*other).prompt_print == own;
                let looked: Vec<u32> = (1..columns.bodies.len() as u32).filter(other).collect();
                assert_eq!(with, looked);
            }
        }
        assert!(known.sharing(Print::Whole).count() > 250);
        assert!(
            known
                .with(&project.lists.get_mut().columns, Print::Whole, 0)
                .is_empty()
        );
        assert_ne!(known.by_whole, known.by_prompt);
    }
}
