//! The two files of an adapter, as PEFT saves them, to an [`Adapter`].

use std::{borrow::Cow, collections::BTreeMap};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{
    Adapter, AdapterError, AdapterExtras, AdapterPair, BASE_LAYER, PREFIX, SUFFIX_A, SUFFIX_B,
    SUFFIX_EMBEDDING_A, SUFFIX_EMBEDDING_B, SUFFIX_MAGNITUDE, WholeTensor, damaged,
};
use crate::weights::{self, RawTensor, adapter_config::AdapterConfig};

/// Reads the two files of an adapter; lists every tensor that cannot be used at once.
pub fn read_adapter(config_json: &[u8], safetensors: &[u8]) -> Result<Adapter, AdapterError> {
    let config = AdapterConfig::from_json(config_json)?;
    let file = SafeTensors::deserialize(safetensors).map_err(damaged)?;
    let mut tensors = file.tensors();
    if tensors.is_empty() {
        return Err(AdapterError::Empty);
    }
    tensors.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut reader = Reader::default();
    for (name, view) in tensors {
        if let Err(problem) = reader.take(&name, &view) {
            reader.problems.push(problem);
        }
    }
    reader.adapter(config)
}

#[derive(Default)]
struct Reader {
    linear: BTreeMap<String, Halves>,
    embeddings: BTreeMap<String, Halves>,
    extras: AdapterExtras,
    problems: Vec<String>,
}

impl Reader {
    fn take(&mut self, name: &str, view: &TensorView<'_>) -> Result<(), String> {
        let (module, part) = place(name)?;
        match part {
            Part::A => self.linear.entry(module).or_default().a = Some(Matrix::read(name, view)?),
            Part::B => self.linear.entry(module).or_default().b = Some(Matrix::read(name, view)?),
            Part::EmbeddingA => {
                self.embeddings.entry(module).or_default().a = Some(Matrix::read(name, view)?);
            }
            Part::EmbeddingB => {
                self.embeddings.entry(module).or_default().b = Some(Matrix::read(name, view)?);
            }
            Part::Magnitude => {
                let values = finite_values(name, view)?;
                self.extras.magnitudes.insert(module, values);
            }
            Part::Whole => {
                let whole = WholeTensor {
                    shape: view.shape().to_vec(),
                    values: finite_values(name, view)?,
                };
                self.extras.replaced.insert(module, whole);
            }
        }
        Ok(())
    }

    fn adapter(self, config: AdapterConfig) -> Result<Adapter, AdapterError> {
        let Self {
            linear,
            embeddings,
            mut extras,
            mut problems,
        } = self;
        let mut finished = |halves: BTreeMap<String, Halves>, suffixes: [&str; 2]| {
            let mut pairs = Vec::with_capacity(halves.len());
            for (module, halves) in halves {
                match halves.pair(module, suffixes, &config) {
                    Ok(pair) => pairs.push(pair),
                    Err(problem) => problems.push(problem),
                }
            }
            pairs
        };
        let pairs = finished(linear, [SUFFIX_A, SUFFIX_B]);
        extras.embeddings = finished(embeddings, [SUFFIX_EMBEDDING_A, SUFFIX_EMBEDDING_B]);
        problems.extend(magnitude_problems(&config, &pairs, &extras));
        if problems.is_empty() {
            Ok(Adapter {
                config,
                pairs,
                extras,
            })
        } else {
            Err(AdapterError::Tensors { problems })
        }
    }
}

/// With DoRA every pair has a magnitude, and without it none.
fn magnitude_problems(
    config: &AdapterConfig,
    pairs: &[AdapterPair],
    extras: &AdapterExtras,
) -> Vec<String> {
    let magnitudes = &extras.magnitudes;
    let mut problems = Vec::new();
    if !config.use_dora {
        let unused = magnitudes.keys().map(|module| {
            format!("tensor `{PREFIX}{module}{SUFFIX_MAGNITUDE}` is there, but `use_dora` is false")
        });
        problems.extend(unused);
        return problems;
    }
    let all = || pairs.iter().chain(&extras.embeddings);
    for pair in all() {
        let name = format!("{PREFIX}{}{SUFFIX_MAGNITUDE}", pair.module);
        match magnitudes.get(&pair.module) {
            None => problems.push(format!("tensor `{name}` is missing")),
            Some(values) if values.len() != pair.d_out => problems.push(format!(
                "tensor `{name}` has {} values, expected {}, one a row of lora_B",
                values.len(),
                pair.d_out
            )),
            Some(_) => {}
        }
    }
    let unpaired = |module: &&String| !all().any(|pair| pair.module == **module);
    let lone = magnitudes.keys().filter(unpaired);
    problems.extend(lone.map(|module| {
        format!("tensor `{PREFIX}{module}{SUFFIX_MAGNITUDE}` belongs to no layer with a pair")
    }));
    problems
}

/// What a tensor is of its module; a whole tensor is named with its part.
enum Part {
    A,
    B,
    EmbeddingA,
    EmbeddingB,
    Magnitude,
    Whole,
}

/// Which module, and which part of it, a tensor name means.
fn place(name: &str) -> Result<(String, Part), String> {
    let path = name
        .strip_prefix(PREFIX)
        .ok_or_else(|| format!("tensor `{name}` does not start with `{PREFIX}`"))?;
    let suffixes = [
        (SUFFIX_A, Part::A),
        (SUFFIX_B, Part::B),
        (SUFFIX_EMBEDDING_A, Part::EmbeddingA),
        (SUFFIX_EMBEDDING_B, Part::EmbeddingB),
        (SUFFIX_MAGNITUDE, Part::Magnitude),
    ];
    for (suffix, part) in suffixes {
        if let Some(module) = path.strip_suffix(suffix) {
            return Ok((module.to_owned(), part));
        }
    }
    match path.rsplit_once('.') {
        Some((module, part @ ("weight" | "bias"))) if !path.contains("lora_") => {
            let module = module.strip_suffix(BASE_LAYER).unwrap_or(module);
            Ok((format!("{module}.{part}"), Part::Whole))
        }
        _ => Err(format!(
            "tensor `{name}` is no part of a low-rank pair, no DoRA magnitude and no weight or bias \
             of the base"
        )),
    }
}

fn finite_values(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, String> {
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
        shape: view.shape().to_vec(),
        bytes: Cow::Borrowed(view.data()),
    };
    let values = raw.to_f32();
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(values),
        Some(index) => Err(format!(
            "tensor `{name}` holds {} at index {index}: the training that wrote it diverged",
            values[index]
        )),
    }
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
        Ok(Self {
            rows,
            columns,
            values: finite_values(name, view)?,
        })
    }
}

#[derive(Default)]
struct Halves {
    a: Option<Matrix>,
    b: Option<Matrix>,
}

impl Halves {
    fn pair(
        self,
        module: String,
        [suffix_a, suffix_b]: [&str; 2],
        config: &AdapterConfig,
    ) -> Result<AdapterPair, String> {
        let (a, b) = match (self.a, self.b) {
            (Some(a), Some(b)) => (a, b),
            (None, _) => return Err(format!("tensor `{PREFIX}{module}{suffix_a}` is missing")),
            (_, None) => return Err(format!("tensor `{PREFIX}{module}{suffix_b}` is missing")),
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
