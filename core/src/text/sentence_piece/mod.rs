//! SentencePiece `.model` files: the tokenizer of checkpoints that have no `tokenizer.json`.
//!
//! The file ([`model_file`]) is a list of pieces with scores and the settings of its training. A
//! text is normalized ([`normalizer`], with the character map of [`charsmap`]), cut into pieces by
//! merging ([`bpe`]) or by the best path ([`unigram`]), and listed with places in the original text
//! ([`processor`]). Around that stands what transformers' own classes do with special tokens and
//! leading spaces ([`class`]). A GGUF file may hold the same pieces ([`gguf`]).

mod bpe;
mod charsmap;
mod class;
mod engine;
mod gguf;
#[cfg(test)]
mod golden_tests;
mod model_file;
mod normalizer;
mod processor;
mod unigram;
mod vocabulary;

pub(super) use class::PlacedToken;
pub(crate) use class::{PieceTokenizer, open};
pub(super) use engine::engine;
pub(super) use gguf::of_gguf;
pub(crate) use model_file::{Kind, ModelFile, PieceType};
pub(crate) use normalizer::SPACE_MARK;
