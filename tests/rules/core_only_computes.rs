//! `core` takes bytes and values and returns values, so that one crate serves the browser too.

use crate::{
    rust_code::{numbered, without_tests, without_texts},
    tree::{Tree, Violation},
};

/// What reaches outside, and what to do instead.
const OUTSIDE: [(&str, &str); 13] = [
    ("std::fs", "take bytes"),
    ("std::net", "take bytes"),
    ("std::env", "take the value as an argument"),
    ("std::process", "leave processes to the edges"),
    ("std::thread", "wasm32 has no threads"),
    ("std::io::stdin", "take bytes"),
    ("std::io::stdout", "return the value"),
    ("Instant::now", "take the time as an argument"),
    ("SystemTime::now", "take the time as an argument"),
    ("println!", "return the value"),
    ("eprintln!", "return the value"),
    ("print!", "return the value"),
    ("dbg!", "return the value"),
];

/// Files, sockets, clocks, environment and standard output belong to the edges, and to tests.
pub fn no_input_or_output(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.is_rust_in("core/src/") && !file.is_of_tests())
    {
        for (line, code) in numbered(&without_texts(without_tests(&file.text))) {
            let code = code.replace(' ', "");
            if let Some((what, instead)) = OUTSIDE.iter().find(|(what, _)| code.contains(what)) {
                violations.push(Violation::new(
                    &file.path,
                    line,
                    format!("`{what}` in core; {instead}"),
                ));
            }
        }
    }
    violations
}

/// Files that ask: the browser's devices, and the vectors of a processor.
const MAY_ASK: [&str; 2] = ["core/src/gpu/device.rs", "core/src/infer/cpu/widest.rs"];

/// Only the GPU device differs between targets inside core.
pub fn no_target_checks(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let allowed = |path: &str| MAY_ASK.contains(&path);
    for file in tree
        .files()
        .iter()
        .filter(|file| file.is_rust_in("core/src/"))
    {
        if allowed(&file.path) {
            continue;
        }
        for (line, code) in numbered(&without_texts(&file.text)) {
            if code.contains("target_arch") || code.contains("target_family") {
                let what =
                    "asks for the target; only core/src/gpu/device.rs and infer/cpu/widest.rs do";
                violations.push(Violation::new(&file.path, line, what));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_read_in_core_is_found() {
        let bad = "//! std::fs is not used here.\nuse std::fs;\nfn a() { println!(\"x\") }\n";
        let tree = Tree::of(&[
            ("core/src/data/read.rs", bad),
            ("native-trainer/src/a.rs", bad),
        ]);
        let found = no_input_or_output(&tree);
        assert_eq!(found.iter().map(|v| v.line).collect::<Vec<_>>(), [2, 3]);
        assert!(found.iter().all(|v| v.path == "core/src/data/read.rs"));
    }

    #[test]
    fn unit_tests_may_do_more() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { std::fs::read(\"c\"); } }\n";
        assert!(no_input_or_output(&Tree::of(&[("core/src/a.rs", text)])).is_empty());
    }

    #[test]
    fn a_target_check_is_found() {
        let bad = "#[cfg(target_arch = \"wasm32\")]\nfn a() {}\n";
        let tree = Tree::of(&[("core/src/rng.rs", bad), ("core/src/gpu/device.rs", bad)]);
        let found = no_target_checks(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "core/src/rng.rs");
    }
}
