//! Dataset formats in and out, detection, validation, statistics and splits.
//!
//! In: bytes → [`encoding`] → rows ([`rows`] by [`scan`] and [`table`]) → [`format`] → [`parse`] →
//! [`validate`], driven by [`reader`]. Out: [`write`], which names what a format cannot hold, and
//! [`handover`], what other tools need beside the data.

mod cells;
mod check;
mod columns;
mod encoding;
mod error;
mod fingerprint;
mod fix;
mod format;
pub mod handover;
mod json;
mod language;
mod load;
mod measure;
mod messages;
mod options;
mod parse;
mod problem;
mod reader;
mod repair;
mod rows;
mod scan;
mod sniff;
mod split;
mod stats;
mod supervision;
mod table;
mod validate;
mod write;

#[cfg(feature = "studio")]
pub(crate) use encoding::text_encoding;
#[cfg(feature = "studio")]
pub(crate) use sniff::holds_text;
#[cfg(feature = "studio")]
pub(crate) use table::{
    GUARD_COLUMN, ShortRows, describe_header, distinct, is_note, unguard, unguarded_name, unnamed,
    wrong_width,
};

pub use crate::text::{Body, Record};
pub use cells::CellRow;
pub use check::{CheckOptions, DEFAULT_MAX_CHARS, check};
pub use columns::{Assignment, Mapping};
pub use encoding::{Encoding, decode_text};
pub use error::DatasetError;
pub use fingerprint::{Fingerprint, fingerprint};
pub use fix::{Change, Fixed, fix};
pub use format::Format;
pub use load::{Loaded, read};
pub use measure::n_tokens;
pub use options::{Container, MAX_RECORD_BYTES, ReadOptions, Shape, Source};
pub use problem::{DEFAULT_KEPT_PER_KIND, Place, Problem, ProblemKind, Problems, Severity};
pub use reader::{Item, Reader};
pub use repair::Repair;
pub use rows::{GivenRows, Rows, cells};
pub use scan::Layout;
pub use split::{Portion, Split, SplitOptions, split};
pub use stats::{Bin, Distribution, Stats, StatsOptions, stats};
pub use supervision::Supervision;
pub use table::Row;
pub use write::{Loss, Losses, Style, Target, convert, write, write_rows};
#[cfg(feature = "studio")]
pub(crate) use {
    columns::{field_named, set_aside},
    load::read_into,
    measure::n_chars,
    split::{Facts, column_text, draw},
    stats::language,
    validate::validate,
    write::{header, to_fields, write_sheet},
};
