//! What is inside the pages of a row group, looked at before the library reads it.
//!
//! The library trusts the insides of a page: a length that leads out of it, levels that disagree or an
//! index of a missing dictionary end the program. So everything that it is going to follow is
//! followed here first, and refused with a reason: levels, lengths, indices and counts.

use std::collections::HashMap;

use parquet::{
    basic::{Encoding, Repetition, Type as Physical},
    column::page::Page,
    errors::ParquetError,
    file::reader::RowGroupReader,
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};

use super::{
    parquet_levels::{Levels, check_levels},
    parquet_runs::{Damaged, deltas, runs},
};

/// Levels of nested columns that are held at once, two bytes each.
const MAX_LEVELS: u64 = 1 << 26;

/// Bytes that the values of a page may become when the beginnings that they share are written out.
const MAX_SHARED: u64 = 512 << 20;

/// Check the columns of a row group that are going to be read.
///
/// # Errors
/// The column, and what is wrong with it.
pub(super) fn check_group(
    group: &dyn RowGroupReader,
    read: &SchemaDescriptor,
) -> Result<(), String> {
    let mut places = HashMap::new();
    for (i, column) in group.metadata().columns().iter().enumerate() {
        if places.insert(column.column_path().string(), i).is_some() {
            return Err(format!(
                "two columns are named `{}`",
                column.column_path().string()
            ));
        }
    }
    let mut leaves = read.columns().iter().peekable();
    for field in read.root_schema().get_fields() {
        let is_nested =
            !field.is_primitive() || field.get_basic_info().repetition() == Repetition::REPEATED;
        let (mut columns, mut n_levels) = (Vec::new(), 0_u64);
        while let Some(leaf) = leaves
            .next_if(|leaf| leaf.path().parts().first().map(String::as_str) == Some(field.name()))
        {
            let path = leaf.path().string();
            let said = |what: String| format!("column `{path}`: {what}");
            let place = *places
                .get(&path)
                .ok_or_else(|| said("it is missing".into()))?;
            n_levels += u64::try_from(group.metadata().column(place).num_values()).unwrap_or(0);
            if is_nested && n_levels > MAX_LEVELS {
                return Err(said(format!(
                    "a row group holds more than {MAX_LEVELS} values in lists"
                )));
            }
            columns.push(check_column(group, place, is_nested).map_err(said)?);
        }
        if is_nested {
            let name = field.name();
            check_levels(field, &columns).map_err(|what| format!("column `{name}`: {what}"))?;
        }
    }
    Ok(())
}

fn check_column(
    group: &dyn RowGroupReader,
    place: usize,
    is_nested: bool,
) -> Result<Levels, String> {
    let metadata = group.metadata().column(place);
    let mut pages = group
        .get_column_page_reader(place)
        .map_err(|e| e.to_string())?;
    let mut column = Column {
        of: metadata.column_descr(),
        n_said: usize::try_from(metadata.num_values()).unwrap_or(0),
        dictionary: None,
        levels: Levels::default(),
        n_levels: 0,
        n_rows: 0,
        is_nested,
    };
    while let Some(page) = pages
        .get_next_page()
        .map_err(|e: ParquetError| e.to_string())?
    {
        column.page(&page)?;
    }
    let n_rows = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
    if column.n_rows != n_rows {
        let found = column.n_rows;
        return Err(format!(
            "its pages hold {found} rows where {n_rows} are said"
        ));
    }
    Ok(column.levels)
}

struct Column<'a> {
    of: &'a ColumnDescriptor,
    /// How many levels the footer promises.
    n_said: usize,
    /// How many values the dictionary has.
    dictionary: Option<usize>,
    levels: Levels,
    n_levels: usize,
    n_rows: u64,
    /// Levels are kept, to be compared with those of other columns.
    is_nested: bool,
}

