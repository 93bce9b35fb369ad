//! Models and adapters that are damaged, strange or not what they seem.

use std::fs;

use crate::binary::{Model, done, fixture, refused};

fn generate(model: &str) -> Vec<String> {
    [
        "generate",
        "--model",
        model,
        "--ids=1,5,9",
        "--max-new-tokens=2",
        "--device=cpu",
        "--json",
    ]
    .map(String::from)
    .to_vec()
}

/// The header's length and its JSON, followed by the data.
fn header(bytes: &[u8]) -> (usize, String) {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    (
        8 + length,
        String::from_utf8(bytes[8..8 + length].to_vec()).expect("the header is UTF-8"),
    )
}

/// Another header before the same data.
fn with_header(bytes: &[u8], change: impl FnOnce(String) -> String) -> Vec<u8> {
    let (data, text) = header(bytes);
    let text = change(text);
    [
        &(text.len() as u64).to_le_bytes(),
        text.as_bytes(),
        &bytes[data..],
    ]
    .concat()
}

#[test]
fn a_whole_model_works() {
    let said = done(&generate(Model::copy("llama32").path()));
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["ids"].as_array().unwrap().len(), 2, "{answer}");
}

#[test]
fn truncated_weights() {
    let model = Model::copy("llama2");
    model.weights(|bytes| bytes.truncate(bytes.len() - 1000));
    refused(&generate(model.path()), &["model.safetensors"]);
    model.weights(|bytes| bytes.truncate(100));
    refused(&generate(model.path()), &["model.safetensors"]);
    model.weights(Vec::clear);
    refused(&generate(model.path()), &["model.safetensors"]);
}

#[test]
fn a_header_that_claims_terabytes() {
    let model = Model::copy("llama2");
    model.weights(|bytes| bytes[..8].copy_from_slice(&(5_u64 << 40).to_le_bytes()));
    refused(&generate(model.path()), &["model.safetensors"]);
}

#[test]
fn a_tensor_that_claims_terabytes() {
    let model = Model::copy("llama2");
    model.weights(|bytes| {
        *bytes = with_header(bytes, |text| {
            text.replacen("[0,8192]", "[0,8796093022208]", 1)
        });
    });
    refused(&generate(model.path()), &["model.safetensors"]);
}

#[test]
fn a_header_with_a_flipped_bit() {
    let model = Model::copy("llama2");
    model.weights(|bytes| bytes[9] ^= 0x40);
    refused(&generate(model.path()), &["model.safetensors"]);
}

#[test]
fn numbers_that_are_not_numbers() {
    let model = Model::copy("llama2");
    model.weights(|bytes| {
        let end = bytes.len();
        bytes[end - 400..end - 396].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    refused(&generate(model.path()), &["NaN"]);
}

#[test]
fn an_integer_tensor_as_weight() {
    let model = Model::copy("llama2");
    model.weights(|bytes| {
        *bytes = with_header(bytes, |text| text.replacen("\"F32\"", "\"I32\"", 1));
    });
    refused(&generate(model.path()), &["I32"]);
}

#[test]
fn a_missing_tensor_is_named() {
    let model = Model::copy("llama2");
    model.weights(|bytes| {
        *bytes = with_header(bytes, |text| {
            text.replacen("layers.1.mlp.up_proj", "layers.9.mlp.up_proj", 1)
        });
    });
    refused(
        &generate(model.path()),
        &["model.layers.1.mlp.up_proj.weight"],
    );
}

#[test]
fn a_config_of_another_shape() {
    let model = Model::copy("llama2");
    model.text("config.json", |text| {
        text.replace("\"hidden_size\": 32", "\"hidden_size\": 48")
    });
    refused(&generate(model.path()), &["48"]);
}

#[test]
fn an_unknown_family() {
    let model = Model::copy("llama2");
    model.text("config.json", |text| {
        text.replace("\"llama\"", "\"perceptron9\"")
    });
    refused(&generate(model.path()), &["perceptron9", "llama"]);
}

#[test]
fn a_config_that_is_no_json() {
    let model = Model::copy("llama2");
    model.text("config.json", |text| text[..text.len() / 2].to_owned());
    refused(&generate(model.path()), &["config.json"]);
}

#[test]
fn absurd_sizes_in_a_config() {
    for (name, value) in [
        ("vocab_size", "18446744073709551615"),
        ("num_hidden_layers", "4000000000"),
        ("num_attention_heads", "0"),
        ("hidden_size", "-1"),
    ] {
        let model = Model::copy("llama2");
        model.text("config.json", |text| {
            let lines = text
                .lines()
                .map(|line| match line.contains(&format!("\"{name}\"")) {
                    true => format!("\"{name}\": {value},"),
                    false => line.to_owned(),
                });
            lines.collect::<Vec<_>>().join("\n")
        });
        refused(&generate(model.path()), &["error:"]);
    }
}

#[test]
fn token_ids_outside_the_vocabulary() {
    let model = Model::copy("llama2");
    let arguments = [
        "generate",
        "--model",
        model.path(),
        "--ids=1,64",
        "--device=cpu",
        "--json",
    ];
    refused(&arguments, &["64"]);
}

#[test]
fn an_adapter_for_another_model() {
    let model = Model::copy("qwen3");
    let adapter = fixture("train/lora/final_adapter");
    let mut arguments = generate(model.path());
    arguments.extend(["--adapter".into(), adapter.to_str().unwrap().to_owned()]);
    refused(&arguments, &["adapter"]);
}

#[test]
fn an_adapter_given_as_model() {
    let adapter = fixture("train/lora/final_adapter");
    refused(
        &generate(adapter.to_str().unwrap()),
        &["LoRA adapter", "--adapter"],
    );
}

#[test]
fn a_tokenizer_that_is_no_json() {
    let model = Model::copy("llama2");
    fs::write(model.0.path().join("tokenizer.json"), "{\"version\": ").unwrap();
    let arguments = [
        "generate",
        "--model",
        model.path(),
        "--prompt=hello",
        "--device=cpu",
    ];
    refused(&arguments, &["tokenizer.json"]);
}
