//! What a model is: `config.json` → [`Arch`]. The only place that knows model families.
//!
//! One definition drives training, export and the in-browser engine; what differs between
//! families is a field here, not a file elsewhere. `README.md` says how a family is added.

mod alibi;
mod family;
mod gguf;
mod hf;
mod names;
#[cfg(test)]
mod readme_tests;
mod rope;
mod spec;
mod tensors;

pub use alibi::Alibi;
pub use family::Family;
pub use gguf::{GgufFacts, config_of_gguf, family_of_gguf, gguf_architectures, yarn_magnitude};
pub use hf::{ArchError, untied_config};
pub use names::{BlockModule, LinearRole, Module, Part, gives_logits, is_position_table};
pub use rope::{RopeScaling, RopeSpec};
pub use spec::{
    Activation, Arch, AttentionSpec, BlockShape, BlockSpec, EmbeddingSpec, FusedHeads, LayerSpec,
    LogitsSpec, MlpLayout, MlpSpec, NormKind, NormPlace, NormSpec, QkNormOver, QkNormSpec,
    QkvLayout,
};
pub use tensors::{LinearModule, TensorSpec};
