//! The order of records: positions with room between them, so that moving a record changes no other.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _};

use super::{
    ProjectError,
    journal::{Changes, Field},
};

/// Room between neighbours that came one after the other.
pub(super) const STEP: i64 = 1 << 24;

/// The position of the next record at the end.
pub(super) fn next_position(db: &Connection) -> Result<i64, ProjectError> {
    let mut last = db.prepare_cached("SELECT max(position) FROM record")?;
    let last: Option<i64> = last.query_row([], |row| row.get(0))?;
    Ok(last.unwrap_or(0).saturating_add(STEP))
}

/// Puts records, in this order, before another one or to the end.
pub(super) fn place(
    changes: &mut Changes<'_>,
    records: &[u64],
    before: Option<u64>,
) -> Result<(), ProjectError> {
    let moved: HashSet<u64> = records.iter().copied().collect();
    let others = Others::around(changes.db, &moved, before)?;
    let n = records.len() as i64;
    let gap = match others.above {
        Some(above) => above.saturating_sub(others.below) / (n + 1),
        None => STEP,
    };
    if gap > 0 {
        let position = |i: usize| others.below.saturating_add(gap * (i as i64 + 1));
        let values = records.iter().enumerate();
        return changes.set_each(
            Field::Position,
            values.map(|(i, record)| (*record, position(i))),
        );
    }
    renumber(changes, records, &moved, others.above)
}

/// The positions between which there is room.
struct Others {
    below: i64,
    above: Option<i64>,
}

impl Others {
    /// Records that are moved themselves are no neighbours; those that are not there are.
    fn around(
        db: &Connection,
        moved: &HashSet<u64>,
        before: Option<u64>,
    ) -> Result<Self, ProjectError> {
        let position_of = |record: u64| -> Result<i64, ProjectError> {
            let mut statement = db.prepare_cached("SELECT position FROM record WHERE id = ?1")?;
            let position = statement.query_row([record], |row| row.get(0)).optional()?;
            position.ok_or(ProjectError::NoRecord { record })
        };
        let above = match before {
            Some(before) => neighbour(db, moved, position_of(before)?, Direction::Up)?,
            None => None,
        };
        let below = neighbour(db, moved, above.unwrap_or(i64::MAX), Direction::Down)?;
        Ok(Self {
            below: below.unwrap_or(0),
            above,
        })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// At this position or above.
    Up,
    /// Below this position.
    Down,
}

fn neighbour(
    db: &Connection,
    moved: &HashSet<u64>,
    from: i64,
    direction: Direction,
) -> Result<Option<i64>, ProjectError> {
    let mut statement = db.prepare_cached(match direction {
        Direction::Up => "SELECT id, position FROM record WHERE position >= ?1 ORDER BY position",
        Direction::Down => {
            "SELECT id, position FROM record WHERE position < ?1 ORDER BY position DESC"
        }
    })?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        if !moved.contains(&row.get(0)?) {
            return Ok(Some(row.get(1)?));
        }
    }
    Ok(None)
}

/// Gives every record a new position where there was no room.
fn renumber(
    changes: &mut Changes<'_>,
    records: &[u64],
    moved: &HashSet<u64>,
    above: Option<i64>,
) -> Result<(), ProjectError> {
    let db = changes.db;
    let mut statement =
        db.prepare_cached("SELECT id, position FROM record ORDER BY position, id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let all: Vec<(u64, i64)> = rows.collect::<Result<_, _>>()?;
    drop(statement);
    let others = || all.iter().filter(|(record, _)| !moved.contains(record));
    let is_below = |position: i64| above.is_none_or(|above| position < above);
    let below = others().filter(|(_, position)| is_below(*position));
    let rest = others().filter(|(_, position)| !is_below(*position));
    let order = below
        .map(|(record, _)| *record)
        .chain(records.iter().copied())
        .chain(rest.map(|(record, _)| *record));
    let values = (1..)
        .zip(order)
        .map(|(i, record): (i64, u64)| (record, i * STEP));
    changes.set_each(Field::Position, values)
}

/// These records in the order of the dataset; those that are not in the project are left out.
pub(super) fn in_order(db: &Connection, records: &[u64]) -> Result<Vec<u64>, ProjectError> {
    let mut statement =
        db.prepare_cached("SELECT position FROM record WHERE id = ?1 AND state < 2")?;
    let mut found: Vec<(i64, u64)> = Vec::with_capacity(records.len());
    for &record in records {
        let position = statement.query_row([record], |row| row.get(0)).optional()?;
        found.extend(position.map(|position| (position, record)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found.into_iter().map(|(_, record)| record).collect())
}
