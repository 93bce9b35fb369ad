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

macro_rules! pieces {
    ($name:literal) => {
        include_bytes!(concat!(
            "../../../tests/fixtures/gguf_text/",
            $name,
            ".gguf"
        ))
    };
}

#[derive(Deserialize)]
struct Golden {
    rules: BTreeMap<String, Vec<Case>>,
    pieces: BTreeMap<String, Vec<Case>>,
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
fn merged_pieces_of_a_model_file_are_llama_cpps() {
    for (name, bytes) in [
        ("llama", pieces!("llama").as_slice()),
        ("gemma", pieces!("gemma").as_slice()),
    ] {
        let file = GgufSource::new(bytes).unwrap();
        check(&text_of(&file).unwrap(), &golden().pieces[name]);
    }
}

#[test]
fn the_best_path_is_llama_cpps() {
    // llama.cpp keeps a mark of a space at the end of a text, and sums scores in f64, so that other
    // paths are worth the same.
    let others = ["▁marks ▁▁ here▁", " 1b b1 1  b  1 bb,1 b  11b   "];
    let mut different = Vec::new();
    for (name, bytes) in [
        ("t5", pieces!("t5").as_slice()),
        ("rinna", pieces!("rinna").as_slice()),
        ("ties", pieces!("ties").as_slice()),
    ] {
        let file = GgufSource::new(bytes).unwrap();
        let parts = text_of(&file).unwrap();
        let text = ModelText::from_gguf(&parts, None).unwrap();
        let tokenizer = text.tokenizer().unwrap();
        let is_byte = |id: u32| parts.token_type[id as usize] == 6;
        for case in &golden().pieces[name] {
            for (add_special_tokens, expected) in [(true, &case.ids), (false, &case.bare_ids)] {
                let found = tokenizer.encode(&case.text, add_special_tokens).unwrap();
                // What stands in bytes here is one unknown token there.
                let ids: Vec<u32> = found.iter().map(|token| token.id).collect();
                let runs = ids.chunk_by(|&a, &b| is_byte(a) && is_byte(b));
                let one = |run: &[u32]| match is_byte(run[0]) {
                    true => parts.unknown_token_id.unwrap(),
                    false => run[0],
                };
                let found: Vec<u32> = runs.map(one).collect();
                if found != *expected {
                    different.push((name, case.text.clone(), found, expected.clone()));
                }
            }
        }
    }
    let mut texts: Vec<&str> = different
        .iter()
        .map(|(_, text, ..)| text.as_str())
        .collect();
    texts.dedup();
    assert_eq!(texts, others, "{different:?}");
}

#[test]
fn bytes_stand_for_what_has_no_piece() {
    let file = GgufSource::new(pieces!("rinna")).unwrap();
    let text = ModelText::from_gguf(&text_of(&file).unwrap(), None).unwrap();
    let tokenizer = text.tokenizer().unwrap();
    let written = "保険 ∑ 😀\n";
    let tokens = tokenizer.encode(written, false).unwrap();
    let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
    assert_eq!(tokenizer.decode(&ids, false).unwrap(), written);
}

#[test]
fn broken_pieces_are_errors() {
    let file = GgufSource::new(pieces!("t5")).unwrap();
    let whole = text_of(&file).unwrap();
    let fault = |change: &dyn Fn(&mut GgufText<'_>)| {
        let mut parts = whole.clone();
        change(&mut parts);
        ModelText::from_gguf(&parts, None).unwrap_err().to_string()
    };
    assert!(fault(&|parts| parts.scores.truncate(329)).contains("329 scores for 330 tokens"));
    assert!(fault(&|parts| parts.scores[7] = f32::NAN).contains("score of token 7"));
    assert!(fault(&|parts| parts.precompiled_charsmap.truncate(40)).contains("character map"));
    let nothing = fault(&|parts| {
        parts.tokens.clear();
        parts.scores.clear();
    });
    assert!(nothing.contains("unknown text"), "{nothing}");
    // Types that do not exist, and damage anywhere in the map.
    let mut parts = whole.clone();
    parts.token_type = vec![99; 3];
    assert!(ModelText::from_gguf(&parts, None).is_ok());
    for at in (4..whole.precompiled_charsmap.len()).step_by(41) {
        let mut parts = whole.clone();
        parts.precompiled_charsmap[at] ^= 0x55;
        let text = ModelText::from_gguf(&parts, None).unwrap();
        let tokens = text.tokenizer().unwrap().encode("Ｆull ① e\u{301}", true);
        assert!(tokens.is_ok(), "{at}");
    }
}

#[test]
fn what_is_not_known_is_named() {
    let file = GgufSource::new(BYTE_LEVEL).unwrap();
    let mut parts = text_of(&file).unwrap();
    parts.pre = Some("superbpe");
    let error = ModelText::from_gguf(&parts, None).unwrap_err();
    assert!(matches!(error, TextError::SplitRule { .. }), "{error}");
    parts.model = Some("bert");
    let error = ModelText::from_gguf(&parts, None).unwrap_err();
    assert!(error.to_string().contains("`bert`"), "{error}");
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