impl Column<'_> {
    fn page(&mut self, page: &Page) -> Result<(), String> {
        let damaged = |Damaged| "a page is damaged".to_owned();
        match page {
            Page::DictionaryPage {
                buf, num_values, ..
            } => {
                let n = *num_values as usize;
                self.plain(buf, n)
                    .map_err(|Damaged| "its dictionary is damaged".to_owned())?;
                self.dictionary = Some(n);
                Ok(())
            }
            Page::DataPage {
                buf,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                ..
            } => {
                let n = self.begin(*num_values)?;
                let mut rest = &buf[..];
                let rep =
                    self.first_levels(&mut rest, self.of.max_rep_level(), *rep_level_encoding)?;
                let def =
                    self.first_levels(&mut rest, self.of.max_def_level(), *def_level_encoding)?;
                let n_there = self.take_levels(rep, def, n).map_err(damaged)?;
                self.values(rest, *encoding, n_there)
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => {
                let n = self.begin(*num_values)?;
                let mut rest = &buf[..];
                let mut part = |length: u32| rest.split_off(..length as usize);
                let rep = part(*rep_levels_byte_len).ok_or_else(|| damaged(Damaged))?;
                let def = part(*def_levels_byte_len).ok_or_else(|| damaged(Damaged))?;
                let n_there = self.take_levels(rep, def, n).map_err(damaged)?;
                self.values(rest, *encoding, n_there)
            }
        }
    }

    /// The library takes a page without values for the end of the column.
    fn begin(&self, n: u32) -> Result<usize, String> {
        let n = n as usize;
        if n > self.n_said - self.n_levels || (n == 0 && self.n_levels < self.n_said) {
            return Err(format!("a page holds {n} values"));
        }
        Ok(n)
    }

    /// Levels that stand before the values, after their length.
    fn first_levels<'a>(
        &self,
        rest: &mut &'a [u8],
        max: i16,
        encoding: Encoding,
    ) -> Result<&'a [u8], String> {
        if max == 0 {
            return Ok(&[]);
        }
        if encoding != Encoding::RLE {
            return Err(format!("levels as {encoding} are not read"));
        }
        sized(rest).map_err(|Damaged| "the levels of a page are damaged".to_owned())
    }

    /// Read the levels of a page, and return how many values are there.
    fn take_levels(&mut self, rep: &[u8], def: &[u8], n: usize) -> Result<usize, Damaged> {
        self.n_levels += n;
        self.n_rows += match self.of.max_rep_level() {
            0 => n as u64,
            max => {
                let into = self.is_nested.then_some(&mut self.levels.rep);
                read_levels(rep, max, n, 0, into)? as u64
            }
        };
        if self.is_nested && self.of.max_rep_level() == 0 {
            self.levels.rep.resize(self.n_levels, 0);
        }
        match self.of.max_def_level() {
            0 => {
                if self.is_nested {
                    self.levels.def.resize(self.n_levels, 0);
                }
                Ok(n)
            }
            max => {
                let into = self.is_nested.then_some(&mut self.levels.def);
                read_levels(def, max, n, max, into)
            }
        }
    }

    fn values(&self, bytes: &[u8], encoding: Encoding, n: usize) -> Result<(), String> {
        let checked = match (encoding, self.of.physical_type()) {
            (Encoding::PLAIN, _) => self.plain(bytes, n),
            (Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, _) => {
                let Some(size) = self.dictionary else {
                    return Err("its dictionary is missing".into());
                };
                indices(bytes, size, n)
            }
            (Encoding::RLE, Physical::BOOLEAN) => {
                let mut rest = bytes;
                sized(&mut rest).and_then(|bytes| all(n, runs(bytes, 1, n, |_, _| ())))
            }
            (Encoding::DELTA_BINARY_PACKED, Physical::INT32) => deltas(bytes, n, 32).map(|_| ()),
            (Encoding::DELTA_BINARY_PACKED, Physical::INT64) => deltas(bytes, n, 64).map(|_| ()),
            (Encoding::DELTA_LENGTH_BYTE_ARRAY, Physical::BYTE_ARRAY) => {
                lengths(bytes, n).map(|_| ())
            }
            (Encoding::DELTA_BYTE_ARRAY, Physical::BYTE_ARRAY) => shared(bytes, n, None),
            (Encoding::DELTA_BYTE_ARRAY, Physical::FIXED_LEN_BYTE_ARRAY) => {
                shared(bytes, n, self.width())
            }
            (
                Encoding::BYTE_STREAM_SPLIT,
                Physical::INT32
                | Physical::INT64
                | Physical::FLOAT
                | Physical::DOUBLE
                | Physical::FIXED_LEN_BYTE_ARRAY,
            ) => self.plain(bytes, n),
            (encoding, kind) => return Err(format!("{kind} as {encoding} is not read")),
        };
        checked.map_err(|Damaged| format!("a page of {n} values as {encoding} is damaged"))
    }

    /// Values one after the other.
    fn plain(&self, bytes: &[u8], n: usize) -> Result<(), Damaged> {
        if self.of.physical_type() == Physical::BYTE_ARRAY {
            let mut rest = bytes;
            return (0..n).try_for_each(|_| sized(&mut rest).map(|_| ()));
        }
        let needed = match self.width() {
            // Truth values take a bit.
            None => n.div_ceil(8),
            Some(0) => return Err(Damaged),
            Some(width) => n.checked_mul(width).ok_or(Damaged)?,
        };
        if needed > bytes.len() {
            return Err(Damaged);
        }
        Ok(())
    }

    /// Bytes of a value, where all have as many.
    fn width(&self) -> Option<usize> {
        match self.of.physical_type() {
            Physical::BOOLEAN | Physical::BYTE_ARRAY => None,
            Physical::INT32 | Physical::FLOAT => Some(4),
            Physical::INT64 | Physical::DOUBLE => Some(8),
            Physical::INT96 => Some(12),
            Physical::FIXED_LEN_BYTE_ARRAY => {
                Some(usize::try_from(self.of.type_length()).unwrap_or(0))
            }
        }
    }
}

