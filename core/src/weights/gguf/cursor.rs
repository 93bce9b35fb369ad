//! The header, read front to back: a window of the file moves along, and nothing that the file
//! claims is believed before it is compared with the file's length.

use std::{borrow::Cow, collections::BTreeMap};

use super::{GgufError, MAX_DIMENSIONS, Value, ValueType};
use crate::weights::ByteSource;

/// Bytes read at once, unless a string is longer.
const WINDOW_BYTES: u64 = 1 << 20;
/// Keys and tensors that no model has; what a damaged count would allocate stays small.
const MAX_ENTRIES: u64 = 1 << 16;
/// Bytes of a string; chat templates, the longest there are, have some ten thousand.
const MAX_STRING_BYTES: u64 = 1 << 24;
/// Elements of an array; the largest vocabularies have some hundred thousand merges.
const MAX_ARRAY_LEN: u64 = 1 << 22;

/// A row of the tensor table, not yet compared with the file.
pub(super) struct TableRow {
    pub(super) shape: Vec<usize>,
    pub(super) ggml_type: u32,
    pub(super) offset: u64,
}

pub(super) struct Cursor<'a> {
    file: &'a dyn ByteSource,
    at: u64,
    window_at: u64,
    window: Cow<'a, [u8]>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a dyn ByteSource) -> Self {
        Self {
            file,
            at: 0,
            window_at: 0,
            window: Cow::Borrowed(&[]),
        }
    }

    /// Where the next byte is.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn take(&mut self, n: u64, what: &str) -> Result<&[u8], GgufError> {
        let available = self.file.len() - self.at;
        let truncated = || GgufError::Truncated {
            what: what.to_owned(),
            at: self.at,
            needed: n,
            available,
        };
        if n > available {
            return Err(truncated());
        }
        if self.at + n > self.window_at + self.window.len() as u64 {
            let wanted = n.max(WINDOW_BYTES.min(available));
            let wanted = usize::try_from(wanted).map_err(|_too_large| truncated())?;
            self.window = self.file.read(self.at, wanted)?;
            self.window_at = self.at;
        }
        let from = (self.at - self.window_at) as usize;
        let taken = self.window.get(from..from + n as usize);
        // A source may break its word and give less than was asked for.
        let taken = taken.ok_or_else(|| GgufError::Truncated {
            what: what.to_owned(),
            at: self.at,
            needed: n,
            available,
        })?;
        self.at += n;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], GgufError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, what)?);
        Ok(array)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// A number of keys or tensors.
    pub(super) fn n_entries(&mut self, what: &str) -> Result<u64, GgufError> {
        limited(self.u64(what)?, MAX_ENTRIES, what)
    }

    fn string(&mut self, what: &str) -> Result<String, GgufError> {
        let len = self.u64(what)?;
        let at = self.at;
        if len <= self.file.len() - at {
            limited(len, MAX_STRING_BYTES, what)?;
        }
        let bytes = self.take(len, what)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(GgufError::NotUtf8 {
                what: what.to_owned(),
                at: at + error.valid_up_to() as u64,
            }),
        }
    }

    pub(super) fn metadata(&mut self, n_keys: u64) -> Result<BTreeMap<String, Value>, GgufError> {
        let mut metadata = BTreeMap::new();
        for index in 0..n_keys {
            let key = self.string(&format!("metadata key {index}"))?;
            let kind = self.u32(&key)?;
            let value = self.value(&key, kind)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(GgufError::Duplicate { name: key });
            }
        }
        Ok(metadata)
    }

    fn value(&mut self, key: &str, kind: u32) -> Result<Value, GgufError> {
        let known = ValueType::from_number(kind);
        let known = known.ok_or_else(|| GgufError::UnknownType {
            key: key.to_owned(),
            found: kind,
        })?;
        Ok(match known {
            ValueType::U8 => Value::U8(u8::from_le_bytes(self.array(key)?)),
            ValueType::I8 => Value::I8(i8::from_le_bytes(self.array(key)?)),
            ValueType::U16 => Value::U16(u16::from_le_bytes(self.array(key)?)),
            ValueType::I16 => Value::I16(i16::from_le_bytes(self.array(key)?)),
            ValueType::U32 => Value::U32(self.u32(key)?),
            ValueType::I32 => Value::I32(i32::from_le_bytes(self.array(key)?)),
            ValueType::F32 => Value::F32(f32::from_le_bytes(self.array(key)?)),
            ValueType::Bool => Value::Bool(self.array::<1>(key)? != [0]),
            ValueType::String => Value::String(self.string(key)?),
            ValueType::U64 => Value::U64(self.u64(key)?),
            ValueType::I64 => Value::I64(i64::from_le_bytes(self.array(key)?)),
            ValueType::F64 => Value::F64(f64::from_le_bytes(self.array(key)?)),
            ValueType::Array => self.values(key)?,
        })
    }

    fn values(&mut self, key: &str) -> Result<Value, GgufError> {
        let number = self.u32(key)?;
        let element = ValueType::from_number(number).ok_or_else(|| GgufError::UnknownType {
            key: key.to_owned(),
            found: number,
        })?;
        if element == ValueType::Array {
            let key = key.to_owned();
            return Err(GgufError::NestedArray { key });
        }
        let len = self.u64(key)?;
        // Before anything is allocated: the elements must have room in what is left.
        let needed = len.saturating_mul(element.least_bytes());
        let available = self.file.len() - self.at;
        if needed > available {
            return Err(GgufError::Truncated {
                what: key.to_owned(),
                at: self.at,
                needed,
                available,
            });
        }
        let len = limited(len, MAX_ARRAY_LEN, key)?;
        let values = (0..len).map(|_| self.value(key, number));
        Ok(Value::Array(element, values.collect::<Result<_, _>>()?))
    }

    pub(super) fn tensor_table(
        &mut self,
        n_tensors: u64,
    ) -> Result<BTreeMap<String, TableRow>, GgufError> {
        let mut table = BTreeMap::new();
        for index in 0..n_tensors {
            let name = self.string(&format!("the name of tensor {index}"))?;
            let row = self.table_row(&name)?;
            if table.insert(name.clone(), row).is_some() {
                return Err(GgufError::Duplicate { name });
            }
        }
        Ok(table)
    }

    fn table_row(&mut self, name: &str) -> Result<TableRow, GgufError> {
        let what = format!("the table row of tensor `{name}`");
        let error = |reason: String| GgufError::Tensor {
            name: name.to_owned(),
            reason,
        };
        let n_dimensions = self.u32(&what)? as usize;
        if n_dimensions > MAX_DIMENSIONS {
            return Err(error(format!(
                "{n_dimensions} dimensions, expected at most {MAX_DIMENSIONS}"
            )));
        }
        let mut shape = Vec::with_capacity(n_dimensions);
        for _ in 0..n_dimensions {
            let size = self.u64(&what)?;
            let size = usize::try_from(size)
                .map_err(|_too_large| error(format!("a dimension of {size} is too large")))?;
            shape.push(size);
        }
        shape.reverse();
        Ok(TableRow {
            shape,
            ggml_type: self.u32(&what)?,
            offset: self.u64(&what)?,
        })
    }
}

fn limited(found: u64, limit: u64, what: &str) -> Result<u64, GgufError> {
    if found <= limit {
        Ok(found)
    } else {
        Err(GgufError::TooLarge {
            what: what.to_owned(),
            found,
            limit,
        })
    }
}
