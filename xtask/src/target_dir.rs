//! The build folder of CI: one warm folder for all clones, so that burn is compiled once.
//!
//! `CARGO_TARGET_DIR` wins. Without `CI` every clone keeps its own `target/`.
//!
//! Cargo names what it builds from a workspace by the path inside the workspace and decides by file
//! times whether it is fresh, so two clones in one folder could be taken for one another. The
//! folder therefore remembers its last clone, and another one cleans the workspace's own crates.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{cache, shell};

const LAST_CLONE: &str = "last-clone.txt";

/// Larger than this, old dependencies have piled up and the folder starts anew.
const SIZE_LIMIT_GIB: u64 = 25;

/// The folder to build in, where it is not cargo's own choice.
pub(crate) fn shared() -> Result<Option<PathBuf>> {
    let Some(folder) = choose(|name| std::env::var_os(name)) else {
        return Ok(None);
    };
    if fs::create_dir_all(&folder).is_err() {
        println!(
            "{} cannot be written: building in target/",
            folder.display()
        );
        return Ok(None);
    }
    println!(
        "Building in {} (set CARGO_TARGET_DIR for another place)",
        folder.display()
    );
    if size_gib(&folder) > SIZE_LIMIT_GIB {
        println!("It grew over {SIZE_LIMIT_GIB} GiB: starting anew");
        fs::remove_dir_all(&folder).context("emptying the build folder")?;
        fs::create_dir_all(&folder)?;
    }
    adopt(&folder, &std::env::current_dir()?)?;
    Ok(Some(folder))
}

fn choose(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    if set("CARGO_TARGET_DIR").is_some() || set("CI").is_none() {
        return None;
    }
    Some(cache::folder(variable)?.join("target"))
}

/// Make `clone` the one whose crates lie in `folder`.
fn adopt(folder: &Path, clone: &Path) -> Result<()> {
    let marker = folder.join(LAST_CLONE);
    let ours = clone.to_string_lossy();
    if fs::read_to_string(&marker).is_ok_and(|last| last == ours) {
        return Ok(());
    }
    let mut clean = shell::cargo(&["clean", "--quiet"]);
    for package in members()? {
        clean.args(["--package", &package]);
    }
    shell::run(clean.env("CARGO_TARGET_DIR", folder))?;
    fs::write(&marker, ours.as_bytes()).with_context(|| format!("writing {}", marker.display()))
}

/// Names of the workspace's packages.
fn members() -> Result<Vec<String>> {
    let listed = shell::output(&mut shell::cargo(&[
        "tree",
        "--workspace",
        "--depth=0",
        "--prefix=none",
        "--format={p}",
    ]))?;
    Ok(listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(String::from)
        .collect())
}

fn size_gib(folder: &Path) -> u64 {
    let said = shell::output(std::process::Command::new("du").arg("-sk").arg(folder));
    let kib = said
        .ok()
        .and_then(|said| said.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(pairs: &[(&str, &str)]) -> Option<PathBuf> {
        choose(|name| {
            pairs
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn only_ci_shares_a_folder() {
        assert_eq!(chosen(&[("HOME", "/home/a")]), None);
        let shared = chosen(&[("HOME", "/home/a"), ("CI", "true")]);
        assert_eq!(shared, Some("/home/a/.cache/veneer/target".into()));
    }

    #[test]
    fn the_user_decides_first() {
        let mine = [
            ("HOME", "/home/a"),
            ("CI", "true"),
            ("CARGO_TARGET_DIR", "/mine"),
        ];
        assert_eq!(chosen(&mine), None);
        let cache = [
            ("HOME", "/home/a"),
            ("CI", "1"),
            ("XDG_CACHE_HOME", "/cache"),
        ];
        assert_eq!(chosen(&cache), Some("/cache/veneer/target".into()));
    }
}
