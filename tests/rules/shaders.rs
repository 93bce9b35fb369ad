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

#[cfg(test)]
mod tests {
    use super::*;

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
