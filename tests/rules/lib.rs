//! Rules of the source tree that a reader cannot see at a glance.
//!
//! Each rule is a function from the tree's text to what breaks it, so that a bad sample can show that
//! the rule bites. `the_repository_holds_every_rule` applies them all to this repository.

pub mod core_only_computes;
pub mod dependencies;
pub mod fixtures;
pub mod layout;
pub mod quoted_commands;
pub mod rust_code;
pub mod shaders;
pub mod tree;

use tree::{Tree, Violation};

/// A check and the name that a failure shows.
pub type Rule = (&'static str, fn(&Tree) -> Vec<Violation>);

/// Every rule, in the order of the files.
pub const RULES: [Rule; 13] = [
    (
        "core computes, edges do input and output",
        core_only_computes::no_input_or_output,
    ),
    (
        "core asks for its target only in gpu/device.rs",
        core_only_computes::no_target_checks,
    ),
    (
        "modules of core use what lies below them",
        dependencies::between_core_modules,
    ),
    (
        "model families are told apart in core/src/arch",
        dependencies::families_only_in_arch,
    ),
    (
        "fixtures say where they come from",
        fixtures::have_provenance,
    ),
    ("fixtures are small", fixtures::are_small),
    ("a file is one idea", layout::files_are_short),
    (
        "a file is named after its idea",
        layout::names_say_something,
    ),
    (
        "the top folder holds what is listed",
        layout::top_level_is_listed,
    ),
    ("tests always run", layout::tests_always_run),
    (
        "commands quoted in the documents exist",
        quoted_commands::exist,
    ),
    ("shaders are registered", shaders::are_registered),
    (
        "loops of shaders set their variables",
        shaders::loops_set_their_variables,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_holds_every_rule() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let tree = Tree::read(root.as_ref()).expect("the repository can be read");
        assert!(
            tree.files().len() > 20,
            "only {} files were found",
            tree.files().len()
        );
        let mut broken = String::new();
        for (name, rule) in RULES {
            for violation in rule(&tree) {
                broken.push_str(&format!("\n  {name}\n    {violation}"));
            }
        }
        assert!(broken.is_empty(), "{broken}");
    }
}
