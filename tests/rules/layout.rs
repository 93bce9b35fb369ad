//! Where files lie, how they are called and how long they get.

use std::collections::BTreeSet;

use crate::{
    rust_code::{numbered, without_texts},
    tree::{Tree, Violation},
};

const LINE_LIMIT: usize = 600;

/// Everything that may stand in the top folder.
const TOP_LEVEL: [&str; 21] = [
    ".cargo",
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "Trunk.toml",
    "clippy.toml",
    "core",
    "native-trainer",
    "rust-toolchain.toml",
    "shaders",
    "tests",
    "web",
    "xtask",
];

const SAYS_NOTHING: [&str; 6] = [
    "utils.rs",
    "util.rs",
    "helpers.rs",
    "common.rs",
    "misc.rs",
    "base.rs",
];

/// A source file fits in a head.
pub fn files_are_short(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
    {
        let lines = file.text.lines().count();
        if lines > LINE_LIMIT {
            let what = format!("has {lines} lines, at most {LINE_LIMIT} are wanted: split it");
            violations.push(Violation::new(&file.path, lines, what));
        }
    }
    violations
}

/// No drawers for odds and ends, and no `pub use x::*` that hides where a name comes from.
pub fn names_say_something(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
    {
        if SAYS_NOTHING.contains(&file.name()) {
            violations.push(Violation::new(
                &file.path,
                0,
                "name the file after what it holds",
            ));
        }
        for (line, code) in numbered(&without_texts(&file.text)) {
            let code = code.trim_start();
            if code.starts_with("pub") && code.contains(" use ") && code.contains("::*") {
                violations.push(Violation::new(&file.path, line, "re-exports with a star"));
            }
        }
    }
    violations
}

/// New things find their place in a folder that exists, or change this list on purpose.
pub fn top_level_is_listed(tree: &Tree) -> Vec<Violation> {
    let entries: BTreeSet<&str> = tree
        .files()
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .collect();
    entries
        .into_iter()
        .filter(|entry| !TOP_LEVEL.contains(entry))
        .map(|entry| Violation::new(entry, 0, "is not listed in tests/rules/layout.rs"))
        .collect()
}

/// A test that is switched off, or that passes by panicking somewhere, proves nothing.
pub fn tests_always_run(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
    {
        for (line, code) in numbered(&without_texts(&file.text)) {
            for attribute in ["#[ignore", "#[should_panic"] {
                if code.contains(attribute) {
                    let what = format!("`{attribute}]`: assert what is wanted instead");
                    violations.push(Violation::new(&file.path, line, what));
                }
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let tree = Tree::of(&[("core/src/a.rs", &"\n".repeat(LINE_LIMIT + 1))]);
        assert_eq!(files_are_short(&tree).len(), 1);
        let tree = Tree::of(&[("core/src/a.rs", &"\n".repeat(LINE_LIMIT))]);
        assert!(files_are_short(&tree).is_empty());
    }

    #[test]
    fn a_drawer_is_found() {
        let tree = Tree::of(&[
            ("core/src/text/utils.rs", ""),
            ("core/src/lib.rs", "pub use a::*;"),
        ]);
        assert_eq!(names_say_something(&tree).len(), 2);
    }

    #[test]
    fn a_stray_file_is_found() {
        let tree = Tree::of(&[
            ("core/src/a.rs", ""),
            ("notes.txt", ""),
            ("scripts/a.sh", ""),
        ]);
        let found = top_level_is_listed(&tree);
        assert_eq!(
            found.iter().map(|v| v.path.as_str()).collect::<Vec<_>>(),
            ["notes.txt", "scripts"]
        );
    }

    #[test]
    fn a_test_that_is_switched_off_is_found() {
        let text = "#[test]\n#[ignore]\nfn a() {}\n// #[ignore] in a comment\n";
        assert_eq!(
            tests_always_run(&Tree::of(&[("tests/cli/main.rs", text)])).len(),
            1
        );
    }
}
