//! Which linear layers get a low-rank pair: PEFT's `target_modules` rules
//! (`peft/tuners/tuners_utils.py`: list entries match a whole path or its end, a string is a
//! regular expression that must match the whole path, `all-linear` is every linear layer but the head).

use regex::Regex;

use crate::{arch::Arch, protocol::TargetModules};

/// Why `target_modules` selects nothing that can be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    #[error(
        "target_modules entry `{entry}` matches no linear layer of this model (it has {available})"
    )]
    NoMatch { entry: String, available: String },

    #[error("target_modules `{pattern}` is not a regular expression: {source}")]
    Pattern {
        pattern: String,
        source: Box<regex::Error>,
    },
}

/// Module paths that get a pair, in the order of the forward pass.
///
/// # Errors
/// An entry that matches nothing is an error, not a smaller run.
pub fn match_targets(arch: &Arch, targets: &TargetModules) -> Result<Vec<String>, TargetError> {
    let paths: Vec<String> = arch
        .linear_modules()
        .into_iter()
        .map(|module| module.path)
        .collect();
    let no_match = |entry: &str| TargetError::NoMatch {
        entry: entry.to_string(),
        available: last_names(arch).join(", "),
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
        TargetModules::Pattern(pattern) if pattern == "all-linear" => Ok(paths),
        TargetModules::Pattern(pattern) => {
            let whole =
                Regex::new(&format!("^(?:{pattern})$")).map_err(|source| TargetError::Pattern {
                    pattern: pattern.clone(),
                    source: Box::new(source),
                })?;
            let matched: Vec<String> = paths.into_iter().filter(|p| whole.is_match(p)).collect();
            if matched.is_empty() {
                Err(no_match(pattern))
            } else {
                Ok(matched)
            }
        }
    }
}

/// How people name the linear layers of a block: the ends of their paths.
fn last_names(arch: &Arch) -> Vec<String> {
    let of_first = arch.linear_modules().into_iter();
    let of_first = of_first.take_while(|module| module.layer_idx == 0);
    let mut names: Vec<String> = Vec::new();
    for module in of_first {
        let name = module.path.rsplit('.').next().unwrap_or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
