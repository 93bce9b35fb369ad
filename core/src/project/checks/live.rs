//! Records that are not in the trash, as far as findings need to know them.

use crate::project::{
    Project, ProjectError,
    columns::{Columns, THERE},
};

/// A record that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::project) struct Live {
    pub(in crate::project) record: u64,
    pub(in crate::project) body: i64,
    pub(in crate::project) position: i64,
    /// The `name_set` of kinds of findings that someone accepted.
    pub(in crate::project) accepted: i64,
}

/// In the order of their texts, so that findings of texts can be joined to them.
pub(in crate::project) struct LiveRecords(Vec<Live>);

impl Project {
    pub(in crate::project) fn live(&self) -> Result<LiveRecords, ProjectError> {
        let mut lists = self.lists.borrow_mut();
        Ok(LiveRecords::of(lists.caught_up(&self.db)?))
    }
}

impl LiveRecords {
    pub(in crate::project) fn of(columns: &Columns) -> Self {
        let there = columns
            .records
            .iter()
            .filter(|record| record.state == THERE);
        let mut records: Vec<Live> = there
            .map(|record| Live {
                record: record.id as u64,
                body: columns.body_of(record).id,
                position: record.position,
                accepted: record.accepted,
            })
            .collect();
        records.sort_by_key(|live| live.body);
        Self(records)
    }

    pub(in crate::project) fn all(&self) -> &[Live] {
        &self.0
    }

    /// Where the records of a text begin, and they.
    pub(in crate::project) fn of_body(&self, body: i64) -> (usize, &[Live]) {
        let start = self.0.partition_point(|live| live.body < body);
        let n = self.0[start..]
            .iter()
            .take_while(|live| live.body == body)
            .count();
        (start, &self.0[start..start + n])
    }
}
