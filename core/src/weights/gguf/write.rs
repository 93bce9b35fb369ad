//! Writing: the header is laid out from shapes alone, then tensors stream through one at a time.
//!
//! `GGUF`, version, counts; metadata; the tensor table with dimensions fastest first; padding;
//! data, each tensor from a multiple of the alignment on.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use super::{
    ALIGNMENT_KEY, DEFAULT_ALIGNMENT, GgufError, MAGIC, MAX_DIMENSIONS, MAX_NAME_BYTES, VERSION,
    Value, ValueType,
};
use crate::quant::Format;

/// A tensor to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorEntry {
    pub name: String,
    /// Row major: the last dimension is contiguous.
    pub shape: Vec<usize>,
    pub format: Format,
}

/// A file laid out but for its data.
#[derive(Debug, Clone)]
pub struct GgufPlan {
    header: Vec<u8>,
    tensors: Vec<(TensorEntry, usize)>,
}

impl GgufPlan {
    /// Lays out the file.
    ///
    /// # Errors
    /// Where names repeat or are too long, shapes do not fit the format, or arrays are mixed.
    pub fn new(metadata: &[(String, Value)], tensors: Vec<TensorEntry>) -> Result<Self, GgufError> {
        refuse_duplicates(metadata.iter().map(|(key, _)| key))?;
        refuse_duplicates(tensors.iter().map(|entry| &entry.name))?;
        let tensors = tensors
            .into_iter()
            .map(|entry| {
                let n_bytes = entry.n_bytes()?;
                Ok((entry, n_bytes))
            })
            .collect::<Result<Vec<_>, GgufError>>()?;

        let mut header = MAGIC.to_vec();
        header.extend(VERSION.to_le_bytes());
        header.extend((tensors.len() as u64).to_le_bytes());
        header.extend((metadata.len() as u64).to_le_bytes());
        for (key, value) in metadata {
            refuse_alignment(key)?;
            push_string(&mut header, key);
            header.extend(value.value_type().number().to_le_bytes());
            push_value(&mut header, key, value)?;
        }
        let mut offset = 0u64;
        for (entry, n_bytes) in &tensors {
            push_string(&mut header, &entry.name);
            header.extend((entry.shape.len() as u32).to_le_bytes());
            for size in entry.shape.iter().rev() {
                header.extend((*size as u64).to_le_bytes());
            }
            header.extend(entry.format.ggml_type().to_le_bytes());
            header.extend(offset.to_le_bytes());
            offset += padded(*n_bytes);
        }
        header.resize(padded(header.len()) as usize, 0);
        Ok(Self { header, tensors })
    }

    /// Bytes of the finished file.
    pub fn n_bytes(&self) -> u64 {
        let data: u64 = self.tensors.iter().map(|(_, bytes)| padded(*bytes)).sum();
        self.header.len() as u64 + data
    }

    pub fn tensors(&self) -> impl Iterator<Item = &TensorEntry> {
        self.tensors.iter().map(|(entry, _)| entry)
    }

    /// Writes the file, asking for the bytes of one tensor at a time.
    ///
    /// # Errors
    /// What `data` and the sink return, and [`GgufError::Tensor`] where `data` gives another
    /// number of bytes than the shape takes.
    pub fn write<E: From<io::Error> + From<GgufError>>(
        &self,
        sink: &mut dyn Write,
        mut data: impl FnMut(&TensorEntry) -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        sink.write_all(&self.header)?;
        for (entry, n_bytes) in &self.tensors {
            let bytes = data(entry)?;
            if bytes.len() != *n_bytes {
                let reason = format!("{} bytes given, {n_bytes} expected", bytes.len());
                let name = entry.name.clone();
                return Err(GgufError::Tensor { name, reason }.into());
            }
            sink.write_all(&bytes)?;
            let padding = padded(*n_bytes) as usize - n_bytes;
            sink.write_all(&[0; DEFAULT_ALIGNMENT as usize][..padding])?;
        }
        Ok(())
    }
}

impl TensorEntry {
    fn n_bytes(&self) -> Result<usize, GgufError> {
        let error = |reason: String| GgufError::Tensor {
            name: self.name.clone(),
            reason,
        };
        if self.name.len() > MAX_NAME_BYTES {
            return Err(error(format!("a name has at most {MAX_NAME_BYTES} bytes")));
        }
        if self.shape.is_empty() || self.shape.len() > MAX_DIMENSIONS {
            return Err(error(format!(
                "shape {:?}, expected 1 to {MAX_DIMENSIONS} dimensions",
                self.shape
            )));
        }
        let row = self.shape[self.shape.len() - 1];
        if !row.is_multiple_of(self.format.block_len()) {
            return Err(error(format!(
                "rows of {row} values are no whole {} blocks",
                self.format.name()
            )));
        }
        self.shape
            .iter()
            .try_fold(1usize, |n, size| n.checked_mul(*size))
            .and_then(|n_values| self.format.n_bytes(n_values))
            .ok_or_else(|| error(format!("shape {:?} is too large", self.shape)))
    }
}

fn padded(n_bytes: usize) -> u64 {
    (n_bytes as u64).next_multiple_of(DEFAULT_ALIGNMENT)
}

