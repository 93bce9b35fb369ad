//! Commands that Ctrl-C stops while they write: nothing is left.

#![cfg(unix)]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::binary::{Model, fixture, veneer};

const PATIENCE: Duration = Duration::from_secs(60);

/// Wait for something that another process does.
#[track_caller]
fn wait_until(what: &str, is_so: &mut dyn FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn n_in(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

/// What the command says after it was stopped.
#[track_caller]
fn interrupted(mut child: Child) -> String {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.unwrap().success());
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

/// Writing into a pipe that nobody reads lasts for as long as a test needs. What goes there is put
/// together in the folder for temporary files.
#[test]
fn a_command_that_writes_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rows = "{\"query\": \"a\", \"response\": \"b\"}\n{\"query\": \"c\", \"response\": \"d\"}\n";
    fs::write(at("s.jsonl"), rows).unwrap();
    for pipe in ["out.jsonl", "s.train.jsonl"] {
        let made = Command::new("mkfifo").arg(at(pipe)).status();
        assert!(made.unwrap().success());
    }
    let before = n_in(folder.path());
    let (data, out) = (at("s.jsonl"), at("out.jsonl"));
    for words in [
        &["convert", &data, "--to", "openai", "--out", &out][..],
        &["export", &data, "--to", "openai", "--out", &out],
        &["split", &data, "--val-count", "1"],
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let child = veneer()
            .arg("data")
            .args(words)
            .env("TMPDIR", temporary.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("a temporary file", &mut || n_in(temporary.path()) > 0);
        let said = interrupted(child);
        assert!(said.contains("nothing of it was kept"), "{words:?}: {said}");
        assert_eq!(n_in(temporary.path()), 0, "{words:?}");
    }
    let after = n_in(folder.path());
    // The side that goes into a file is in its place before the pipe is waited for.
    assert!(after <= before + 1, "litter in the folder");
    let names = fs::read_dir(folder.path()).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name());
    assert!(!names.any(|name| name.to_string_lossy().starts_with('.')));
}

/// Enough that writing it takes a while.
#[test]
fn a_repaired_copy_that_is_not_whole_goes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let answer = "Una deuda que puede cambiarse por acciones. ".repeat(100);
    let line = |i| format!("{{\"query\": \"¿Qué es {i}?\", \"response\": \"{answer}\"}}\n");
    fs::write(at("s.jsonl"), (0..20_000).map(line).collect::<String>()).unwrap();
    let child = veneer()
        .args(["data", "check", &at("s.jsonl"), "--fix"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("a temporary file", &mut || n_in(folder.path()) > 1);
    interrupted(child);
    assert_eq!(n_in(folder.path()), 1);
}

/// A license in a pipe that nobody writes to: all else of the folder is there by then.
#[test]
fn a_merged_folder_that_is_not_whole_goes() {
    let model = Model::copy("llama32");
    let license = Path::new(model.path()).join("LICENSE");
    let made = Command::new("mkfifo").arg(license).status();
    assert!(made.unwrap().success());
    let folder = tempfile::tempdir().unwrap();
    let around = folder.path().join("a/b");
    let child = veneer()
        .args(["merge", "--model", model.path()])
        .arg("--adapter")
        .arg(fixture("train/families/tied-head/final_adapter"))
        .arg("--out")
        .arg(around.join("merged"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = |beside: fs::DirEntry| n_in(&beside.path()) > 1;
    wait_until("files of the folder", &mut || {
        let mut besides = fs::read_dir(&around).into_iter().flatten();
        besides.next().is_some_and(|beside| begun(beside.unwrap()))
    });
    let said = interrupted(child);
    assert!(said.contains("nothing of it was kept"), "{said}");
    assert_eq!(n_in(folder.path()), 0);
}
