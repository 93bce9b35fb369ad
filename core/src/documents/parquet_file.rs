//! Parquet: rows of typed values, one row group after the other.
//!
//! Of the file, only the footer and the row group being read are held. What the reading of a row
//! group takes for granted is checked before, since the library answers some faults with a panic:
//! the shape of lists and maps (`parquet_values.rs`), sizes and places (`parquet_pages.rs`), and what
//! is inside of the pages (`parquet_checks.rs`). For the last, every page is unpacked twice.
//!
//! TODO: gzip and brotli are unpacked by the library to whatever they hold, before it compares that
//! with what the page says; a page made for it can take all memory. The library has no limit to set.

use std::{
    io::{Read, Seek, SeekFrom},
    rc::Rc,
    sync::Arc,
};

use bytes::{Buf, Bytes};
use parquet::{
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData},
        properties::ReaderProperties,
        reader::{ChunkReader, Length, RowGroupReader},
        serialized_reader::SerializedRowGroupReader,
    },
    record::{
        Row as Values,
        reader::{ReaderIter, TreeBuilder},
    },
    schema::types::{SchemaDescPtr, SchemaDescriptor, Type, TypePtr},
};
use serde_json::{Map, Value};

use super::{
    DocumentError, InputFile, ReadSeek,
    file::{Progress, open, tail},
    parquet_checks::check_group,
    parquet_moments::with_int96_as_bytes,
    parquet_out,
    parquet_pages::check_pages,
    parquet_values::{unreadable_type, value},
};
use crate::{
    data::{DatasetError, GivenRows, Place, Problem, ProblemKind, Row},
    protocol::studio::Phrase,
};

/// Bytes of a footer that are read at most.
const MAX_FOOTER: u64 = 128 << 20;

/// Bytes that a row group may unpack to.
const MAX_ROW_GROUP: u64 = 512 << 20;

const KIND: &str = Phrase::ParquetFile.english();

/// The columns of a file, and its rows.
pub(super) struct ParquetTable {
    pub(super) columns: Vec<String>,
    pub(super) rows: GivenRows,
}

pub(super) fn table(
    file: &Rc<dyn InputFile>,
    progress: &Progress,
) -> Result<ParquetTable, DocumentError> {
    let metadata = metadata(&**file)?;
    let schema = metadata.file_metadata().schema_descr();
    let mut fields: Vec<TypePtr> = Vec::new();
    let mut left_out = Vec::new();
    for field in schema.root_schema().get_fields() {
        match unreadable_type(field) {
            None => fields.push(Arc::clone(field)),
            Some(what) => left_out.push(unread(field.name(), what)),
        }
    }
    let columns: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    if columns.is_empty() {
        return Err(broken(file.name(), "none of its columns can be read"));
    }
    let root = Type::group_type_builder("schema")
        .with_fields(fields)
        .build();
    let root = root.map_err(|error| broken(file.name(), &error.to_string()))?;
    let rows = ParquetRows {
        file: Rc::clone(file),
        paths: parquet_out::Paths::of(&metadata),
        source: open(&**file)?,
        schema: Arc::new(SchemaDescriptor::new(Arc::new(root))),
        n_rows: metadata
            .row_groups()
            .iter()
            .map(|g| count(g.num_rows()))
            .sum(),
        metadata,
        group: 0,
        rows: None,
        n_read: 0,
        progress: progress.clone(),
        failed: false,
    };
    let rows = rows.chain(left_out.into_iter().map(|problem| Ok(Row::Broken(problem))));
    Ok(ParquetTable {
        columns,
        rows: Box::new(rows),
    })
}

fn unread(column: &str, what: &str) -> Problem {
    let place = Place { line: 1, record: 0 };
    Problem::new(ProblemKind::UnreadKey, place, column)
        .found(what)
        .expected("text, numbers, dates, lists or structs")
        .advice("write the column as text if it is needed")
}

fn metadata(file: &dyn InputFile) -> Result<ParquetMetaData, DocumentError> {
    let name = file.name();
    let end = tail(file, 8)?;
    let (length, magic) = match end.split_first_chunk::<4>() {
        Some((length, magic)) => (u64::from(u32::from_le_bytes(*length)), magic),
        None => (0, &end[..]),
    };
    match magic {
        b"PAR1" => {}
        b"PARE" => return Err(broken(name, "it is encrypted; write it without encryption")),
        _ => return Err(broken(name, "its end is missing; the file may be cut off")),
    }
    if length + 12 > file.n_bytes() || length > MAX_FOOTER {
        let detail = format!(
            "its footer is said to take {length} bytes, the file has {}",
            file.n_bytes()
        );
        return Err(broken(name, &detail));
    }
    let footer = tail(file, length + 8)?;
    let footer = footer.get(..length as usize).unwrap_or_default();
    let metadata = ParquetMetaDataReader::decode_metadata(footer);
    metadata.map_err(|error| broken(name, &error.to_string()))
}

struct ParquetRows {
    file: Rc<dyn InputFile>,
    /// Of a file that Veneer wrote: what its types do not say.
    paths: Option<parquet_out::Paths>,
    source: Box<dyn ReadSeek>,
    metadata: ParquetMetaData,
    /// The columns that are read.
    schema: SchemaDescPtr,
    group: usize,
    rows: Option<ReaderIter>,
    n_rows: u64,
    n_read: u64,
    progress: Progress,
    failed: bool,
}

