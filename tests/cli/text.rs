//! Text as models see it: `inspect --messages` and `tokenize` against what the reference libraries
//! give, and clear words for files that are broken.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::binary::{done, file, fixture, outcome, refused, veneer};

fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

fn golden(path: &str) -> Value {
    let bytes = fs::read(fixture(path)).expect("the golden is there");
    serde_json::from_slice(&bytes).expect("the golden is JSON")
}

fn answer(arguments: &[&str]) -> Value {
    serde_json::from_str(&done(arguments).stdout).expect("one JSON object")
}

/// A folder with some files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("the file is written");
    }
    folder
}

fn sentence_piece(name: &str) -> Vec<u8> {
    fs::read(fixture("sentence_piece").join(name)).expect("the fixture is there")
}

#[test]
fn messages_become_the_references_ids_and_mask() {
    let model = fixture("tokenizers/byte_level");
    let golden = golden("tokenizers/byte_level/golden.json");
    for case in golden["chats"].as_array().expect("chats") {
        let (_folder, path) = file("chat.json", case["messages"].to_string());
        #[rustfmt::skip]
        let said = answer(&[
            "inspect", "--model", text(&model), "--template", "chatml", "--messages", &path, "--json",
        ]);
        assert_eq!(said["ids"], case["ids"]);
        let mask = case["mask"].as_array().expect("a mask").iter();
        let mask: Vec<Value> = mask.map(|bit| json!(*bit == 1)).collect();
        assert_eq!(said["trained"], Value::from(mask));
    }
}

/// A GGUF file, or a folder with nothing but the file of a tokenizer: for datasets and for projects.
#[test]
fn lengths_are_counted_with_any_model() {
    let record = r#"{"prompt": "契約の保険料は?", "completion": "年間 12 000 円です"}"#;
    let data = folder(&[("data.jsonl", record.as_bytes())]);
    let bare = folder(&[("alone.model", &sentence_piece("rinna.model"))]);
    let path = |name: &str| text(&data.path().join(name)).to_owned();
    let of_file = |model: &str| {
        answer(&[
            "data",
            "stats",
            &path("data.jsonl"),
            "--model",
            model,
            "--json",
        ])["tokens"]
            .clone()
    };
    let gguf = fixture("gguf_text/rinna.gguf");
    for (i, model) in [text(&gguf), text(bare.path())].into_iter().enumerate() {
        assert!(of_file(model)["total"].as_u64().is_some_and(|n| n > 5));
        let project = path(&format!("{i}.veneer"));
        done(&["data", "import", &path("data.jsonl"), "--into", &project]);
        let said = answer(&["data", "check", &project, "--model", model, "--json"]);
        assert_eq!(said["text_model"]["n_counted"], 1, "{model}: {said}");
    }
    refused(
        &[
            "data",
            "stats",
            &path("data.jsonl"),
            "--model",
            &path("none.gguf"),
        ],
        &["none.gguf"],
    );
}

#[test]
fn a_gguf_file_brings_its_tokenizer() {
    let golden = golden("gguf_text/golden.json");
    for name in ["t5", "llama", "sentence_piece"] {
        let cases = match name {
            "sentence_piece" => &golden["sentence_piece"],
            name => &golden["pieces"][name],
        };
        let model = fixture("gguf_text").join(format!("{name}.gguf"));
        let case = &cases.as_array().expect("cases")[3];
        let written = case["text"].as_str().expect("a text");
        #[rustfmt::skip]
        let said = answer(&["tokenize", "--model", text(&model), "--text", written, "--json"]);
        assert_eq!(said["ids"], case["ids"], "{name}");
        let (_folder, path) = file(
            "chat.json",
            json!([{"role": "user", "content": written}]).to_string(),
        );
        #[rustfmt::skip]
        let said = answer(&[
            "inspect", "--model", text(&model), "--template", "plain", "--messages", &path, "--json",
        ]);
        let shown = said["text"].as_str().expect("a text");
        assert!(shown.contains(written), "{shown}");
    }
    let folder = folder(&[("cut.gguf", b"GGUF\x03\0\0\0")]);
    let cut = folder.path().join("cut.gguf");
    refused(
        &["tokenize", "--model", text(&cut), "--text", "x"],
        &["cut.gguf"],
    );
}

