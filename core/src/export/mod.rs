//! A model as a file for other programs: GGUF for llama.cpp and Ollama, with a Modelfile.
//!
//! What goes in is a checkpoint ([`WeightSource`](crate::weights::WeightSource) and
//! [`Arch`](crate::arch::Arch)) and its tokenizer; tensors stream through one at a time.
//! [`GgufModel`](crate::weights::gguf::GgufModel) is the way back: it gives a GGUF file as a
//! checkpoint, so that what was written can be run and compared.

mod error;
#[cfg(test)]
mod family_tests;
mod go_template;
mod metadata;
mod modelfile;
mod pre_tokenizer;
#[cfg(test)]
mod read_back_tests;
mod sentence_piece;
#[cfg(test)]
mod sentence_piece_tests;
mod tensors;
#[cfg(test)]
mod text_back_tests;
mod tokenizer;

pub use crate::weights::gguf::GgufModel;
pub use error::ExportError;
pub use go_template::{GoTemplate, Probe, RenderProbe};
pub use modelfile::modelfile;
pub use tensors::{GgufExport, GgufOptions};
pub use tokenizer::{TokenizerFiles, VocabularyFile};
