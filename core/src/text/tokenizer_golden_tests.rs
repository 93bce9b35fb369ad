//! Token ids, decoded text, assistant masks and completion labels against transformers.
//!
//! The goldens come from `tests/fixtures/gen/tokenizers.py`.

use serde::Deserialize;
use serde_json::Map;

use super::{
    Conversation, EncodeOptions, IGNORE_INDEX, Message, ModelText, Prepared, TextFiles,
    encode_record,
};
use crate::text::{Body, Record};

#[derive(Deserialize)]
struct Golden {
    template: String,
    texts: Vec<TextCase>,
    chats: Vec<ChatCase>,
    completions: Vec<CompletionCase>,
}

#[derive(Deserialize)]
struct TextCase {
    text: String,
    ids: Vec<u32>,
    bare_ids: Vec<u32>,
    decoded: String,
    decoded_without_special: String,
}

#[derive(Deserialize)]
struct ChatCase {
    messages: Vec<Message>,
    ids: Vec<u32>,
    mask: Vec<u8>,
}

#[derive(Deserialize)]
struct CompletionCase {
    prompt: String,
    completion: String,
    ids: Vec<u32>,
    n_prompt: usize,
}

fn encode(model: &ModelText, body: Body) -> Prepared {
    let record = Record {
        body,
        extra: Map::new(),
        line: 1,
    };
    encode_record(&record, model, &EncodeOptions::default()).unwrap()
}

/// Labels of the tokens from `mask`, without the first, which nothing predicts.
fn labels(ids: &[u32], mask: impl Fn(usize) -> bool) -> Vec<i32> {
    let label = |(index, &id): (usize, &u32)| {
        if index > 0 && mask(index) {
            id as i32
        } else {
            IGNORE_INDEX
        }
    };
    ids.iter().enumerate().map(label).collect()
}

fn check_texts(model: &ModelText, cases: &[TextCase]) {
    let tokenizer = model.tokenizer().unwrap();
    let ids = |text: &str, special| -> Vec<u32> {
        tokenizer
            .encode(text, special)
            .unwrap()
            .iter()
            .map(|token| token.id)
            .collect()
    };
    for case in cases {
        assert_eq!(ids(&case.text, true), case.ids, "{:?}", case.text);
        assert_eq!(ids(&case.text, false), case.bare_ids, "{:?}", case.text);
        assert_eq!(tokenizer.decode(&case.ids, false).unwrap(), case.decoded);
        assert_eq!(
            tokenizer.decode(&case.ids, true).unwrap(),
            case.decoded_without_special
        );
    }
}

#[track_caller]
fn check(golden: &str, tokenizer: &str, config: &str) {
    let golden: Golden = serde_json::from_str(golden).unwrap();
    let files = TextFiles {
        tokenizer_json: Some(tokenizer.as_bytes()),
        tokenizer_config: Some(config.as_bytes()),
        ..TextFiles::default()
    };
    let model = ModelText::from_files(files, Some(&golden.template)).unwrap();
    check_texts(&model, &golden.texts);
    for case in golden.chats {
        let chat = Conversation {
            messages: case.messages,
            tools: Vec::new(),
        };
        let prepared = encode(&model, Body::Chat(chat));
        assert_eq!(prepared.encoded.input_ids, case.ids, "{:?}", prepared.text);
        let expected = labels(&case.ids, |index| case.mask[index] == 1);
        assert_eq!(prepared.encoded.labels, expected, "{:?}", prepared.text);
    }
    for CompletionCase {
        prompt,
        completion,
        ids,
        n_prompt,
    } in golden.completions
    {
        let prepared = encode(&model, Body::Text { prompt, completion });
        assert_eq!(prepared.encoded.input_ids, ids, "{:?}", prepared.text);
        assert_eq!(
            prepared.encoded.labels,
            labels(&ids, |index| index >= n_prompt),
            "{:?}",
            prepared.text
        );
    }
}

macro_rules! fixture {
    ($name:literal, $file:literal) => {
        include_str!(concat!(
            "../../../tests/fixtures/tokenizers/",
            $name,
            "/",
            $file
        ))
    };
}

#[test]
fn byte_level_bpe_is_as_in_transformers() {
    check(
        fixture!("byte_level", "golden.json"),
        fixture!("byte_level", "tokenizer.json"),
        fixture!("byte_level", "tokenizer_config.json"),
    );
}

#[test]
fn llama_bpe_is_as_in_transformers() {
    check(
        fixture!("llama_bpe", "golden.json"),
        fixture!("llama_bpe", "tokenizer.json"),
        fixture!("llama_bpe", "tokenizer_config.json"),
    );
}

#[test]
fn unigram_is_as_in_transformers() {
    check(
        fixture!("unigram", "golden.json"),
        fixture!("unigram", "tokenizer.json"),
        fixture!("unigram", "tokenizer_config.json"),
    );
}
