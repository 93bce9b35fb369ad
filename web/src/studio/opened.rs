//! The open project, borrowed for one step at a time.

use std::cell::{Cell, RefCell};

use veneer_core::{
    project::{Project, ProjectError},
    protocol::{
        studio::{ProjectView, StudioOutcome},
        tab::Fault,
    },
};

use super::{
    faults,
    place::{self, Place},
};

/// A project with its files.
pub(super) struct Open {
    pub(super) id: String,
    pub(super) project: Project,
    pub(super) place: Place,
}

impl Open {
    pub(super) fn close(self) {
        place::disconnect(self.project);
        self.place.leave();
    }

    /// Leaves the files as they are until this worker ends.
    pub(super) fn abandon(self) {
        std::mem::forget(self);
    }

    pub(super) fn view(&self) -> Result<ProjectView, Fault> {
        let view = self.project.view();
        let mut view = view.map_err(|error| faults::of_project(&error))?;
        view.id.clone_from(&self.id);
        Ok(view)
    }
}

/// The open project, where there is one.
#[derive(Default)]
pub(super) struct Opened {
    current: RefCell<Option<Open>>,
    /// Another tab asked for it.
    is_wanted: Cell<bool>,
}

impl Opened {
    /// Asks the project, or does a step with it.
    ///
    /// # Errors
    /// Those of `step`, and where no project is open.
    pub(super) fn with<T>(
        &self,
        step: impl FnOnce(&mut Project) -> Result<T, ProjectError>,
    ) -> Result<T, Fault> {
        let mut current = self.current.borrow_mut();
        let open = current.as_mut().ok_or_else(faults::no_project)?;
        step(&mut open.project).map_err(|error| faults::of_project(&error))
    }

    pub(super) fn id(&self) -> Option<String> {
        let current = self.current.borrow();
        current.as_ref().map(|open| open.id.clone())
    }

    pub(super) fn view(&self) -> Result<ProjectView, Fault> {
        let current = self.current.borrow();
        current.as_ref().ok_or_else(faults::no_project)?.view()
    }

    /// Puts another project in place; the one before is the caller's to close.
    pub(super) fn swap(&self, open: Option<Open>) -> Option<Open> {
        self.is_wanted.set(false);
        self.current.replace(open)
    }

    /// Another tab asks for a project. Whether it is this one.
    pub(super) fn want(&self, id: &str) -> bool {
        let is_this = self.id().as_deref() == Some(id);
        self.is_wanted.set(self.is_wanted.get() || is_this);
        is_this
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted.get()
    }

    /// Core does not know under which name a project is kept.
    pub(super) fn stamp(&self, outcome: &mut StudioOutcome) {
        let Some(id) = self.id() else { return };
        let view = match outcome {
            StudioOutcome::Project(view) => Some(view),
            StudioOutcome::Imported(summary) => Some(&mut summary.project),
            StudioOutcome::Changed(changed) => Some(&mut changed.project),
            StudioOutcome::Record(record) => record.project.as_mut(),
            StudioOutcome::Split(split) => split.project.as_mut(),
            _ => None,
        };
        if let Some(view) = view {
            view.id = id;
        }
    }
}
