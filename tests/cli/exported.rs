//! What leaves Veneer: merged folders and GGUF files.

use std::{fs, path::Path};

use serde_json::Value;

use crate::binary::{Model, done, fixture, refused};

fn text(path: &Path) -> String {
    path.to_str().expect("test paths are UTF-8").to_owned()
}

fn arguments(words: &str, paths: &[(&str, &Path)]) -> Vec<String> {
    let mut arguments: Vec<String> = words.split(' ').map(String::from).collect();
    for (flag, path) in paths {
        arguments.extend([(*flag).to_owned(), text(path)]);
    }
    arguments
}

fn json(arguments: &[String]) -> Value {
    serde_json::from_str(&done(arguments).stdout).expect("one JSON object")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder exists");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("names are UTF-8"))
        .collect();
    names.sort();
    names
}

fn logits(model: &Path, adapter: Option<&Path>) -> Vec<f64> {
    let words = "generate --ids 1,5,9 --max-new-tokens 1 --device cpu --ignore-eos --json --logits";
    let mut paths = vec![("--model", model)];
    paths.extend(adapter.map(|adapter| ("--adapter", adapter)));
    let answer = json(&arguments(words, &paths));
    let logits = answer["logits"].as_array().expect("logits");
    logits
        .iter()
        .map(|x| x.as_f64().expect("a number"))
        .collect()
}

/// The same sums in another order, in f32.
const SUM_TOLERANCE: f64 = 1e-4;
/// Weights of ten bits, in logits of a few units.
const F16_TOLERANCE: f64 = 1e-2;

#[test]
fn a_merged_model_computes_what_base_and_adapter_do() {
    let (base, adapter) = (fixture("models/llama32"), fixture("merge/llama32"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("merged");
    let paths = [
        ("--model", &*base),
        ("--adapter", &*adapter),
        ("--out", &*out),
    ];
    let said = json(&arguments("merge --json --max-shard-size 40KB", &paths));
    assert_eq!(said["dtype"], "F32");
    assert_eq!(said["check"]["top1_agreement"], 1.0);
    assert_eq!(
        names(&out),
        [
            "config.json",
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json",
        ]
    );
    assert_eq!(names(folder.path()), ["merged"], "nothing else is left");
    let (apart, merged) = (logits(&base, Some(&adapter)), logits(&out, None));
    assert_eq!(apart.len(), merged.len());
    for (apart, merged) in apart.iter().zip(&merged) {
        assert!((apart - merged).abs() < SUM_TOLERANCE, "{apart} {merged}");
    }
    refused(
        &arguments("merge", &paths),
        &["merged` is not empty", "--out"],
    );
}

#[test]
fn a_pair_on_a_tied_head_gives_the_merged_model_a_head_of_its_own() {
    let base = fixture("models/llama32");
    let adapter = fixture("train/families/tied-head/final_adapter");
    let folder = tempfile::tempdir().unwrap();
    let (out, gguf) = (folder.path().join("merged"), folder.path().join("m.gguf"));
    let paths = |out| {
        [
            ("--model", &*base),
            ("--adapter", &*adapter),
            ("--out", out),
        ]
    };
    done(&arguments("merge --json", &paths(&out)));
    let config = fs::read(out.join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["tie_word_embeddings"], false);
    let export = "export --to gguf --quant f16 --without-tokenizer";
    done(&arguments(export, &paths(&gguf)));
    let apart = logits(&base, Some(&adapter));
    assert_ne!(apart, logits(&base, None));
    for (merged, tolerance) in [(&out, SUM_TOLERANCE), (&gguf, F16_TOLERANCE)] {
        let merged = logits(merged, None);
        assert_eq!(apart.len(), merged.len());
        for (apart, merged) in apart.iter().zip(&merged) {
            assert!((apart - merged).abs() < tolerance, "{apart} {merged}");
        }
    }
}

#[test]
fn an_adapter_for_another_model_is_refused_with_every_reason() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("merged");
    let (model, adapter) = (fixture("models/qwen2"), fixture("merge/llama32"));
    let paths = [
        ("--model", &*model),
        ("--adapter", &*adapter),
        ("--out", &*out),
    ];
    refused(
        &arguments("merge", &paths),
        &[
            "another model, 7 mismatch(es)",
            "`model.layers.0.mlp.down_proj` is [32, 48] in the model, [32, 40] in the adapter",
            "no layer `model.layers.2.self_attn.q_proj`",
            "tests/fixtures/models/llama32",
        ],
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_gguf_file_is_written_with_its_modelfile_and_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let model = fixture("models/qwen2");
    for (quant, most) in [("f16", 0.01), ("q8_0", 0.25), ("q4_0", 0.8)] {
        let out = folder.path().join(quant);
        let words = format!("export --to gguf --quant {quant} --without-tokenizer --json");
        let said = json(&arguments(
            &words,
            &[("--model", &*model), ("--out", &*out)],
        ));
        let file = format!("qwen2-{quant}.gguf");
        assert_eq!(said["path"], text(&out.join(&file)));
        assert_eq!(names(&out), ["Modelfile".to_owned(), file.clone()]);
        let bytes = fs::read(out.join(&file)).unwrap();
        assert!(bytes.starts_with(b"GGUF\x03\0\0\0"));
        assert_eq!(said["bytes"], bytes.len());
        let check = &said["check"];
        assert_eq!(check["n_positions"], 128);
        assert!(check["relative_error"].as_f64().unwrap() < most, "{check}");
        let modelfile = fs::read_to_string(out.join("Modelfile")).unwrap();
        assert!(modelfile.starts_with(&format!("FROM ./{file}\n")));
    }
}

#[test]
fn a_gguf_file_that_is_there_is_replaced_only_on_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let (model, out) = (fixture("models/qwen2"), folder.path().join("m.gguf"));
    fs::write(&out, "mine").unwrap();
    let paths = [("--model", &*model), ("--out", &*out)];
    let export = "export --to gguf --quant f16 --without-tokenizer";
    refused(&arguments(export, &paths), &["exists already", "--force"]);
    assert_eq!(fs::read(&out).unwrap(), b"mine");
    assert_eq!(names(folder.path()), ["m.gguf"]);
    done(&arguments(&format!("{export} --force"), &paths));
    assert!(fs::read(&out).unwrap().starts_with(b"GGUF"));
    refused(
        &arguments("export --to safetensors --force", &paths),
        &["--force", "not written over"],
    );
}

#[test]
fn a_model_without_tokenizer_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.gguf");
    let model = fixture("models/llama32");
    refused(
        &arguments(
            "export --to gguf",
            &[("--model", &*model), ("--out", &*out)],
        ),
        &["tokenizer.json", "--without-tokenizer"],
    );
    assert!(names(folder.path()).is_empty());
}