fn refuse_duplicates<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), GgufError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(GgufError::Duplicate { name: name.clone() });
        }
    }
    Ok(())
}

/// The plan writes the default alignment, so no key may claim another.
fn refuse_alignment(key: &str) -> Result<(), GgufError> {
    if key == ALIGNMENT_KEY {
        return Err(GgufError::WrongValue {
            key: key.to_owned(),
            found: "given".to_owned(),
            expected: "no such key: files are written with the default of 32",
        });
    }
    Ok(())
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn push_value(out: &mut Vec<u8>, key: &str, value: &Value) -> Result<(), GgufError> {
    match value {
        Value::U8(n) => out.push(*n),
        Value::I8(n) => out.extend(n.to_le_bytes()),
        Value::U16(n) => out.extend(n.to_le_bytes()),
        Value::I16(n) => out.extend(n.to_le_bytes()),
        Value::U32(n) => out.extend(n.to_le_bytes()),
        Value::I32(n) => out.extend(n.to_le_bytes()),
        Value::F32(x) => out.extend(x.to_le_bytes()),
        Value::Bool(on) => out.push(u8::from(*on)),
        Value::String(text) => push_string(out, text),
        Value::U64(n) => out.extend(n.to_le_bytes()),
        Value::I64(n) => out.extend(n.to_le_bytes()),
        Value::F64(x) => out.extend(x.to_le_bytes()),
        Value::Array(element, values) => {
            if *element == ValueType::Array {
                let key = key.to_owned();
                return Err(GgufError::NestedArray { key });
            }
            out.extend(element.number().to_le_bytes());
            out.extend((values.len() as u64).to_le_bytes());
            for value in values {
                if value.value_type() != *element {
                    return Err(GgufError::MixedArray {
                        key: key.to_owned(),
                        expected: *element,
                        found: value.value_type(),
                    });
                }
                push_value(out, key, value)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, shape: &[usize], format: Format) -> TensorEntry {
        TensorEntry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            format,
        }
    }

    #[derive(Debug)]
    enum Failure {
        Io,
        Gguf(GgufError),
    }

    impl From<io::Error> for Failure {
        fn from(_: io::Error) -> Self {
            Self::Io
        }
    }

    impl From<GgufError> for Failure {
        fn from(error: GgufError) -> Self {
            Self::Gguf(error)
        }
    }

    #[test]
    fn the_smallest_file_has_these_bytes() {
        let plan = GgufPlan::new(
            &[("k".into(), Value::U8(7))],
            vec![entry("t", &[1, 2], Format::F32)],
        )
        .unwrap();
        let mut file = Vec::new();
        plan.write::<Failure>(&mut file, |_| Ok(vec![1, 2, 3, 4, 5, 6, 7, 8]))
            .unwrap();

        let mut want = b"GGUF\x03\0\0\0".to_vec();
        want.extend([1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        want.extend(b"\x01\0\0\0\0\0\0\0k\0\0\0\0\x07");
        want.extend(b"\x01\0\0\0\0\0\0\0t\x02\0\0\0");
        want.extend(b"\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        want.resize(96, 0);
        want.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        want.resize(128, 0);
        assert_eq!(file, want);
        assert_eq!(plan.n_bytes(), 128);
    }

    #[test]
    fn what_llama_cpp_would_refuse_is_refused() {
        let plan = |metadata: &[(String, Value)], entries| GgufPlan::new(metadata, entries);
        let long = "x".repeat(64);
        for bad in [
            entry(&long, &[1], Format::F32),
            entry("t", &[], Format::F32),
            entry("t", &[1, 1, 1, 1, 1], Format::F32),
            entry("t", &[32, 33], Format::Q8_0),
            entry("t", &[usize::MAX, 32], Format::Q8_0),
        ] {
            assert!(matches!(
                plan(&[], vec![bad]),
                Err(GgufError::Tensor { .. })
            ));
        }
        let twice = vec![entry("t", &[1], Format::F32), entry("t", &[2], Format::F32)];
        assert!(matches!(plan(&[], twice), Err(GgufError::Duplicate { .. })));
        let mixed = Value::Array(ValueType::I32, vec![Value::I32(1), Value::U8(1)]);
        let metadata = [("a".to_owned(), mixed)];
        assert!(matches!(
            plan(&metadata, vec![]),
            Err(GgufError::MixedArray { .. })
        ));
    }

    #[test]
    fn data_of_another_length_is_an_error() {
        let plan = GgufPlan::new(&[], vec![entry("t", &[2], Format::F32)]).unwrap();
        let result = plan.write::<Failure>(&mut Vec::new(), |_| Ok(vec![0; 7]));
        assert!(matches!(
            result,
            Err(Failure::Gguf(GgufError::Tensor { .. }))
        ));
    }

    #[test]
    fn a_full_disk_is_passed_on() {
        let plan = GgufPlan::new(&[], vec![entry("t", &[2], Format::F32)]).unwrap();
        let mut disk = [0u8; 20];
        let result = plan.write::<Failure>(&mut disk.as_mut_slice(), |_| Ok(vec![0; 8]));
        assert!(matches!(result, Err(Failure::Io)));
    }
}
