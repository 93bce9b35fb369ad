//! The files of the repository with their texts, or a few made up for a test.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// A file: its path from the repository's root, with `/`, and its text (empty when it is binary).
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
    pub text: String,
    pub size: u64,
}

impl File {
    /// Name without folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// True for a Rust source file below `folder`.
    /// A module of tests in a file of its own.
    pub fn is_of_tests(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }

    pub fn is_rust_in(&self, folder: &str) -> bool {
        self.path.ends_with(".rs") && self.path.starts_with(folder)
    }
}

/// What breaks a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub path: String,
    /// From 1; 0 when it is about the whole file.
    pub line: usize,
    pub what: String,
}

impl Violation {
    pub fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Every file that belongs to the repository.
#[derive(Debug, Clone, Default)]
pub struct Tree(Vec<File>);

impl Tree {
    /// A tree for a test.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).into(),
            text: (*text).into(),
            size: text.len() as u64,
        };
        Self(files.iter().map(file).collect())
    }

    /// What git tracks or would track; without git, everything but build folders.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut paths = listed_by_git(root).map_or_else(|| walk(root), Ok)?;
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let full = root.join(&path);
            // A file that was deleted but is still in git's index.
            let Ok(bytes) = fs::read(&full) else { continue };
            let size = bytes.len() as u64;
            files.push(File {
                path,
                text: String::from_utf8(bytes).unwrap_or_default(),
                size,
            });
        }
        Ok(Self(files))
    }

    pub fn files(&self) -> &[File] {
        &self.0
    }

    pub fn file(&self, path: &str) -> Option<&File> {
        self.0.iter().find(|file| file.path == path)
    }
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .current_dir(root)
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .ok()?;
    let listed = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(String::from)
        .collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn walk(root: &Path) -> io::Result<Vec<String>> {
    let skipped = [
        ".git",
        "target",
        ".venv",
        "gpu-kit",
        "node_modules",
        "__pycache__",
    ];
    let mut paths = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if entry.file_type()?.is_dir() {
                if !skipped.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else {
                paths.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(paths)
}
