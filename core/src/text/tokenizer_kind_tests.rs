//! Ids, places and decoded text of `tokenizer.json` files as model families publish them.
//!
//! The goldens come from `tests/fixtures/gen/tokenizer_kinds.py`: every kind replaces some keys of
//! one small vocabulary, and has its own `tokenizer_config.json`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ModelText, TextFiles};

#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    kinds: BTreeMap<String, Kind>,
}

#[derive(Deserialize)]
struct Kind {
    replaced: Map<String, Value>,
    model: Map<String, Value>,
    config: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    ids: Vec<u32>,
    /// Starts and ends, one after the other.
    places: Vec<usize>,
    /// How many tokens were put before and after the text.
    around: [usize; 2],
    decoded: String,
}

fn model(base: &str, kind: &Kind) -> ModelText {
    let mut file: Value = serde_json::from_str(base).unwrap();
    for (key, value) in &kind.replaced {
        file[key] = value.clone();
    }
    for (key, value) in &kind.model {
        file["model"][key] = value.clone();
    }
    let (file, config) = (file.to_string(), kind.config.to_string());
    let files = TextFiles {
        tokenizer_json: Some(file.as_bytes()),
        tokenizer_config: Some(config.as_bytes()),
        ..TextFiles::default()
    };
    ModelText::from_files(files, None).unwrap()
}

fn check(golden: &str, base: &str) {
    let golden: Golden = serde_json::from_str(golden).unwrap();
    for (name, kind) in &golden.kinds {
        let model = model(base, kind);
        let tokenizer = model.tokenizer().unwrap();
        assert_eq!(kind.cases.len(), golden.texts.len());
        for (text, case) in golden.texts.iter().zip(&kind.cases) {
            let pieces = tokenizer.pieces(text, true).unwrap();
            let ids: Vec<u32> = pieces.iter().map(|piece| piece.id).collect();
            assert_eq!(ids, case.ids, "{name} {text:?}");
            let places = pieces
                .iter()
                .flat_map(|piece| [piece.chars.0, piece.chars.1]);
            let places: Vec<usize> = places.collect();
            assert_eq!(places, case.places, "{name} {text:?}");
            let bare = tokenizer.encode(text, false).unwrap();
            let bare: Vec<u32> = bare.iter().map(|token| token.id).collect();
            let [before, after] = case.around;
            assert_eq!(bare, ids[before..ids.len() - after], "{name} {text:?}");
            let decoded = model.decode_as_published(&ids).unwrap();
            assert_eq!(decoded, case.decoded, "{name} {text:?}");
        }
    }
}

macro_rules! kinds {
    ($test:ident, $base:literal) => {
        #[test]
        fn $test() {
            check(
                include_str!(concat!(
                    "../../../tests/fixtures/tokenizers/",
                    $base,
                    "/kinds.json"
                )),
                include_str!(concat!(
                    "../../../tests/fixtures/tokenizers/",
                    $base,
                    "/tokenizer.json"
                )),
            );
        }
    };
}

kinds!(every_kind_of_byte_level_bpe, "byte_level");
kinds!(every_kind_of_bpe_with_bytes, "llama_bpe");
kinds!(every_kind_of_unigram, "unigram");
