//! Records that say the same: groups by fingerprint, or by what a check wrote down.

use std::collections::HashSet;

use rusqlite::Connection;

use super::{
    live::{Live, LiveRecords},
    table::{self, Grouping},
};
use crate::project::ProjectError;

/// Records that belong together, in the order of the dataset; always at least two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::project) struct Group {
    /// The text of its first record, or the number that the check gave it.
    pub(in crate::project) id: u64,
    pub(in crate::project) records: Vec<Live>,
}

/// The groups of a check, in the order of their first records.
pub(in crate::project) fn groups(
    db: &Connection,
    check: &str,
    live: &LiveRecords,
) -> Result<Vec<Group>, ProjectError> {
    let mut groups = match table::grouping(check) {
        Grouping::Whole => by_print(db, "whole_print", live)?,
        Grouping::Prompt => {
            let mut groups = by_print(db, "prompt_print", live)?;
            let repeated = later(&by_print(db, "whole_print", live)?);
            // Where nothing but duplicates ask the same, no answers conflict.
            groups.retain(|group| {
                let others = group.records.iter().skip(1);
                others.clone().any(|live| !repeated.contains(&live.record))
            });
            groups
        }
        Grouping::Members => by_member(db, check, live)?,
    };
    groups.sort_by_key(|group| {
        group
            .records
            .first()
            .map(|first| (first.position, first.record))
    });
    Ok(groups)
}

/// Records that a kind of finding of a grouping check is about: all but the first of each group, and
/// of those that ask the same, those that do not say the same as an earlier one.
pub(in crate::project) fn flagged(
    db: &Connection,
    check: &str,
    live: &LiveRecords,
) -> Result<Vec<Live>, ProjectError> {
    let repeated = match table::grouping(check) {
        Grouping::Prompt => later(&by_print(db, "whole_print", live)?),
        _ => HashSet::new(),
    };
    let groups = groups(db, check, live)?.into_iter();
    let others = groups.flat_map(|group| group.records.into_iter().skip(1));
    Ok(others
        .filter(|live| !repeated.contains(&live.record))
        .collect())
}

fn later(groups: &[Group]) -> HashSet<u64> {
    let others = groups.iter().flat_map(|group| group.records.iter().skip(1));
    others.map(|live| live.record).collect()
}

fn by_print(db: &Connection, column: &str, live: &LiveRecords) -> Result<Vec<Group>, ProjectError> {
    // The index alone answers this, and brings equal ones together.
    let sql = format!("SELECT {column}, id FROM body ORDER BY {column}");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut groups = Vec::new();
    let (mut print, mut records) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let next = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        if next != print {
            close(&mut groups, &mut records, None);
            print.clear();
            print.extend_from_slice(next);
        }
        records.extend_from_slice(live.of_body(row.get(1)?).1);
    }
    close(&mut groups, &mut records, None);
    Ok(groups)
}

fn by_member(db: &Connection, check: &str, live: &LiveRecords) -> Result<Vec<Group>, ProjectError> {
    let sql = "SELECT grp, body FROM member WHERE \"check\" = ?1 ORDER BY grp";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([check])?;
    let mut groups = Vec::new();
    let (mut group, mut records) = (None, Vec::new());
    while let Some(row) = rows.next()? {
        let next: i64 = row.get(0)?;
        if group != Some(next) {
            close(&mut groups, &mut records, group);
            group = Some(next);
        }
        records.extend_from_slice(live.of_body(row.get(1)?).1);
    }
    close(&mut groups, &mut records, group);
    Ok(groups)
}

fn close(groups: &mut Vec<Group>, records: &mut Vec<Live>, id: Option<i64>) {
    let mut records = std::mem::take(records);
    if records.len() < 2 {
        return;
    }
    records.sort_unstable_by_key(|live| (live.position, live.record));
    let id = id.unwrap_or(records[0].body);
    groups.push(Group {
        id: id as u64,
        records,
    });
}