impl Iterator for ParquetRows {
    type Item = Result<Row, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = self.next_row();
        self.failed = row.is_err();
        row.map_err(DocumentError::into_data).transpose()
    }
}

impl ParquetRows {
    fn next_row(&mut self) -> Result<Option<Row>, DocumentError> {
        loop {
            if let Some(row) = self.rows.as_mut().and_then(Iterator::next) {
                let row = row.map_err(|error| self.broken(&error))?;
                self.n_read += 1;
                self.progress.set(self.n_read, self.n_rows);
                return Ok(Some(match self.object(row) {
                    Ok(object) => Row::Object {
                        line: self.n_read,
                        object,
                    },
                    Err(problem) => Row::Broken(*problem),
                }));
            }
            if self.group >= self.metadata.num_row_groups() {
                return Ok(None);
            }
            self.rows = Some(self.read_group()?);
            self.group += 1;
        }
    }

    fn object(&self, row: Values) -> Result<Map<String, Value>, Box<Problem>> {
        let (line, record) = (self.n_read, self.n_read);
        let kinds = self.schema.root_schema().get_fields();
        let mut object = Map::new();
        for ((name, field), kind) in row.into_columns().into_iter().zip(kinds) {
            let value = value(field, kind);
            let value = value.map_err(|none| none.problem(Place { line, record }, &name))?;
            object.insert(name, value);
        }
        Ok(match &self.paths {
            Some(paths) => parquet_out::unpacked(object, paths),
            None => object,
        })
    }

    fn read_group(&mut self) -> Result<ReaderIter, DocumentError> {
        let group = self.metadata.row_group(self.group);
        let pieces = Arc::new(pieces(group, &mut self.source, &*self.file)?);
        let as_bytes = with_int96_as_bytes(group).map_err(|error| self.broken(&error))?;
        let group = as_bytes.as_ref().unwrap_or(group);
        let index = self.metadata.page_index_for_row_group(self.group);
        let options = Arc::new(ReaderProperties::builder().build());
        let reader = SerializedRowGroupReader::new(pieces, group, index, options)
            .map_err(|error| self.broken(&error))?;
        let reader: &dyn RowGroupReader = &reader;
        check_group(reader, &self.schema).map_err(|detail| broken(self.file.name(), &detail))?;
        TreeBuilder::new()
            .as_iter(Arc::clone(&self.schema), reader)
            .map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &ParquetError) -> DocumentError {
        broken(self.file.name(), &error.to_string())
    }
}

/// The bytes of a row group's columns, after what they claim was compared with what is there.
fn pieces(
    group: &RowGroupMetaData,
    source: &mut Box<dyn ReadSeek>,
    file: &dyn InputFile,
) -> Result<Pieces, DocumentError> {
    let claimed: u64 = group
        .columns()
        .iter()
        .map(|c| count(c.uncompressed_size()))
        .sum();
    if claimed > MAX_ROW_GROUP {
        return Err(DocumentError::TooLarge {
            name: file.name().into(),
            found: claimed,
            limit: MAX_ROW_GROUP,
        });
    }
    let mut pieces = Pieces {
        n_bytes: file.n_bytes(),
        pieces: Vec::new(),
    };
    for column in group.columns() {
        let start = column
            .dictionary_page_offset()
            .unwrap_or(column.data_page_offset());
        let (start, length) = match (
            u64::try_from(start),
            u64::try_from(column.compressed_size()),
        ) {
            (Ok(start), Ok(length)) if start.saturating_add(length) <= file.n_bytes() => {
                (start, length)
            }
            _ => {
                let path = column.column_path().string();
                let detail = format!("the column `{path}` is said to lie outside of the file");
                return Err(broken(file.name(), &detail));
            }
        };
        let mut bytes = Vec::new();
        let read = source
            .seek(SeekFrom::Start(start))
            .and_then(|_| source.by_ref().take(length).read_to_end(&mut bytes));
        read.map_err(|source| DocumentError::from_read(file.name(), source))?;
        check_pages(&bytes, column).map_err(|detail| {
            let path = column.column_path().string();
            broken(file.name(), &format!("column `{path}`: {detail}"))
        })?;
        pieces.pieces.push((start, bytes.into()));
    }
    Ok(pieces)
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn broken(name: &str, detail: &str) -> DocumentError {
    DocumentError::Broken {
        name: name.into(),
        kind: KIND,
        detail: detail.into(),
    }
}

/// Stretches of a file, each from its offset.
struct Pieces {
    n_bytes: u64,
    pieces: Vec<(u64, Bytes)>,
}

impl Pieces {
    fn from(&self, start: u64) -> parquet::errors::Result<Bytes> {
        let holds = |(offset, bytes): &&(u64, Bytes)| {
            (*offset..=*offset + bytes.len() as u64).contains(&start)
        };
        let found = self.pieces.iter().filter(holds);
        // Where one ends and the next begins, the next is meant.
        let best = found.max_by_key(|(offset, _)| *offset);
        let (offset, bytes) = best.ok_or_else(|| outside(start))?;
        Ok(bytes.slice((start - offset) as usize..))
    }
}

fn outside(start: u64) -> ParquetError {
    ParquetError::General(format!("byte {start} is not part of a column"))
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.n_bytes
    }
}

impl ChunkReader for Pieces {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(outside(start + length as u64));
        }
        Ok(bytes.slice(..length))
    }
}
