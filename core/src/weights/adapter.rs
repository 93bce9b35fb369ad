//! LoRA adapters in PEFT's two files: `adapter_config.json` and `adapter_model.safetensors`.
//!
//! Tensors are named `base_model.model.<module>.lora_A.weight` `[r, d_in]` and `….lora_B.weight`
//! `[d_out, r]`; the adapted layer computes `W x + scaling * B (A x)`.
//! Nothing here knows the model: [`Adapter::check_fits`] asks the caller for base shapes.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::TensorView};

use crate::weights::{
    self, RawTensor,
    adapter_config::{AdapterConfig, AdapterConfigError},
};

/// What PEFT puts before the path of a module.
const PREFIX: &str = "base_model.model.";
const SUFFIX_A: &str = ".lora_A.weight";
const SUFFIX_B: &str = ".lora_B.weight";

/// Name of the settings file in an adapter directory.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// Name of the tensor file in an adapter directory.
pub const WEIGHTS_FILE: &str = "adapter_model.safetensors";

/// A trained adapter: its settings and one low-rank pair a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    pub config: AdapterConfig,
    /// Sorted by module path.
    pub pairs: Vec<AdapterPair>,
}

/// The low-rank update of one linear layer.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterPair {
    /// Path of the layer in the base model, such as `model.layers.0.self_attn.q_proj`.
    pub module: String,
    /// `[r, d_in]`, row major.
    pub a: Vec<f32>,
    /// `[d_out, r]`, row major.
    pub b: Vec<f32>,
    pub r: usize,
    pub d_in: usize,
    pub d_out: usize,
}

/// The bytes of an adapter directory.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFiles {
    /// Content of [`CONFIG_FILE`].
    pub config_json: Vec<u8>,
    /// Content of [`WEIGHTS_FILE`].
    pub safetensors: Vec<u8>,
}

/// Why an adapter cannot be read, written or put on a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdapterError {
    #[error(transparent)]
    Config(#[from] AdapterConfigError),

    #[error(
        "adapter_model.safetensors is damaged or incomplete ({reason}); \
         save the adapter again or fetch it again"
    )]
    Damaged { reason: String },

    #[error("adapter_model.safetensors holds no tensors: there is nothing to apply")]
    Empty,

    #[error(
        "adapter_model.safetensors cannot be used, {} problem(s): {}",
        .problems.len(),
        list(.problems)
    )]
    Tensors { problems: Vec<String> },

    #[error(
        "the adapter belongs to another model, {} mismatch(es): {}; \
         use the base that `base_model_name_or_path` names ({base})",
        .mismatches.len(),
        list(.mismatches)
    )]
    OtherModel {
        base: String,
        mismatches: Vec<String>,
    },
}

/// Problems shown in one message; the rest is counted.
const PROBLEMS_SHOWN: usize = 20;

