//! A mask over text as a mask over tokens.
//!
//! A token is trained when any of its text lies in a trained span, as in transformers'
//! `return_assistant_tokens_mask`; a special token only when it begins there, because tokens that
//! swallow the white space behind them would reach into the answer.

use std::ops::Range;

use super::{Token, TokenSpan, Tokenizer};

/// Marks the tokens whose text lies in `trained`.
pub(super) fn mark(
    tokens: Vec<Token>,
    tokenizer: &Tokenizer,
    trained: &[Range<usize>],
) -> Vec<TokenSpan> {
    tokens
        .into_iter()
        .map(|Token { id, bytes }| {
            let is_special = tokenizer.is_special(id);
            let inside = |span: &Range<usize>| match is_special {
                true => span.contains(&bytes.start),
                false => bytes.start < span.end && span.start < bytes.end,
            };
            let trained = !bytes.is_empty() && trained.iter().any(inside);
            TokenSpan { id, bytes, trained }
        })
        .collect()
}
