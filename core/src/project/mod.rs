//! A dataset project: records with their history, checks, splits and snapshots in one SQLite file.
//!
//! The caller opens the database, natively or in the browser, and hands the connection in; nothing
//! here knows where it lies. `schema.sql` says how it is kept. Whatever takes longer than a few
//! milliseconds is a [`Work`]: steps between which the caller shows progress, answers others, stops.
//!
//! Invariant: every change of a record goes through the journal (`journal.rs`), in one transaction
//! with its entry there, so that undo, redo and a crash at any moment leave a whole state.

mod body;
mod columns;
mod content;
mod error;
mod facets;
mod fields;
mod file;
mod filter;
mod index;
mod journal;
mod list;
mod names;
mod openings;
mod order;
mod rows;
mod search;
mod snippet;
mod spoken;
#[cfg(test)]
mod testing;
mod words;

use std::{cell::RefCell, rc::Rc};

use rusqlite::Connection;

use crate::{
    documents::Part,
    protocol::studio::{
        Change, Changed, CheckName, Content, Difference, Export, ExportPlan, FindingKind,
        FindingsView, FixName, FixTarget, Groups, ImportSummary, Reading, RecordKey, RecordView,
        Replace, Replacements, Sample, SnapshotKey, SnapshotView, SplitPlan, SplitView,
        StudioProgress, Target, TextModelView, TextOptions, TokensView,
    },
    text::ModelText,
};

pub use error::ProjectError;
use file::Counts;
use list::Lists;

/// First bytes of the file of every SQLite database.
pub const FILE_MAGIC: &[u8] = b"SQLite format 3\0";

/// An open project.
pub struct Project {
    db: Connection,
    /// The current list, and what lists are made from.
    lists: RefCell<Lists>,
    /// Tokenizer and template, once they were read from the file.
    text: RefCell<Option<Rc<ModelText>>>,
    counts: RefCell<Option<Counts>>,
    /// Held by every [`Work`] that has written something which nothing refers to yet.
    working: Rc<()>,
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
            Step::More(_) => return Err(ProjectError::Cancelled),
        }
    }
}

#[expect(unused_variables, clippy::unimplemented, reason = "interfaces first")]
impl Project {
    // --- adding.rs ---
    pub fn import(&self, parts: Vec<(Part, Reading)>, now_ms: i64) -> Task<ImportSummary> {
        unimplemented!()
    }
    pub fn import_sample(&self, sample: Sample, now_ms: i64) -> Task<ImportSummary> {
        unimplemented!()
    }

    // --- edit.rs, bulk.rs, replace.rs ---
    pub fn record(&self, record: RecordKey) -> Result<RecordView, ProjectError> {
        unimplemented!()
    }
    pub fn save(
        &mut self,
        record: RecordKey,
        content: Content,
        now_ms: i64,
    ) -> Result<RecordView, ProjectError> {
        unimplemented!()
    }
    pub fn add(
        &mut self,
        after: Option<RecordKey>,
        content: Content,
        now_ms: i64,
    ) -> Result<RecordView, ProjectError> {
        unimplemented!()
    }
    pub fn change(&self, target: Target, change: Change, now_ms: i64) -> Task<Changed> {
        unimplemented!()
    }
    pub fn preview_replace(&self, target: Target, replace: Replace) -> Task<Replacements> {
        unimplemented!()
    }
    pub fn empty_trash(&self) -> Task<Changed> {
        unimplemented!()
    }

    // --- snapshots.rs ---
    pub fn take_snapshot(&mut self, name: &str, now_ms: i64) -> Result<(), ProjectError> {
        unimplemented!()
    }
    pub fn snapshots(&self) -> Result<Vec<SnapshotView>, ProjectError> {
        unimplemented!()
    }
    pub fn delete_snapshot(&mut self, snapshot: SnapshotKey) -> Result<(), ProjectError> {
        unimplemented!()
    }
    pub fn compare(
        &self,
        before: Option<SnapshotKey>,
        after: Option<SnapshotKey>,
    ) -> Result<Difference, ProjectError> {
        unimplemented!()
    }
    pub fn restore(&mut self, snapshot: SnapshotKey, now_ms: i64) -> Result<Changed, ProjectError> {
        unimplemented!()
    }

    // --- text_model.rs ---
    /// Files of a model by name (`tokenizer.json`, …, or one GGUF file); kept inside the project.
    pub fn use_text_model(
        &mut self,
        name: &str,
        files: Vec<(String, Vec<u8>)>,
    ) -> Result<TextModelView, ProjectError> {
        unimplemented!()
    }
    pub fn set_text_options(&mut self, options: TextOptions) -> Result<(), ProjectError> {
        unimplemented!()
    }
    pub fn text_model(&self) -> Result<Option<TextModelView>, ProjectError> {
        unimplemented!()
    }
    pub fn tokens(
        &self,
        record: RecordKey,
        draft: Option<Content>,
    ) -> Result<TokensView, ProjectError> {
        unimplemented!()
    }

    // --- checks/ ---
    pub fn check(&self) -> Task<FindingsView> {
        unimplemented!()
    }
    pub fn findings(&self) -> Result<FindingsView, ProjectError> {
        unimplemented!()
    }
    pub fn groups(&self, check: &CheckName, from: u64, n: u64) -> Result<Groups, ProjectError> {
        unimplemented!()
    }
    pub fn fix(
        &self,
        finding: FindingKind,
        target: FixTarget,
        fix: FixName,
        now_ms: i64,
    ) -> Task<Changed> {
        unimplemented!()
    }

    // --- sides.rs ---
    pub fn split(&self) -> Result<SplitView, ProjectError> {
        unimplemented!()
    }
    pub fn preview_split(&self, plan: &SplitPlan) -> Result<SplitView, ProjectError> {
        unimplemented!()
    }
    pub fn apply_split(
        &mut self,
        plan: &SplitPlan,
        now_ms: i64,
    ) -> Result<SplitView, ProjectError> {
        unimplemented!()
    }
    pub fn freeze_split(&mut self, frozen: bool, now_ms: i64) -> Result<SplitView, ProjectError> {
        unimplemented!()
    }

    // --- out.rs ---
    pub fn plan_export(&self, export: &Export) -> Result<ExportPlan, ProjectError> {
        unimplemented!()
    }
    /// One file, or a zip of several. `today` is an ISO date for the card.
    pub fn export(&self, export: Export, today: &str) -> Task<ExportFile> {
        unimplemented!()
    }
}
