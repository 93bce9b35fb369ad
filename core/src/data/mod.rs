//! Dataset formats in and out, detection, validation, statistics and splits.

mod columns;
mod encoding;
mod error;
mod format;
mod messages;
mod parse;
mod problem;
mod reader;
mod scan;
mod table;
mod validate;

pub use crate::text::{Body, Record};
pub use columns::{Assignment, Mapping};
pub use encoding::Encoding;
pub use error::DatasetError;
pub use format::Format;
pub use parse::Supervision;
pub use problem::{DEFAULT_KEPT_PER_KIND, Place, Problem, ProblemKind, Problems, Severity};
pub use reader::{
    Container, Item, Loaded, MAX_RECORD_BYTES, ReadOptions, Reader, Shape, Source, read,
};
pub use scan::Layout;
