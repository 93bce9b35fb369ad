//! `cargo xtask gpu-kit`: one folder that runs the GPU checks on a machine without a toolchain.
//!
//! The folder holds the binary and the parity tests (packed with gzip), their fixtures and `run.sh`,
//! which leaves its results as JSON and logs under `$OUT` (or `out/`). It is small enough to be
//! carried: 60 MiB.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{arguments::Arguments, shell, target_dir};

const KIT: &str = "gpu-kit";
const SIZE_LIMIT: u64 = 60 << 20;
const RUN: &str = include_str!("gpu_kit/run.sh");

/// What the tests of the kit read.
const FIXTURES: [&str; 3] = ["models", "train", "adapter_names"];

pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let spirv = arguments.flag("--spirv");
    arguments.finish()?;
    let kit = Path::new(KIT);
    if kit.exists() {
        fs::remove_dir_all(kit).context("removing the last kit")?;
    }
    fs::create_dir_all(kit.join("fixtures"))?;

    let mut binary = vec![
        "build",
        "--locked",
        "--release",
        "--package=veneer-native-trainer",
    ];
    if spirv {
        binary.push("--features=spirv");
    }
    place(&built(&binary, "veneer")?, &kit.join("veneer"))?;
    // The dev profile optimises what computes, and shares its build with the other checks.
    let tests = [
        "test",
        "--locked",
        "--no-run",
        "--package=veneer-tests",
        "--test=parity",
    ];
    place(&built(&tests, "parity")?, &kit.join("parity"))?;
    for name in FIXTURES {
        copy_folder(
            &Path::new("tests/fixtures").join(name),
            &kit.join("fixtures").join(name),
        )?;
    }
    let script = kit.join("run.sh");
    fs::write(&script, RUN)?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;

    let size = folder_size(kit)?;
    println!(
        "{KIT}/ holds {:.1} MiB; run {KIT}/run.sh on the GPU machine",
        mib(size)
    );
    if size > SIZE_LIMIT {
        bail!(
            "{KIT}/ has {:.1} MiB, at most {:.0} are wanted",
            mib(size),
            mib(SIZE_LIMIT)
        );
    }
    Ok(())
}

/// Build, and find the executable that cargo names.
fn built(words: &[&str], target: &str) -> Result<PathBuf> {
    let mut command = shell::cargo(words);
    if let Some(folder) = target_dir::shared()? {
        command.env("CARGO_TARGET_DIR", folder);
    }
    println!("$ {}", shell::display(&command));
    shell::built(&mut command, target)
}

/// Copy an executable without its symbols, and pack it.
fn place(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copying {}", from.display()))?;
    shell::run(Command::new("strip").arg(to)).context("stripping (binutils has `strip`)")?;
    shell::run(Command::new("gzip").args(["--best", "--force"]).arg(to)).context("packing")
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

fn folder_size(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += if metadata.is_dir() {
            folder_size(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(size)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
