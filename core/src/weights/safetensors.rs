//! Safetensors files as a [`WeightSource`]: one file or many shards, read in place.
//!
//! Headers are validated by the `safetensors` crate (length against the file, offsets without
//! holes, at most 100 MB of header), so a file that claims terabytes is refused before any
//! allocation.

use std::{borrow::Cow, collections::BTreeMap};

use safetensors::{Dtype as StDtype, SafeTensors};

use super::{Dtype, LoadError, RawTensor, WeightSource};

/// Tensors of one or more safetensors files, borrowed from their bytes (usually memory maps).
#[derive(Debug)]
pub struct SafetensorsSource<'a> {
    files: Vec<SafeTensors<'a>>,
    /// Tensor name → index of its file.
    places: BTreeMap<String, usize>,
}

impl<'a> SafetensorsSource<'a> {
    /// Reads the headers of `(name for messages, bytes)` files. Where two files hold a tensor of
    /// one name, the first wins.
    ///
    /// # Errors
    /// [`LoadError::Format`] names the file that is truncated or damaged.
    pub fn new(files: &[(&str, &'a [u8])]) -> Result<Self, LoadError> {
        let mut source = Self {
            files: Vec::new(),
            places: BTreeMap::new(),
        };
        for (name, bytes) in files {
            let tensors = SafeTensors::deserialize(bytes).map_err(|error| LoadError::Format {
                file: (*name).to_string(),
                reason: error.to_string(),
            })?;
            let file_idx = source.files.len();
            for tensor in tensors.names() {
                source.places.entry(tensor.to_string()).or_insert(file_idx);
            }
            source.files.push(tensors);
        }
        Ok(source)
    }
}

impl WeightSource for SafetensorsSource<'_> {
    fn names(&self) -> Vec<String> {
        self.places.keys().cloned().collect()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        let missing = || LoadError::MissingTensor {
            name: name.to_string(),
        };
        let file_idx = *self.places.get(name).ok_or_else(missing)?;
        // The name came from this file's own header, so only a missing tensor can fail here.
        let view = self.files[file_idx].tensor(name).map_err(|_| missing())?;
        let dtype = match view.dtype() {
            StDtype::F32 => Dtype::F32,
            StDtype::F16 => Dtype::F16,
            StDtype::BF16 => Dtype::Bf16,
            other => {
                return Err(LoadError::Dtype {
                    name: name.to_string(),
                    found: format!("{other:?}"),
                });
            }
        };
        Ok(RawTensor {
            dtype,
            shape: view.shape().to_vec(),
            bytes: Cow::Borrowed(view.data()),
        })
    }
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

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
}