#[test]
fn a_folder_of_a_tokenizer_and_a_template_is_enough() {
    let tokenizer = fs::read(fixture("tokenizers/byte_level/tokenizer.json")).unwrap();
    let template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n\
                    {% endfor %}{% if tools %}{{ tools | length }} tools{% endif %}\
                    {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    let folder = folder(&[
        ("tokenizer.json", &tokenizer),
        ("chat_template.jinja", template.as_bytes()),
        ("tools.json", b"[{\"type\": \"function\"}]"),
        ("chat.json", br#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}"#),
    ]);
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (model, messages) = (text(folder.path()), path("chat.json"));
    let inspect = |more: &[&str]| {
        let words = [
            "inspect",
            "--json",
            "--model",
            model,
            "--messages",
            &messages,
        ];
        answer(&[&words, more].concat())
    };
    let turns = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb";
    let prompted = inspect(&["--add-generation-prompt", "--tools", &path("tools.json")]);
    let expected = format!("{turns}<|im_end|>\n1 tools<|im_start|>assistant\n");
    assert_eq!(prompted["text"], expected);
    let open = inspect(&["--continue-final-message"]);
    assert_eq!(open["text"], turns);
    let trained = open["trained"].as_array().unwrap();
    assert_eq!(trained.len(), open["ids"].as_array().unwrap().len());
    assert_eq!(
        (trained.first(), trained.last()),
        (Some(&json!(false)), Some(&json!(true)))
    );
    let shown = done(&["inspect", "--model", model, "--messages", &messages]);
    assert!(shown.stdout.contains("⟦b"), "{}", shown.stdout);
}

#[test]
fn tokens_are_those_of_tokenizer_json() {
    let model = fixture("tokenizers/llama_bpe");
    let golden = golden("tokenizers/llama_bpe/golden.json");
    let tokenize = |input: &str, more: &[&str]| {
        let words = [
            "tokenize",
            "--json",
            "--model",
            text(&model),
            "--text",
            input,
        ];
        answer(&[&words, more].concat())
    };
    for case in golden["texts"].as_array().expect("texts") {
        let input = case["text"].as_str().expect("a text");
        let said = tokenize(input, &[]);
        assert_eq!(
            (&said["ids"], &said["decoded"]),
            (&case["ids"], &case["decoded"])
        );
        assert_eq!(tokenize(input, &["--no-special"])["ids"], case["bare_ids"]);
        let count = |key: &str| said[key].as_array().map(Vec::len);
        assert_eq!(
            (count("tokens"), count("offsets")),
            (count("ids"), count("ids"))
        );
    }
}

#[test]
fn a_sentence_piece_file_alone_is_a_tokenizer() {
    let model = folder(&[("tokenizer.model", &sentence_piece("llama.model"))]);
    let golden = golden("sentence_piece/golden.json");
    let texts = golden["texts"].as_array().expect("texts");
    let cases = golden["own"]["llama"].as_array().expect("cases");
    for (input, case) in texts.iter().zip(cases).skip(7).take(8) {
        let (_folder, path) = file("text.txt", input.as_str().expect("a text"));
        #[rustfmt::skip]
        let said = answer(&[
            "tokenize", "--model", text(model.path()), "--file", &path, "--no-special", "--json",
        ]);
        assert_eq!(
            (&said["ids"], &said["offsets"]),
            (&case["ids"], &case["places"]),
            "{input}"
        );
    }
    let words = [
        "tokenize",
        "--model",
        text(model.path()),
        "--text",
        "-1 bank",
    ];
    let shown = done(&words).stdout;
    assert!(
        shown.contains("<s>") && shown.contains("-1 bank"),
        "{shown}"
    );
}

#[test]
fn broken_tokenizers_and_messages_are_named() {
    let whole = sentence_piece("rinna.model");
    let half = folder(&[("spiece.model", &whole[..whole.len() / 2])]);
    let tokenize = ["tokenize", "--model", text(half.path()), "--text", "x"];
    refused(&tokenize, &["spiece.model", "cut short"]);
    let empty = folder(&[("notes.txt", b"")]);
    refused(
        &["tokenize", "--model", text(empty.path()), "--text", "x"],
        &["config.json"],
    );
    let model = fixture("tokenizers/byte_level");
    let (_folder, latin) = file("latin.txt", b"caf\xe9");
    let words = ["tokenize", "--model", text(&model), "--file", &latin];
    refused(&words, &["latin.txt", "UTF-8", "3"]);
    let inspect = |content: &str, expected: &[&str]| {
        let (_folder, path) = file("chat.json", content);
        let words = ["inspect", "--model", text(&model), "--messages", &path];
        refused(&[&words[..], &["--template=gemma"]].concat(), expected);
    };
    inspect("{", &["chat.json", "no JSON"]);
    inspect(r#"{"messages": 3}"#, &["`messages` is a number", "a list"]);
    inspect(r#"[{"role": "assistant", "content": "a"}]"#, &["alternate"]);
}

#[test]
fn a_model_without_a_template_gets_one_by_name() {
    let chats = r#"{"messages":[{"role":"user","content":"¿Qué es un bono?"},{"role":"assistant","content":"Una deuda."}]}"#;
    let (folder, data) = file("chats.jsonl", chats);
    let model = fixture("tokenizers/byte_level");
    let model = model.to_str().unwrap();
    let project = folder.path().join("p.veneer");
    let project = project.to_str().unwrap();
    done(&["data", "import", &data, "--into", project, "--model", model]);

    let check = |words: &[&str]| outcome(veneer().args(["data", "check", project]).args(words));
    let without = check(&[]);
    assert_eq!(without.code, Some(1));
    assert!(
        without.stdout.contains("--chat-template NAME\n"),
        "{without:#?}"
    );
    assert!(without.stdout.contains("(chatml, "), "{without:#?}");
    assert!(!without.stdout.contains("--with trash"), "{without:#?}");

    let named = check(&["--chat-template", "chatml"]);
    assert!(named.stdout.contains("template chatml"), "{named:#?}");
    assert!(named.stdout.contains("No problems."), "{named:#?}");
    // It stays, also for lengths, and can be given back.
    assert_eq!(check(&[]).code, Some(0));
    let stats = |words: &[&str]| -> serde_json::Value {
        let words = [&["data", "stats", "--json"], words].concat();
        serde_json::from_str(&done(&words).stdout).unwrap()
    };
    let of_project = stats(&[project])["tokens"].clone();
    assert!(of_project["total"].as_u64() > Some(0), "{of_project}");
    let of_file = stats(&[&data, "--model", model, "--chat-template", "chatml"]);
    assert_eq!(of_project, of_file["tokens"]);
    assert_eq!(check(&["--chat-template", "own"]).code, Some(1));

    refused(
        &["data", "check", project, "--chat-template", "nope"],
        &["`nope`", "chatml"],
    );
    refused(
        &["data", "check", &data, "--chat-template", "chatml"],
        &["--model MODEL"],
    );
}
