//! LoRA adapters in PEFT's two files: `adapter_config.json` and `adapter_model.safetensors`.
//!
//! Tensors are named `base_model.model.<module>.lora_A.weight` `[r, d_in]` and `….lora_B.weight`
//! `[d_out, r]`; the adapted layer computes `W x + scaling * B (A x)`. Beside these there may be
//! DoRA's `….lora_magnitude_vector` `[d_out]` (of an embedding `[d]`), an embedding's pair `….lora_embedding_A` `[r, v]` and
//! `….lora_embedding_B` `[d, r]`, and whole tensors under their own names, or with `base_layer.`
//! before the last part, that stand in place of the base's.
//! Nothing here knows the model: [`Adapter::check_fits`] asks the caller for base shapes.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use safetensors::SafeTensorError;

use crate::{
    arch::{Arch, Module, Part},
    weights::adapter_config::{AdapterConfig, AdapterConfigError, is_saved},
};

pub use read::read_adapter;
pub use write::write_adapter;

/// What PEFT puts before the path of a module.
const PREFIX: &str = "base_model.model.";
const SUFFIX_A: &str = ".lora_A.weight";
const SUFFIX_B: &str = ".lora_B.weight";
const SUFFIX_EMBEDDING_A: &str = ".lora_embedding_A";
const SUFFIX_EMBEDDING_B: &str = ".lora_embedding_B";
const SUFFIX_MAGNITUDE: &str = ".lora_magnitude_vector";
/// What PEFT puts between an adapted module and its own tensors.
const BASE_LAYER: &str = ".base_layer";

/// Name of the settings file in an adapter directory.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// Name of the tensor file in an adapter directory.
pub const WEIGHTS_FILE: &str = "adapter_model.safetensors";

/// A trained adapter: its settings and one low-rank pair a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    pub config: AdapterConfig,
    /// Of linear layers, sorted by module path.
    pub pairs: Vec<AdapterPair>,
    pub extras: AdapterExtras,
}

/// What an adapter changes besides adding low-rank products to linear layers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AdapterExtras {
    /// DoRA's length of every output row, of an embedding of every column, by module path.
    pub magnitudes: BTreeMap<String, Vec<f32>>,
    /// Pairs of embeddings, `A: [r, v]` and `B: [d, r]`, sorted by module path.
    pub embeddings: Vec<AdapterPair>,
    /// Whole tensors in place of the base's, by their names there: saved modules and biases.
    pub replaced: BTreeMap<String, WholeTensor>,
}

/// A tensor of an adapter that is no half of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeTensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// The low-rank update of one layer.
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

    #[error(
        "the adapter holds {what}, which cannot be put beside a loaded model; \
         merge it into the base first (`veneer merge`)"
    )]
    OnlyMerged { what: String },

    #[error("{what} cannot be trained: {reason}")]
    Untrainable { what: String, reason: &'static str },
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

    /// Compares every tensor with the base; `tensor_shape` gives the shape of a base tensor by its
    /// name.
    ///
    /// # Errors
    /// [`AdapterError::OtherModel`] with every mismatch.
    pub fn check_fits(
        &self,
        tensor_shape: impl Fn(&str) -> Option<Vec<usize>>,
    ) -> Result<(), AdapterError> {
        let layers = self
            .pairs
            .iter()
            .map(|pair| (pair, [pair.d_out, pair.d_in]));
        // The table of an embedding has a row a token.
        let embeddings = self.extras.embeddings.iter();
        let tables = embeddings.map(|pair| (pair, [pair.d_in, pair.d_out]));
        let of_pairs = layers.chain(tables).filter_map(|(pair, wanted)| {
            let module = &pair.module;
            match tensor_shape(&format!("{module}.weight")) {
                None => Some(format!("the model has no layer `{module}`")),
                Some(shape) if shape != wanted => Some(format!(
                    "`{module}` is {shape:?} in the model, {wanted:?} in the adapter"
                )),
                Some(_) => None,
            }
        });
        let replaced = self.extras.replaced.iter();
        let of_wholes = replaced.filter_map(|(name, whole)| match tensor_shape(name) {
            None => Some(format!(
                "the model has no tensor `{name}` of its own (a head may be tied to the embedding)"
            )),
            Some(shape) if shape != whole.shape => Some(format!(
                "`{name}` is {shape:?} in the model, {:?} in the adapter",
                whole.shape
            )),
            Some(_) => None,
        });
        let mismatches: Vec<String> = of_pairs.chain(of_wholes).collect();
        if mismatches.is_empty() {
            return Ok(());
        }
        let base = self.config.base_model_name_or_path.clone();
        Err(AdapterError::OtherModel {
            base: base.unwrap_or_else(|| "not given".to_owned()),
            mismatches,
        })
    }

    /// Whether the adapter is low-rank pairs of linear layers of blocks and nothing else, which can
    /// be put beside a base and taken off again.
    ///
    /// # Errors
    /// [`AdapterError::OnlyMerged`] says what else there is.
    pub fn only_pairs(&self, arch: &Arch) -> Result<(), AdapterError> {
        let AdapterExtras {
            magnitudes,
            embeddings,
            replaced,
        } = &self.extras;
        let head = self.pair(&arch.path(Module::Head));
        let what = match (
            magnitudes.is_empty(),
            embeddings.first(),
            head,
            replaced.keys().next(),
        ) {
            (false, ..) => "DoRA magnitudes".to_owned(),
            (true, Some(pair), ..) => format!("a pair on the embedding `{}`", pair.module),
            (true, None, Some(pair), _) => format!("a pair on the head `{}`", pair.module),
            (true, None, None, Some(name)) => format!("a whole tensor, `{name}`"),
            (true, None, None, None) => return Ok(()),
        };
        Err(AdapterError::OnlyMerged { what })
    }

    /// Whether a model whose head is the embedding needs a head of its own with the adapter in it:
    /// the adapter changes one of the two.
    pub fn unties(&self, arch: &Arch) -> bool {
        let AdapterExtras {
            embeddings,
            replaced,
            ..
        } = &self.extras;
        let head = arch.path(Module::Head);
        // A table that is not trained but stored, as PEFT does at times, is the head's too.
        let saved = &self.config.modules_to_save;
        let is_apart = is_saved(&head, saved) || is_saved(&arch.path(Module::Embedding), saved);
        arch.tie_embeddings
            && (self.pair(&head).is_some()
                || !embeddings.is_empty()
                || replaced.contains_key(&arch.tensor_name(Module::Head, Part::Weight))
                || is_apart)
    }
}

fn damaged(error: SafeTensorError) -> AdapterError {
    AdapterError::Damaged {
        reason: error.to_string(),
    }
}
