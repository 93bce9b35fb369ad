//! Tokenizers that were exported, read back: the same ids as from their own files.

use super::{GgufExport, GgufOptions, TokenizerFiles, VocabularyFile};
use crate::{
    arch::Arch,
    checkpoint::Checkpoint,
    quant::Format,
    text::{Message, ModelText, RenderOptions, Role, TextFiles},
    weights::RandomSource,
};

const TEXTS: [&str; 14] = [
    "",
    " ",
    "The bank reported a net profit of 12.4 million in 2019.",
    "  two  spaces  and\n\n  lines\n",
    "¿Cuál fue el beneficio neto? I'll say WE'RE DONE",
    "東京の人口は?　約1,400万人です。",
    "emoji 😀👩‍👩‍👧 and é",
    "tab\tand\u{a0}nbsp \r\n",
    "<|im_start|>user\nhi<|im_end|>\n",
    "<s>[INST] x [/INST] y </s> z",
    "unknown ∑ ሀ",
    "def add(a, b):\n    return a + b  # 123456",
    "<unk></s></s>x<|endoftext|>",
    "مرحبا بالعالم हिन्दी ภาษาไทย Ελληνικά",
];

struct Files {
    tokenizer: &'static [u8],
    config: &'static [u8],
}

macro_rules! files {
    ($folder:literal) => {
        Files {
            tokenizer: include_bytes!(concat!($folder, "/tokenizer.json")),
            config: include_bytes!(concat!($folder, "/tokenizer_config.json")),
        }
    };
}

impl Files {
    fn read(&self) -> ModelText {
        let files = TextFiles {
            tokenizer_json: Some(self.tokenizer),
            tokenizer_config: Some(self.config),
            ..TextFiles::default()
        };
        ModelText::from_files(files, None).unwrap()
    }

    /// Through a file of a model with some rows to spare.
    fn exported(&self, text: &ModelText) -> ModelText {
        let (arch, file) = self.file(text);
        let checkpoint = Checkpoint::from_gguf(Box::new(file), None).unwrap();
        assert_eq!(checkpoint.arch.tensors(), arch.tensors());
        checkpoint.text
    }

    fn file(&self, text: &ModelText) -> (Arch, Vec<u8>) {
        let vocab_size = text.tokenizer().unwrap().vocab_size() + 5;
        let arch = format!(
            r#"{{"model_type": "llama", "vocab_size": {vocab_size}, "hidden_size": 8,
            "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8}}"#
        );
        let arch = Arch::from_json(arch.as_bytes()).unwrap();
        let export = GgufExport::new(GgufOptions {
            arch: &arch,
            name: "tiny",
            format: Format::F16,
            tokenizer: Some(TokenizerFiles {
                vocabulary: VocabularyFile::TokenizerJson(self.tokenizer),
                tokenizer_config_json: Some(self.config),
                chat_template: text.template.as_ref().map(|template| template.source()),
                end_ids: &text.end_token_ids,
                pre: None,
            }),
        });
        let mut file = Vec::new();
        let weights = RandomSource::new(arch.clone(), 7);
        let written = export.unwrap().write(&weights, &mut file, &mut |_| ());
        written.unwrap();
        (arch, file)
    }
}

#[track_caller]
fn check(files: &Files) {
    let own = files.read();
    let read = files.exported(&own);
    let (own_tokenizer, tokenizer) = (own.tokenizer().unwrap(), read.tokenizer().unwrap());
    for text in TEXTS {
        for add_special_tokens in [false, true] {
            let expected = own_tokenizer.encode(text, add_special_tokens).unwrap();
            let found = tokenizer.encode(text, add_special_tokens).unwrap();
            assert_eq!(found, expected, "{text:?}");
            let ids: Vec<u32> = expected.iter().map(|token| token.id).collect();
            for skip in [false, true] {
                let decoded = tokenizer.decode(&ids, skip).unwrap();
                assert_eq!(decoded, own_tokenizer.decode(&ids, skip).unwrap());
            }
        }
    }
    let special = |text: &ModelText| -> Vec<(String, u32)> {
        let special = text.tokenizer().unwrap().special_tokens();
        special.map(|(token, id)| (token.to_owned(), id)).collect()
    };
    assert_eq!(special(&read), special(&own));
    assert_eq!(tokenizer.vocab_size(), own_tokenizer.vocab_size());
    assert_eq!(read.bos_token_id, own.bos_token_id);
    assert_eq!(read.pad_token_id, own.pad_token_id);
    assert_eq!(read.end_text(), own.end_text());
    assert!(
        own.end_token_ids
            .iter()
            .all(|id| read.end_token_ids.contains(id))
    );
    if let (Some(own), Some(read)) = (&own.template, &read.template) {
        let messages = [
            Message::new(Role::User, "Hi"),
            Message::new(Role::Assistant, "Yes"),
        ];
        let render = |template: &crate::text::ChatTemplate| {
            let options = RenderOptions::default();
            template.render(&messages, &[], &options).unwrap()
        };
        assert_eq!(render(read), render(own));
    }
    assert_eq!(read.template.is_some(), own.template.is_some());
}

#[test]
fn the_demo_base_has_its_own_ids() {
    check(&files!("../../../native-trainer/demo/base"));
}

#[test]
fn byte_level_bpe_has_its_own_ids() {
    check(&files!("../../../tests/fixtures/tokenizers/byte_level"));
}

#[test]
fn byte_fallback_bpe_has_its_own_ids() {
    check(&files!("../../../tests/fixtures/tokenizers/llama_bpe"));
}

/// Every byte of the header, with the token arrays thinned out: they are most of it.
#[test]
fn no_damage_to_the_header_panics() {
    let files = files!("../../../tests/fixtures/tokenizers/llama_bpe");
    let (_, file) = files.file(&files.read());
    let tokens = file.windows(5).position(|word| word == b"<0x00").unwrap();
    let data = file
        .windows(9)
        .rposition(|word| word == b"ffn_down.")
        .unwrap();
    let places = (0..tokens)
        .chain((tokens..data).step_by(101))
        .chain(data..data + 60);
    let mut n_refused = 0;
    for place in places {
        let mut damaged = file.clone();
        damaged[place] ^= 0x81;
        let opened = Checkpoint::from_gguf(Box::new(damaged), None);
        n_refused += usize::from(opened.is_err());
        let cut: &[u8] = &file[..place];
        assert!(
            Checkpoint::from_gguf(Box::new(cut), None).is_err(),
            "{place}"
        );
    }
    assert!(n_refused > 50, "{n_refused}");
}
