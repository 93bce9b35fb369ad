//! SentencePiece files as GGUF metadata: what llama.cpp's script writes, read back to the same ids.
//!
//! The files to compare with come from `tests/fixtures/gen/gguf_text.py`, which lays them out as that
//! script does and lets llama.cpp open them.

use serde_json::json;

use super::{ExportError, GgufExport, GgufOptions, TokenizerFiles, VocabularyFile};
use crate::{
    arch::Arch,
    checkpoint::Checkpoint,
    quant::Format,
    text::{ModelText, TextFiles},
    weights::{
        RandomSource,
        gguf::{GgufSource, Value},
    },
};

macro_rules! fixture {
    ($path:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/", $path))
    };
}

/// A `.model` file, what stands beside it, and the file of the script.
struct Files {
    name: &'static str,
    model: &'static [u8],
    config: serde_json::Value,
    expected: &'static [u8],
    n_rows: usize,
}

fn llama() -> Files {
    Files {
        name: "tokenizer.model",
        model: fixture!("sentence_piece/llama.model"),
        config: json!({"tokenizer_class": "LlamaTokenizer", "added_tokens_decoder": {
            "0": {"content": "<unk>", "special": true},
            "620": {"content": "<sep>", "special": true},
            "621": {"content": "<|user|>", "special": false}}}),
        expected: fixture!("gguf_text/llama.gguf"),
        n_rows: 626,
    }
}

fn gemma() -> Files {
    Files {
        name: "tokenizer.model",
        model: fixture!("sentence_piece/gemma.model"),
        config: json!({"tokenizer_class": "GemmaTokenizer"}),
        expected: fixture!("gguf_text/gemma.gguf"),
        n_rows: 640,
    }
}

fn t5() -> Files {
    Files {
        name: "spiece.model",
        model: fixture!("sentence_piece/t5.model"),
        config: json!({"tokenizer_class": "T5Tokenizer", "extra_ids": 0}),
        expected: fixture!("gguf_text/t5.gguf"),
        n_rows: 330,
    }
}

fn rinna() -> Files {
    Files {
        name: "spiece.model",
        model: fixture!("sentence_piece/rinna.model"),
        config: json!({"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "bos_token": "<s>",
            "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "cls_token": "[CLS]",
            "sep_token": "[SEP]", "mask_token": "[MASK]", "additional_special_tokens": []}),
        expected: fixture!("gguf_text/rinna.gguf"),
        n_rows: 544,
    }
}

fn ties() -> Files {
    Files {
        name: "tokenizer.model",
        model: fixture!("sentence_piece/ties.model"),
        config: json!({}),
        expected: fixture!("gguf_text/ties.gguf"),
        n_rows: 8,
    }
}

impl Files {
    fn own(&self) -> ModelText {
        let files = TextFiles {
            sentence_piece: Some((self.name, self.model)),
            tokenizer_config: Some(&serde_json::to_vec(&self.config).unwrap()),
            ..TextFiles::default()
        };
        ModelText::from_files(files, None).unwrap()
    }

