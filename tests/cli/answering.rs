//! The inference engine behind `generate`, `chat` and `bench`, on the processor: the same answers
//! as the training code, and clear words where there can be none.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;

use crate::binary::{Outcome, done, fixture, outcome, refused, veneer};

fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// A GGUF file of a tiny model, without a tokenizer.
fn gguf(model: &str, folder: &Path) -> PathBuf {
    let out = folder.join("model.gguf");
    #[rustfmt::skip]
    done(&[
        "export", "--model", text(&fixture(model)), "--to", "gguf", "--quant", "f16",
        "--without-tokenizer", "--force", "--out", text(&out),
    ]);
    out
}

/// Continues some ids greedily.
fn generate(more: &[&str]) -> Value {
    let words = "generate --ids 1,5,9,2 --max-new-tokens 12 --ignore-eos --json --logits";
    let words: Vec<&str> = words.split(' ').chain(more.iter().copied()).collect();
    serde_json::from_str(&done(&words).stdout).expect("one JSON object")
}

/// The same sums in another order, in f32.
const SUM_TOLERANCE: f64 = 1e-3;

#[track_caller]
fn assert_same(one: &Value, other: &Value) {
    assert_eq!(one["ids"], other["ids"]);
    for key in ["logprobs", "logits"] {
        let numbers = |answer: &Value| -> Vec<f64> {
            let numbers = answer[key].as_array().expect("numbers").iter();
            numbers.map(|x| x.as_f64().expect("a number")).collect()
        };
        let (one, other) = (numbers(one), numbers(other));
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(&other) {
            assert!((one - other).abs() < SUM_TOLERANCE, "{key}: {one} {other}");
        }
    }
}

#[test]
fn a_gguf_file_answers_as_the_folder_it_was_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = gguf("models/llama31-f16", folder.path());
    let trained = fixture("models/llama31-f16");
    let trained = generate(&["--model", text(&trained), "--device", "cpu"]);
    let engine = generate(&["--model", text(&file), "--device", "cpu"]);
    assert_eq!(engine["device"], "cpu");
    assert_eq!(trained["ids"].as_array().map(Vec::len), Some(12));
    assert_same(&trained, &engine);
}

#[test]
fn a_folder_on_the_engine_answers_as_in_training_with_base_and_adapter() {
    let (model, adapter) = (fixture("models/llama32"), fixture("merge/llama32"));
    for adapter in [None, Some(&adapter)] {
        let mut words = vec!["--device", "cpu", "--model", text(&model)];
        words.extend(adapter.iter().flat_map(|dir| ["--adapter", text(dir)]));
        let trained = generate(&words);
        words.extend(["--quant", "f32"]);
        assert_same(&trained, &generate(&words));
    }
}

/// On Mesa's driver too. Without any driver this says so, unless `VENEER_REQUIRE_GPU` is set.
#[test]
fn a_gpu_answers_as_the_processor_does() {
    let (model, adapter) = (fixture("models/llama32"), fixture("merge/llama32"));
    let words = "generate --ids 1,5,9,2 --max-new-tokens 12 --ignore-eos --json --quant q8_0";
    let on = |device: &str| {
        let mut command = veneer();
        command.args(words.split(' ')).args(["--device", device]);
        command.arg("--model").arg(&model);
        outcome(command.arg("--adapter").arg(&adapter))
    };
    let (gpu, cpu) = (on("gpu"), on("cpu"));
    if gpu.code == Some(1) && std::env::var_os("VENEER_REQUIRE_GPU").is_none() {
        eprintln!("skipped: no GPU");
        return;
    }
    let read = |said: &Outcome| -> Value { serde_json::from_str(&said.stdout).expect("JSON") };
    let (gpu, cpu) = (read(&gpu), read(&cpu));
    assert_ne!(gpu["device"], "cpu");
    assert_eq!(gpu["ids"], cpu["ids"]);
}

#[test]
fn several_adapters_answer_in_turn() {
    let (model, adapter) = (fixture("models/llama32"), fixture("merge/llama32"));
    let said = done(&[
        "generate",
        "--ids=1,5,9",
        "--max-new-tokens=4",
        "--ignore-eos",
        "--json",
        "--device=cpu",
        "--quant=f32",
        "--model",
        text(&model),
        "--adapter",
        text(&adapter),
        "--adapter",
        text(&adapter),
    ]);
    let answers: Vec<Value> = said
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = answers
        .iter()
        .filter_map(|a| a["adapter"].as_str())
        .collect();
    assert_eq!(names, ["llama32", "llama32-2"]);
    assert_eq!(answers[0]["ids"], answers[1]["ids"]);
}

