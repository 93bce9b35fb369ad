//! A kernel that no table names is never validated.

use crate::tree::{Tree, Violation};

/// Each `.wgsl` file is included by a file of `core/src/gpu`.
pub fn are_registered(tree: &Tree) -> Vec<Violation> {
    let tables: Vec<&str> = tree
        .files()
        .iter()
        .filter(|file| file.is_rust_in("core/src/gpu/"))
        .map(|file| file.text.as_str())
        .collect();
    tree.files()
        .iter()
        .filter(|file| file.path.starts_with("shaders/") && file.path.ends_with(".wgsl"))
        .filter(|file| {
            !tables
                .iter()
                .any(|table| table.contains(&format!("{}\"", file.path)))
        })
        .map(|file| Violation::new(&file.path, 0, "no table in core/src/gpu includes it"))
        .collect()
}

/// A `var` inside a loop says its first value. Without one WGSL has it zero in every round, but
/// Chromium kept the value of the round before.
pub fn loops_set_their_variables(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let files = tree.files().iter();
    for file in files.filter(|file| file.path.ends_with(".wgsl")) {
        // For every open brace, whether it belongs to a loop.
        let mut open = Vec::new();
        for (number, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default().trim();
            let sets_nothing = code.starts_with("var ") && !code.contains('=');
            if sets_nothing && open.contains(&true) {
                let what = "a variable of a loop has no first value";
                violations.push(Violation::new(&file.path, number + 1, what));
            }
            let is_loop = ["for ", "for(", "while ", "loop "]
                .iter()
                .any(|word| code.starts_with(word));
            for c in code.chars() {
                match c {
                    '{' => open.push(is_loop),
                    '}' => drop(open.pop()),
                    _ => {}
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
    fn a_variable_that_a_loop_does_not_set_is_found() {
        let bad = "fn main() {\n    var a: f32;\n    for (;;) {\n        if x {\n            var b: f32;\n        }\n    }\n    var c: f32;\n}\n";
        let found = loops_set_their_variables(&Tree::of(&[("shaders/a.wgsl", bad)]));
        assert_eq!(found.iter().map(|v| v.line).collect::<Vec<_>>(), [5]);
        let good = bad.replace("var b: f32;", "var b = 0.0;");
        assert!(loops_set_their_variables(&Tree::of(&[("shaders/a.wgsl", &good)])).is_empty());
    }

    #[test]
    fn a_forgotten_kernel_is_found() {
        let tree = Tree::of(&[
            ("shaders/known.wgsl", ""),
            ("shaders/forgotten.wgsl", ""),
            (
                "core/src/gpu/kernels.rs",
                "include_str!(\"../../../shaders/known.wgsl\")",
            ),
        ]);
        let found = are_registered(&tree);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "shaders/forgotten.wgsl");
    }
}
