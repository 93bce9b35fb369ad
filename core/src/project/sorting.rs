//! The order of a list. Equal ones stay in the order of the dataset.

use std::cmp::Reverse;

use rusqlite::Connection;

use super::{ProjectError, columns::Columns};
use crate::protocol::studio::{Sort, SortBy};

/// What records are ordered by beyond their columns.
pub(super) enum Ranks<'a> {
    None,
    /// By place of the body.
    Openings(&'a [u32]),
    /// Errors and warnings by place of the record, without those that were accepted.
    Findings(Vec<(u32, u32)>),
}

/// Puts places of records in order.
pub(super) fn sort(places: &mut Vec<u32>, sort: Sort, columns: &Columns, ranks: &Ranks<'_>) {
    let languages = columns.languages.ranks();
    let key = |place: u32| {
        let record = &columns.records[place as usize];
        let body = columns.body_of(record);
        match (sort.by, ranks) {
            (SortBy::Prompt | SortBy::Answer, Ranks::Openings(ranks)) => {
                let rank = ranks.get(record.body as usize);
                (rank.copied().map_or(0, i64::from), 0)
            }
            (SortBy::Findings, Ranks::Findings(counts)) => {
                let counts = counts.get(place as usize).copied().unwrap_or_default();
                (i64::from(counts.0), i64::from(counts.1))
            }
            (SortBy::Position | SortBy::Prompt | SortBy::Answer | SortBy::Findings, _) => (0, 0),
            (SortBy::Characters, _) => (body.n_chars, 0),
            (SortBy::Tokens, _) => (body.n_tokens, 0),
            (SortBy::Turns, _) => (i64::from(body.n_turns), 0),
            (SortBy::Language, _) => (i64::from(languages[body.language as usize]), 0),
            (SortBy::Side, _) => (i64::from(record.side), 0),
            (SortBy::Source, _) => (record.source, record.line),
            // Later edits have newer bodies.
            (SortBy::Changed, _) if record.changed => (body.id, 0),
            (SortBy::Changed, _) => (0, 0),
        }
    };
    in_order(places, columns);
    match (sort.by, sort.descending) {
        (SortBy::Position, false) => {}
        (SortBy::Position, true) => places.reverse(),
        (_, false) => by_key(places, key),
        (_, true) => by_key(places, |place| Reverse(key(place))),
    }
}

/// The order of the dataset.
fn in_order(places: &mut Vec<u32>, columns: &Columns) {
    by_key(places, |place| {
        let record = &columns.records[place as usize];
        (record.position, record.id)
    });
}

/// Sorts keys beside their places, where looking each up again would miss the cache.
fn by_key<K: Ord + Copy>(places: &mut Vec<u32>, key: impl Fn(u32) -> K) {
    let mut keyed: Vec<(K, u32)> = places.iter().map(|place| (key(*place), *place)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    places.clear();
    places.extend(keyed.into_iter().map(|(_, place)| place));
}

/// Errors and warnings of each record.
pub(super) fn count_findings(
    db: &Connection,
    columns: &Columns,
) -> Result<Ranks<'static>, ProjectError> {
    // Whether a finding is settled is a matter of the record, so those bodies are counted apart.
    let mut of_bodies = vec![(0_u32, 0_u32); columns.bodies.len()];
    let mut kinds_of_settled: Vec<(u32, String, bool)> = Vec::new();
    let mut settles = vec![false; columns.bodies.len()];
    for record in columns.records.iter().filter(|record| record.accepted != 0) {
        settles[record.body as usize] = true;
    }
    let mut statement =
        db.prepare_cached("SELECT body, kind, is_error FROM finding ORDER BY body, kind")?;
    let mut rows = statement.query([])?;
    let mut place = 0;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if columns.bodies[place as usize].id != id {
            place = columns.body_place(id);
        }
        let is_error: bool = row.get(2)?;
        add(&mut of_bodies[place as usize], is_error);
        if settles[place as usize] {
            kinds_of_settled.push((place, row.get(1)?, is_error));
        }
    }
    let mut counts = Vec::with_capacity(columns.records.len());
    for record in &columns.records {
        if record.accepted == 0 {
            counts.push(of_bodies[record.body as usize]);
            continue;
        }
        let accepted = columns.set(record.accepted);
        let first = kinds_of_settled.partition_point(|(place, ..)| *place < record.body);
        let of_record = kinds_of_settled[first..].iter();
        let mut count = (0, 0);
        for (_, kind, is_error) in of_record.take_while(|(place, ..)| *place == record.body) {
            if !accepted.contains(kind) {
                add(&mut count, *is_error);
            }
        }
        counts.push(count);
    }
    Ok(Ranks::Findings(counts))
}

fn add((errors, warnings): &mut (u32, u32), is_error: bool) {
    if is_error {
        *errors += 1;
    } else {
        *warnings += 1;
    }
}
