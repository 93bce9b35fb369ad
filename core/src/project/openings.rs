//! How prompts and answers begin, in order: what lists are sorted by. Made in memory and kept; a text
//! that comes by itself is put to its place. Indexes of the file would be written to all over by every
//! import, and this is quicker to make than such an index to read.

use rusqlite::{Connection, params};

use super::{ProjectError, columns::Columns, words::sort_key};
use crate::protocol::studio::SortBy;

/// Texts that are put to their places one by one; with more all are put in order again.
const FEW: usize = 64;

/// The orders of lists that go by a text.
#[derive(Default)]
pub(super) struct Openings {
    prompts: Order,
    answers: Order,
}

/// Bodies by how a text of theirs begins.
#[derive(Default)]
struct Order {
    /// Of the bodies that it was made from; see [`Columns::epoch`].
    epoch: u64,
    /// Places below are in order, or read.
    n_places: usize,
    /// Places of bodies, and whether each begins as the one before.
    sorted: Vec<(u32, bool)>,
    /// Beginnings that are not in order yet, with their places.
    read: Vec<(Box<str>, u32)>,
    /// By place.
    ranks: Vec<u32>,
}

impl Openings {
    /// Reads at most `n_rows` texts; true once the order by `by` is that of all bodies. Orders that go
    /// by no text always are.
    pub(super) fn catch_up(
        &mut self,
        db: &Connection,
        by: SortBy,
        columns: &Columns,
        n_rows: usize,
    ) -> Result<bool, ProjectError> {
        match by {
            SortBy::Prompt => self.prompts.catch_up(db, "prompt", columns, n_rows),
            SortBy::Answer => self.answers.catch_up(db, "answer", columns, n_rows),
            _ => Ok(true),
        }
    }

    /// By place of the body; equal beginnings have the same. Of no use before [`Self::catch_up`].
    pub(super) fn ranks(&self, by: SortBy) -> &[u32] {
        match by {
            SortBy::Prompt => &self.prompts.ranks,
            SortBy::Answer => &self.answers.ranks,
            _ => &[],
        }
    }
}

impl Order {
    fn catch_up(
        &mut self,
        db: &Connection,
        column: &str,
        columns: &Columns,
        n_rows: usize,
    ) -> Result<bool, ProjectError> {
        let n = columns.bodies.len();
        if self.epoch != columns.epoch || self.n_places > n {
            *self = Self {
                epoch: columns.epoch,
                ..Self::default()
            };
        }
        if self.n_places == n {
            return Ok(true);
        }
        // The first place stands for bodies that are missing.
        self.n_places = self.n_places.max(1);
        if !self.sorted.is_empty() {
            if n - self.n_places <= FEW {
                return self.put_few(db, column, columns).map(|()| true);
            }
            (self.sorted, self.n_places) = (Vec::new(), 1);
        }
        self.read_some(db, column, columns, n_rows)?;
        if self.n_places < n {
            return Ok(false);
        }
        // Runs that are in order are found.
        self.read.sort();
        let mut before: Option<&str> = None;
        for (key, place) in &self.read {
            let is_same = before.replace(key) == Some(key);
            self.sorted.push((*place, is_same));
        }
        self.read = Vec::new();
        self.count();
        Ok(true)
    }

