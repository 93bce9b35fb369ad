//! `cargo xtask web`: the page, its engine and the studio as a folder that any static host can serve.
//!
//! cargo → wasm-bindgen → wasm-opt → `web/dist`, for each of the two modules, beside the files of
//! `web/page` as they are. This is the only definition of the build: `trunk serve` calls it too
//! (`Trunk.toml`) and only watches, serves and reloads.

mod size;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result};

use crate::{arguments::Arguments, clock::readable, setup, shell, target_dir, tools};

/// What is served as it is.
const PAGE: &str = "web/page";
const DIST: &str = "web/dist";

const INDEX: &str = "index.html";

/// A wasm module and the script that loads it.
struct Module {
    /// Of the executable, and of both files.
    name: &'static str,
    what: &'static str,
    /// The feature of the package that it is.
    feature: &'static str,
    /// How wasm-opt makes it small: the studio's is the larger one, and `-Oz` of it takes minutes.
    optimized: &'static str,
    /// Packages that are compiled for speed, not for size.
    quick: &'static [&'static str],
    /// Of both files together, brotli-compressed. Hosts count in thousands, so does this.
    limit_bytes: u64,
}

const MODULES: [Module; 2] = [
    Module {
        name: "veneer-web",
        what: "page, screens of the studio and engine",
        feature: "page",
        optimized: "-Oz",
        quick: &[],
        limit_bytes: 1_750_000,
    },
    // Loaded when the studio is opened, by nobody else.
    Module {
        name: "veneer-studio",
        what: "the studio",
        feature: "studio",
        optimized: "-O1",
        // Every record goes through them.
        quick: &["minijinja", "regex-automata", "sha2"],
        limit_bytes: 4_200_000,
    },
];

pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let trunk = Trunk::from_environment();
    let dev = arguments.flag("--dev") || trunk.as_ref().is_some_and(|trunk| trunk.dev);
    arguments.finish()?;
    let started = Instant::now();
    setup::toolchain()?;
    setup::wasm_compiler()?;
    match trunk {
        Some(trunk) => build_into(&trunk.folder, dev, Copied::AllButIndex)?,
        None => drop(build(dev)?),
    }
    println!("The page was built in {}.", readable(started.elapsed()));
    Ok(())
}

/// Build the page into `web/dist` and say how large it is.
pub(crate) fn build(dev: bool) -> Result<PathBuf> {
    let dist = PathBuf::from(DIST);
    let beside = dist.with_file_name("dist.new");
    if beside.exists() {
        fs::remove_dir_all(&beside).context("emptying web/dist.new")?;
    }
    fs::create_dir_all(&beside).context("making web/dist.new")?;
    build_into(&beside, dev, Copied::All)?;
    if dist.exists() {
        fs::remove_dir_all(&dist).context("emptying web/dist")?;
    }
    fs::rename(&beside, &dist).context("naming web/dist")?;
    if !dev && shell::succeeds("node", &["--version"]) {
        size::check(&dist, &MODULES)?;
    }
    Ok(dist)
}

/// Trunk, when it runs this as a hook: its folder and whether it was asked for a release build.
struct Trunk {
    folder: PathBuf,
    dev: bool,
}

impl Trunk {
    fn from_environment() -> Option<Self> {
        Some(Self {
            folder: env::var_os("TRUNK_STAGING_DIR")?.into(),
            dev: env::var_os("TRUNK_PROFILE").is_none_or(|profile| profile != "release"),
        })
    }
}

/// Trunk writes `index.html` itself, with its reloading script in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    All,
    AllButIndex,
}

fn build_into(folder: &Path, dev: bool, copied: Copied) -> Result<()> {
    let bindgen = tools::wasm_bindgen()?;
    let wasm_opt = if dev { None } else { tools::wasm_opt()? };
    for module in MODULES {
        let wasm = compile(&module, dev)?;
        let Module {
            name, optimized, ..
        } = module;
        let mut command = Command::new(&bindgen);
        command.args(["--target=web", "--no-typescript"]);
        command.arg(format!("--out-name={name}"));
        step(command.arg("--out-dir").arg(folder).arg(wasm))?;
        if let Some(wasm_opt) = &wasm_opt {
            let module = folder.join(format!("{name}_bg.wasm"));
            let mut command = Command::new(wasm_opt);
            step(command.arg(optimized).arg(&module).arg("-o").arg(&module))?;
        }
    }
    copy(Path::new(PAGE), folder, copied)
}

fn compile(module: &Module, dev: bool) -> Result<PathBuf> {
    let profile = if dev { "dev" } else { "web" };
    let mut command = shell::cargo(&[
        "build",
        "--locked",
        "--package=veneer-web",
        "--no-default-features",
        "--features",
        module.feature,
        "--target",
        setup::WASM_TARGET,
        "--profile",
        profile,
    ]);
    for package in module.quick.iter().filter(|_| !dev) {
        command.arg("--config");
        command.arg(format!("profile.{profile}.package.{package}.opt-level=3"));
    }
    if let Some(target) = target_dir::shared()? {
        command.env("CARGO_TARGET_DIR", target);
    }
    println!("$ {}", shell::display(&command));
    shell::built(&mut command, module.name)
}

fn step(command: &mut Command) -> Result<()> {
    let started = Instant::now();
    println!("$ {}", shell::display(command));
    shell::run(command)?;
    println!("  ({})", readable(started.elapsed()));
    Ok(())
}

fn copy(from: &Path, to: &Path, copied: Copied) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy(&entry.path(), &target, Copied::All)?;
        } else if copied == Copied::All || entry.file_name() != INDEX {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("writing {}", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trunk_s_own_index_is_left_to_it() {
        let folder = env::temp_dir().join(format!("veneer-web-{}", std::process::id()));
        let [from, all, rest] = ["from", "all", "rest"].map(|name| folder.join(name));
        for path in [&from.join("icons"), &all, &rest] {
            fs::create_dir_all(path).unwrap();
        }
        for file in ["index.html", "page.css", "icons/index.html"] {
            fs::write(from.join(file), file).unwrap();
        }
        copy(&from, &all, Copied::All).unwrap();
        copy(&from, &rest, Copied::AllButIndex).unwrap();
        assert!(all.join("index.html").exists() && all.join("icons/index.html").exists());
        assert!(!rest.join("index.html").exists() && rest.join("icons/index.html").exists());
        assert_eq!(
            fs::read_to_string(rest.join("page.css")).unwrap(),
            "page.css"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
