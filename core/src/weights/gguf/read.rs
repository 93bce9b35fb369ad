//! Reading: nothing in the file is believed before it is compared with the file's length.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    ALIGNMENT_KEY, DEFAULT_ALIGNMENT, GgufError, MAGIC, MAX_DIMENSIONS, VERSION, Value, ValueType,
};
use crate::{
    quant::Format,
    weights::{Dtype, LoadError, RawTensor, WeightSource},
};

/// A tensor as the table describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Row major: the last dimension is contiguous.
    pub shape: Vec<usize>,
    /// `ggml_type`; [`Format::from_ggml_type`] knows those that can be read here.
    pub ggml_type: u32,
    /// Where the data start in the file.
    start: usize,
    /// Known where the type is.
    n_bytes: Option<usize>,
}

/// A GGUF file, borrowed from its bytes (usually a memory map). Tensors have the file's names;
/// quantized ones are given as f32.
#[derive(Debug)]
pub struct GgufSource<'a> {
    bytes: &'a [u8],
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl<'a> GgufSource<'a> {
    /// Reads metadata and tensor table and checks every extent against the file.
    ///
    /// # Errors
    /// A [`GgufError`] that says what is damaged and where.
    pub fn new(bytes: &'a [u8]) -> Result<Self, GgufError> {
        let mut cursor = Cursor { bytes, at: 0 };
        let magic = cursor.take(4, "the magic number")?;
        if magic != MAGIC {
            let found = magic.to_vec();
            return Err(GgufError::Magic { found });
        }
        let version = cursor.u32("the version")?;
        if !(2..=VERSION).contains(&version) {
            return Err(GgufError::Version { found: version });
        }
        let n_tensors = cursor.u64("the number of tensors")?;
        let n_keys = cursor.u64("the number of metadata keys")?;
        let metadata = cursor.metadata(n_keys)?;
        let alignment = alignment(&metadata)?;
        let table = cursor.tensor_table(n_tensors)?;
        let data_start = (cursor.at as u64).checked_next_multiple_of(alignment);
        let tensors = table
            .into_iter()
            .map(|(name, row)| {
                let info = row.place(&name, data_start, alignment, bytes.len())?;
                Ok((name, info))
            })
            .collect::<Result<_, GgufError>>()?;
        Ok(Self {
            bytes,
            metadata,
            tensors,
        })
    }

    pub fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.metadata
    }

    pub fn tensors(&self) -> &BTreeMap<String, TensorInfo> {
        &self.tensors
    }

    /// The value of a key that must be there.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`].
    pub fn value(&self, key: &str) -> Result<&Value, GgufError> {
        self.metadata.get(key).ok_or_else(|| GgufError::MissingKey {
            key: key.to_owned(),
        })
    }
}

impl WeightSource for GgufSource<'_> {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        let info = self
            .tensors
            .get(name)
            .ok_or_else(|| LoadError::MissingTensor {
                name: name.to_owned(),
            })?;
        let unknown = |found: String| LoadError::Dtype {
            name: name.to_owned(),
            found,
        };
        let (Some(format), Some(n_bytes)) = (Format::from_ggml_type(info.ggml_type), info.n_bytes)
        else {
            return Err(unknown(format!("GGUF type {}", info.ggml_type)));
        };
        let bytes = &self.bytes[info.start..info.start + n_bytes];
        let (dtype, bytes) = match format {
            Format::F32 => (Dtype::F32, Cow::Borrowed(bytes)),
            Format::F16 => (Dtype::F16, Cow::Borrowed(bytes)),
            Format::Bf16 => (Dtype::Bf16, Cow::Borrowed(bytes)),
            Format::Q8_0 | Format::Q4_0 | Format::Q4K | Format::Q6K => {
                let values = format
                    .dequantize(bytes)
                    .map_err(|error| unknown(error.to_string()))?;
                let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
                (Dtype::F32, Cow::Owned(bytes))
            }
        };
        Ok(RawTensor {
            dtype,
            shape: info.shape.clone(),
            bytes,
        })
    }
}

