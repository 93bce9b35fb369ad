//! A `t5` vocabulary of a GGUF file: Unigram's pieces with their scores, and a character map.
//!
//! Text is cut as SentencePiece cuts it with a `.model` file of the same pieces, and added tokens are
//! found in it first, as llama.cpp finds them. llama.cpp itself has no fall back to bytes: what a
//! vocabulary with pieces for all of them lacks is one unknown token there, and its bytes here.

use super::super::{AddedToken, GgufText, TextError, TokenizerConfig};
use super::charsmap::CharsMap;
use super::class::PieceTokenizer;
use super::model_file::{Kind, ModelFile, NormalizerSettings, Piece, PieceType};

/// What the file is called where a name is asked for.
const NAME: &str = "tokenizer.ggml";

/// The tokenizer of a `t5` vocabulary; `config` names its special tokens.
///
/// # Errors
/// Says what is broken.
pub(in crate::text) fn of_gguf(
    parts: &GgufText<'_>,
    mut config: TokenizerConfig,
) -> Result<(ModelFile, PieceTokenizer), TextError> {
    let broken = |detail: String| TextError::GgufVocabulary { detail };
    let model = model(parts).map_err(broken)?;
    CharsMap::read(&model.normalizer.charsmap).map_err(broken)?;
    let ids = [parts.bos_token_id, parts.eos_token_id];
    let told = ids
        .into_iter()
        .flatten()
        .chain(parts.other_end_ids.iter().copied());
    let told: Vec<u32> = told.collect();
    for (id, piece) in (0_u32..).zip(&model.pieces) {
        let special = match piece.kind {
            PieceType::Control | PieceType::Unknown => true,
            PieceType::UserDefined => false,
            _ if told.contains(&id) => true,
            _ => continue,
        };
        let token = AddedToken {
            special,
            ..AddedToken::special(&piece.text)
        };
        if special {
            config.all_special_tokens.push(token.clone());
        }
        config.added_tokens.push((id, token));
    }
    config.add_bos_token.get_or_insert(false);
    config.add_eos_token.get_or_insert(true);
    let tokenizer = PieceTokenizer::new(NAME, &model, &config)?;
    Ok((model, tokenizer))
}

fn model(parts: &GgufText<'_>) -> Result<ModelFile, String> {
    let n_tokens = parts.tokens.len();
    if parts.scores.len() != n_tokens {
        return Err(format!(
            "{} scores for {n_tokens} tokens",
            parts.scores.len()
        ));
    }
    if let Some(id) = parts.scores.iter().position(|score| !score.is_finite()) {
        return Err(format!("the score of token {id} is {}", parts.scores[id]));
    }
    let unk_id = parts.unknown_token_id;
    let unk_id = unk_id.filter(|&id| (id as usize) < n_tokens);
    let unk_id = unk_id.ok_or("there is no token for unknown text")?;
    let kind = |id: usize| match parts.token_type.get(id) {
        Some(&number) => PieceType::of(number).unwrap_or(PieceType::Unused),
        None => PieceType::Normal,
    };
    let pieces = parts.tokens.iter().zip(&parts.scores).enumerate();
    let pieces = pieces.map(|(id, (text, &score))| Piece {
        text: (*text).to_owned(),
        score,
        kind: kind(id),
    });
    let mut model = ModelFile {
        pieces: pieces.collect(),
        kind: Kind::Unigram,
        byte_fallback: false,
        unk_id,
        bos_id: parts.bos_token_id,
        eos_id: parts.eos_token_id,
        pad_id: parts.padding_token_id,
        unk_surface: String::new(),
        normalizer: NormalizerSettings {
            charsmap: parts.precompiled_charsmap.clone(),
            add_dummy_prefix: parts.add_space_prefix.unwrap_or(false),
            remove_extra_whitespaces: parts.remove_extra_whitespaces.unwrap_or(false),
            escape_whitespaces: true,
            space_behind: false,
        },
    };
    model.byte_fallback = model.n_bytes() == 256;
    Ok(model)
}
