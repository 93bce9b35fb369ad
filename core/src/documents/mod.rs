//! Any file to records: datasets and tables, spreadsheets, Parquet, archives, documents.
//!
//! file → [`inspect`] → [`Part`]s (a sheet, a member of an archive, the file itself), each with a
//! guess how to read it → [`Part::records`] under a [`Reading`].
//!
//! Invariant: sizes that a file claims are compared with what it has before anything is allocated; no
//! input makes this panic.

mod error;
pub mod parquet_out;
pub mod xlsx_out;

use std::{
    io::{self, Read, Seek},
    rc::Rc,
};

use serde_json::{Map, Value};

pub use error::DocumentError;

use crate::{
    data::{Format, Problem},
    protocol::studio::{PartView, Preview, Reading},
    text::{ModelText, Record},
};

/// A file that can be read more than once, wherever it lies.
pub trait InputFile {
    /// With the folders that it was given with.
    fn name(&self) -> &str;
    fn n_bytes(&self) -> u64;
    /// # Errors
    /// If it cannot be opened any more.
    fn open(&self) -> io::Result<Box<dyn ReadSeek>>;
}

pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// A part of a file that can become records.
#[derive(Clone)]
pub struct Part {
    /// `part` is left to the caller to number.
    pub view: PartView,
    #[expect(dead_code, reason = "interfaces first")]
    file: Rc<dyn InputFile>,
}

/// A row that came: a record, or why there is none.
pub struct Arrival {
    pub record: Option<Record>,
    pub format: Format,
    /// As it stood in the file, where formats keep more apart than a record does.
    pub raw: Option<Map<String, Value>>,
    /// From 1.
    pub line: u64,
    pub page: Option<u32>,
    pub problems: Vec<Problem>,
    /// Share of the part that was read, 0 to 1.
    pub progress: f64,
}

pub type Arrivals = Box<dyn Iterator<Item = Result<Arrival, DocumentError>>>;

/// What is in a file. A file of which nothing can be read is one part that says so.
#[expect(clippy::unimplemented, reason = "interfaces first")]
pub fn inspect(_file: Rc<dyn InputFile>) -> Vec<Part> {
    unimplemented!()
}

#[expect(unused_variables, clippy::unimplemented, reason = "interfaces first")]
impl Part {
    /// The first records under a reading. Never fails: what is wrong is in `failed`.
    pub fn preview(&self, reading: &Reading, text: Option<&ModelText>) -> Preview {
        unimplemented!()
    }

    /// All of it, one after the other. `text` counts the tokens of chunks.
    ///
    /// # Errors
    /// If nothing of it can be read under this reading.
    pub fn records(
        &self,
        reading: &Reading,
        text: Option<Rc<ModelText>>,
    ) -> Result<Arrivals, DocumentError> {
        unimplemented!()
    }
}