fn alignment(metadata: &BTreeMap<String, Value>) -> Result<u64, GgufError> {
    let Some(value) = metadata.get(ALIGNMENT_KEY) else {
        return Ok(DEFAULT_ALIGNMENT);
    };
    value
        .as_u64()
        .filter(|alignment| alignment.is_power_of_two() && *alignment <= 1 << 20)
        .ok_or_else(|| GgufError::WrongValue {
            key: ALIGNMENT_KEY.to_owned(),
            found: format!("{value:?}"),
            expected: "a power of two of at most 2^20",
        })
}

/// A row of the tensor table, not yet compared with the file.
struct TableRow {
    shape: Vec<usize>,
    ggml_type: u32,
    offset: u64,
}

impl TableRow {
    fn place(
        self,
        name: &str,
        data_start: Option<u64>,
        alignment: u64,
        file_len: usize,
    ) -> Result<TensorInfo, GgufError> {
        let error = |reason: String| GgufError::Tensor {
            name: name.to_owned(),
            reason,
        };
        if !self.offset.is_multiple_of(alignment) {
            return Err(error(format!(
                "its data start at {}, expected a multiple of {alignment}",
                self.offset
            )));
        }
        let start = data_start
            .and_then(|start| start.checked_add(self.offset))
            .and_then(|start| usize::try_from(start).ok())
            .filter(|start| *start <= file_len);
        let beyond = || {
            error(format!(
                "its data (shape {:?}, offset {}) reach beyond the file of {file_len} bytes; \
                 the download may be incomplete, fetch the file again",
                self.shape, self.offset
            ))
        };
        let start = start.ok_or_else(beyond)?;
        let n_bytes = match Format::from_ggml_type(self.ggml_type) {
            None => None,
            Some(format) => {
                let n_values = self
                    .shape
                    .iter()
                    .try_fold(1usize, |n, size| n.checked_mul(*size))
                    .ok_or_else(beyond)?;
                let row = self.shape.last().copied().unwrap_or(1);
                if !row.is_multiple_of(format.block_len()) {
                    return Err(error(format!(
                        "rows of {row} values are no whole {} blocks",
                        format.name()
                    )));
                }
                let n_bytes = format.n_bytes(n_values).ok_or_else(beyond)?;
                if n_bytes > file_len - start {
                    return Err(beyond());
                }
                Some(n_bytes)
            }
        };
        Ok(TensorInfo {
            shape: self.shape,
            ggml_type: self.ggml_type,
            start,
            n_bytes,
        })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: u64, what: &str) -> Result<&'a [u8], GgufError> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(n).ok().and_then(|n| rest.get(..n));
        let taken = taken.ok_or_else(|| GgufError::Truncated {
            what: what.to_owned(),
            at: self.at,
            needed: n,
            available: rest.len(),
        })?;
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], GgufError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, what)?);
        Ok(array)
    }

    fn u32(&mut self, what: &str) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    fn string(&mut self, what: &str) -> Result<String, GgufError> {
        let len = self.u64(what)?;
        let at = self.at;
        let bytes = self.take(len, what)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(GgufError::NotUtf8 {
                what: what.to_owned(),
                at: at + error.valid_up_to(),
            }),
        }
    }

    fn metadata(&mut self, n_keys: u64) -> Result<BTreeMap<String, Value>, GgufError> {
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
        let unknown = GgufError::UnknownType {
            key: key.to_owned(),
            found: kind,
        };
        Ok(match ValueType::from_number(kind).ok_or(unknown)? {
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
        let available = self.bytes.len() - self.at;
        if needed > available as u64 {
            return Err(GgufError::Truncated {
                what: key.to_owned(),
                at: self.at,
                needed,
                available,
            });
        }
        let values = (0..len).map(|_| self.value(key, number));
        Ok(Value::Array(element, values.collect::<Result<_, _>>()?))
    }

    fn tensor_table(&mut self, n_tensors: u64) -> Result<BTreeMap<String, TableRow>, GgufError> {
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::{
        super::{GgufPlan, TensorEntry},
        *,
    };

    #[derive(Debug)]
    struct Failure;

    impl From<io::Error> for Failure {
        fn from(_: io::Error) -> Self {
            Self
        }
    }

    impl From<GgufError> for Failure {
        fn from(_: GgufError) -> Self {
            Self
        }
    }

    fn metadata() -> Vec<(String, Value)> {
        let values = [
            Value::U8(1),
            Value::I8(-1),
            Value::U16(2),
            Value::I16(-2),
            Value::U32(3),
            Value::I32(-3),
            Value::F32(0.5),
            Value::Bool(true),
            Value::String("größer 大".into()),
            Value::strings(["a", "", "bc"]),
            Value::i32s([1, -1]),
            Value::f32s([]),
            Value::U64(4),
            Value::I64(-4),
            Value::F64(0.25),
        ];
        let named = values.into_iter().enumerate();
        named
            .map(|(i, value)| (format!("key.{i}"), value))
            .collect()
    }

    fn file() -> Vec<u8> {
        let entry = |name: &str, shape: &[usize], format| TensorEntry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            format,
        };
        let tensors = Format::ALL.map(|format| entry(format.name(), &[3, 256], format));
        let plan = GgufPlan::new(&metadata(), tensors.to_vec()).unwrap();
        let mut file = Vec::new();
        let values: Vec<f32> = (0..768).map(|i| (i % 16) as f32 - 8.0).collect();
        plan.write(&mut file, |entry| {
            entry.format.quantize(&values).map_err(|_| Failure)
        })
        .unwrap();
        file
    }

    #[test]
    fn what_was_written_is_read() {
        let file = file();
        let source = GgufSource::new(&file).unwrap();
        let want: BTreeMap<_, _> = metadata().into_iter().collect();
        assert_eq!(source.metadata(), &want);
        for format in Format::ALL {
            let tensor = source.tensor(format.name()).unwrap();
            assert_eq!(tensor.shape, [3, 256]);
            let exact: Vec<f32> = (0..768).map(|i| (i % 16) as f32 - 8.0).collect();
            let far = tensor
                .to_f32()
                .iter()
                .zip(&exact)
                .any(|(a, b)| (a - b).abs() > 0.05);
            assert!(!far, "{}", format.name());
        }
        assert!(matches!(
            source.tensor("nothing"),
            Err(LoadError::MissingTensor { .. })
        ));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let file = file();
        // The last tensor's padding may be cut: no reader needs it.
        let last = Format::Q6K.n_bytes(768).unwrap();
        let needed = file.len() - (last.next_multiple_of(32) - last);
        for length in 0..needed {
            assert!(GgufSource::new(&file[..length]).is_err(), "{length}");
        }
        assert!(GgufSource::new(&file[..needed]).is_ok());
    }

    #[test]
    fn no_flipped_byte_of_the_header_panics_or_allocates_without_bound() {
        let file = file();
        for index in 0..1500.min(file.len()) {
            for value in [0x00, 0x7f, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[index] = value;
                if let Ok(source) = GgufSource::new(&damaged) {
                    for name in source.names() {
                        drop(source.tensor(&name));
                    }
                }
            }
        }
    }

    #[test]
    fn counts_of_exabytes_are_errors() {
        let mut file = file();
        file[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(GgufSource::new(&file).is_err());
        file[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(GgufSource::new(&file).is_err());
    }

    #[test]
    fn types_that_are_not_known_are_named_when_asked_for() {
        let mut file = file();
        let name = file.windows(4).position(|w| w == b"Q4_0").unwrap();
        file[name + 4 + 4 + 16] = 16;
        let source = GgufSource::new(&file).unwrap();
        let error = source.tensor("Q4_0").unwrap_err().to_string();
        assert!(error.contains("GGUF type 16"), "{error}");
    }

    #[test]
    fn other_files_are_named_as_such() {
        assert!(matches!(
            GgufSource::new(b"PK\x03\x04rest"),
            Err(GgufError::Magic { .. })
        ));
        assert!(matches!(
            GgufSource::new(b"GGUF\x09\0\0\0"),
            Err(GgufError::Version { found: 9 })
        ));
    }
}
