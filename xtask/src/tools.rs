//! Programs that turn cargo's wasm into a page, kept in the user's cache folder.
//!
//! Each is installed once for all clones, beside its place and then renamed, so that a folder that
//! exists is whole. A matching one on the `PATH` is taken first.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cache,
    clock::readable,
    packages::{self, Need},
    shell,
};

/// Debian's own `wasm-opt` (108) writes modules that browsers refuse.
const BINARYEN: &str = "132.0.0";

const NODE: Need = Need {
    packages: &["nodejs", "npm"],
    purpose: "Node, which runs wasm-opt",
    otherwise: "without it the page is larger",
};

/// A build that takes minutes less, for a program that then runs for seconds.
const FAST_BUILD: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

/// `wasm-bindgen` in the version of the library that the page is built with.
pub(crate) fn wasm_bindgen() -> Result<PathBuf> {
    let lock = fs::read_to_string("Cargo.lock").context("reading Cargo.lock")?;
    let version = locked(&lock, "wasm-bindgen").context("Cargo.lock lists no wasm-bindgen")?;
    if said_by("wasm-bindgen").is_some_and(|said| said.ends_with(&format!(" {version}"))) {
        return Ok("wasm-bindgen".into());
    }
    let folder = installed(&format!("wasm-bindgen-cli-{version}"), |folder| {
        let mut install = shell::cargo(&[
            "install",
            "wasm-bindgen-cli",
            &format!("--version={version}"),
            "--no-default-features",
            "--bin=wasm-bindgen",
        ]);
        let build = folder.join("build");
        install.arg("--root").arg(folder).envs(FAST_BUILD);
        shell::run(install.env("CARGO_TARGET_DIR", &build))?;
        Ok(fs::remove_dir_all(build)?)
    })?;
    Ok(folder.join("bin/wasm-bindgen"))
}

/// `wasm-opt` as npm has it: the real one, compiled to wasm. Without Node the page is larger, which
/// only CI does not accept.
pub(crate) fn wasm_opt() -> Result<Option<PathBuf>> {
    let major = BINARYEN.split('.').next().unwrap_or(BINARYEN);
    if said_by("wasm-opt")
        .is_some_and(|said| said.starts_with(&format!("wasm-opt version {major}")))
    {
        return Ok(Some("wasm-opt".into()));
    }
    if let Err(error) = node() {
        if env::var_os("CI").is_some() {
            return Err(error);
        }
        println!("{error}\nThe page is built without wasm-opt, and is larger.");
        return Ok(None);
    }
    let folder = npm(
        &format!("binaryen-{BINARYEN}"),
        &[&format!("binaryen@{BINARYEN}")],
    )?;
    Ok(Some(folder.join("node_modules/.bin/wasm-opt")))
}

/// Packages of npm, in a folder of the cache.
pub(crate) fn npm(name: &str, packages: &[&str]) -> Result<PathBuf> {
    node()?;
    installed(name, |folder| npm_install(folder, packages))
}

/// Make sure that Node and its npm are there.
fn node() -> Result<()> {
    let are_there = || shell::succeeds("node", &["--version"]) && shell::succeeds("npm", &["-v"]);
    if are_there() {
        return Ok(());
    }
    packages::install(&NODE)?;
    if !are_there() {
        bail!("{} is not here: {}", NODE.purpose, NODE.otherwise);
    }
    Ok(())
}

fn npm_install(folder: &Path, packages: &[&str]) -> Result<()> {
    let mut install = Command::new("npm");
    install.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]);
    shell::run(install.arg("--prefix").arg(folder).args(packages))
}

/// The folder of a tool in the cache, made by `install` when it is not there.
fn installed(name: &str, install: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = cache::folder(|name| env::var_os(name)).unwrap_or_else(|| "target".into());
    installed_in(&cache.join("tools"), name, install)
}

fn installed_in(
    tools: &Path,
    name: &str,
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let folder = tools.join(name);
    if folder.exists() {
        return Ok(folder);
    }
    let started = Instant::now();
    println!("Installing {name} into {} (once)", tools.display());
    let beside = tools.join(format!(".{name}-{}", process::id()));
    fs::create_dir_all(&beside).with_context(|| format!("making {}", beside.display()))?;
    let done = install(&beside).and_then(|()| match fs::rename(&beside, &folder) {
        // Another one was faster.
        Err(_) if folder.exists() => Ok(()),
        renamed => renamed.with_context(|| format!("naming {}", folder.display())),
    });
    if beside.exists() {
        fs::remove_dir_all(&beside).with_context(|| format!("removing {}", beside.display()))?;
    }
    done?;
    println!("Installed {name} in {}", readable(started.elapsed()));
    Ok(folder)
}

/// What a program on the `PATH` says of its version.
fn said_by(program: &str) -> Option<String> {
    let said = Command::new(program).arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

/// The version of a package in the text of `Cargo.lock`.
fn locked(lock: &str, package: &str) -> Option<String> {
    let entry = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    entry.1.split('"').next().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_comes_from_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked(lock, "wasm"), None);
    }

    #[test]
    fn a_tool_is_installed_once_and_whole_or_not_at_all() {
        let tools = env::temp_dir().join(format!("veneer-tools-{}", process::id()));
        let broken = installed_in(&tools, "a-1", |folder| {
            fs::write(folder.join("half"), "")?;
            bail!("no network")
        });
        assert!(broken.is_err());
        assert_eq!(fs::read_dir(&tools).unwrap().count(), 0);

        let write = |folder: &Path| Ok(fs::write(folder.join("program"), "")?);
        let folder = installed_in(&tools, "a-1", write).unwrap();
        assert!(folder.join("program").exists());
        let again = installed_in(&tools, "a-1", |_| bail!("installed a second time"));
        assert_eq!(again.unwrap(), folder);
        fs::remove_dir_all(&tools).unwrap();
    }
}
