//! Reading: metadata and tensor table first, then one tensor or some rows of it at a time.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Range};

use super::{
    ALIGNMENT_KEY, DEFAULT_ALIGNMENT, GgufError, MAGIC, VERSION, Value,
    cursor::{Cursor, TableRow},
};
use crate::{
    quant::{Format, StoredFormat, ggml_type_name},
    weights::{
        ByteSource, Dtype, LoadError, PackedInfo, PackedSource, PackedTensor, RawInfo, RawTensor,
        WeightSource,
    },
};

/// A tensor as the table describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Row major: the last dimension is contiguous.
    pub shape: Vec<usize>,
    /// `ggml_type`; [`StoredFormat::from_ggml_type`] knows those that can be read here.
    pub ggml_type: u32,
    /// Where the data start in the file.
    start: u64,
    /// Known where the type is.
    n_bytes: Option<u64>,
}

/// A GGUF file. Tensors have the file's names; as a [`WeightSource`] it gives quantized ones as
/// f32, as a [`PackedSource`] as they are.
pub struct GgufSource<'a> {
    file: Box<dyn ByteSource + 'a>,
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl<'a> GgufSource<'a> {
    /// A file in memory (usually a memory map), borrowed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, GgufError> {
        Self::open(Box::new(bytes))
    }

    /// Reads metadata and tensor table and checks every extent against the file.
    ///
    /// # Errors
    /// A [`GgufError`] that says what is damaged and where.
    pub fn open(file: Box<dyn ByteSource + 'a>) -> Result<Self, GgufError> {
        let (metadata, tensors) = read_header(file.as_ref())?;
        Ok(Self {
            file,
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

    /// Bytes of the whole file.
    pub fn n_bytes(&self) -> u64 {
        self.file.len()
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

    fn row_of(&self, name: &str) -> Result<(&TensorInfo, StoredFormat), LoadError> {
        let info = self.tensors.get(name);
        let info = info.ok_or_else(|| LoadError::MissingTensor {
            name: name.to_owned(),
        })?;
        let format = StoredFormat::from_ggml_type(info.ggml_type);
        let format = format.ok_or_else(|| LoadError::StoredAs {
            name: name.to_owned(),
            found: ggml_type_name(info.ggml_type)
                .map_or_else(|| format!("GGUF type {}", info.ggml_type), str::to_owned),
            known: StoredFormat::names(),
        })?;
        Ok((info, format))
    }

    fn stored_bytes(&self, name: &str) -> Result<(StoredFormat, Cow<'_, [u8]>), LoadError> {
        let (info, format) = self.row_of(name)?;
        let n_bytes = info.n_bytes.unwrap_or(0);
        Ok((format, self.read(info.start, n_bytes)?))
    }

    /// Bytes of a tensor, which were found to be inside the file.
    fn read(&self, at: u64, n_bytes: u64) -> Result<Cow<'_, [u8]>, LoadError> {
        let n_bytes = usize::try_from(n_bytes).map_err(|_too_large| LoadError::Read {
            at,
            n_bytes: usize::MAX,
            reason: format!("{n_bytes} bytes are more than this machine can address"),
        })?;
        self.file.read(at, n_bytes)
    }
}

impl fmt::Debug for GgufSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GgufSource")
            .field("n_bytes", &self.file.len())
            .field("metadata", &self.metadata.keys())
            .field("tensors", &self.tensors)
            .finish()
    }
}

impl WeightSource for GgufSource<'_> {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        let RawInfo { dtype, shape } = WeightSource::info(self, name)?;
        let (format, bytes) = self.stored_bytes(name)?;
        match format {
            StoredFormat::Engine(Format::F32 | Format::F16 | Format::Bf16) => Ok(RawTensor {
                dtype,
                shape,
                bytes,
            }),
            quantized => {
                let values = quantized.dequantize(&bytes);
                let values = values.map_err(|source| LoadError::Quantize {
                    name: name.to_owned(),
                    source,
                })?;
                Ok(RawTensor::from_f32(&values, shape, dtype))
            }
        }
    }

    fn info(&self, name: &str) -> Result<RawInfo, LoadError> {
        let (info, format) = self.row_of(name)?;
        Ok(RawInfo {
            dtype: match format {
                StoredFormat::Engine(Format::F16) => Dtype::F16,
                StoredFormat::Engine(Format::Bf16) => Dtype::Bf16,
                _ => Dtype::F32,
            },
            shape: info.shape.clone(),
        })
    }
}

