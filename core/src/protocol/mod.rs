//! What crosses a process or worker boundary: the job of a run and the events it reports, the list
//! of models that a site serves, and what the page and its workers say to each other.
//!
//! Invariant: uses nothing else of core.

mod event;
mod job;
mod site;
pub mod studio;
pub mod tab;

pub use event::{Event, RunSummary};
pub use job::{EvalStrategy, JobError, LoadIn, LoraBias, LrScheduler, TargetModules, TrainJob};
pub use site::{Site, SiteAdapter, SiteError, SiteFile, SiteModel};
