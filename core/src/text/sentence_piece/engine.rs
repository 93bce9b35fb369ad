//! A `.model` file as the `tokenizers` library has it, for writers of other formats.
//!
//! Text is not cut by this one: it lacks the character map, and prefers among equal merges another.

use tokenizers::{Tokenizer as Engine, models::unigram::Unigram};

use super::super::{GgufText, TextError};
use super::model_file::{Kind, ModelFile};

/// # Errors
/// When the library does not take the pieces.
pub(in crate::text) fn engine(file: &str, model: &ModelFile) -> Result<Engine, TextError> {
    let broken = |detail: String| TextError::SentencePiece {
        file: file.to_owned(),
        detail,
    };
    match model.kind {
        Kind::Bpe => gguf_text(model).sentence_piece_engine(),
        Kind::Unigram => {
            let pieces = model.pieces.iter();
            let scored = pieces.map(|piece| (piece.text.clone(), f64::from(piece.score)));
            let unk_id = usize::try_from(model.unk_id).ok();
            let unigram = Unigram::from(scored.collect(), unk_id, model.byte_fallback);
            unigram
                .map(Engine::new)
                .map_err(|error| broken(error.to_string()))
        }
    }
}

fn gguf_text(model: &ModelFile) -> GgufText<'_> {
    GgufText {
        model: Some("llama"),
        tokens: model
            .pieces
            .iter()
            .map(|piece| piece.text.as_str())
            .collect(),
        token_type: model
            .pieces
            .iter()
            .map(|piece| piece.kind.number().into())
            .collect(),
        scores: model.pieces.iter().map(|piece| piece.score).collect(),
        bos_token_id: model.bos_id,
        eos_token_id: model.eos_id,
        unknown_token_id: Some(model.unk_id),
        padding_token_id: model.pad_id,
        add_space_prefix: Some(model.normalizer.add_dummy_prefix),
        ..GgufText::default()
    }
}
