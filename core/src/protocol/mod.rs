//! What crosses a process or worker boundary: the job of a run and the events it reports.
//!
//! Invariant: uses nothing else of core.

mod event;
mod job;

pub use event::{Event, RunSummary};
pub use job::{EvalStrategy, JobError, LrScheduler, TargetModules, TrainJob};