/// As rinna publishes its models: no tokenizer.json, a file of pieces with a class beside it.
#[test]
fn a_sentence_piece_file_goes_into_the_file() {
    let model = Model::copy("llama32");
    let pieces = fs::read(fixture("sentence_piece/ties.model")).unwrap();
    fs::write(model.0.path().join("spiece.model"), pieces).unwrap();
    let beside = r#"{"tokenizer_class": "T5Tokenizer", "extra_ids": 0}"#;
    fs::write(model.0.path().join("tokenizer_config.json"), beside).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.gguf");
    let paths = [("--model", Path::new(model.path())), ("--out", &*out)];
    done(&arguments("export --to gguf --quant f16", &paths));
    let tokenize = |model: &Path| {
        let paths = [("--model", model)];
        let mut words = arguments("tokenize --no-special --json", &paths);
        words.extend(["--text".to_owned(), "1b b1, 1  b".to_owned()]);
        json(&words)["ids"].clone()
    };
    assert_eq!(tokenize(&out), tokenize(Path::new(model.path())));
}

#[test]
fn weights_that_are_no_numbers_leave_nothing_behind() {
    let model = Model::copy("llama32");
    model.weights(|bytes| {
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    let folder = tempfile::tempdir().unwrap();
    for words in [
        "export --to gguf --without-tokenizer",
        "export --to safetensors",
    ] {
        let out = folder.path().join("out");
        let paths = [("--model", Path::new(model.path())), ("--out", &*out)];
        refused(&arguments(words, &paths), &["NaN", "model."]);
        let left = fs::read_dir(&out).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{words}");
    }
}

#[test]
fn quantized_safetensors_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let model = fixture("models/llama32");
    let paths = [("--model", &*model), ("--out", &*out)];
    refused(
        &arguments("export --to safetensors --quant q8_0", &paths),
        &["--quant", "--to gguf"],
    );
}
