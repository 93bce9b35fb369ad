//! A dataset project: records with their history, checks, splits and snapshots in one SQLite file.
//!
//! The caller opens the database, natively or in the browser, and hands the connection in; nothing
//! here knows where it lies. `schema.sql` says how it is kept. Whatever takes longer than a few
//! milliseconds is a [`Work`]: steps between which the caller shows progress, answers others, stops.
//!
//! Invariant: every change of a record goes through the journal (`journal.rs`), in one transaction
//! with its entry there, so that undo, redo and a crash at any moment leave a whole state.

mod adding;
mod body;
mod bulk;
mod checks;
mod columns;
mod content;
mod earlier_form;
mod edit;
mod error;
mod facets;
mod fields;
mod file;
mod filter;
mod findings;
mod fixes;
mod groups;
mod hash;
mod index;
mod journal;
mod leftovers;
mod list;
mod loaded;
mod merging;
mod names;
mod openings;
mod order;
mod out;
mod replace;
mod rows;
mod runs;
mod search;
mod sides;
mod snapshots;
mod snippet;
mod sorting;
mod sources;
mod spoken;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text_edit;
mod text_model;
mod texts;
mod tokens;
mod trash;
mod trust;
mod words;

use std::{cell::RefCell, rc::Rc};

use crate::{protocol::studio::StudioProgress, text::ModelText};

pub use error::ProjectError;
use file::Counts;
pub use file::{HEADER_BYTES, check_file};
use leftovers::Working;
use list::Lists;
use store::Store;

/// First bytes of the file of every SQLite database.
pub const FILE_MAGIC: &[u8] = b"SQLite format 3\0";

/// An open project.
pub struct Project {
    store: Store,
    /// From so many records on a change may come late.
    many: usize,
    /// The current list, and what lists are made from.
    lists: RefCell<Lists>,
    /// Tokenizer and template, once they were read from the file.
    text: RefCell<Option<Rc<ModelText>>>,
    counts: RefCell<Option<Counts>>,
    pace: Pace,
    /// Held by every [`Work`] that has written something which nothing refers to yet.
    working: Working,
}

/// Whether somebody waits between the steps of a work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// Steps are short: others are answered between them.
    #[default]
    Answering,
    /// Steps of an import are long, as every one is written to the disk by itself.
    Alone,
}

/// Something that takes a while. A step is a few milliseconds of work; a work that is dropped before
/// its last step has changed nothing that anyone can see.
pub trait Work {
    type Output;

    /// # Errors
    /// What makes going on impossible; the project is as it was.
    fn step(&mut self, project: &mut Project) -> Result<Step<Self::Output>, ProjectError>;
}

/// What a step of a [`Work`] ends with.
pub enum Step<T> {
    More(StudioProgress),
    Done(T),
}

pub type Task<T> = Box<dyn Work<Output = T>>;

/// A file made by an export.
pub struct ExportFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Run a work to its end.
///
/// # Errors
/// Those of its steps, and [`ProjectError::Cancelled`] where `progress` returns false.
pub fn run<T>(
    project: &mut Project,
    mut work: Task<T>,
    progress: &mut dyn FnMut(&StudioProgress) -> bool,
) -> Result<T, ProjectError> {
    loop {
        match work.step(project)? {
            Step::Done(value) => return Ok(value),
            Step::More(at) if progress(&at) => {}
            Step::More(_) => {
                drop(work);
                // That it was stopped is what there is to tell.
                project.tidy_after_stop().ok();
                return Err(ProjectError::Cancelled);
            }
        }
    }
}
