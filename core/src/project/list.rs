//! The current list: which records, in which order, and the windows that are cut from it.
//!
//! A list is made from the columns in memory, and made again after every change that touches what it
//! is made of; an edited record therefore leaves a list that it no longer belongs to. What a search
//! found is kept with the list, so that only texts which came since are looked at again.

mod making;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
mod speed_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin_tests;

use std::collections::HashSet;

use rusqlite::Connection;

use super::{
    Project, ProjectError, Task,
    columns::Columns,
    fields::FieldColumn,
    journal::Field,
    openings::Openings,
    rows::rows_of,
    search::{Finder, Hits},
    snippet,
    sorting::{self, Ranks},
    store::Store,
    texts::Texts,
};
use crate::protocol::studio::{
    Filter, ListView, Query, RecordKey, SortBy, StudioProgress, StudioStage, Target, Window,
};
use making::{ColumnsWork, QueryWork};

/// Rows that are read in one step.
const ROWS_AT_ONCE: usize = 8_000;

/// Texts whose beginnings are read in one step.
const OPENINGS_AT_ONCE: usize = 4_000;

/// Columns beside the text whose values are kept.
const MOST_FIELDS: usize = 4;

/// Rows that are given at once.
const MOST_ROWS: u64 = 1_000;

pub(super) struct Lists {
    pub(super) columns: Columns,
    fields: Vec<FieldColumn>,
    openings: Openings,
    pub(super) texts: Texts,
    /// `None` until there was a query.
    current: Option<Current>,
}

struct Current {
    query: Query,
    found: Option<Found>,
    ids: Vec<u64>,
    n_of: u64,
    /// Whether its search cannot be understood: such a list stays without records, so that no change
    /// of all of it goes to those of an earlier one.
    is_void: bool,
}

/// A search and what it found so far.
struct Found {
    finder: Finder,
    hits: Hits,
}

impl Current {
    /// The list of a search that cannot be understood.
    fn void(query: Query, columns: &Columns) -> Self {
        Self {
            n_of: columns.count(query.filter.trash),
            query,
            found: None,
            ids: Vec::new(),
            is_void: true,
        }
    }

    fn view(&self) -> ListView {
        ListView {
            n: self.ids.len() as u64,
            n_of: self.n_of,
            took_ms: 0.0,
        }
    }
}

impl Lists {
    pub(super) fn new(store: &mut Store) -> Result<Self, ProjectError> {
        Ok(Self {
            columns: Columns::new(store)?,
            fields: Vec::new(),
            openings: Openings::default(),
            texts: Texts::default(),
            current: None,
        })
    }

    /// The columns as they are now.
    pub(super) fn caught_up(&mut self, store: &Store) -> Result<&Columns, ProjectError> {
        while !self.read_some(store)? {}
        Ok(&self.columns)
    }

    /// Reads what every list is made from; true once all of it is.
    pub(super) fn read_some(&mut self, store: &Store) -> Result<bool, ProjectError> {
        self.columns.catch_up(store, ROWS_AT_ONCE)
    }

    /// Reads what searches look through, so that nobody waits for it; true once there is no more.
    pub(super) fn read_texts(&mut self, db: &Connection) -> Result<bool, ProjectError> {
        self.texts.read_some(db, &self.columns)
    }

