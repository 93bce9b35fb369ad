//! Runs that are killed or meet a full disk: an exact resume or a clear error, nothing lost.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use crate::binary::{done, fixture, outcome, veneer};

pub(crate) const ADAPTER: &str = "adapter_model.safetensors";

/// A run of twelve steps that saves after each.
pub(crate) fn arguments(out: &Path) -> Vec<String> {
    let path = |name: &str| fixture(name).to_str().unwrap().to_owned();
    let mut words = vec!["train".to_owned(), "--model".into(), path("models/llama32")];
    words.extend(["--data".into(), path("train/lora/data.jsonl")]);
    words.extend(["--out".into(), out.to_str().unwrap().into()]);
    words.extend(
        [
            "--max-steps=12",
            "--num-train-epochs=3",
            "--per-device-train-batch-size=2",
            "--lora-r=4",
            "--lora-dropout=0.1",
            "--learning-rate=0.01",
            "--save-strategy=steps",
            "--save-steps=1",
            "--save-total-limit=2",
            "--device=cpu",
            "--json",
        ]
        .map(String::from),
    );
    words
}

/// Start the run and kill it, without a warning, once it has told `n_steps` steps.
pub(crate) fn kill_after(n_steps: usize, arguments: &[String]) {
    let mut child = veneer()
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let steps = lines
        .map_while(Result::ok)
        .filter(|line| line.contains("\"event\":\"step\""));
    assert_eq!(
        steps.take(n_steps).count(),
        n_steps,
        "the run ended before it could be killed"
    );
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    done(&arguments(&whole));
    let expected = fs::read(whole.join(ADAPTER)).unwrap();

    for n_steps in [1, 5, 11] {
        let killed = folder.path().join(format!("killed-{n_steps}"));
        kill_after(n_steps, &arguments(&killed));
        assert!(
            !killed.join(ADAPTER).exists(),
            "a killed run looks finished"
        );
        done(&[
            "train",
            "--resume",
            killed.to_str().unwrap(),
            "--device=cpu",
            "--json",
        ]);
        let found = fs::read(killed.join(ADAPTER)).unwrap();
        assert!(
            found == expected,
            "killed after {n_steps} steps, the adapter differs"
        );
    }
}

/// A limit on the size of files stands in for a full disk: the write fails in the middle.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let mut command = Command::new("bash");
    command
        .args(["-c", limited, env!("CARGO_BIN_EXE_veneer")])
        .args(arguments(&out));
    let outcome = outcome(&mut command);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.stderr.contains("checkpoint"), "{}", outcome.stderr);
    assert!(!out.join(ADAPTER).exists(), "a failed run looks finished");
    for entry in fs::read_dir(&out).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(
            !name.starts_with("checkpoint-"),
            "half a checkpoint was left: {name}"
        );
    }
}
