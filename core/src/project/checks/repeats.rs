//! Records that say the same: groups by fingerprint, or by what a check wrote down.

use std::collections::HashSet;

use rusqlite::Connection;

use super::{
    live::{Live, LiveRecords},
    same_texts::Print,
    table::{self, Grouping},
};
use crate::{project::ProjectError, protocol::studio::Side};

/// Records that belong together, in the order of the dataset; always at least two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::project) struct Group {
    /// The text of its first record, or the number that the check gave it.
    pub(in crate::project) id: u64,
    pub(in crate::project) records: Vec<Live>,
}

impl Group {
    /// Those that do not stay: all but the first, or but the longest.
    pub(in crate::project) fn others(&self, by_length: bool) -> impl Iterator<Item = &Live> {
        let mut kept = self.records.first();
        if by_length {
            // Of those that are equally long the first.
            for live in &self.records {
                if kept.is_some_and(|kept| live.n_chars > kept.n_chars) {
                    kept = Some(live);
                }
            }
        }
        self.records.iter().filter(move |live| Some(*live) != kept)
    }
}

/// Of groups with their flagged records, those that go where one of each group stays: none of a group
/// where nothing is left to settle, and none that is settled itself. `settled` are the sets of kinds
/// under which a finding is accepted.
pub(in crate::project) fn not_kept<'a>(
    groups: &'a [Group],
    flagged: &[Live],
    settled: &[i64],
    by_length: bool,
) -> impl Iterator<Item = &'a Live> {
    let is_open = |live: &Live| !settled.contains(&live.accepted);
    let open = flagged.iter().filter(|live| is_open(live));
    let open: HashSet<u64> = open.map(|live| live.record).collect();
    let groups = groups.iter().filter(move |group| {
        let mut records = group.records.iter();
        records.any(|live| open.contains(&live.record))
    });
    let others = groups.flat_map(move |group| group.others(by_length));
    others.filter(move |live| is_open(live))
}

/// The groups of a check, in the order of their first records.
pub(in crate::project) fn groups(
    db: &Connection,
    check: &str,
    live: &LiveRecords,
) -> Result<Vec<Group>, ProjectError> {
    Ok(found(db, check, live)?.0)
}

/// Records that a kind of finding of a grouping check is about: all but the first of each group; of
/// those that ask the same, those that do not say the same as an earlier one; of those that ask the
/// same on several sides, those that are held out.
pub(in crate::project) fn flagged(
    db: &Connection,
    check: &str,
    live: &LiveRecords,
) -> Result<Vec<Live>, ProjectError> {
    Ok(found(db, check, live)?.1)
}

/// Both.
pub(in crate::project) fn found(
    db: &Connection,
    check: &str,
    live: &LiveRecords,
) -> Result<(Vec<Group>, Vec<Live>), ProjectError> {
    let mut repeats = HashSet::new();
    let mut groups = match table::grouping(check) {
        Grouping::Whole => by_print(live, Print::Whole),
        Grouping::Prompt => {
            repeats = repeated(live);
            conflicting(live, &repeats)
        }
        Grouping::Sides => leaking(live),
        Grouping::Members => by_member(db, check, live)?,
    };
    groups.sort_by_key(|group| {
        group
            .records
            .first()
            .map(|first| (first.position, first.record))
    });
    let records = groups
        .iter()
        .flat_map(|group| group.records.iter().enumerate());
    let is_flagged = |n: usize, live: &Live| match table::grouping(check) {
        Grouping::Sides => live.is_held_out(),
        _ => n > 0 && !repeats.contains(&live.record),
    };
    let flagged = records.filter(|(n, live)| is_flagged(*n, live));
    let flagged = flagged.map(|(_, live)| *live).collect();
    Ok((groups, flagged))
}

/// Records that say what an earlier one says.
fn repeated(live: &LiveRecords) -> HashSet<u64> {
    let groups = by_print(live, Print::Whole);
    let others = groups.iter().flat_map(|group| group.records.iter().skip(1));
    others.map(|live| live.record).collect()
}

/// Records that ask the same, where not all but the first are `repeated`: nothing but duplicates
/// asking the same is no conflict.
fn conflicting(live: &LiveRecords, repeated: &HashSet<u64>) -> Vec<Group> {
    let mut groups = by_print(live, Print::Prompt);
    groups.retain(|group| {
        let mut others = group.records.iter().skip(1);
        others.any(|live| !repeated.contains(&live.record))
    });
    groups
}

/// Records that ask the same, where some are trained on and some held out.
fn leaking(live: &LiveRecords) -> Vec<Group> {
    if !live.all().iter().any(Live::is_held_out) {
        return Vec::new();
    }
    let mut groups = by_print(live, Print::Prompt);
    groups.retain(|group| {
        let records = || group.records.iter();
        records().any(|live| live.is_on(Side::Train)) && records().any(Live::is_held_out)
    });
    groups
}

/// Records whose texts have the same fingerprint, among them those that have the same text.
fn by_print(live: &LiveRecords, print: Print) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut grouped = HashSet::new();
    for bodies in live.same_texts().sharing(print) {
        let mut records = Vec::new();
        for &body in bodies {
            grouped.insert(body);
            records.extend_from_slice(live.of_body(body).1);
        }
        close(&mut groups, &mut records, None);
    }
    for same in live.all().chunk_by(|one, other| one.body == other.body) {
        if same.len() > 1 && !grouped.contains(&same[0].body) {
            close(&mut groups, &mut same.to_vec(), None);
        }
    }
    groups
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
