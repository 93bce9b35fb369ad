//! The trash, emptied for good: with every trace in history, snapshots and in the file itself.

use super::{
    Project, ProjectError, Step, Task, Work,
    journal::{Field, forget_records},
    leftovers::{merge_index, remove_unused_bodies},
    sources::forget_unused_sources,
};
use crate::protocol::studio::{Changed, Phrase, StudioProgress, StudioStage};

impl Project {
    pub fn empty_trash(&self) -> Task<Changed> {
        Box::new(Emptying { n_removed: None })
    }

    fn purge_trash(&mut self) -> Result<u64, ProjectError> {
        if !self.is_idle() {
            return Err(ProjectError::CannotDo {
                reason: Phrase::StillGoingOn.with([]),
            });
        }
        // What is deleted is overwritten, so that the texts are not in the file any more.
        let db = self.store.settled()?;
        db.pragma_update(None, "secure_delete", true)?;
        let removed = self.remove_trash();
        let db = self.store.raw();
        db.pragma_update(None, "secure_delete", false)?;
        self.forget_counts(&[Field::State]);
        removed
    }

    fn remove_trash(&mut self) -> Result<u64, ProjectError> {
        let tx = self.store.settled_mut()?.transaction()?;
        let removed: Vec<u64> = {
            let sql = "SELECT id FROM record WHERE state = 1 ORDER BY id";
            let mut statement = tx.prepare_cached(sql)?;
            let ids = statement.query_map([], |row| row.get(0))?;
            ids.collect::<Result<_, _>>()?
        };
        forget_records(&tx, &removed)?;
        tx.execute_batch(
            "DELETE FROM snapshot_record WHERE record IN (SELECT id FROM record WHERE state = 1);
             DELETE FROM record WHERE state = 1;",
        )?;
        remove_unused_bodies(&tx)?;
        forget_unused_sources(&tx)?;
        merge_index(&tx)?;
        tx.commit()?;
        Ok(removed.len() as u64)
    }
}

struct Emptying {
    /// Once they are removed.
    n_removed: Option<u64>,
}

impl Work for Emptying {
    type Output = Changed;

    fn step(&mut self, project: &mut Project) -> Result<Step<Changed>, ProjectError> {
        let Some(n_removed) = self.n_removed else {
            self.n_removed = Some(project.purge_trash()?);
            return Ok(Step::More(StudioProgress {
                stage: StudioStage::Writing,
                what: String::new(),
                done: 0,
                total: 0,
            }));
        };
        // The file becomes smaller. Where there is no room to do it, the space is used again later.
        match project
            .store
            .settled()?
            .execute_batch("VACUUM")
            .map_err(ProjectError::from)
        {
            Ok(()) | Err(ProjectError::Full) => {}
            Err(other) => return Err(other),
        }
        let list = project.relist_after(&[Field::State])?;
        Ok(Step::Done(Changed {
            n_records: n_removed,
            action: None,
            project: project.view()?,
            list,
        }))
    }
}
