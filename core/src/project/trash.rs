//! The trash, emptied for good: with every trace in history, snapshots and in the file itself.

use super::{Project, ProjectError, Step, Task, Work, file::remove_unused_bodies, journal::Field};
use crate::protocol::studio::{Changed, StudioProgress, StudioStage};

impl Project {
    pub fn empty_trash(&self) -> Task<Changed> {
        Box::new(Emptying { n_removed: None })
    }

    fn purge_trash(&mut self) -> Result<u64, ProjectError> {
        if !self.is_idle() {
            return Err(ProjectError::CannotDo {
                reason: "an import or a change is still going on; wait for it or stop it first"
                    .into(),
            });
        }
        // What is deleted is overwritten, so that the texts are not in the file any more.
        self.db.pragma_update(None, "secure_delete", true)?;
        let removed = self.remove_trash();
        self.db.pragma_update(None, "secure_delete", false)?;
        self.forget_counts(&[Field::State]);
        removed
    }

    fn remove_trash(&mut self) -> Result<u64, ProjectError> {
        let tx = self.db.transaction()?;
        tx.execute_batch(
            "DELETE FROM change WHERE record IN (SELECT id FROM record WHERE state = 1);
             DELETE FROM snapshot_record WHERE record IN (SELECT id FROM record WHERE state = 1);",
        )?;
        let n_removed = tx.execute("DELETE FROM record WHERE state = 1", [])? as u64;
        tx.execute_batch(
            "DELETE FROM action WHERE id NOT IN (SELECT action FROM change)
                AND id NOT IN (SELECT action FROM fact_change);
             UPDATE action SET n_records =
                (SELECT count(DISTINCT record) FROM change WHERE action = action.id);",
        )?;
        remove_unused_bodies(&tx)?;
        // Words of deleted texts stay in the index until its parts are merged.
        tx.execute("INSERT INTO search (search) VALUES ('optimize')", [])?;
        tx.commit()?;
        Ok(n_removed)
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
            .db
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