fn list(problems: &[String]) -> String {
    let mut text = problems
        .iter()
        .take(PROBLEMS_SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("; ");
    if problems.len() > PROBLEMS_SHOWN {
        text.push_str(&format!("; and {} more", problems.len() - PROBLEMS_SHOWN));
    }
    text
}

impl Adapter {
    /// What the product of a pair is multiplied by.
    pub fn scaling(&self, pair: &AdapterPair) -> f64 {
        self.config.scaling_of(&pair.module)
    }

    /// The pair of a module, if the adapter has one.
    pub fn pair(&self, module: &str) -> Option<&AdapterPair> {
        self.pairs
            .binary_search_by(|pair| pair.module.as_str().cmp(module))
            .ok()
            .and_then(|index| self.pairs.get(index))
    }

    /// Compares every pair with the base; `weight_shape` gives the `[d_out, d_in]` of a module.
    pub fn check_fits(
        &self,
        weight_shape: impl Fn(&str) -> Option<Vec<usize>>,
    ) -> Result<(), AdapterError> {
        let mismatches: Vec<String> = self
            .pairs
            .iter()
            .filter_map(|pair| {
                let module = &pair.module;
                match weight_shape(module) {
                    None => Some(format!("the model has no layer `{module}`")),
                    Some(shape) if shape != [pair.d_out, pair.d_in] => Some(format!(
                        "`{module}` is {shape:?} in the model, [{}, {}] in the adapter",
                        pair.d_out, pair.d_in
                    )),
                    Some(_) => None,
                }
            })
            .collect();
        if mismatches.is_empty() {
            return Ok(());
        }
        let base = self.config.base_model_name_or_path.clone();
        Err(AdapterError::OtherModel {
            base: base.unwrap_or_else(|| "not given".to_owned()),
            mismatches,
        })
    }
}

/// Reads the two files of an adapter; lists every tensor that cannot be used at once.
pub fn read_adapter(config_json: &[u8], safetensors: &[u8]) -> Result<Adapter, AdapterError> {
    let config = AdapterConfig::from_json(config_json)?;
    let file = SafeTensors::deserialize(safetensors).map_err(damaged)?;
    let mut halves: BTreeMap<String, Halves> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut tensors = file.tensors();
    if tensors.is_empty() {
        return Err(AdapterError::Empty);
    }
    tensors.sort_by(|(left, _), (right, _)| left.cmp(right));
    for (name, view) in tensors {
        match place(&name).and_then(|place| Ok((place, Matrix::read(&name, &view)?))) {
            Ok(((module, Half::A), matrix)) => halves.entry(module).or_default().a = Some(matrix),
            Ok(((module, Half::B), matrix)) => halves.entry(module).or_default().b = Some(matrix),
            Err(problem) => problems.push(problem),
        }
    }
    let mut pairs = Vec::with_capacity(halves.len());
    for (module, halves) in halves {
        match halves.pair(module, &config) {
            Ok(pair) => pairs.push(pair),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(Adapter { config, pairs })
    } else {
        Err(AdapterError::Tensors { problems })
    }
}

/// The two files of an adapter, named, ordered and laid out as PEFT saves them, in f32.
pub fn write_adapter(adapter: &Adapter) -> Result<AdapterFiles, AdapterError> {
    let mut tensors = Vec::with_capacity(adapter.pairs.len() * 2);
    for pair in &adapter.pairs {
        for (suffix, values, shape) in [
            (SUFFIX_A, &pair.a, vec![pair.r, pair.d_in]),
            (SUFFIX_B, &pair.b, vec![pair.d_out, pair.r]),
        ] {
            let name = format!("{PREFIX}{}{suffix}", pair.module);
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            tensors.push((name, shape, bytes));
        }
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()
        .map_err(damaged)?;
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(AdapterFiles {
        config_json: adapter.config.to_json(),
        safetensors: safetensors::serialize(views, Some(metadata)).map_err(damaged)?,
    })
}

fn damaged(error: SafeTensorError) -> AdapterError {
    AdapterError::Damaged {
        reason: error.to_string(),
    }
}

#[derive(Clone, Copy)]
enum Half {
    A,
    B,
}

/// Which module, and which half of its pair, a tensor name means.
fn place(name: &str) -> Result<(String, Half), String> {
    let path = name
        .strip_prefix(PREFIX)
        .ok_or_else(|| format!("tensor `{name}` does not start with `{PREFIX}`"))?;
    if let Some(module) = path.strip_suffix(SUFFIX_A) {
        return Ok((module.to_owned(), Half::A));
    }
    if let Some(module) = path.strip_suffix(SUFFIX_B) {
        return Ok((module.to_owned(), Half::B));
    }
    let what = if path.contains("lora_magnitude_vector") {
        "a DoRA magnitude, which is not supported"
    } else if path.contains("lora_embedding_") {
        "an adapter on an embedding, which is not supported (only linear layers are)"
    } else if path.contains("lora_") {
        "not the weight of a low-rank pair"
    } else {
        "a whole weight of the base, which is not supported \
         (save with modules_to_save=None and save_embedding_layers=False)"
    };
    Err(format!("tensor `{name}` is {what}"))
}

struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Matrix {
    fn read(name: &str, view: &TensorView<'_>) -> Result<Self, String> {
        let &[rows, columns] = view.shape() else {
            return Err(format!(
                "tensor `{name}` has shape {:?}, expected two dimensions",
                view.shape()
            ));
        };
        let dtype = match view.dtype() {
            Dtype::F32 => weights::Dtype::F32,
            Dtype::F16 => weights::Dtype::F16,
            Dtype::BF16 => weights::Dtype::Bf16,
            other => {
                return Err(format!(
                    "tensor `{name}` has type {other:?}, expected F32, F16 or BF16"
                ));
            }
        };
        let raw = RawTensor {
            dtype,
            shape: vec![rows, columns],
            bytes: Cow::Borrowed(view.data()),
        };
        let values = raw.to_f32();
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(format!(
                "tensor `{name}` holds {} at index {index}: the training that wrote it diverged",
                values[index]
            ));
        }
        Ok(Self {
            rows,
            columns,
            values,
        })
    }
}

#[derive(Default)]
struct Halves {
    a: Option<Matrix>,
    b: Option<Matrix>,
}

impl Halves {
    fn pair(self, module: String, config: &AdapterConfig) -> Result<AdapterPair, String> {
        let (a, b) = match (self.a, self.b) {
            (Some(a), Some(b)) => (a, b),
            (None, _) => return Err(format!("tensor `{PREFIX}{module}{SUFFIX_A}` is missing")),
            (_, None) => return Err(format!("tensor `{PREFIX}{module}{SUFFIX_B}` is missing")),
        };
        let r = config.rank_of(&module);
        if a.rows != r || b.columns != r {
            return Err(format!(
                "`{module}` has lora_A [{}, {}] and lora_B [{}, {}], \
                 expected rank {r} as adapter_config.json says",
                a.rows, a.columns, b.rows, b.columns
            ));
        }
        Ok(AdapterPair {
            r,
            d_in: a.columns,
            d_out: b.rows,
            a: a.values,
            b: b.values,
            module,
        })
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;
    use crate::protocol::TargetModules;

    fn pair(module: &str) -> AdapterPair {
        AdapterPair {
            module: module.to_owned(),
            a: vec![0.5, -1.0, 0.25, 3.0, 1e-8, 2.0],
            b: vec![1.0, 2.0, -3.0, 4.0, 5.0, 6.0, 7.0, -8.0],
            r: 2,
            d_in: 3,
            d_out: 4,
        }
    }

    fn adapter() -> Adapter {
        let targets = TargetModules::List(vec!["q_proj".into(), "v_proj".into()]);
        Adapter {
            config: AdapterConfig::new(2, 4.0, targets),
            pairs: vec![pair("model.layers.0.q_proj"), pair("model.layers.0.v_proj")],
        }
    }

    fn read(files: &AdapterFiles) -> Result<Adapter, AdapterError> {
        read_adapter(&files.config_json, &files.safetensors)
    }

    fn file(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
            ((*name).to_owned(), view)
        });
        safetensors::serialize(views, None).unwrap()
    }

    #[test]
    fn saving_and_reading_is_the_identity() {
        let files = write_adapter(&adapter()).unwrap();
        let again = read(&files).unwrap();
        assert_eq!(again.pairs, adapter().pairs);
        assert_eq!(write_adapter(&again).unwrap(), files);
        assert_eq!(again.pair("model.layers.0.v_proj"), Some(&again.pairs[1]));
        assert_eq!(again.scaling(&again.pairs[0]), 2.0);
    }

    #[test]
    fn names_and_metadata_are_pefts() {
        let files = write_adapter(&adapter()).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&files.safetensors).unwrap();
        let format = metadata.metadata().as_ref().unwrap().get("format");
        assert_eq!(format.map(String::as_str), Some("pt"));
        let name = "base_model.model.model.layers.0.q_proj.lora_A.weight";
        assert_eq!(metadata.info(name).unwrap().shape, [2, 3]);
    }

    #[test]
    fn half_precision_adapters_are_read() {
        let bytes: Vec<u8> = [1.5f32, -2.0]
            .iter()
            .flat_map(|x| bf16::from_f32(*x).to_le_bytes())
            .collect();
        let a = ("base_model.model.m.lora_A.weight", Dtype::BF16, vec![1, 2]);
        let b = ("base_model.model.m.lora_B.weight", Dtype::BF16, vec![2, 1]);
        let tensors = file(&[(a.0, a.1, a.2, bytes.clone()), (b.0, b.1, b.2, bytes)]);
        let adapter = read_adapter(br#"{"r": 1}"#, &tensors).unwrap();
        assert_eq!(adapter.pairs[0].a, [1.5, -2.0]);
    }

    #[test]
    fn every_unusable_tensor_is_listed() {
        let zeros = |n: usize| vec![0u8; n * 4];
        let nan = f32::NAN.to_le_bytes().repeat(4);
        let tensors = file(&[
            (
                "base_model.model.m.lora_A.weight",
                Dtype::F32,
                vec![3, 2],
                zeros(6),
            ),
            (
                "base_model.model.m.lora_B.weight",
                Dtype::F32,
                vec![2, 3],
                zeros(6),
            ),
            (
                "base_model.model.lone.lora_A.weight",
                Dtype::F32,
                vec![2, 2],
                zeros(4),
            ),
            (
                "base_model.model.nan.lora_A.weight",
                Dtype::F32,
                vec![2, 2],
                nan,
            ),
            (
                "base_model.model.int.lora_A.weight",
                Dtype::I32,
                vec![2, 2],
                zeros(4),
            ),
            (
                "base_model.model.flat.lora_A.weight",
                Dtype::F32,
                vec![4],
                zeros(4),
            ),
            (
                "base_model.model.lm_head.weight",
                Dtype::F32,
                vec![2, 2],
                zeros(4),
            ),
            ("other.lora_A.weight", Dtype::F32, vec![2, 2], zeros(4)),
        ]);
        let Err(AdapterError::Tensors { problems }) = read_adapter(br#"{"r": 2}"#, &tensors) else {
            panic!("such a file must be refused");
        };
        let text = problems.join("\n");
        for part in [
            "expected rank 2",
            "lone.lora_B.weight` is missing",
            "holds NaN",
            "I32",
            "two dimensions",
            "whole weight of the base",
            "does not start with",
        ] {
            assert!(text.contains(part), "`{part}` missing in:\n{text}");
        }
    }

    #[test]
    fn an_adapter_for_another_model_lists_every_mismatch() {
        let error = adapter()
            .check_fits(|module| module.ends_with("q_proj").then(|| vec![4, 5]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("[4, 5] in the model, [4, 3] in the adapter"));
        assert!(error.contains("no layer `model.layers.0.v_proj`"));
        assert!(adapter().check_fits(|_| Some(vec![4, 3])).is_ok());
    }

    #[test]
    fn every_truncation_is_an_error() {
        let files = write_adapter(&adapter()).unwrap();
        for length in 0..files.safetensors.len() {
            let cut = &files.safetensors[..length];
            let error = read_adapter(&files.config_json, cut).unwrap_err();
            assert!(matches!(error, AdapterError::Damaged { .. }), "{length}");
        }
    }

    #[test]
    fn a_header_of_terabytes_is_an_error() {
        let mut bytes = (1u64 << 42).to_le_bytes().to_vec();
        bytes.extend(b"{}");
        assert!(read_adapter(b"{}", &bytes).is_err());
    }

    #[test]
    fn pefts_own_files_come_back_byte_for_byte() {
        let config = include_bytes!("../../../tests/fixtures/merge/llama32/adapter_config.json");
        let tensors =
            include_bytes!("../../../tests/fixtures/merge/llama32/adapter_model.safetensors");
        let adapter = read_adapter(config, tensors).unwrap();
        assert_eq!(adapter.pairs.len(), 9);
        let files = write_adapter(&adapter).unwrap();
        assert_eq!(
            String::from_utf8(files.config_json).unwrap(),
            String::from_utf8_lossy(config)
        );
        assert!(files.safetensors == tensors);
    }
}