    /// What an order needs beyond the columns.
    fn ranks(&self, db: &Connection, by: SortBy) -> Result<Ranks<'_>, ProjectError> {
        Ok(match by {
            SortBy::Prompt | SortBy::Answer => Ranks::Openings(self.openings.ranks(by)),
            SortBy::Findings => sorting::count_findings(db, &self.columns)?,
            _ => Ranks::None,
        })
    }

    /// Brings the orders by texts up to date, so that nobody waits for them; true once they are.
    pub(super) fn rank_some(&mut self, db: &Connection) -> Result<bool, ProjectError> {
        for by in [SortBy::Prompt, SortBy::Answer] {
            let columns = &self.columns;
            if !self.openings.catch_up(db, by, columns, OPENINGS_AT_ONCE)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads what a filter needs of a column beside the text; what is left to do, if anything.
    fn read_field(
        &mut self,
        db: &Connection,
        filter: &Filter,
    ) -> Result<Option<StudioProgress>, ProjectError> {
        const AT_ONCE: usize = 500;
        let Some((name, _)) = &filter.field else {
            return Ok(None);
        };
        let known = self.fields.iter().position(|field| field.name == *name);
        let mut field = match known {
            Some(place) => self.fields.remove(place),
            None => FieldColumn::new(name, &self.columns),
        };
        let is_done = field.catch_up(db, &self.columns, AT_ONCE)?;
        let progress = StudioProgress {
            stage: StudioStage::Searching,
            what: name.clone(),
            done: field.n_read(),
            total: self.columns.bodies.len() as u64,
        };
        // The one that was used last stays longest.
        self.fields.insert(0, field);
        self.fields.truncate(MOST_FIELDS);
        Ok((!is_done).then_some(progress))
    }
}

impl Project {
    /// Makes the current list; `window` and `Target::List` mean this list until the next query.
    pub fn query(&self, query: Query) -> Task<ListView> {
        Box::new(QueryWork::new(query))
    }

    /// Reads what every list is made from, so that the next one need not. Cut off, it has read some.
    pub fn prepare_lists(&self) -> Task<()> {
        Box::new(ColumnsWork)
    }

    /// Rows of the current list, at most 1000; none behind its end.
    pub fn window(&self, from: u64, n: u64) -> Result<Window, ProjectError> {
        let lists = self.lists.borrow();
        let Some(current) = &lists.current else {
            return Ok(Window::default());
        };
        let len = current.ids.len() as u64;
        let start = from.min(len);
        let end = start.saturating_add(n.min(MOST_ROWS)).min(len);
        let ids = current.ids[start as usize..end as usize].iter().copied();
        let mut rows = rows_of(&self.store, &lists.columns, ids)?;
        if let Some(found) = &current.found {
            for row in &mut rows {
                snippet::show_match(self.store.raw(), &found.finder, row)?;
            }
        }
        Ok(Window { from, rows, n: len })
    }

    /// Records that a change goes to, each once, in the order in which they are named or listed.
    pub(super) fn target_ids(&mut self, target: &Target) -> Result<Vec<u64>, ProjectError> {
        match target {
            Target::Records(keys) => {
                let lists = self.lists.get_mut();
                let columns = lists.caught_up(&self.store)?;
                let mut seen = HashSet::new();
                let there = |key: &RecordKey| {
                    let record = i64::try_from(key.0).ok().and_then(|id| columns.record(id));
                    record.is_some_and(|record| record.is_there()) && seen.insert(key.0)
                };
                let mut there = there;
                Ok(keys
                    .iter()
                    .filter(|key| there(key))
                    .map(|key| key.0)
                    .collect())
            }
            Target::List { except } => {
                let except: HashSet<u64> = except.iter().map(|key| key.0).collect();
                let ids = self.list_ids()?.into_iter();
                Ok(ids.filter(|id| !except.contains(id)).collect())
            }
        }
    }

    /// The current list; all records in their order where there was no query yet.
    pub(super) fn list_ids(&mut self) -> Result<Vec<u64>, ProjectError> {
        if self.lists.get_mut().current.is_none() {
            let all = self.query(Query::default());
            super::run(self, all, &mut |_| true)?;
        }
        let current = self.lists.get_mut().current.as_ref();
        Ok(current
            .map(|current| current.ids.clone())
            .unwrap_or_default())
    }

    /// The current list as it is; `None` where there was no query yet.
    pub(super) fn listed(&self) -> Option<Vec<u64>> {
        let lists = self.lists.borrow();
        lists.current.as_ref().map(|current| current.ids.clone())
    }

    /// Makes the current list again if what changed is what it is made of.
    pub(super) fn relist_after(&mut self, touched: &[Field]) -> Result<ListView, ProjectError> {
        let Some(current) = &self.lists.get_mut().current else {
            return Ok(ListView::default());
        };
        if touched
            .iter()
            .any(|field| is_made_of(&current.query, *field))
        {
            making::make_again(self)?;
        }
        let current = self.lists.get_mut().current.as_ref();
        Ok(current.map(Current::view).unwrap_or_default())
    }
}

/// Whether a list may be another one after a column of records changed.
fn is_made_of(query: &Query, field: Field) -> bool {
    let Query {
        search,
        filter,
        sort,
    } = query;
    let is_filtered_by_text = !filter.languages.is_empty()
        || !filter.roles.is_empty()
        || !filter.findings.is_empty()
        || filter.field.is_some()
        || filter.min_length.is_some()
        || filter.max_length.is_some()
        || filter.group.is_some();
    let is_sorted_by_text = !matches!(sort.by, SortBy::Position | SortBy::Side | SortBy::Source);
    match field {
        // Positions order what is equal otherwise.
        Field::State | Field::Position => true,
        Field::Body => search.is_some() || is_filtered_by_text || is_sorted_by_text,
        // Whether a question is held out is a finding.
        Field::Side => {
            !filter.sides.is_empty() || !filter.findings.is_empty() || sort.by == SortBy::Side
        }
        Field::Tags => !filter.tags.is_empty() || !filter.without_tags.is_empty(),
        Field::Accepted => !filter.findings.is_empty() || sort.by == SortBy::Findings,
        Field::Reviewer => !filter.reviewers.is_empty(),
    }
}
