//! Records that a check found to belong together, a page of groups at a time.

use super::{Project, ProjectError, checks::repeats, rows::rows_of};
use crate::protocol::studio::{CheckName, GroupView, Groups};

/// Records that are shown of a group.
const SHOWN: usize = 20;

impl Project {
    /// # Errors
    /// If the database cannot be read.
    pub fn groups(&self, check: &CheckName, from: u64, n: u64) -> Result<Groups, ProjectError> {
        let live = self.live()?;
        let lists = self.lists.borrow();
        let groups = repeats::groups(self.store.raw(), &check.0, &live)?;
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        let n_shown = usize::try_from(n).unwrap_or(usize::MAX);
        let mut views = Vec::new();
        for group in groups.iter().skip(start).take(n_shown) {
            let shown = group.records.iter().take(SHOWN);
            let records = shown.map(|live| live.record);
            views.push(GroupView {
                group: group.id,
                n_records: group.records.len() as u64,
                records: rows_of(&self.store, &lists.columns, records)?,
            });
        }
        Ok(Groups {
            n: groups.len() as u64,
            from,
            groups: views,
        })
    }
}
