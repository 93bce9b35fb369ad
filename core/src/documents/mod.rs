//! Any file to records: datasets and tables, spreadsheets, Parquet, archives, documents.
//!
//! file → [`inspect`] → [`Part`]s (a sheet, a member of an archive, the file itself), each with a
//! guess how to read it → [`Part::records`] under a [`Reading`](crate::protocol::studio::Reading).
//!
//! Tables of every kind become rows (`table.rs`), rows become fields (`template_fill.rs`), and
//! [`crate::data::Reader`] tells their format and checks them; no other place does.
//!
//! Invariant: sizes that a file claims are compared with what it has before anything is allocated; no
//! input makes this panic (one way to all memory is left, said in `parquet_file.rs`).

mod archive;
mod arrivals;
mod cell_text;
mod companions;
mod content;
mod error;
mod figures;
mod file;
mod guess;
mod inspect;
mod load;
mod note_units;
mod numbers;
mod ods;
mod papers;
mod parquet_checks;
mod parquet_file;
mod parquet_levels;
mod parquet_moments;
pub mod parquet_out;
mod parquet_pages;
mod parquet_runs;
mod parquet_unpacked;
mod parquet_values;
mod part;
mod preview;
mod reread;
mod sheet;
mod statistics;
mod table;
mod table_language;
mod template_fill;
mod units;
mod workbook;
pub mod xlsx_out;
mod xlsx_raw;

pub use arrivals::{Arrival, Arrivals};
pub use companions::mark_companions;
pub use content::content;
pub(crate) use content::turn_role;
pub use error::DocumentError;
pub use file::{InputFile, ReadSeek};
pub use guess::columns_key;
pub use inspect::inspect;
pub use load::load;
pub use part::Part;

#[cfg(test)]
mod tests;
