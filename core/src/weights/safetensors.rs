//! Safetensors files as a [`WeightSource`]: one file or many shards, read where they lie.
//!
//! A file is the length of its header (u64), the header (JSON: name → type, shape, extent), and
//! the tensors without gaps. The header is compared with the file's length before anything is
//! taken from it, so a file that claims terabytes is refused before any allocation.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::Range};

use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    ByteSource, Dtype, LoadError, PackedInfo, RawInfo, RawTensor, WeightSource, packed::format_of,
};

/// The reference implementation's limit.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Tensors of one or more safetensors files, read as they are asked for.
pub struct SafetensorsSource<'a> {
    files: Vec<Box<dyn ByteSource + 'a>>,
    tensors: BTreeMap<String, Place>,
}

/// Where a tensor is.
#[derive(Debug, Clone)]
struct Place {
    file_idx: usize,
    start: u64,
    n_bytes: usize,
    dtype: String,
    shape: Vec<usize>,
}

/// A tensor in the header.
#[derive(Debug, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl<'a> SafetensorsSource<'a> {
    /// Reads the headers of `(name for messages, bytes)` files. Where two files hold a tensor of
    /// one name, the first wins.
    ///
    /// # Errors
    /// [`LoadError::Format`] names the file that is truncated or damaged.
    pub fn new(files: &[(&str, &'a [u8])]) -> Result<Self, LoadError> {
        let boxed = |(name, bytes): &(&str, &'a [u8])| -> (String, Box<dyn ByteSource + 'a>) {
            ((*name).to_owned(), Box::new(*bytes))
        };
        Self::open(files.iter().map(boxed).collect())
    }

    /// As [`Self::new`], for files that need not be in memory.
    ///
    /// # Errors
    /// As [`Self::new`], and what reading a file returns.
    pub fn open(files: Vec<(String, Box<dyn ByteSource + 'a>)>) -> Result<Self, LoadError> {
        let mut source = Self {
            files: Vec::with_capacity(files.len()),
            tensors: BTreeMap::new(),
        };
        for (name, file) in files {
            let (entries, data_start) = read_header(&name, file.as_ref())?;
            for (tensor, entry) in entries {
                let place = Place::new(entry, source.files.len(), data_start);
                let place = place.ok_or_else(|| damaged(&name, TOO_LARGE.to_owned()))?;
                source.tensors.entry(tensor).or_insert(place);
            }
            source.files.push(file);
        }
        Ok(source)
    }

    fn place(&self, name: &str) -> Result<(&Place, Dtype), LoadError> {
        let place = self.tensors.get(name);
        let place = place.ok_or_else(|| LoadError::MissingTensor {
            name: name.to_owned(),
        })?;
        let dtype = match place.dtype.as_str() {
            "F32" => Dtype::F32,
            "F16" => Dtype::F16,
            "BF16" => Dtype::Bf16,
            other => {
                return Err(LoadError::Dtype {
                    name: name.to_owned(),
                    found: other.to_owned(),
                });
            }
        };
        Ok((place, dtype))
    }
}

impl fmt::Debug for SafetensorsSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SafetensorsSource")
            .field("n_files", &self.files.len())
            .field("tensors", &self.tensors)
            .finish()
    }
}

impl WeightSource for SafetensorsSource<'_> {
    fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        let (place, dtype) = self.place(name)?;
        let bytes = match self.files.get(place.file_idx) {
            Some(file) => file.read(place.start, place.n_bytes)?,
            None => Cow::Borrowed(&[][..]),
        };
        Ok(RawTensor {
            dtype,
            shape: place.shape.clone(),
            bytes,
        })
    }

    fn tensor_rows(&self, name: &str, rows: Range<usize>) -> Result<RawTensor<'_>, LoadError> {
        let (place, dtype) = self.place(name)?;
        let whole = PackedInfo {
            format: format_of(dtype),
            shape: place.shape.clone(),
        };
        let (from, to) = whole.rows_at(name, &rows)?;
        let bytes = match self.files.get(place.file_idx) {
            Some(file) => file.read(place.start + from as u64, to - from)?,
            None => Cow::Borrowed(&[][..]),
        };
        Ok(RawTensor {
            dtype,
            shape: whole.with_rows(rows.len()),
            bytes,
        })
    }

    fn info(&self, name: &str) -> Result<RawInfo, LoadError> {
        let (place, dtype) = self.place(name)?;
        Ok(RawInfo {
            dtype,
            shape: place.shape.clone(),
        })
    }
}

const TOO_LARGE: &str = "a tensor is larger than this machine can address";

impl Place {
    fn new(entry: Entry, file_idx: usize, data_start: u64) -> Option<Self> {
        let (start, end) = entry.data_offsets;
        let sizes = entry.shape.into_iter().map(usize::try_from);
        Some(Self {
            file_idx,
            start: data_start + start,
            n_bytes: usize::try_from(end - start).ok()?,
            dtype: entry.dtype,
            shape: sizes.collect::<Result<_, _>>().ok()?,
        })
    }
}

type Entries = Vec<(String, Entry)>;

