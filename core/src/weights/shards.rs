//! Writing safetensors: shards are laid out from shapes alone, then tensors stream through.
//!
//! Names are Hugging Face's: `model.safetensors`, or `model-00001-of-00003.safetensors` and
//! `model.safetensors.index.json`. A shard is its header's length (u64), the header (JSON, padded
//! with spaces to 8 bytes) and the tensors without gaps.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::{Dtype, LoadError, WeightSource};

/// Name of the file that says which shard holds which tensor.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// A tensor to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub dtype: Dtype,
}

/// One file of a checkpoint, laid out but for its data.
#[derive(Debug, Clone)]
pub struct Shard {
    pub file_name: String,
    header: Vec<u8>,
    tensors: Vec<ShardTensor>,
    n_data_bytes: u64,
}

/// A whole checkpoint, laid out.
#[derive(Debug, Clone)]
pub struct ShardPlan {
    pub shards: Vec<Shard>,
    /// Content of [`INDEX_FILE`]; a single shard needs none.
    pub index_json: Option<Vec<u8>>,
}

/// Why a shard could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    #[error(transparent)]
    Load(#[from] LoadError),

    #[error("writing the file failed")]
    Io(#[from] io::Error),
}

impl ShardTensor {
    /// A tensor as a source has it.
    ///
    /// # Errors
    /// What [`WeightSource::tensor`] returns.
    pub fn of(source: &dyn WeightSource, name: &str) -> Result<Self, LoadError> {
        let info = source.info(name)?;
        Ok(Self {
            name: name.to_owned(),
            shape: info.shape,
            dtype: info.dtype,
        })
    }

    fn n_bytes(&self) -> u64 {
        self.shape.iter().map(|size| *size as u64).product::<u64>() * self.dtype.size_bytes() as u64
    }
}

impl ShardPlan {
    /// Fills shards in the given order until the next tensor would make one larger than
    /// `max_shard_bytes`; a tensor that is larger alone gets its own.
    pub fn new(tensors: Vec<ShardTensor>, max_shard_bytes: u64) -> Self {
        let mut groups: Vec<(u64, Vec<ShardTensor>)> = vec![(0, Vec::new())];
        for tensor in tensors {
            let n_bytes = tensor.n_bytes();
            match groups.last_mut() {
                Some((size, group)) if group.is_empty() || *size + n_bytes <= max_shard_bytes => {
                    *size += n_bytes;
                    group.push(tensor);
                }
                _ => groups.push((n_bytes, vec![tensor])),
            }
        }
        let n_shards = groups.len();
        let shards: Vec<Shard> = groups
            .into_iter()
            .enumerate()
            .map(|(index, (n_data_bytes, tensors))| {
                let file_name = match n_shards {
                    1 => "model.safetensors".to_owned(),
                    n => format!("model-{:05}-of-{n:05}.safetensors", index + 1),
                };
                Shard::new(file_name, tensors, n_data_bytes)
            })
            .collect();
        let index_json = (n_shards > 1).then(|| index_json(&shards));
        Self { shards, index_json }
    }

    /// Bytes of all shards.
    pub fn n_bytes(&self) -> u64 {
        self.shards.iter().map(Shard::n_bytes).sum()
    }
}

impl Shard {
    fn new(file_name: String, mut tensors: Vec<ShardTensor>, n_data_bytes: u64) -> Self {
        // Wide types first, so that every tensor is aligned to its type.
        tensors.sort_by(|left, right| {
            let width = |tensor: &ShardTensor| std::cmp::Reverse(tensor.dtype.size_bytes());
            width(left)
                .cmp(&width(right))
                .then_with(|| left.name.cmp(&right.name))
        });
        let mut entries = Map::new();
        entries.insert("__metadata__".into(), json!({"format": "pt"}));
        let mut offset = 0;
        for tensor in &tensors {
            let end = offset + tensor.n_bytes();
            let entry = json!({
                "dtype": dtype_name(tensor.dtype),
                "shape": tensor.shape,
                "data_offsets": [offset, end],
            });
            entries.insert(tensor.name.clone(), entry);
            offset = end;
        }
        let mut json = Json::Object(entries).to_string().into_bytes();
        json.resize(json.len().next_multiple_of(8), b' ');
        let mut header = (json.len() as u64).to_le_bytes().to_vec();
        header.extend(json);
        Self {
            file_name,
            header,
            tensors,
            n_data_bytes,
        }
    }

    /// Bytes of the finished file.
    pub fn n_bytes(&self) -> u64 {
        self.header.len() as u64 + self.n_data_bytes
    }

    pub fn n_tensors(&self) -> usize {
        self.tensors.len()
    }

    /// Writes the shard, one tensor in memory at a time; `progress` hears of each one's bytes.
    ///
    /// # Errors
    /// What the source and the sink return, and [`LoadError::Shape`] where the source gives
    /// another tensor than the one planned.
    pub fn write(
        &self,
        source: &dyn WeightSource,
        sink: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ShardError> {
        sink.write_all(&self.header)?;
        for planned in &self.tensors {
            let tensor = source.tensor(&planned.name)?;
            if tensor.shape != planned.shape || tensor.bytes.len() as u64 != planned.n_bytes() {
                return Err(ShardError::Load(LoadError::Shape {
                    name: planned.name.clone(),
                    expected: planned.shape.clone(),
                    found: tensor.shape,
                }));
            }
            sink.write_all(&tensor.bytes)?;
            progress(planned.n_bytes());
        }
        Ok(())
    }
}

fn index_json(shards: &[Shard]) -> Vec<u8> {
    let total_size: u64 = shards.iter().map(|shard| shard.n_data_bytes).sum();
    let places = shards.iter().flat_map(|shard| {
        let tensors = shard.tensors.iter();
        tensors.map(|tensor| (tensor.name.clone(), json!(shard.file_name)))
    });
    let mut index = json!({
        "metadata": {"total_size": total_size},
        "weight_map": places.collect::<Map<_, _>>(),
    });
    index.sort_all_objects();
    format!("{index:#}\n").into_bytes()
}

fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "F32",
        Dtype::F16 => "F16",
        Dtype::Bf16 => "BF16",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{RawTensor, SafetensorsSource};

    /// Tensors whose values say their names.
    struct Named(Vec<ShardTensor>);

    impl WeightSource for Named {
        fn names(&self) -> Vec<String> {
            self.0.iter().map(|tensor| tensor.name.clone()).collect()
        }

        fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
            let missing = LoadError::MissingTensor {
                name: name.to_owned(),
            };
            let index = self.0.iter().position(|tensor| tensor.name == name);
            let index = index.ok_or(missing)?;
            let tensor = &self.0[index];
            let n_values = tensor.shape.iter().product();
            let values = vec![index as f32 + 0.5; n_values];
            Ok(RawTensor::from_f32(
                &values,
                tensor.shape.clone(),
                tensor.dtype,
            ))
        }
    }

    fn tensor(name: &str, shape: &[usize], dtype: Dtype) -> ShardTensor {
        ShardTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            dtype,
        }
    }

    fn source() -> Named {
        Named(vec![
            tensor("b", &[3], Dtype::Bf16),
            tensor("a", &[2, 3], Dtype::F32),
            tensor("c", &[5, 2], Dtype::F16),
            tensor("d", &[1], Dtype::F32),
        ])
    }

    #[track_caller]
    fn check(max_shard_bytes: u64, n_shards: usize) -> ShardPlan {
        let source = source();
        let plan = ShardPlan::new(source.0.clone(), max_shard_bytes);
        assert_eq!(plan.shards.len(), n_shards);
        let files: Vec<Vec<u8>> = plan
            .shards
            .iter()
            .map(|shard| {
                let mut file = Vec::new();
                shard.write(&source, &mut file, &mut |_| ()).unwrap();
                assert_eq!(file.len() as u64, shard.n_bytes());
                file
            })
            .collect();
        let named: Vec<(&str, &[u8])> = plan
            .shards
            .iter()
            .zip(&files)
            .map(|(shard, file)| (shard.file_name.as_str(), file.as_slice()))
            .collect();
        let read = SafetensorsSource::new(&named).unwrap();
        assert_eq!(read.names(), ["a", "b", "c", "d"]);
        for name in read.names() {
            assert_eq!(read.tensor(&name).unwrap(), source.tensor(&name).unwrap());
        }
        plan
    }

    #[test]
    fn a_small_model_is_one_file_without_index() {
        let plan = check(5_000_000_000, 1);
        assert_eq!(plan.shards[0].file_name, "model.safetensors");
        assert_eq!(plan.index_json, None);
    }

    #[test]
    fn shards_hold_what_fits_in_order() {
        // 6 + 24 bytes fit in 30, then 20 + 4.
        let plan = check(30, 2);
        let index: Json = serde_json::from_slice(plan.index_json.as_ref().unwrap()).unwrap();
        assert_eq!(index["metadata"]["total_size"], 54);
        assert_eq!(
            index["weight_map"],
            json!({
                "a": "model-00001-of-00002.safetensors",
                "b": "model-00001-of-00002.safetensors",
                "c": "model-00002-of-00002.safetensors",
                "d": "model-00002-of-00002.safetensors",
            })
        );
    }

    #[test]
    fn a_tensor_larger_than_a_shard_gets_its_own() {
        check(5, 4);
    }

    #[test]
    fn a_full_disk_is_passed_on() {
        let source = source();
        let plan = ShardPlan::new(source.0.clone(), 1000);
        let mut disk = [0u8; 400];
        let written = plan.shards[0].write(&source, &mut disk.as_mut_slice(), &mut |_| ());
        assert!(written.is_ok());
        let mut disk = [0u8; 40];
        let written = plan.shards[0].write(&source, &mut disk.as_mut_slice(), &mut |_| ());
        assert!(matches!(written, Err(ShardError::Io(_))));
    }
}
