//! Token ids of vocabularies in GGUF files against llama.cpp.
//!
//! The goldens come from `tests/fixtures/gen/gguf_text.py`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::gguf::text_of;
use crate::{
    text::{GgufText, ModelText, SPLIT_RULES, TextError},
    weights::gguf::GgufSource,
};

const BYTE_LEVEL: &[u8] = include_bytes!("../../../tests/fixtures/gguf_text/byte_level.gguf");
const SENTENCE_PIECE: &[u8] =
    include_bytes!("../../../tests/fixtures/gguf_text/sentence_piece.gguf");

#[derive(Deserialize)]
struct Golden {
    rules: BTreeMap<String, Vec<Case>>,
    sentence_piece: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    bare_ids: Vec<u32>,
}

fn golden() -> Golden {
    let json = include_str!("../../../tests/fixtures/gguf_text/golden.json");
    serde_json::from_str(json).unwrap()
}

#[track_caller]
fn check(parts: &GgufText<'_>, cases: &[Case]) {
    let text = ModelText::from_gguf(parts, None).unwrap();
    let tokenizer = text.tokenizer().unwrap();
    for case in cases {
        for (add_special_tokens, expected) in [(true, &case.ids), (false, &case.bare_ids)] {
            let found = tokenizer.encode(&case.text, add_special_tokens).unwrap();
            let found: Vec<u32> = found.iter().map(|token| token.id).collect();
            assert_eq!(&found, expected, "{:?}: {:?}", parts.pre, case.text);
        }
    }
}

#[test]
fn every_rule_cuts_text_as_llama_cpp_does() {
    let file = GgufSource::new(BYTE_LEVEL).unwrap();
    let golden = golden();
    for rule in &SPLIT_RULES {
        assert!(golden.rules.contains_key(rule.names[0]), "{:?}", rule.names);
    }
    for (rule, cases) in &golden.rules {
        let mut parts = text_of(&file).unwrap();
        parts.pre = Some(rule);
        check(&parts, cases);
        let text = ModelText::from_gguf(&parts, None).unwrap();
        for case in cases {
            let decoded = text.tokenizer().unwrap().decode(&case.bare_ids, false);
            assert_eq!(decoded.unwrap(), case.text);
        }
    }
}

#[test]
fn sentence_piece_merges_by_score_as_llama_cpp_does() {
    let file = GgufSource::new(SENTENCE_PIECE).unwrap();
    check(&text_of(&file).unwrap(), &golden().sentence_piece);
}

#[test]
fn what_is_not_known_is_named() {
    let file = GgufSource::new(BYTE_LEVEL).unwrap();
    let mut parts = text_of(&file).unwrap();
    parts.pre = Some("superbpe");
    let error = ModelText::from_gguf(&parts, None).unwrap_err();
    assert!(matches!(error, TextError::SplitRule { .. }), "{error}");
    parts.model = Some("t5");
    let error = ModelText::from_gguf(&parts, None).unwrap_err();
    assert!(error.to_string().contains("`t5`"), "{error}");
    parts.model = None;
    let text = ModelText::from_gguf(&parts, None).unwrap();
    assert!(text.tokenizer.is_none());
}

#[test]
fn broken_vocabularies_are_errors() {
    let file = GgufSource::new(BYTE_LEVEL).unwrap();
    let whole = text_of(&file).unwrap();
    let merges = |merge| {
        let mut parts = whole.clone();
        parts.merges = vec![merge];
        ModelText::from_gguf(&parts, None)
    };
    for merge in ["", "a", " ", "nothing like this"] {
        let error = merges(merge).unwrap_err();
        assert!(
            matches!(error, TextError::GgufVocabulary { .. }),
            "{merge:?}"
        );
    }
    let file = GgufSource::new(SENTENCE_PIECE).unwrap();
    let mut parts = text_of(&file).unwrap();
    parts.scores.pop();
    let error = ModelText::from_gguf(&parts, None).unwrap_err();
    assert!(error.to_string().contains("scores"), "{error}");
    parts.scores.clear();
    parts.tokens.clear();
    assert!(ModelText::from_gguf(&parts, None).is_ok());
}

#[test]
fn ids_beyond_the_vocabulary_are_none() {
    let file = GgufSource::new(SENTENCE_PIECE).unwrap();
    let mut parts = text_of(&file).unwrap();
    parts.bos_token_id = Some(u32::MAX);
    parts.padding_token_id = Some(575);
    parts.other_end_ids = vec![u32::MAX];
    let text = ModelText::from_gguf(&parts, None).unwrap();
    assert_eq!((text.bos_token_id, text.pad_token_id), (Some(1), None));
    assert_eq!(text.end_token_ids, [2]);
}
