//! Which module of `core` may use which, as ARCHITECTURE.md draws it.

use crate::{
    rust_code::{numbered, without_tests, without_texts},
    tree::{Tree, Violation},
};

/// A module of core and the modules below it. Who is not listed may use nothing of core.
const MAY_USE: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("rng", &[]),
    ("cores", &[]),
    ("quant", &["cores"]),
    ("sampling", &["rng"]),
    ("text", &["protocol", "rng"]),
    ("data", &["text", "protocol", "rng"]),
    ("curate", &["text", "data", "rng"]),
    ("recipe", &["text", "data", "rng"]),
    ("eval", &["text", "data", "rng"]),
    ("feedback", &["text", "data", "eval", "rng"]),
    ("documents", &["text", "data", "protocol", "rng"]),
    (
        "project",
        &[
            "documents",
            "text",
            "data",
            "protocol",
            "recipe",
            "rng",
            "cores",
        ],
    ),
    ("arch", &[]),
    ("weights", &["arch", "quant", "protocol", "rng"]),
    ("checkpoint", &["arch", "weights", "quant", "text"]),
    (
        "export",
        &["arch", "weights", "quant", "text", "checkpoint"],
    ),
    ("nn", &["arch", "weights", "quant", "rng"]),
    (
        "model",
        &[
            "nn", "arch", "weights", "protocol", "quant", "sampling", "rng", "cores",
        ],
    ),
    (
        "train",
        &[
            "model", "nn", "arch", "weights", "text", "data", "protocol", "rng",
        ],
    ),
    ("gpu", &["quant"]),
    (
        "infer",
        &[
            "gpu", "arch", "weights", "quant", "sampling", "text", "protocol", "rng",
        ],
    ),
    ("lib", &[]),
];

/// `train → model → nn → arch`, `infer → gpu`, and so on; never upwards, never across.
pub fn between_core_modules(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.is_rust_in("core/src/") && !file.is_of_tests())
    {
        let Some(module) = module_of(&file.path) else {
            continue;
        };
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            let what = format!("module `{module}` is missing in the table of tests/rules");
            violations.push(Violation::new(&file.path, 0, what));
            continue;
        };
        for (line, used) in used_modules(&file.text) {
            if used != module && !allowed.contains(&used.as_str()) {
                let what = format!(
                    "`{module}` uses `{used}` (it may use: {})",
                    allowed.join(", ")
                );
                violations.push(Violation::new(&file.path, line, what));
            }
        }
    }
    violations
}

/// What differs between families is a field of `Arch`; only `arch` looks at the family itself.
pub fn families_only_in_arch(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.files() {
        let watched = ["core/src/", "native-trainer/src/", "web/src/"];
        let watched = watched.iter().any(|folder| file.is_rust_in(folder));
        if !watched || file.path.starts_with("core/src/arch/") {
            continue;
        }
        for (line, code) in numbered(&without_texts(without_tests(&file.text))) {
            if code.contains("Family::") || code.contains("match family") {
                let what = "tells model families apart; make it a field of `Arch`";
                violations.push(Violation::new(&file.path, line, what));
            }
        }
    }
    violations
}

/// `core/src/train/step.rs` and `core/src/train.rs` belong to `train`.
fn module_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("core/src/")?;
    inside.split(['/', '.']).next()
}

/// Modules of core that a file names, as `crate::x`, `crate::{x, y::z}` or `super::super::x`.
fn used_modules(source: &str) -> Vec<(usize, String)> {
    let code = without_texts(source);
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if at > 0 && code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let line = code[..at].matches('\n').count() + 1;
        let names = match rest.strip_prefix('{') {
            Some(group) => first_names_of_group(group),
            None => vec![first_word(rest)],
        };
        used.extend(names.into_iter().map(|name| (line, name)));
    }
    for (at, _) in code.match_indices("super::super::") {
        let rest = code[at..].trim_start_matches("super::");
        let name = first_word(rest);
        if MAY_USE.iter().any(|(module, _)| *module == name) {
            used.push((code[..at].matches('\n').count() + 1, name));
        }
    }
    // Types and functions at the root of the crate are not modules.
    used.retain(|(_, name)| name.starts_with(|c: char| c.is_ascii_lowercase()));
    used
}

/// The first names of `a, b::{c, d}, e}`.
fn first_names_of_group(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut expecting = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expecting = true,
            c if expecting && !c.is_whitespace() => {
                names.push(first_word(&group[at..]));
                expecting = false;
            }
            _ => {}
        }
    }
    names
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(path: &str, text: &str) -> Vec<String> {
        between_core_modules(&Tree::of(&[(path, text)]))
            .iter()
            .map(|v| v.what.clone())
            .collect()
    }

    #[test]
    fn downwards_is_allowed() {
        let text =
            "use crate::{\n    arch::Arch,\n    nn::{Linear, Rope},\n};\nuse crate::rng::Rng;\n";
        assert!(violations("core/src/model/decoder.rs", text).is_empty());
    }

    #[test]
    fn upwards_and_across_is_found_in_every_form() {
        for text in [
            "use crate::train::Loop;",
            "use crate::{\n arch::Arch,\n train::{a, b} };",
            "fn a() { crate::train::run(); }",
            "use super::super::train::Loop;",
        ] {
            assert_eq!(
                violations("core/src/infer/decode.rs", text).len(),
                1,
                "{text}"
            );
        }
        assert_eq!(
            violations("core/src/train/step.rs", "use crate::infer::Plan;").len(),
            1
        );
        assert_eq!(
            violations("core/src/protocol/job.rs", "use crate::text::Role;").len(),
            1
        );
    }

    #[test]
    fn comments_and_own_module_do_not_count() {
        let text = "//! See crate::train.\nuse crate::infer::Plan;\n";
        assert!(violations("core/src/infer/decode.rs", text).is_empty());
    }

    #[test]
    fn a_new_module_must_be_placed() {
        assert_eq!(violations("core/src/magic.rs", "").len(), 1);
    }

    #[test]
    fn a_family_outside_arch_is_found() {
        let bad = "fn a() { match x { Family::Qwen3 => 1 } }";
        let good = ("core/src/arch/family.rs", bad);
        assert!(families_only_in_arch(&Tree::of(&[good])).is_empty());
        let found = families_only_in_arch(&Tree::of(&[("core/src/nn/norm.rs", bad)]));
        assert_eq!(found.len(), 1);
    }
}