impl PackedSource for GgufSource<'_> {
    fn info(&self, name: &str) -> Result<PackedInfo, LoadError> {
        let (info, format) = self.row_of(name)?;
        Ok(PackedInfo {
            format: format.in_engine(),
            shape: info.shape.clone(),
        })
    }

    fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError> {
        let PackedInfo { format, shape } = PackedSource::info(self, name)?;
        let (stored, bytes) = self.stored_bytes(name)?;
        Ok(PackedTensor {
            format,
            shape,
            bytes: converted(name, stored, bytes)?,
        })
    }

    fn packed_rows(&self, name: &str, rows: Range<usize>) -> Result<PackedTensor<'_>, LoadError> {
        let whole = PackedSource::info(self, name)?;
        let (info, stored) = self.row_of(name)?;
        whole.rows_at(name, &rows)?;
        let n_values = whole.shape.last().copied().unwrap_or(0) as u64;
        let row_bytes = stored.n_bytes(n_values).unwrap_or(0);
        let at = info.start + rows.start as u64 * row_bytes;
        let bytes = self.read(at, rows.len() as u64 * row_bytes)?;
        Ok(PackedTensor {
            format: whole.format,
            shape: [&[rows.len()], &whole.shape[1..]].concat(),
            bytes: converted(name, stored, bytes)?,
        })
    }
}

fn converted<'b>(
    name: &str,
    stored: StoredFormat,
    bytes: Cow<'b, [u8]>,
) -> Result<Cow<'b, [u8]>, LoadError> {
    stored
        .to_engine(bytes)
        .map_err(|source| LoadError::Quantize {
            name: name.to_owned(),
            source,
        })
}

type Header = (BTreeMap<String, Value>, BTreeMap<String, TensorInfo>);

fn read_header(file: &dyn ByteSource) -> Result<Header, GgufError> {
    let mut cursor = Cursor::new(file);
    let magic = cursor.take(4, "the magic number")?;
    if magic != MAGIC {
        let found = magic.to_vec();
        return Err(GgufError::Magic { found });
    }
    let version = cursor.u32("the version")?;
    if !(2..=VERSION).contains(&version) {
        return Err(GgufError::Version { found: version });
    }
    let n_tensors = cursor.n_entries("the number of tensors")?;
    let n_keys = cursor.n_entries("the number of metadata keys")?;
    let metadata = cursor.metadata(n_keys)?;
    let alignment = alignment(&metadata)?;
    let table = cursor.tensor_table(n_tensors)?;
    let data_start = cursor.at().checked_next_multiple_of(alignment);
    let tensors = table
        .into_iter()
        .map(|(name, row)| {
            let info = row.place(&name, data_start, alignment, file.len())?;
            Ok((name, info))
        })
        .collect::<Result<_, GgufError>>()?;
    refuse_overlaps(&tensors)?;
    Ok((metadata, tensors))
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

/// Bytes of two tensors are never the same ones.
fn refuse_overlaps(tensors: &BTreeMap<String, TensorInfo>) -> Result<(), GgufError> {
    let mut extents: Vec<(u64, u64, &str)> = tensors
        .iter()
        .filter_map(|(name, info)| Some((info.start, info.n_bytes?, name.as_str())))
        .collect();
    extents.sort_unstable();
    for pair in extents.windows(2) {
        if let [(start, n_bytes, first), (next, _, second)] = *pair
            && start + n_bytes > next
        {
            return Err(GgufError::Tensor {
                name: second.to_owned(),
                reason: format!(
                    "its data start at byte {next}, inside those of `{first}`; the file is \
                     damaged, fetch it again"
                ),
            });
        }
    }
    Ok(())
}

impl TableRow {
    fn place(
        self,
        name: &str,
        data_start: Option<u64>,
        alignment: u64,
        file_len: u64,
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
        let beyond = || {
            error(format!(
                "its data (shape {:?}, offset {}) reach beyond the file of {file_len} bytes; \
                 the download may be incomplete, fetch the file again",
                self.shape, self.offset
            ))
        };
        let start = data_start
            .and_then(|start| start.checked_add(self.offset))
            .filter(|start| *start <= file_len)
            .ok_or_else(beyond)?;
        let n_bytes = match StoredFormat::from_ggml_type(self.ggml_type) {
            None => None,
            Some(format) => {
                let row = self.shape.last().copied().unwrap_or(1);
                if !row.is_multiple_of(format.block_len()) {
                    return Err(error(format!(
                        "rows of {row} values are no whole {} blocks",
                        format.name()
                    )));
                }
                let mut sizes = self.shape.iter();
                let n_values = sizes.try_fold(1u64, |n, size| n.checked_mul(*size as u64));
                let n_bytes = n_values.and_then(|n| format.n_bytes(n));
                let fits = |n_bytes: &u64| *n_bytes <= file_len - start;
                Some(n_bytes.filter(fits).ok_or_else(beyond)?)
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
        assert!(error.contains("IQ2_XXS"), "{error}");
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
