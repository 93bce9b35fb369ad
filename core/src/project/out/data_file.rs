//! The records of one file, collected and written in the end, or as they come where the form allows.

use serde_json::{Map, Value};

use crate::{
    data::{Format, Layout, Shape, header, write_rows, write_sheet},
    documents::{parquet_out::parquet, xlsx_out::xlsx},
    project::ProjectError,
    protocol::studio::DataFile,
};

pub(super) struct DataOut {
    container: DataFile,
    format: Format,
    bytes: Vec<u8>,
    /// Of forms that need to see every row before the first is written.
    rows: Vec<Map<String, Value>>,
    n: u64,
}

impl DataOut {
    pub(super) fn new(container: DataFile, format: Format) -> Self {
        Self {
            container,
            format,
            bytes: Vec::new(),
            rows: Vec::new(),
            n: 0,
        }
    }

    pub(super) fn n(&self) -> u64 {
        self.n
    }

    pub(super) fn add(&mut self, fields: Map<String, Value>) -> Result<(), ProjectError> {
        self.n += 1;
        if self.container == DataFile::JsonLines {
            let rows = std::iter::once(&fields);
            write_rows(rows, &Shape::Json(Layout::Lines), &mut self.bytes)?;
        } else {
            self.rows.push(fields);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, ProjectError> {
        let columns = header(&self.rows, self.format);
        match self.container {
            DataFile::JsonLines => {}
            DataFile::Json => {
                let shape = Shape::Json(Layout::Array);
                write_rows(self.rows.iter(), &shape, &mut self.bytes)?;
            }
            DataFile::Csv => write_sheet(&columns, &self.rows, b',', &mut self.bytes)?,
            DataFile::Tsv => write_sheet(&columns, &self.rows, b'\t', &mut self.bytes)?,
            DataFile::Xlsx => return Ok(xlsx(&columns, self.rows)?),
            DataFile::Parquet => return Ok(parquet(&columns, &self.rows)?),
        }
        Ok(self.bytes)
    }
}
