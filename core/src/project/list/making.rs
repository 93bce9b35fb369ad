//! How a list is made: columns, filter, search, order.

use std::collections::HashSet;

use rusqlite::Connection;

use super::{Current, Found, Lists, OPENINGS_AT_ONCE};
use crate::{
    project::{
        Project, ProjectError, Step, Work,
        columns::Columns,
        filter::Sieve,
        search::{Finder, Hits},
        sorting,
        store::Store,
    },
    protocol::studio::{ListView, Query, StudioProgress, StudioStage},
};

/// Steps of looking at texts that making a list again may take; each is about a megabyte.
const STEPS_AGAIN: usize = 4;

pub(super) struct QueryWork {
    query: Query,
    found: Option<Found>,
    filtered: Option<Filtered>,
}

/// What passes the filter.
struct Filtered {
    /// Of the columns that it was made from.
    version: u64,
    /// Places of records.
    passing: Vec<u32>,
    /// Places of bodies that are searched, in order, and how many of them were looked at.
    bodies: Vec<u32>,
    n_looked: usize,
}

impl QueryWork {
    pub(super) fn new(query: Query) -> Self {
        Self {
            query,
            found: None,
            filtered: None,
        }
    }
}

impl Work for QueryWork {
    type Output = ListView;

    fn step(&mut self, project: &mut Project) -> Result<Step<ListView>, ProjectError> {
        let lists = project.lists.get_mut();
        if self.found.is_none()
            && let Some(search) = &self.query.search
        {
            let finder = Finder::new(search).inspect_err(|_| {
                let query = std::mem::take(&mut self.query);
                lists.current = Some(Current::void(query, &lists.columns));
            })?;
            self.found = finder.map(|finder| Found {
                finder,
                hits: Hits::new(&lists.columns),
            });
        }
        if let Some(progress) = prepare(lists, &mut project.store, &self.query)? {
            return Ok(Step::More(progress));
        }
        let db = project.store.raw();
        let is_new = |filtered: &Filtered| filtered.version == lists.columns.version;
        let mut filtered = match self.filtered.take().filter(is_new) {
            Some(filtered) => filtered,
            None => filter(lists, db, &self.query, self.found.as_ref())?,
        };
        if let Some(found) = &mut self.found
            && let Some(progress) = search(found, db, lists, &mut filtered)?
        {
            self.filtered = Some(filtered);
            return Ok(Step::More(progress));
        }
        let query = std::mem::take(&mut self.query);
        let current = finish(lists, db, query, self.found.take(), filtered.passing)?;
        let view = current.view();
        lists.current = Some(current);
        Ok(Step::Done(view))
    }
}

/// Reads what every list is made from.
pub(super) struct ColumnsWork;

impl Work for ColumnsWork {
    type Output = ();

    fn step(&mut self, project: &mut Project) -> Result<Step<()>, ProjectError> {
        let lists = project.lists.get_mut();
        Ok(match lists.read_some(&project.store)? {
            true => {
                // The first record that is opened asks for these.
                lists.columns.same_texts();
                Step::Done(())
            }
            false => Step::More(reading(lists.columns.records.len() as u64)),
        })
    }
}

/// Brings up to date what a query goes by; what is left to do, if anything.
fn prepare(
    lists: &mut Lists,
    store: &mut Store,
    query: &Query,
) -> Result<Option<StudioProgress>, ProjectError> {
    if !lists.read_some(store)? {
        return Ok(Some(reading(lists.columns.records.len() as u64)));
    }
    // Texts are never late.
    let db = store.raw_mut();
    if let Some(progress) = lists.read_field(db, &query.filter)? {
        return Ok(Some(progress));
    }
    let (columns, by) = (&lists.columns, query.sort.by);
    let is_ordered = lists.openings.catch_up(db, by, columns, OPENINGS_AT_ONCE)?;
    Ok((!is_ordered).then(|| reading(0)))
}

fn reading(done: u64) -> StudioProgress {
    StudioProgress {
        stage: StudioStage::Searching,
        what: String::new(),
        done,
        total: 0,
    }
}

fn filter(
    lists: &Lists,
    db: &Connection,
    query: &Query,
    found: Option<&Found>,
) -> Result<Filtered, ProjectError> {
    let columns = &lists.columns;
    let name = query.filter.field.as_ref().map(|(name, _)| name);
    let field = lists.fields.iter().find(|field| Some(&field.name) == name);
    let passing = Sieve::new(&query.filter, db, columns, field)?.pass(columns);
    Ok(Filtered {
        version: columns.version,
        bodies: found.map_or_else(Vec::new, |found| searched(&passing, columns, &found.finder)),
        passing,
        n_looked: 0,
    })
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

/// Looks at some more texts; what is left to do, if anything.
fn search(
    found: &mut Found,
    db: &Connection,
    lists: &Lists,
    filtered: &mut Filtered,
) -> Result<Option<StudioProgress>, ProjectError> {
    let Filtered {
        bodies, n_looked, ..
    } = filtered;
    let Lists { columns, texts, .. } = lists;
    found.hits.ask_index(&found.finder, db, columns)?;
    let rest = bodies.get(*n_looked..).unwrap_or_default();
    *n_looked += found.hits.look(&found.finder, db, columns, texts, rest)?;
    Ok((*n_looked < bodies.len()).then(|| StudioProgress {
        stage: StudioStage::Searching,
        what: String::new(),
        done: *n_looked as u64,
        total: bodies.len() as u64,
    }))
}

fn finish(
    lists: &mut Lists,
    db: &Connection,
    query: Query,
    found: Option<Found>,
    mut passing: Vec<u32>,
) -> Result<Current, ProjectError> {
    if let Some(found) = &found {
        let records = &lists.columns.records;
        passing.retain(|place| found.hits.has(records[*place as usize].body));
    }
    let columns = &lists.columns;
    let ranks = lists.ranks(db, query.sort.by)?;
    sorting::sort(&mut passing, query.sort, columns, &ranks);
    let id = |place: &u32| columns.records[*place as usize].id as u64;
    Ok(Current {
        n_of: columns.count(query.filter.trash),
        ids: passing.iter().map(id).collect(),
        query,
        found,
        is_void: false,
    })
}

/// The current list once more, in one go. Where a change brought more texts than can be looked at
/// quickly, those of records that were in the list are taken to match still.
pub(super) fn make_again(project: &mut Project) -> Result<(), ProjectError> {
    let lists = project.lists.get_mut();
    let Some(Current {
        query,
        mut found,
        ids,
        is_void,
        ..
    }) = lists.current.take()
    else {
        return Ok(());
    };
    while prepare(lists, &mut project.store, &query)?.is_some() {}
    if is_void {
        lists.current = Some(Current::void(query, &lists.columns));
        return Ok(());
    }
    let db = project.store.raw();
    let mut filtered = filter(lists, db, &query, found.as_ref())?;
    if let Some(found) = &mut found {
        let mut left = None;
        for _ in 0..STEPS_AGAIN {
            left = search(found, db, lists, &mut filtered)?;
            if left.is_none() {
                break;
            }
        }
        if left.is_some() {
            assume(found, &lists.columns, &filtered.passing, &ids);
        }
    }
    let current = finish(lists, db, query, found, filtered.passing)?;
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
