//! Dataset formats in and out, detection, validation, statistics and splits.

mod record;

pub use record::{Body, Record};
