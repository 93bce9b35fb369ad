//! SentencePiece `.model` files: the tokenizer of checkpoints that have no `tokenizer.json`.
//!
//! The file ([`model_file`]) is a list of pieces with scores and the settings of its training. A
//! text is normalized ([`normalizer`], with the character map of [`charsmap`]), cut into pieces by
//! merging ([`bpe`]) or by the best path ([`unigram`]), and listed with places in the original text
//! ([`processor`]). Around that stands what transformers' own classes do with special tokens and
//! leading spaces ([`class`]).

mod bpe;
mod charsmap;
mod class;
mod engine;
#[cfg(test)]
mod golden_tests;
mod model_file;
mod normalizer;
mod processor;
mod unigram;
mod vocabulary;

pub(super) use class::{PieceTokenizer, PlacedToken, with_own_tokens};
pub(super) use engine::engine;
pub(super) use model_file::ModelFile;
