//! Which layers get a low-rank pair: PEFT's `target_modules` rules
//! (`peft/tuners/tuners_utils.py`: list entries match a whole path or its end, a string is a
//! regular expression that must match the whole path, `all-linear` is every linear layer but the
//! head). Embedding and head are targets only where they are named.

use regex::Regex;

use crate::{
    arch::{Arch, Module},
    protocol::TargetModules,
};

/// Why `target_modules` selects nothing that can be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    #[error("target_modules entry `{entry}` matches no layer of this model (it has {available})")]
    NoMatch { entry: String, available: String },

    #[error(
        "target_modules `{pattern}` is a regular expression for whole paths of modules, such as \
         `{path}`, and matches none; modules by name are a list (this model has {available})"
    )]
    NoWholePath {
        pattern: String,
        path: String,
        available: String,
    },

    #[error("target_modules `{pattern}` is not a regular expression: {source}")]
    Pattern {
        pattern: String,
        source: Box<regex::Error>,
    },

    #[error(
        "layers_to_transform names layer {layer}, but the model has layers 0 to {last} and the \
         targets match {matched} module(s) in them"
    )]
    Layer {
        layer: usize,
        last: usize,
        matched: usize,
    },
}

/// Module paths that get a pair, in the order of the forward pass; `layers` are PEFT's
/// `layers_to_transform`, of which an empty list names all.
///
/// # Errors
/// An entry or a layer that matches nothing is an error, not a smaller run.
pub fn match_targets(
    arch: &Arch,
    targets: &TargetModules,
    layers: Option<&[usize]>,
) -> Result<Vec<String>, TargetError> {
    let matched = matched(arch, targets)?;
    let Some(layers) = layers.filter(|layers| !layers.is_empty()) else {
        return Ok(matched);
    };
    let layer_of = |path: &String| match arch.module_at(path) {
        Some(Module::Block(layer_idx, _)) => Some(layer_idx),
        _ => None,
    };
    if let Some(&layer) = layers
        .iter()
        .find(|&&layer| !matched.iter().any(|path| layer_of(path) == Some(layer)))
    {
        return Err(TargetError::Layer {
            layer,
            last: arch.n_layers - 1,
            matched: matched.len(),
        });
    }
    let mut matched = matched;
    matched.retain(|path| layer_of(path).is_some_and(|layer| layers.contains(&layer)));
    Ok(matched)
}

fn matched(arch: &Arch, targets: &TargetModules) -> Result<Vec<String>, TargetError> {
    let linear: Vec<String> = arch
        .linear_modules()
        .into_iter()
        .map(|module| module.path)
        .collect();
    if matches!(targets, TargetModules::Pattern(pattern) if pattern == "all-linear") {
        return Ok(linear);
    }
    let mut paths = vec![arch.path(Module::Embedding)];
    paths.extend(linear);
    paths.push(arch.path(Module::Head));
    let available = module_names(&paths).join(", ");
    let no_match = |entry: &str| TargetError::NoMatch {
        entry: entry.to_string(),
        available: available.clone(),
    };
    match targets {
        TargetModules::List(entries) => {
            let hits = |path: &str, entry: &str| {
                path == entry
                    || path
                        .strip_suffix(entry)
                        .is_some_and(|rest| rest.ends_with('.'))
            };
            if let Some(entry) = entries
                .iter()
                .find(|entry| !paths.iter().any(|p| hits(p, entry)))
            {
                return Err(no_match(entry));
            }
            if entries.is_empty() {
                return Err(no_match(""));
            }
            Ok(paths
                .into_iter()
                .filter(|path| entries.iter().any(|e| hits(path, e)))
                .collect())
        }
        TargetModules::Pattern(pattern) => {
            let whole =
                Regex::new(&format!("^(?:{pattern})$")).map_err(|source| TargetError::Pattern {
                    pattern: pattern.clone(),
                    source: Box::new(source),
                })?;
            let path = paths.last().cloned().unwrap_or_default();
            let matched: Vec<String> = paths.into_iter().filter(|p| whole.is_match(p)).collect();
            if matched.is_empty() {
                Err(TargetError::NoWholePath {
                    pattern: pattern.clone(),
                    path,
                    available,
                })
            } else {
                Ok(matched)
            }
        }
    }
}

/// The last parts of module paths, each once, in their order.
fn module_names(paths: &[String]) -> Vec<&str> {
    let mut names = Vec::new();
    for path in paths {
        let name = path.rsplit('.').next().unwrap_or(path);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