    /// Reads on, and puts what comes in order among itself.
    fn read_some(
        &mut self,
        db: &Connection,
        column: &str,
        columns: &Columns,
        n_rows: usize,
    ) -> Result<(), ProjectError> {
        let to = columns.bodies.len().min(self.n_places + n_rows);
        let bodies = &columns.bodies[self.n_places..to];
        let (Some(first), Some(last)) = (bodies.first(), bodies.last()) else {
            return Ok(());
        };
        let sql = format!("SELECT id, {column} FROM body WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
        let mut rows = db.prepare_cached(&sql)?;
        let mut rows = rows.query(params![first.id, last.id])?;
        let n_before = self.read.len();
        while let Some(row) = rows.next()? {
            let place = columns.body_place(row.get(0)?);
            if place != 0 {
                let text = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
                self.read.push((sort_key(text).into(), place));
            }
        }
        self.read[n_before..].sort();
        self.n_places = to;
        Ok(())
    }

    /// Puts the last bodies to their places, for which the texts around each place are read.
    fn put_few(
        &mut self,
        db: &Connection,
        column: &str,
        columns: &Columns,
    ) -> Result<(), ProjectError> {
        let mut one = db.prepare_cached(&format!("SELECT {column} FROM body WHERE id = ?1"))?;
        let mut key = |place: usize| -> Result<String, ProjectError> {
            let start = |row: &rusqlite::Row<'_>| Ok(sort_key(row.get_ref(0)?.as_str()?));
            Ok(one.query_row([columns.bodies[place].id], start)?)
        };
        for place in self.n_places..columns.bodies.len() {
            let own = key(place)?;
            let (mut low, mut high) = (0, self.sorted.len());
            while low < high {
                let middle = (low + high) / 2;
                match key(self.sorted[middle].0 as usize)? <= own {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            let is_same = match low.checked_sub(1) {
                Some(before) => key(self.sorted[before].0 as usize)? == own,
                None => false,
            };
            self.sorted.insert(low, (place as u32, is_same));
            self.n_places = place + 1;
        }
        self.count();
        Ok(())
    }

    fn count(&mut self) {
        self.ranks.clear();
        self.ranks.resize(self.n_places, 0);
        let mut rank = 0;
        for (place, is_same) in &self.sorted {
            rank += u32::from(!is_same);
            self.ranks[*place as usize] = rank;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{
        Project,
        testing::{chat, in_memory, incoming, run_all},
    };

    /// The ranks as they are kept, brought up to date in steps, and as one sort of all texts has them.
    #[track_caller]
    fn check(project: &mut Project, openings: &mut Openings) {
        let lists = project.lists.get_mut();
        let columns = lists.caught_up(&project.store).unwrap();
        let db = project.store.raw();
        for (by, column) in [(SortBy::Prompt, "prompt"), (SortBy::Answer, "answer")] {
            while !openings.catch_up(db, by, columns, 7).unwrap() {}
            let key = |body: i64| {
                let sql = format!("SELECT {column} FROM body WHERE id = ?1");
                let text: String = db.query_row(&sql, [body], |row| row.get(0)).unwrap();
                sort_key(&text)
            };
            let keys: Vec<String> = columns.bodies[1..].iter().map(|it| key(it.id)).collect();
            let mut different: Vec<&String> = keys.iter().collect();
            different.sort();
            different.dedup();
            let rank = |key| 1 + different.binary_search(&key).unwrap() as u32;
            let expected: Vec<u32> = std::iter::once(0).chain(keys.iter().map(rank)).collect();
            assert_eq!(openings.ranks(by), expected, "{column}");
        }
    }

    fn add(project: &mut Project, texts: impl Iterator<Item = String>) {
        let records = texts
            .map(|text| chat(&text, &text.to_uppercase()))
            .collect();
        let work = project.adding([incoming("more", records, &[])].into(), 1);
        run_all(project, work).unwrap();
    }

    #[test]
    fn texts_come_to_their_places_one_by_one_and_many_at_once() {
        let mut project = in_memory(0);
        let mut openings = Openings::default();
        check(&mut project, &mut openings);
        let texts = |n: usize, step: usize| (0..n).map(move |i| format!("{}é", i * step % 31));
        for n in [1, 2, 40, FEW, FEW + 1, 3 * FEW, 5] {
            add(&mut project, texts(n, n + 3));
            check(&mut project, &mut openings);
        }
        add(
            &mut project,
            ["", " ", "\u{10ffff}", "Ñ", "ñ"]
                .map(String::from)
                .into_iter(),
        );
        check(&mut project, &mut openings);
    }
}