/// The tensors in the order of their data, and where the data start.
fn read_header(file_name: &str, file: &dyn ByteSource) -> Result<(Entries, u64), LoadError> {
    let damaged = |reason: String| damaged(file_name, reason);
    let cut = || damaged(format!("it has only {} bytes", file.len()));
    if file.len() < 8 {
        return Err(cut());
    }
    let mut length = [0; 8];
    length.copy_from_slice(&file.read(0, 8)?);
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(damaged(format!("its header claims {length} bytes")));
    }
    if length > file.len() - 8 {
        return Err(cut());
    }
    let json = file.read(8, usize::try_from(length).map_err(|_too_large| cut())?)?;
    let header: BTreeMap<String, Json> =
        serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
    let mut entries = Vec::with_capacity(header.len());
    for (name, value) in header {
        if name != "__metadata__" {
            let entry = Entry::deserialize(value);
            let entry = entry.map_err(|error| damaged(format!("tensor `{name}`: {error}")))?;
            entries.push((name, entry));
        }
    }
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let data_start = 8 + length;
    check_extents(&entries, file.len() - data_start).map_err(damaged)?;
    Ok((entries, data_start))
}

/// No gaps, no overlaps, sizes as the shapes say, and the file ends with the last tensor.
fn check_extents(entries: &Entries, n_data_bytes: u64) -> Result<(), String> {
    let mut at = 0;
    for (name, entry) in entries {
        let (start, end) = entry.data_offsets;
        if start != at || end < start {
            return Err(format!(
                "the data of tensor `{name}` are at {start} to {end}, expected to start at {at}"
            ));
        }
        let n_values = entry
            .shape
            .iter()
            .try_fold(1u64, |n, size| n.checked_mul(*size));
        let n_bytes =
            element_bytes(&entry.dtype).map(|size| n_values.and_then(|n| n.checked_mul(size)));
        if n_bytes.is_some_and(|n_bytes| n_bytes != Some(end - start)) {
            return Err(format!(
                "tensor `{name}` of shape {:?} and type {} has {} bytes",
                entry.shape,
                entry.dtype,
                end - start
            ));
        }
        at = end;
    }
    if at == n_data_bytes {
        Ok(())
    } else {
        Err(format!(
            "its tensors take {at} bytes, it has {n_data_bytes}"
        ))
    }
}

/// Bytes of an element, of the types that matter here.
fn element_bytes(dtype: &str) -> Option<u64> {
    match dtype {
        "F32" => Some(4),
        "F16" | "BF16" => Some(2),
        _ => None,
    }
}

fn damaged(file: &str, reason: String) -> LoadError {
    LoadError::Format {
        file: file.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use safetensors::{Dtype as StDtype, tensor::TensorView};

    use super::*;

    fn file() -> Vec<u8> {
        let data: Vec<u8> = [1.0f32, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let weight = TensorView::new(StDtype::F32, vec![2], &data).unwrap();
        let junk = TensorView::new(StDtype::BOOL, vec![1], &[1]).unwrap();
        safetensors::serialize([("weight", weight), ("attention.bias", junk)], None).unwrap()
    }

    #[test]
    fn reads_a_tensor_and_leaves_junk_alone() {
        let bytes = file();
        let source = SafetensorsSource::new(&[("model.safetensors", &bytes)]).unwrap();
        assert_eq!(source.tensor("weight").unwrap().to_f32(), [1.0, 2.0]);
        assert!(matches!(
            source.tensor("attention.bias"),
            Err(LoadError::Dtype { .. })
        ));
        assert!(matches!(
            source.tensor("nothing"),
            Err(LoadError::MissingTensor { .. })
        ));
    }

    #[test]
    fn refuses_every_truncation() {
        let bytes = file();
        for length in 0..bytes.len() {
            let cut = SafetensorsSource::new(&[("model.safetensors", &bytes[..length])]);
            assert!(
                matches!(cut, Err(LoadError::Format { .. })),
                "accepted {length} bytes"
            );
        }
    }

    #[test]
    fn refuses_a_header_that_claims_terabytes() {
        let mut bytes = file();
        bytes[..8].copy_from_slice(&(1u64 << 42).to_le_bytes());
        assert!(SafetensorsSource::new(&[("model.safetensors", &bytes)]).is_err());
    }

    #[test]
    fn extents_that_do_not_fit_are_refused() {
        let with = |offsets: &str| {
            let json = format!(r#"{{"a":{{"dtype":"F32","shape":[2],"data_offsets":{offsets}}}}}"#);
            let mut file = (json.len() as u64).to_le_bytes().to_vec();
            file.extend(json.as_bytes());
            file.extend([0; 8]);
            SafetensorsSource::new(&[("a.safetensors", &file)]).map(|source| source.names())
        };
        assert_eq!(with("[0,8]").unwrap(), ["a"]);
        for offsets in [
            "[0,4]",
            "[4,12]",
            "[8,0]",
            "[0,18446744073709551615]",
            "[0]",
            "[-1,7]",
        ] {
            let error = with(offsets).unwrap_err();
            assert!(error.to_string().contains("a.safetensors"), "{error}");
        }
    }
}