/// Read `n` levels up to `max`, and return how many of them are `counted`.
fn read_levels(
    bytes: &[u8],
    max: i16,
    n: usize,
    counted: i16,
    into: Option<&mut Vec<u8>>,
) -> Result<usize, Damaged> {
    let (mut n_counted, mut highest) = (0, 0);
    let mut into = into;
    let width = 16 - max.leading_zeros();
    let read = runs(bytes, width, n, |level, n| {
        highest = highest.max(level);
        if level == counted as u64 {
            n_counted += n;
        }
        if let Some(levels) = &mut into {
            levels.extend(std::iter::repeat_n(level as u8, n));
        }
    });
    all(n, read)?;
    if highest > max.min(u8::MAX.into()) as u64 {
        return Err(Damaged);
    }
    Ok(n_counted)
}

/// Bytes after their length in four.
fn sized<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Damaged> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(Damaged)?;
    *rest = after;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Damaged)?;
    rest.split_off(..length).ok_or(Damaged)
}

fn all(n: usize, read: Result<usize, Damaged>) -> Result<(), Damaged> {
    if read? < n { Err(Damaged) } else { Ok(()) }
}

/// Indices of a dictionary of `size` values.
fn indices(bytes: &[u8], size: usize, n: usize) -> Result<(), Damaged> {
    let Some((width, bytes)) = bytes.split_first() else {
        return all(n, Ok(0));
    };
    if *width > 32 {
        return Err(Damaged);
    }
    let mut is_inside = true;
    let read = runs(bytes, (*width).into(), n, |index, n| {
        is_inside &= n == 0 || index < size as u64;
    });
    all(n, read)?;
    if is_inside { Ok(()) } else { Err(Damaged) }
}

/// Lengths, then the bytes of all values.
fn lengths(bytes: &[u8], n: usize) -> Result<Vec<i64>, Damaged> {
    let (lengths, end) = deltas(bytes, n, 32)?;
    let lengths = as_lengths(lengths)?;
    let sum: i64 = lengths.iter().sum();
    if sum > (bytes.len() - end) as i64 {
        return Err(Damaged);
    }
    Ok(lengths)
}

/// Lengths have 32 bits and are not negative.
fn as_lengths(values: Vec<i64>) -> Result<Vec<i64>, Damaged> {
    let values = values.into_iter().map(|value| i64::from(value as i32));
    let values: Vec<i64> = values.collect();
    if values.iter().any(|value| *value < 0) {
        return Err(Damaged);
    }
    Ok(values)
}

/// Values that share beginnings with the one before.
fn shared(bytes: &[u8], n: usize, width: Option<usize>) -> Result<(), Damaged> {
    let (beginnings, end) = deltas(bytes, n, 32)?;
    let ends = lengths(&bytes[end..], n)?;
    let (mut before, mut sum) = (0, 0_u64);
    for (beginning, end) in as_lengths(beginnings)?.into_iter().zip(ends) {
        let length = beginning + end;
        sum = sum.saturating_add(length as u64);
        let fits = width.is_none_or(|width| length == width as i64);
        if beginning > before || !fits || sum > MAX_SHARED {
            return Err(Damaged);
        }
        before = length;
    }
    Ok(())
}
