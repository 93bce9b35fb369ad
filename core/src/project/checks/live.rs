//! Records that are not in the trash, as far as findings need to know them.

use std::rc::Rc;

use super::same_texts::SameTexts;
use crate::{
    project::{
        Project, ProjectError,
        columns::{Columns, THERE},
        filter::side_number,
    },
    protocol::studio::Side,
};

/// A record that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::project) struct Live {
    pub(in crate::project) record: u64,
    pub(in crate::project) body: i64,
    pub(in crate::project) position: i64,
    pub(in crate::project) n_chars: i64,
    /// As [`crate::project::columns`] numbers it.
    pub(in crate::project) side: u8,
    /// The `name_set` of kinds of findings that someone accepted.
    pub(in crate::project) accepted: i64,
}

impl Live {
    pub(in crate::project) fn is_on(&self, side: Side) -> bool {
        self.side == side_number(Some(side))
    }

    /// Whether it is held out: on validation or test.
    pub(in crate::project) fn is_held_out(&self) -> bool {
        self.is_on(Side::Validation) || self.is_on(Side::Test)
    }
}

/// In the order of their texts, so that findings of texts can be joined to them.
pub(in crate::project) struct LiveRecords {
    records: Vec<Live>,
    same: Rc<SameTexts>,
}

impl Project {
    pub(in crate::project) fn live(&self) -> Result<LiveRecords, ProjectError> {
        let mut lists = self.lists.borrow_mut();
        Ok(LiveRecords::of(lists.caught_up(&self.store)?))
    }
}

impl LiveRecords {
    pub(in crate::project) fn of(columns: &Columns) -> Self {
        let there = columns
            .records
            .iter()
            .filter(|record| record.state == THERE);
        let mut records: Vec<Live> = there
            .map(|record| {
                let body = columns.body_of(record);
                Live {
                    record: record.id as u64,
                    body: body.id,
                    position: record.position,
                    n_chars: body.n_chars,
                    side: record.side,
                    accepted: record.accepted,
                }
            })
            .collect();
        records.sort_by_key(|live| live.body);
        Self {
            records,
            same: columns.same_texts(),
        }
    }

    /// Texts with the same fingerprint, also those that no record has.
    pub(in crate::project) fn same_texts(&self) -> &SameTexts {
        &self.same
    }

    pub(in crate::project) fn all(&self) -> &[Live] {
        &self.records
    }

    /// Where the records of a text begin, and they.
    pub(in crate::project) fn of_body(&self, body: i64) -> (usize, &[Live]) {
        let start = self.records.partition_point(|live| live.body < body);
        let n = self.records[start..]
            .iter()
            .take_while(|live| live.body == body)
            .count();
        (start, &self.records[start..start + n])
    }
}
