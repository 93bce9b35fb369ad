//! Running `veneer`, and making inputs for it.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The binary with nothing of this machine's settings.
pub(crate) fn veneer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veneer"));
    command
        .stdin(Stdio::null())
        .env_remove("HF_TOKEN")
        .env("HF_HUB_OFFLINE", "1");
    command
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().expect("the binary starts");
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A command that must end well.
#[track_caller]
pub(crate) fn done<S: AsRef<OsStr>>(arguments: &[S]) -> Outcome {
    let outcome = outcome(veneer().args(arguments));
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    outcome
}

/// A command that must refuse its input: exit code 1, and a text that says all of `expected`.
#[track_caller]
pub(crate) fn refused<S: AsRef<OsStr>>(arguments: &[S], expected: &[&str]) {
    let outcome = outcome(veneer().args(arguments));
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    for text in expected {
        assert!(said.contains(text), "expected `{text}` in\n{said}");
    }
}

/// A file under `tests/fixtures`.
pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(path)
}

/// A copy of a tiny model, to be damaged.
pub(crate) struct Model(pub(crate) tempfile::TempDir);

impl Model {
    pub(crate) fn copy(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in ["config.json", "model.safetensors"] {
            fs::copy(
                fixture("models").join(name).join(file),
                folder.path().join(file),
            )
            .expect("the fixture is copied");
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().expect("temporary folders are UTF-8")
    }

    /// Change the weight file.
    pub(crate) fn weights(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.0.path().join("model.safetensors");
        let mut bytes = fs::read(&path).expect("the copy is there");
        change(&mut bytes);
        fs::write(&path, bytes).expect("the copy is writable");
    }

    /// Change the text of a file.
    pub(crate) fn text(&self, file: &str, change: impl FnOnce(String) -> String) {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).expect("the copy is there");
        fs::write(&path, change(text)).expect("the copy is writable");
    }
}

/// A folder with one file.
pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("the file is written");
    let text = path
        .to_str()
        .expect("temporary folders are UTF-8")
        .to_owned();
    (folder, text)
}
