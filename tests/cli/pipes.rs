//! Pipes in place of files: read whole, by every command that takes a dataset.

#![cfg(unix)]

use std::{fs, process::Command};

use serde_json::Value;

use crate::{
    binary::{Outcome, file, fixture, outcome, veneer},
    studio::Studio,
};

/// Runs `veneer` with these words, which a shell reads; `$1` is the file.
fn shell(words: &str, file: &str) -> Outcome {
    let script = format!("exec \"$0\" {words}");
    let mut command = Command::new("bash");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_veneer"), file]);
    command.env("HF_HUB_OFFLINE", "1");
    outcome(&mut command)
}

#[track_caller]
fn json(words: &str, file: &str) -> Value {
    let outcome = shell(words, file);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// More than a pipe holds at once.
const N_RECORDS: usize = 1000;

fn records() -> (tempfile::TempDir, String) {
    let line = |i| format!("{{\"instruction\": \"question {i}\", \"output\": \"answer {i}\"}}\n");
    file("s.jsonl", (0..N_RECORDS).map(line).collect::<String>())
}

#[test]
fn a_pipe_is_read_from_its_beginning() {
    let (folder, path) = records();
    for words in [
        "data check <(cat \"$1\") --json",
        "data check /dev/stdin --json < <(cat \"$1\")",
        "data stats <(cat \"$1\") --json",
    ] {
        assert_eq!(json(words, &path)["n_records"], N_RECORDS, "{words}");
    }
    let into = folder.path().join("p.veneer");
    let import = format!(
        "data import <(cat \"$1\") --json --into '{}'",
        into.display()
    );
    assert_eq!(json(&import, &path)["n_records"], N_RECORDS);
    let fixed = folder.path().join("fixed.jsonl");
    let fix = format!(
        "data check <(cat \"$1\") --json --fix '{}'",
        fixed.display()
    );
    assert_eq!(json(&fix, &path)["fixed"]["n_records"], N_RECORDS);
}

#[test]
fn a_named_pipe_is_converted_and_exported() {
    let studio = Studio::new();
    let (_folder, path) = records();
    let pipe = studio.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for command in ["convert", "export"] {
        let out = studio.path(&format!("{command}.jsonl"));
        let fed = {
            let (pipe, path) = (pipe.clone(), path.clone());
            std::thread::spawn(move || fs::copy(path, pipe))
        };
        let words = ["data", command, &pipe, "--to", "openai", "--out", &out];
        let outcome = outcome(veneer().args(words));
        assert_eq!(outcome.code, Some(0), "{outcome:#?}");
        fed.join().unwrap().unwrap();
        let n = fs::read_to_string(&out).unwrap().lines().count();
        assert_eq!(n, N_RECORDS, "{command}");
    }
}

#[test]
fn a_pipe_is_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (fixture("models/llama32"), fixture("train/lora/data.jsonl"));
    let n = fs::read_to_string(&data).unwrap().lines().count();
    let train = format!(
        "train --model '{}' --data <(cat \"$1\") --eval-data <(cat \"$1\") --allow=leak --out '{}' \
         --device=cpu --max-steps=1 --json",
        model.display(),
        folder.path().join("run").display()
    );
    let outcome = shell(&train, data.to_str().unwrap());
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let expected = format!("\"n_examples\":{n},");
    assert!(outcome.stdout.contains(&expected), "{}", outcome.stdout);
}

#[test]
fn what_is_named_after_a_pipe_is_refused() {
    let (_folder, path) = records();
    for (words, reason) in [
        (
            "data split <(cat \"$1\") --val 0.1",
            "not standard input or a pipe",
        ),
        ("data check <(cat \"$1\") --fix", "--fix OUT"),
        ("data check /dev/zero", "is a device"),
    ] {
        let outcome = shell(words, &path);
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(outcome.stderr.contains(reason), "{outcome:#?}");
    }
}