#[test]
fn what_cannot_be_answered_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = gguf("models/llama32", folder.path());
    let ask = |model: &Path, more: &[&str]| -> Vec<String> {
        let words = ["generate", "--device=cpu", "--model", text(model)];
        let words = words.iter().chain(more);
        words.map(|word| (*word).to_owned()).collect()
    };
    let context = ["--context=3", "--ids=1,5,9,2"];
    refused(&ask(&file, &context), &["4 tokens", "holds 3", "context"]);
    let outside = ["--ids=1,4000000000"];
    refused(&ask(&file, &outside), &["4000000000", "vocabulary"]);
    let sampling = ["--ids=1", "--min-p=1.5"];
    refused(&ask(&file, &sampling), &["min_p", "1.5"]);
    let quantized = ["--ids=1", "--quant=q4_0"];
    refused(&ask(&file, &quantized), &["--quant", "already"]);
    let training = ["--ids=1", "--stop=x"];
    let model = fixture("models/llama32");
    refused(&ask(&model, &training), &["--stop", "--device gpu"]);

    let qwen2 = gguf("models/qwen2", folder.path());
    let adapter = fixture("merge/llama32");
    let other = ["--ids=1", "--adapter", text(&adapter)];
    refused(
        &ask(&qwen2, &other),
        &["another model, 7 mismatch(es)", "merge/llama32"],
    );
}

#[test]
fn broken_gguf_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read(gguf("models/llama32", folder.path())).unwrap();
    let broken = folder.path().join("broken.gguf");
    let check = |bytes: &[u8], expected: &[&str]| {
        fs::write(&broken, bytes).unwrap();
        let words = [
            "generate",
            "--ids=1",
            "--device=cpu",
            "--model",
            text(&broken),
        ];
        let mut all = vec!["broken.gguf"];
        all.extend(expected);
        refused(&words, &all);
    };
    check(b"", &["is empty"]);
    check(b"GGML of old, which is something else", &["GGUF"]);
    check(&good[..good.len() / 2], &[]);
    check(&good[..20], &[]);
    let mut counts = good.clone();
    counts[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    check(&counts, &[]);
}

#[test]
fn a_conversation_goes_on_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("chat.jsonl");
    let mut child = veneer()
        .args(["chat", "--model=demo", "--device=cpu", "--max-new-tokens=4"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = format!(
        "/system Sé breve.\nHola\n/retry\n/nonsense\n/adapter other\nAdiós\n/undo\n/save {}\n/quit\n",
        saved.display()
    );
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    for expected in [
        "no command /nonsense",
        "no adapter `other`",
        "saved as line 1",
    ] {
        assert!(said.contains(expected), "expected `{expected}` in\n{said}");
    }
    assert!(!String::from_utf8_lossy(&output.stdout).contains('\x1b'));
    let chat: Value = serde_json::from_str(&fs::read_to_string(&saved).unwrap()).unwrap();
    let messages = chat["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().filter_map(|m| m["role"].as_str()).collect();
    assert_eq!(roles, ["system", "user", "assistant"], "{chat}");
    assert_eq!(messages[1]["content"], "Hola");
}

#[test]
fn benches_check_before_they_time() {
    let model = fixture("models/llama32");
    let words = "bench decode --device cpu --prompt-tokens 4 --tokens 3 --runs 1 --json --model";
    let words: Vec<&str> = words.split(' ').chain([text(&model)]).collect();
    let said: Value = serde_json::from_str(&done(&words).stdout).unwrap();
    assert!(said["decode_tokens_per_second"].as_f64().unwrap() > 0.0);
    assert!(said["checked"]["relative_error"].as_f64().unwrap() < 1e-3);
    assert!(said["weight_bytes_per_token"].as_u64().unwrap() > 0);

    let adapter = fixture("merge/llama32");
    let words = "bench adapters --device cpu --json --model";
    let words: Vec<&str> = words.split(' ').chain([text(&model)]).collect();
    let words = [&words[..], &["--adapter", text(&adapter)]].concat();
    let said: Value = serde_json::from_str(&done(&words).stdout).unwrap();
    let ways = said["ways"].as_array().unwrap();
    let names: Vec<&str> = ways.iter().filter_map(|way| way["way"].as_str()).collect();
    assert_eq!(names, ["beside", "merged", "switched"]);
    for way in ways {
        assert!(
            way["drift"]["relative_error"].as_f64().unwrap() > 0.0,
            "{way}"
        );
    }
}

#[test]
fn too_long_for_the_context_is_said_before_loading() {
    let model = fixture("models/llama32");
    let words = [
        "bench",
        "prefill",
        "--device=cpu",
        "--context=8",
        "--model",
        text(&model),
    ];
    let said = outcome(veneer().args(words));
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.stderr.contains("--context"), "{said:#?}");
}
