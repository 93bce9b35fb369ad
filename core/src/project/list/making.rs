//! How a list is made: columns, filter, search, order.

use std::collections::HashSet;

use rusqlite::Connection;

use super::{Current, Found, Lists, ROWS_AT_ONCE};
use crate::{
    project::{
        Project, ProjectError, Step, Work,
        columns::Columns,
        filter::Sieve,
        openings,
        search::{Finder, Hits},
        sorting::{self, Ranks},
    },
    protocol::studio::{ListView, Query, Sort, SortBy, StudioProgress, StudioStage},
};

/// Steps of looking at texts that making a list again may take; each is about a megabyte.
const STEPS_AGAIN: usize = 4;

pub(super) struct QueryWork {
    query: Query,
    found: Option<Found>,
    /// What passes the filter, and the version of the columns that it was made from.
    passing: Option<(u64, Vec<u32>)>,
    /// How many of the bodies that are searched were looked at.
    n_looked: usize,
}

impl QueryWork {
    pub(super) fn new(query: Query) -> Self {
        Self {
            query,
            found: None,
            passing: None,
            n_looked: 0,
        }
    }
}

impl Work for QueryWork {
    type Output = ListView;

    fn step(&mut self, project: &mut Project) -> Result<Step<ListView>, ProjectError> {
        let lists = project.lists.get_mut();
        if let Some(progress) = prepare(lists, &mut project.db, &self.query)? {
            return Ok(Step::More(progress));
        }
        let db = &project.db;
        if self.found.is_none()
            && let Some(search) = &self.query.search
            && let Some(finder) = Finder::new(search)?
        {
            let hits = Hits::new(&lists.columns);
            self.found = Some(Found { finder, hits });
        }
        let version = lists.columns.version;
        let passing = match self.passing.take() {
            Some((made_from, passing)) if made_from == version => passing,
            _ => {
                self.n_looked = 0;
                pass(lists, db, &self.query)?
            }
        };
        if let Some(found) = &mut self.found {
            let bodies = searched(&passing, &lists.columns, &found.finder);
            let more = search(found, db, &lists.columns, &bodies, &mut self.n_looked)?;
            if let Some(progress) = more {
                self.passing = Some((version, passing));
                return Ok(Step::More(progress));
            }
        }
        let query = std::mem::take(&mut self.query);
        let current = finish(lists, db, query, self.found.take(), passing)?;
        let view = current.view();
        lists.current = Some(current);
        Ok(Step::Done(view))
    }
}

/// Brings up to date what a query goes by; what is left to do, if anything.
fn prepare(
    lists: &mut Lists,
    db: &mut Connection,
    query: &Query,
) -> Result<Option<StudioProgress>, ProjectError> {
    if !lists.columns.catch_up(db, ROWS_AT_ONCE)? {
        return Ok(Some(reading(lists.columns.records.len() as u64)));
    }
    if let Some(progress) = lists.read_field(db, &query.filter)? {
        return Ok(Some(progress));
    }
    let by_opening = matches!(query.sort.by, SortBy::Prompt | SortBy::Answer);
    const OPENINGS_AT_ONCE: usize = 1_000;
    if by_opening && !openings::fill(db, OPENINGS_AT_ONCE)? {
        return Ok(Some(reading(0)));
    }
    Ok(None)
}

fn reading(done: u64) -> StudioProgress {
    StudioProgress {
        stage: StudioStage::Searching,
        what: String::new(),
        done,
        total: 0,
    }
}

fn pass(lists: &Lists, db: &Connection, query: &Query) -> Result<Vec<u32>, ProjectError> {
    let name = query.filter.field.as_ref().map(|(name, _)| name);
    let field = lists.fields.iter().find(|field| Some(&field.name) == name);
    let sieve = Sieve::new(&query.filter, db, &lists.columns, field)?;
    Ok(sieve.pass(&lists.columns))
}

/// Places of the bodies that are to be looked at, in order.
fn searched(passing: &[u32], columns: &Columns, finder: &Finder) -> Vec<u32> {
    let bodies = passing
        .iter()
        .map(|place| columns.records[*place as usize].body);
    let may_say = |place: &u32| {
        let body = &columns.bodies[*place as usize];
        finder.role().is_none_or(|role| body.has_role(role))
    };
    let mut bodies: Vec<u32> = bodies.filter(may_say).collect();
    bodies.sort_unstable();
    bodies.dedup();
    bodies
}

fn search(
    found: &mut Found,
    db: &Connection,
    columns: &Columns,
    bodies: &[u32],
    n_looked: &mut usize,
) -> Result<Option<StudioProgress>, ProjectError> {
    found.hits.ask_index(&found.finder, db, columns)?;
    let rest = bodies.get(*n_looked..).unwrap_or_default();
    *n_looked += found.hits.look(&found.finder, db, columns, rest)?;
    Ok((*n_looked < bodies.len()).then(|| StudioProgress {
        stage: StudioStage::Searching,
        what: String::new(),
        done: *n_looked as u64,
        total: bodies.len() as u64,
    }))
}

fn finish(
    lists: &Lists,
    db: &Connection,
    query: Query,
    found: Option<Found>,
    mut passing: Vec<u32>,
) -> Result<Current, ProjectError> {
    let columns = &lists.columns;
    if let Some(found) = &found {
        passing.retain(|place| found.hits.has(columns.records[*place as usize].body));
    }
    let ranks = ranks(db, query.sort, columns)?;
    sorting::sort(&mut passing, query.sort, columns, &ranks);
    let id = |place: &u32| columns.records[*place as usize].id as u64;
    Ok(Current {
        n_of: columns.count(query.filter.trash),
        ids: passing.iter().map(id).collect(),
        query,
        found,
    })
}

fn ranks(db: &Connection, sort: Sort, columns: &Columns) -> Result<Ranks, ProjectError> {
    match sort.by {
        SortBy::Prompt | SortBy::Answer => openings::ranks(db, sort.by, columns),
        SortBy::Findings => sorting::count_findings(db, columns),
        _ => Ok(Ranks::None),
    }
}

/// The current list once more, in one go. Where a change brought more texts than can be looked at
/// quickly, those of records that were in the list are taken to match still.
pub(super) fn make_again(project: &mut Project) -> Result<(), ProjectError> {
    let lists = project.lists.get_mut();
    let Some(Current {
        query,
        mut found,
        ids,
        ..
    }) = lists.current.take()
    else {
        return Ok(());
    };
    while prepare(lists, &mut project.db, &query)?.is_some() {}
    let (db, columns) = (&project.db, &lists.columns);
    let passing = pass(lists, db, &query)?;
    if let Some(found) = &mut found {
        let bodies = searched(&passing, columns, &found.finder);
        let mut n_looked = 0;
        let mut left = None;
        for _ in 0..STEPS_AGAIN {
            left = search(found, db, columns, &bodies, &mut n_looked)?;
            if left.is_none() {
                break;
            }
        }
        if left.is_some() {
            assume(found, columns, &passing, &ids);
        }
    }
    let current = finish(lists, db, query, found, passing)?;
    lists.current = Some(current);
    Ok(())
}

fn assume(found: &mut Found, columns: &Columns, passing: &[u32], ids: &[u64]) {
    let listed: HashSet<u64> = ids.iter().copied().collect();
    for record in passing
        .iter()
        .map(|place| &columns.records[*place as usize])
    {
        if !found.hits.is_known(record.body) {
            found
                .hits
                .assume(record.body, listed.contains(&(record.id as u64)));
        }
    }
}
