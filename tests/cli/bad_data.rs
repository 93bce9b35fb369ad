//! Datasets that are damaged, strange or not what they seem.

use std::fs;

use crate::binary::{file, fixture, outcome, refused};

/// Training on the data must be refused, and leave nothing behind.
#[track_caller]
fn check(name: &str, content: impl AsRef<[u8]>, expected: &[&str]) {
    let (folder, path) = file(name, content);
    refused(
        &train(&path, folder.path().join("out").to_str().unwrap()),
        expected,
    );
    assert!(
        !folder.path().join("out").exists(),
        "a refused run left a folder"
    );
}

fn train(data: &str, out: &str) -> Vec<String> {
    let model = fixture("models/llama32");
    let model = model.to_str().unwrap();
    [
        "train",
        "--model",
        model,
        "--data",
        data,
        "--out",
        out,
        "--device=cpu",
        "--max-steps=1",
    ]
    .map(String::from)
    .to_vec()
}

#[test]
fn an_empty_file() {
    check("a.jsonl", "", &["empty"]);
}

#[test]
fn a_broken_line_far_down() {
    let mut text = "{\"input_ids\": [1, 2, 3], \"labels\": [1, 2, 3]}\n".repeat(70_000);
    text.push_str("{\"input_ids\": [1, 2\n");
    text.push_str("{\"input_ids\": [1, 2, 3], \"labels\": [1, 2, 3]}\n");
    check("a.jsonl", text, &["70001"]);
}

#[test]
fn labels_of_another_length() {
    check(
        "a.jsonl",
        "{\"input_ids\": [1, 2, 3], \"labels\": [1, 2]}\n",
        &["labels"],
    );
}

#[test]
fn a_picture() {
    check(
        "a.jsonl",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01",
        &["error:"],
    );
}

#[test]
fn a_file_that_is_not_there() {
    refused(
        &train("/no/such/file.jsonl", "/no/such/out"),
        &["/no/such/file.jsonl"],
    );
}

#[test]
fn a_folder_in_place_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    refused(
        &train(folder.path().to_str().unwrap(), "/no/such/out"),
        &["is a folder", "veneer data import"],
    );
}

#[test]
fn a_line_far_over_the_cap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    // Sparse: it takes no room on the disk.
    fs::File::create(&path).unwrap().set_len(256 << 20).unwrap();
    refused(&train(path.to_str().unwrap(), "/no/such/out"), &["64 MiB"]);
}

#[test]
fn tokens_outside_the_vocabulary() {
    let (folder, path) = file(
        "a.jsonl",
        "{\"input_ids\": [1, 2, 640], \"labels\": [1, 2, 640]}\n",
    );
    refused(
        &train(&path, folder.path().join("out").to_str().unwrap()),
        &["640"],
    );
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_enough_ends_the_command_in_peace() {
    let model = fixture("models/llama32");
    let command = format!(
        "set -o pipefail; '{}' generate --model '{}' --ids 1,2 --max-new-tokens 2 --json | true",
        env!("CARGO_BIN_EXE_veneer"),
        model.display()
    );
    let outcome = outcome(std::process::Command::new("bash").args(["-c", &command]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn held_out_records_that_ask_what_is_trained_on() {
    let row = |answer: u32| {
        format!("{{\"input_ids\": [1, 2, {answer}], \"labels\": [-100, -100, {answer}]}}\n")
    };
    let (folder, data) = file("a.jsonl", row(3));
    let out = folder.path().join("out");
    let held_out = folder.path().join("b.jsonl");
    let other = "{\"input_ids\": [5, 6], \"labels\": [-100, 6]}\n";
    fs::write(&held_out, row(4) + other).unwrap();
    let mut words = train(&data, out.to_str().unwrap());
    words.extend(["--eval-data", held_out.to_str().unwrap()].map(String::from));
    refused(
        &words,
        &[
            "of 2 held-out records",
            "1 asks what is trained on",
            "--allow leak",
        ],
    );
    assert!(!out.exists(), "a refused run left a folder");
    words.extend(["--allow", "leak"].map(String::from));
    let allowed = outcome(crate::binary::veneer().args(&words));
    assert_eq!(allowed.code, Some(0), "{allowed:#?}");
    assert!(allowed.stderr.contains("would flatter"), "{allowed:#?}");
}
