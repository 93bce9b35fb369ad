//! Ids, places and decoded text against sentencepiece and transformers' slow classes.
//!
//! The goldens come from `tests/fixtures/gen/sentence_piece.py`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::{ModelText, TextFiles, Tokenizer};

#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    own: BTreeMap<String, Vec<Own>>,
    uses: BTreeMap<String, Use>,
}

/// What sentencepiece itself gives.
#[derive(Deserialize)]
struct Own {
    ids: Vec<u32>,
    places: Vec<(usize, usize)>,
    decoded: String,
}

/// A class of transformers, with the config beside the file.
#[derive(Deserialize)]
struct Use {
    model: String,
    file: String,
    config: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    ids: Vec<u32>,
    bare_ids: Vec<u32>,
    decoded: String,
    decoded_without_special: String,
}

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/sentence_piece/", $name))
    };
}

fn model(name: &str) -> &'static [u8] {
    match name {
        "llama" => fixture!("llama.model"),
        "gemma" => fixture!("gemma.model"),
        "t5" => fixture!("t5.model"),
        "rinna" => fixture!("rinna.model"),
        "ties" => fixture!("ties.model"),
        _ => fixture!("unused.model"),
    }
}

fn golden() -> Golden {
    serde_json::from_slice(fixture!("golden.json")).unwrap()
}

fn tokenizer(file: &str, name: &str, config: Option<&Value>) -> Tokenizer {
    let config = config.map(Value::to_string);
    let files = TextFiles {
        sentence_piece: Some((file, model(name))),
        tokenizer_config: config.as_deref().map(str::as_bytes),
        ..TextFiles::default()
    };
    ModelText::from_files(files, None)
        .unwrap()
        .tokenizer
        .unwrap()
}

fn ids(tokenizer: &Tokenizer, text: &str, special: bool) -> Vec<u32> {
    let tokens = tokenizer.encode(text, special).unwrap();
    tokens.iter().map(|token| token.id).collect()
}

#[test]
fn a_file_alone_gives_sentencepieces_ids_places_and_texts() {
    let golden = golden();
    let mut n_compared = 0;
    for (name, cases) in &golden.own {
        let tokenizer = tokenizer("tokenizer.model", name, None);
        for (text, case) in golden.texts.iter().zip(cases) {
            // Its own special tokens are found in text, as transformers' classes do.
            if tokenizer.find_special(text).next().is_some() {
                continue;
            }
            let pieces = tokenizer.pieces(text, false).unwrap();
            let ids: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
            let places: Vec<_> = pieces.iter().map(|piece| piece.chars).collect();
            assert_eq!(ids, case.ids, "{name} {text:?}");
            assert_eq!(places, case.places, "{name} {text:?}");
            // Unknown pieces have a sign of sentencepiece's own there, and their token's name here.
            if !ids.iter().any(|&id| tokenizer.is_special(id)) {
                let decoded = tokenizer.decode(&ids, false).unwrap();
                assert_eq!(decoded, case.decoded, "{name} {text:?}");
            }
            n_compared += 1;
        }
    }
    assert!(n_compared > 100, "only {n_compared} texts were compared");
}

#[test]
fn the_classes_of_transformers_give_the_same_ids_and_texts() {
    let golden = golden();
    for (name, usage) in &golden.uses {
        let tokenizer = tokenizer(&usage.file, &usage.model, Some(&usage.config));
        assert_eq!(usage.cases.len(), golden.texts.len());
        for (text, case) in golden.texts.iter().zip(&usage.cases) {
            let name = format!("{name} {text:?}");
            assert_eq!(ids(&tokenizer, text, true), case.ids, "{name}");
            assert_eq!(ids(&tokenizer, text, false), case.bare_ids, "{name}");
            let decode = |skip| tokenizer.decode(&case.ids, skip).unwrap();
            assert_eq!(decode(false), case.decoded, "{name}");
            assert_eq!(decode(true), case.decoded_without_special, "{name}");
        }
    }
}

#[test]
fn tokens_of_a_file_of_their_own_are_the_references() {
    #[derive(Deserialize)]
    struct Added {
        files: BTreeMap<String, Value>,
        cases: Vec<Case>,
    }
    let added: Added = serde_json::from_slice(fixture!("added.json")).unwrap();
    let golden = golden();
    let file = |name: &str| added.files[name].to_string();
    let (config, tokens, map) = (
        file("tokenizer_config.json"),
        file("added_tokens.json"),
        file("special_tokens_map.json"),
    );
    let read = |tokens: &str| {
        let files = TextFiles {
            sentence_piece: Some(("tokenizer.model", model("llama"))),
            tokenizer_config: Some(config.as_bytes()),
            added_tokens: Some(tokens.as_bytes()),
            special_tokens_map: Some(map.as_bytes()),
            ..TextFiles::default()
        };
        ModelText::from_files(files, None)
    };
    let text = read(&tokens).unwrap();
    let tokenizer = text.tokenizer().unwrap();
    assert_eq!(added.cases.len(), golden.texts.len());
    for (text, case) in golden.texts.iter().zip(&added.cases) {
        assert_eq!(ids(tokenizer, text, true), case.ids, "{text:?}");
        assert_eq!(ids(tokenizer, text, false), case.bare_ids, "{text:?}");
        let decode = |skip| tokenizer.decode(&case.ids, skip).unwrap();
        assert_eq!(decode(false), case.decoded, "{text:?}");
        assert_eq!(decode(true), case.decoded_without_special, "{text:?}");
    }
    let error = read("[]").unwrap_err().to_string();
    assert!(error.contains("`added_tokens.json`"), "{error}");
}

#[test]
fn every_byte_of_the_text_belongs_to_a_token() {
    let golden = golden();
    for name in ["llama", "gemma", "rinna"] {
        let tokenizer = tokenizer("tokenizer.model", name, None);
        for text in &golden.texts {
            let mut covered = 0;
            for token in tokenizer.encode(text, false).unwrap() {
                assert!(token.bytes.start <= covered, "{name} {text:?} {token:?}");
                covered = covered.max(token.bytes.end);
            }
            assert_eq!(covered, text.len(), "{name} {text:?}");
        }
    }
}

#[test]
fn a_text_that_is_decoded_in_parts_keeps_its_spaces() {
    let golden = golden();
    for name in ["rinna", "llama legacy", "llama new"] {
        let usage = &golden.uses[name];
        let tokenizer = tokenizer(&usage.file, &usage.model, Some(&usage.config));
        let text = "The bank  reported a net profit";
        let ids = ids(&tokenizer, text, false);
        let part = |at: usize| tokenizer.decode_part(&ids[at..=at], true, at == 0).unwrap();
        let parts: String = (0..ids.len()).map(part).collect();
        assert_eq!(parts, text, "{name}");
        assert_eq!(tokenizer.decode_part(&ids, true, true).unwrap(), text);
    }
}

#[test]
fn a_class_that_is_not_known_is_named() {
    let config = serde_json::json!({"tokenizer_class": "XLMRobertaTokenizer"}).to_string();
    let files = TextFiles {
        sentence_piece: Some(("sentencepiece.bpe.model", model("llama"))),
        tokenizer_config: Some(config.as_bytes()),
        ..TextFiles::default()
    };
    let error = ModelText::from_files(files, None).unwrap_err().to_string();
    assert!(error.contains("XLMRobertaTokenizer"), "{error}");
    assert!(error.contains("sentencepiece.bpe.model"), "{error}");
}