    fn arch(&self) -> Arch {
        let config = json!({"model_type": "llama", "vocab_size": self.n_rows, "hidden_size": 8,
            "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8});
        Arch::from_json(config.to_string().as_bytes()).unwrap()
    }

    fn export(&self, pre: Option<&str>) -> Result<GgufExport, ExportError> {
        let own = self.own();
        GgufExport::new(GgufOptions {
            arch: &self.arch(),
            name: "tiny",
            format: Format::F16,
            tokenizer: Some(TokenizerFiles {
                vocabulary: VocabularyFile::SentencePiece {
                    name: self.name,
                    bytes: self.model,
                    config: &own.tokenizer_config,
                },
                tokenizer_config_json: None,
                chat_template: None,
                end_ids: &own.end_token_ids,
                pre,
            }),
        })
    }

    fn read_back(&self) -> ModelText {
        let mut file = Vec::new();
        let weights = RandomSource::new(self.arch(), 7);
        let export = self.export(None).unwrap();
        export.write(&weights, &mut file, &mut |_| ()).unwrap();
        let opened = Checkpoint::from_gguf(Box::new(file), None);
        opened.unwrap().text
    }
}

#[track_caller]
fn check_metadata(files: &Files) {
    let export = files.export(None).unwrap();
    let source = GgufSource::new(files.expected).unwrap();
    let expected = source.metadata().iter();
    let mut n_compared = 0;
    for (name, expected) in expected.filter(|(name, _)| name.starts_with("tokenizer.")) {
        let found = export.metadata().iter().find(|(found, _)| found == name);
        assert_eq!(found.map(|(_, value)| value), Some(expected), "{name}");
        n_compared += 1;
    }
    assert!(n_compared >= 8, "{n_compared}");
}

#[test]
fn metadata_are_those_of_llama_cpps_script() {
    for files in [llama(), gemma(), t5(), rinna(), ties()] {
        check_metadata(&files);
    }
}

#[test]
fn a_file_that_was_exported_gives_the_models_own_ids() {
    let golden: serde_json::Value =
        serde_json::from_slice(fixture!("sentence_piece/golden.json")).unwrap();
    let texts = golden["texts"].as_array().unwrap();
    let mut different = Vec::new();
    for files in [llama(), gemma(), t5(), rinna(), ties()] {
        let (own, read) = (files.own(), files.read_back());
        let (own_tokenizer, tokenizer) = (own.tokenizer().unwrap(), read.tokenizer().unwrap());
        for text in texts {
            let text = text.as_str().unwrap();
            let expected = own_tokenizer.encode(text, false).unwrap();
            let expected: Vec<u32> = expected.iter().map(|token| token.id).collect();
            let found = tokenizer.encode(text, false).unwrap();
            let found: Vec<u32> = found.iter().map(|token| token.id).collect();
            if found != expected {
                different.push((files.n_rows, text, found, expected));
            }
        }
        assert_eq!(read.bos_token_id, own.bos_token_id);
        assert_eq!(read.pad_token_id, own.pad_token_id);
        assert_eq!(read.end_text(), own.end_text());
    }
    // Gemma has pieces of several spaces, which text may also spell with the marks for them; llama.cpp
    // only looks for the spaces.
    let texts: Vec<_> = different
        .iter()
        .map(|(rows, text, ..)| (*rows, *text))
        .collect();
    assert_eq!(texts, [(640, "▁marks ▁▁ here▁")], "{different:?}");
}

#[test]
fn tokens_around_a_text_are_told() {
    let flag = |files: &Files, name: &str| {
        let export = files.export(None).unwrap();
        let name = format!("tokenizer.ggml.{name}");
        let found = export.metadata().iter().find(|(found, _)| *found == name);
        found.map(|(_, value)| value.clone())
    };
    let mut llama = llama();
    assert_eq!(flag(&llama, "add_bos_token"), Some(Value::Bool(true)));
    assert_eq!(flag(&llama, "add_eos_token"), Some(Value::Bool(false)));
    llama.config["add_bos_token"] = json!(false);
    llama.config["add_eos_token"] = json!(true);
    assert_eq!(flag(&llama, "add_bos_token"), Some(Value::Bool(false)));
    assert_eq!(flag(&llama, "add_eos_token"), Some(Value::Bool(true)));
    // A prompt is not to be closed.
    assert_eq!(flag(&t5(), "add_eos_token"), Some(Value::Bool(false)));
}

#[test]
fn what_llama_cpp_does_otherwise_is_told() {
    let notes = |files: &Files| files.export(None).unwrap().notes().join("\n");
    let mut new = llama();
    assert!(!notes(&new).contains("llama.cpp"), "{}", notes(&new));
    assert!(notes(&new).contains("4 of 626 rows"), "{}", notes(&new));
    new.config["legacy"] = json!(false);
    assert!(notes(&new).contains("`legacy` is off"));
    new.config["added_tokens_decoder"]["620"]["lstrip"] = json!(true);
    assert!(notes(&new).contains("take the spaces around them"));
    assert!(notes(&rinna()).contains("in bytes"));
    assert!(notes(&t5()).contains("its end token behind every text"));
}

#[test]
fn what_llama_cpp_cannot_do_is_refused() {
    let refusal = |files: &Files, pre| {
        let error = files.export(pre).unwrap_err();
        assert!(matches!(error, ExportError::PieceFile { .. }), "{error}");
        error.to_string()
    };
    let mut files = t5();
    files.config["legacy"] = json!(false);
    files.config["add_prefix_space"] = json!(false);
    let message = refusal(&files, None);
    assert!(
        message.contains("removes spaces but puts none"),
        "{message}"
    );
    let message = refusal(&llama(), Some("gpt-2"));
    assert!(message.contains("--tokenizer-pre"), "{message}");
    let message = refusal(
        &Files {
            model: fixture!("sentence_piece/unused.model"),
            config: json!({}),
            ..llama()
        },
        None,
    );
    assert!(
        message.contains("pieces for 0 of the 256 bytes"),
        "{message}"
    );
}

#[test]
fn tokens_without_a_row_are_refused() {
    let files = Files {
        n_rows: 621,
        ..llama()
    };
    let error = files.export(None).unwrap_err();
    assert!(
        matches!(error, ExportError::TokenBeyondVocabulary { id: 621, .. }),
        "{error}"
    );
}
