//! `cargo xtask bench-web`: the page and wllama, one after the other, in the same Chromium.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::{arguments::Arguments, setup, shell, target_dir, tools, web};

/// The peer, pinned: its numbers are only worth something with its version.
const WLLAMA: &str = "3.8.1";

pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let model = arguments.value("--model")?.map(PathBuf::from);
    arguments.finish()?;

    setup::toolchain()?;
    let browser = setup::browser()?;
    web::build(false)?;
    let package = format!("@wllama/wllama@{WLLAMA}");
    let folder = tools::npm(&format!("wllama-{WLLAMA}"), &[&package])?;

    // One test at a time, and nothing else on the machine, or the numbers mean little.
    let mut command = shell::cargo(&[
        "test",
        "--locked",
        "--package=veneer-native-trainer",
        "--test=browser",
        "bench::",
        "--",
        "--nocapture",
        "--test-threads=1",
    ]);
    command.envs(browser).env(
        "VENEER_BENCH_WLLAMA",
        folder.join("node_modules/@wllama/wllama"),
    );
    if let Some(model) = model {
        let model = model
            .canonicalize()
            .with_context(|| format!("finding {}", model.display()))?;
        command.env("VENEER_BENCH_MODEL", model);
    }
    if let Some(target) = target_dir::shared()? {
        command.env("CARGO_TARGET_DIR", target);
    }
    println!("$ {}", shell::display(&command));
    shell::run(&mut command)
}
