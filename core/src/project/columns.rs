//! What lists are filtered and sorted by, in memory: a few narrow columns of every record.
//!
//! The database stays the truth. [`Marks`] notes which of its rows change, whoever changes them, and
//! [`Columns::catch_up`] reads those again; so a filter or a sort of 100 000 records is a walk over
//! an array, where SQLite would look up as many texts.
//!
//! Invariant: behind a `catch_up` that returned true, outside a transaction, this equals the database
//! with what is late (`store.rs`).

mod loading;
mod marks;

use std::{cell::RefCell, collections::HashMap, ops::Range, rc::Rc};

use rusqlite::types::Value;

use super::{
    ProjectError,
    body::role_bit,
    checks::same_texts::SameTexts,
    journal::Field,
    runs::{Run, Runs},
    store::Store,
};
use crate::protocol::studio::TurnRole;
use marks::Marks;

/// `record.state`: there.
pub(super) const THERE: u8 = 0;
pub(super) const IN_TRASH: u8 = 1;
const NOT_THERE: u8 = 2;

/// A side, or none, as a number; see [`side_number`].
pub(super) const NO_SIDE: u8 = 3;

pub(super) struct Columns {
    /// By id.
    pub(super) records: Vec<RecordColumns>,
    /// By id; the first stands for bodies that are missing.
    pub(super) bodies: Vec<BodyColumns>,
    pub(super) languages: Names,
    pub(super) reviewers: Names,
    /// `name_set` by its id; sets are never changed.
    sets: HashMap<i64, Vec<String>>,
    /// Grows with every row that is read.
    pub(super) version: u64,
    /// Grows when a body that was read before is no longer what it was, so that what others keep
    /// about bodies by their place is void.
    pub(super) epoch: u64,
    marks: Marks,
    /// As far as anyone asked.
    same_texts: RefCell<Rc<SameTexts>>,
    /// Whether every row was read once.
    records_read: bool,
    bodies_read: bool,
    /// Whether records were read from the table without what is late.
    lacks_late: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RecordColumns {
    pub(super) id: i64,
    pub(super) position: i64,
    /// Place in [`Columns::bodies`].
    pub(super) body: u32,
    pub(super) reviewer: u32,
    /// Ids of `name_set`.
    pub(super) tags: i64,
    pub(super) accepted: i64,
    /// 0 for records that were written here.
    pub(super) source: i64,
    pub(super) line: i64,
    pub(super) state: u8,
    pub(super) side: u8,
    /// Whether it has another body than it came with.
    pub(super) changed: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct BodyColumns {
    pub(super) id: i64,
    pub(super) n_chars: i64,
    /// -1 where they were not counted.
    pub(super) n_tokens: i64,
    /// Fingerprints; see [`crate::data::Fingerprint`].
    pub(super) prompt_print: u128,
    pub(super) whole_print: u128,
    /// Id of the `name_set` of columns beside the text.
    pub(super) fields: i64,
    pub(super) n_turns: u32,
    pub(super) language: u32,
    pub(super) roles: u8,
}

impl Columns {
    pub(super) fn new(store: &mut Store) -> Result<Self, ProjectError> {
        Ok(Self {
            records: Vec::new(),
            bodies: vec![BodyColumns::missing()],
            languages: Names::default(),
            reviewers: Names::default(),
            sets: HashMap::new(),
            version: 0,
            epoch: 0,
            marks: Marks::set_on(store)?,
            same_texts: RefCell::default(),
            records_read: false,
            bodies_read: false,
            lacks_late: false,
        })
    }

    pub(super) fn body_of(&self, record: &RecordColumns) -> &BodyColumns {
        self.body_at(record.body)
    }

    /// The body at a place that [`Self::body_place`] told; bodies are never taken out.
    pub(super) fn body_at(&self, place: u32) -> &BodyColumns {
        &self.bodies[place as usize]
    }

    /// Where a body is; 0 where it is not.
    pub(super) fn body_place(&self, id: i64) -> u32 {
        // Where no body was ever removed, ids are places.
        let there = usize::try_from(id)
            .ok()
            .and_then(|place| self.bodies.get(place));
        if there.is_some_and(|body| body.id == id) {
            return id as u32;
        }
        let found = self.bodies.binary_search_by_key(&id, |body| body.id);
        found.unwrap_or_default() as u32
    }

    pub(super) fn record(&self, id: i64) -> Option<&RecordColumns> {
        let place = self.place(u64::try_from(id).ok()?)?;
        Some(&self.records[place])
    }

    /// Where a record is in [`Columns::records`].
    pub(super) fn place(&self, record: u64) -> Option<usize> {
        let id = i64::try_from(record).ok()?;
        let found = self.records.binary_search_by_key(&id, |record| record.id);
        found.ok()
    }

    /// Where the records of a run are.
    fn places(&self, run: &Run) -> Range<usize> {
        let place = |end: u64| {
            let is_before = |record: &RecordColumns| (record.id as u64) < end;
            self.records.partition_point(is_before)
        };
        place(run.first)..place(run.last() + 1)
    }

    /// What the table of records has in a column, or will have.
    pub(super) fn value(&self, place: usize, field: Field) -> Option<Value> {
        let record = self.records.get(place)?;
        Some(match field {
            Field::State => i64::from(record.state).into(),
            Field::Position => record.position.into(),
            Field::Body => self.body_of(record).id.into(),
            Field::Side if record.side == NO_SIDE => Value::Null,
            Field::Side => i64::from(record.side).into(),
            Field::Tags => record.tags.into(),
            Field::Accepted => record.accepted.into(),
            Field::Reviewer => self.reviewers.name(record.reviewer).to_owned().into(),
        })
    }

    /// The values in force of those records of some runs that there are.
    pub(super) fn values(&self, field: Field, runs: &Runs) -> Runs {
        let places = runs.all().iter().flat_map(|run| self.places(run));
        let value = |place: usize| {
            let value = self.value(place, field)?;
            Some((self.records[place].id as u64, value))
        };
        Runs::of(places.filter_map(value))
    }

    /// Texts with the same fingerprint.
    pub(super) fn same_texts(&self) -> Rc<SameTexts> {
        let mut known = self.same_texts.borrow_mut();
        if !known.is_up_to_date(self) {
            Rc::make_mut(&mut known).catch_up(self);
        }
        Rc::clone(&known)
    }

    /// Records outside the trash, or in it.
    pub(super) fn count(&self, in_trash: bool) -> u64 {
        let state = if in_trash { IN_TRASH } else { THERE };
        let records = self.records.iter();
        records.filter(|record| record.state == state).count() as u64
    }

    pub(super) fn set(&self, id: i64) -> &[String] {
        self.sets.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Ids of the sets that hold one of these names.
    pub(super) fn sets_with(&self, names: &[String]) -> Vec<i64> {
        let holds = |set: &&Vec<String>| set.iter().any(|name| names.contains(name));
        let sets = self.sets.iter().filter(|(_, set)| holds(set));
        let mut ids: Vec<i64> = sets.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }
}

impl RecordColumns {
    /// Whether it is there, be it in the trash.
    pub(super) fn is_there(&self) -> bool {
        self.state == THERE || self.state == IN_TRASH
    }
}

impl BodyColumns {
    const fn missing() -> Self {
        Self {
            id: 0,
            n_chars: 0,
            n_tokens: -1,
            prompt_print: 0,
            whole_print: 0,
            fields: 0,
            n_turns: 0,
            language: 0,
            roles: 0,
        }
    }

    pub(super) fn has_role(&self, role: TurnRole) -> bool {
        u32::from(self.roles) & role_bit(role) != 0
    }
}

/// Names as numbers.
#[derive(Default)]
pub(super) struct Names {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    /// The place of each number among the names in order.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_by_key(|number| &self.names[*number]);
        let mut ranks = vec![0; order.len()];
        for (rank, number) in order.into_iter().enumerate() {
            ranks[number] = rank as u32;
        }
        ranks
    }
}
