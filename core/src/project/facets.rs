//! What can be filtered by, with counts of the records outside the trash.

use std::collections::{BTreeMap, HashMap};

use super::{
    Project, ProjectError,
    body::role_bit,
    columns::{Columns, RecordColumns, THERE},
    filter::side_of,
};
use crate::protocol::studio::{Facets, TurnRole};

impl Project {
    /// # Errors
    /// If the database cannot be read.
    pub fn facets(&self) -> Result<Facets, ProjectError> {
        let mut lists = self.lists.borrow_mut();
        let columns = lists.caught_up(&self.store)?;
        let there = || {
            columns
                .records
                .iter()
                .filter(|record| record.state == THERE)
        };
        let tags = count(there().map(|record| record.tags));
        let fields = count(there().map(|record| columns.body_of(record).fields));
        Ok(Facets {
            tags: most_first(count_names(columns, &tags).into_iter().collect()),
            sides: count(there().map(|record| record.side))
                .into_iter()
                .map(|(side, n)| (side_of(side), n))
                .collect(),
            languages: languages(columns, there()),
            sources: count(there().map(|record| record.source))
                .into_iter()
                .map(|(source, n)| (u32::try_from(source).unwrap_or(u32::MAX), n))
                .collect(),
            reviewers: reviewers(columns, there()),
            roles: roles(columns, there()),
            fields: count_names(columns, &fields).into_keys().collect(),
            lengths: lengths(there().map(|record| columns.body_of(record).n_chars)),
        })
    }
}

fn count<T: Ord>(values: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// Counts of sets to counts of the names in them.
fn count_names(columns: &Columns, sets: &BTreeMap<i64, u64>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (set, n) in sets {
        for name in columns.set(*set) {
            *counts.entry(name.clone()).or_default() += n;
        }
    }
    counts
}

fn most_first<T: Ord>(mut counts: Vec<(T, u64)>) -> Vec<(T, u64)> {
    counts.sort_by(|(a, n_a), (b, n_b)| n_b.cmp(n_a).then_with(|| a.cmp(b)));
    counts
}

fn languages<'a>(
    columns: &Columns,
    there: impl Iterator<Item = &'a RecordColumns>,
) -> Vec<(String, u64)> {
    let counts = count(there.map(|record| columns.body_of(record).language));
    let name = |(number, n): (u32, u64)| (columns.languages.name(number).to_owned(), n);
    most_first(counts.into_iter().map(name).collect())
}

/// Nobody first.
fn reviewers<'a>(
    columns: &Columns,
    there: impl Iterator<Item = &'a RecordColumns>,
) -> Vec<(Option<String>, u64)> {
    let counts = count(there.map(|record| record.reviewer));
    let named = counts.into_iter().map(|(number, n)| {
        let name = columns.reviewers.name(number);
        ((!name.is_empty()).then(|| name.to_owned()), n)
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}

fn roles<'a>(
    columns: &Columns,
    there: impl Iterator<Item = &'a RecordColumns>,
) -> Vec<(TurnRole, u64)> {
    let counts = count(there.map(|record| columns.body_of(record).roles));
    let of_role = |role: TurnRole| {
        let has = |bits: &u8| u32::from(*bits) & role_bit(role) != 0;
        let n = counts
            .iter()
            .filter(|(bits, _)| has(bits))
            .map(|(_, n)| n)
            .sum();
        (role, n)
    };
    let all = TurnRole::ALL.into_iter().map(of_role);
    all.filter(|(_, n)| *n > 0).collect()
}

/// Bins up to 10, 20, 50, 100, … characters, from the first to the last that has any.
fn lengths(n_chars: impl Iterator<Item = i64>) -> Vec<(u64, u64)> {
    let edges = (1..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let edges: Vec<u64> = edges.collect();
    let mut counts: HashMap<usize, u64> = HashMap::new();
    for n in n_chars {
        let n = u64::try_from(n).unwrap_or_default();
        *counts
            .entry(edges.partition_point(|edge| *edge < n))
            .or_default() += 1;
    }
    let (Some(first), Some(last)) = (counts.keys().min(), counts.keys().max()) else {
        return Vec::new();
    };
    let bin = |place: usize| {
        let edge = edges.get(place).copied().unwrap_or(u64::MAX);
        (edge, counts.get(&place).copied().unwrap_or_default())
    };
    (*first..=*last).map(bin).collect()
}
