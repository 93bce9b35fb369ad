//! Reference numbers are only worth what is known of their making.

use std::collections::BTreeSet;

use crate::tree::{Tree, Violation};

const FIXTURES: &str = "tests/fixtures/";
const GENERATORS: &str = "tests/fixtures/gen/";

/// A reviewer reads fixtures as a diff.
const SIZE_LIMIT: u64 = 100 * 1024;

/// Each folder has a `PROVENANCE.md`, and each script that it names exists.
pub fn have_provenance(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for folder in folders(tree) {
        let path = format!("{FIXTURES}{folder}/PROVENANCE.md");
        let Some(file) = tree.file(&path).filter(|file| !file.text.trim().is_empty()) else {
            let what = "is missing: say which script, versions, command and date made the files";
            violations.push(Violation::new(&path, 0, what));
            continue;
        };
        for script in named_scripts(&file.text) {
            if tree.file(&format!("{GENERATORS}{script}")).is_none() {
                let what = format!("names `gen/{script}`, which does not exist");
                violations.push(Violation::new(&path, 0, what));
            }
        }
    }
    violations
}

/// No file is too large to be looked at.
pub fn are_small(tree: &Tree) -> Vec<Violation> {
    let too_large =
        |file: &&crate::tree::File| file.path.starts_with(FIXTURES) && file.size > SIZE_LIMIT;
    let violation = |file: &crate::tree::File| {
        let what = format!("has {} bytes, at most {SIZE_LIMIT} are wanted", file.size);
        Violation::new(&file.path, 0, what)
    };
    tree.files()
        .iter()
        .filter(too_large)
        .map(violation)
        .collect()
}

fn folders(tree: &Tree) -> BTreeSet<&str> {
    tree.files()
        .iter()
        .filter(|file| !file.path.starts_with(GENERATORS))
        .filter_map(|file| Some(file.path.strip_prefix(FIXTURES)?.split_once('/')?.0))
        .collect()
}

/// Names after `gen/`, such as `logits.py`.
fn named_scripts(text: &str) -> Vec<&str> {
    text.match_indices("gen/")
        .filter_map(|(at, found)| {
            let rest = &text[at + found.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"_-.".contains(c));
            let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            name.ends_with(".py").then_some(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_provenance_is_found() {
        let tree = Tree::of(&[
            (
                "tests/fixtures/good/PROVENANCE.md",
                "tests/fixtures/gen/good.py, 2026",
            ),
            ("tests/fixtures/good/a.json", "{}"),
            ("tests/fixtures/bad/a.json", "{}"),
            ("tests/fixtures/gen/good.py", ""),
        ]);
        let found = have_provenance(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "tests/fixtures/bad/PROVENANCE.md");
    }

    #[test]
    fn a_script_that_is_gone_is_found() {
        let tree = Tree::of(&[("tests/fixtures/a/PROVENANCE.md", "Made by `gen/a.py`.")]);
        assert_eq!(have_provenance(&tree).len(), 1);
    }

    #[test]
    fn a_large_file_is_found() {
        let large = "x".repeat(SIZE_LIMIT as usize + 1);
        let tree = Tree::of(&[
            ("tests/fixtures/a/b.json", &large),
            ("core/src/a.rs", &large),
        ]);
        assert_eq!(are_small(&tree).len(), 1);
    }
}
