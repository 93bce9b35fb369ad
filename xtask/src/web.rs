//! `cargo xtask web`: the page and its engine as a folder that any static host can serve.
//!
//! cargo → wasm-bindgen → wasm-opt → `web/dist`, beside the files of `web/page` as they are. This is
//! the only definition of the build: `trunk serve` calls it too (`Trunk.toml`) and only watches,
//! serves and reloads.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{arguments::Arguments, clock::readable, setup, shell, target_dir, tools};

/// What is served as it is.
const PAGE: &str = "web/page";
const DIST: &str = "web/dist";

/// Name of the module and of the script that loads it.
const MODULE: &str = "veneer-web";
const INDEX: &str = "index.html";

/// Page and engine together, brotli-compressed. Hosts count in thousands, so does this.
const LIMIT_BYTES: u64 = 1_500_000;

pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let trunk = Trunk::from_environment();
    let dev = arguments.flag("--dev") || trunk.as_ref().is_some_and(|trunk| trunk.dev);
    arguments.finish()?;
    let started = Instant::now();
    setup::toolchain()?;
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
        check_size(&dist)?;
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
    let wasm = compile(dev)?;
    let bindgen = tools::wasm_bindgen()?;
    let mut command = Command::new(bindgen);
    command.args(["--target=web", "--no-typescript"]);
    command.arg(format!("--out-name={MODULE}"));
    step(command.arg("--out-dir").arg(folder).arg(wasm))?;
    if !dev && let Some(wasm_opt) = tools::wasm_opt()? {
        let module = folder.join(format!("{MODULE}_bg.wasm"));
        let mut command = Command::new(wasm_opt);
        step(command.arg("-Oz").arg(&module).arg("-o").arg(&module))?;
    }
    copy(Path::new(PAGE), folder, copied)
}

fn compile(dev: bool) -> Result<PathBuf> {
    let profile = if dev { "dev" } else { "web" };
    let mut command = shell::cargo(&[
        "build",
        "--locked",
        "--package=veneer-web",
        "--target",
        setup::WASM_TARGET,
        "--profile",
        profile,
    ]);
    if let Some(target) = target_dir::shared()? {
        command.env("CARGO_TARGET_DIR", target);
    }
    println!("$ {}", shell::display(&command));
    shell::built(&mut command, MODULE)
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

/// Bytes of a file, as it is and as hosts send it.
struct Size {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// Node compresses: it is there for wasm-opt, and its zlib takes a second where ours, built for
/// tests, would take a minute.
const COMPRESS: &str = "const z = require('zlib'), b = require('fs').readFileSync(process.argv[1]);
console.log(b.length, z.gzipSync(b, { level: 9 }).length, z.brotliCompressSync(b).length)";

fn check_size(dist: &Path) -> Result<()> {
    let mut sizes = Vec::new();
    for name in [format!("{MODULE}_bg.wasm"), format!("{MODULE}.js")] {
        let mut node = Command::new("node");
        let said = shell::output(node.args(["-e", COMPRESS]).arg(dist.join(&name)))?;
        sizes.push(read_size(name, &said).with_context(|| format!("node said `{said}`"))?);
    }
    println!(
        "{:<20} {:>10} {:>10} {:>10}",
        "", "bytes", "gzip -9", "brotli"
    );
    for size in &sizes {
        let Size {
            name,
            raw,
            gzip,
            brotli,
        } = size;
        println!("{name:<20} {raw:>10} {gzip:>10} {brotli:>10}");
    }
    let total: u64 = sizes.iter().map(|size| size.brotli).sum();
    if total > LIMIT_BYTES {
        let text =
            format!("the page takes {total} bytes compressed, at most {LIMIT_BYTES} are wanted");
        if env::var_os("CI").is_some() {
            bail!(text);
        }
        println!("warning: {text}");
    }
    Ok(())
}

fn read_size(name: String, said: &str) -> Option<Size> {
    let mut numbers = said.split_whitespace().map(|word| word.parse::<u64>().ok());
    Some(Size {
        name,
        raw: numbers.next()??,
        gzip: numbers.next()??,
        brotli: numbers.next()??,
    })
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

    #[test]
    fn sizes_are_read_as_node_says_them() {
        let size = read_size("a".into(), "300 200 100\n").unwrap();
        assert_eq!((size.raw, size.gzip, size.brotli), (300, 200, 100));
        assert!(read_size("a".into(), "300 x 100").is_none());
    }
}
