//! What cargo cannot do alone: set-up, the order of the checks, the page, the demo, goldens, the GPU
//! kit.
//!
//! Invariant: nothing here is needed to build or to use the command line; `cargo build` alone works.

mod arguments;
mod bench_web;
mod cache;
mod clock;
mod demo;
mod golden;
mod gpu_kit;
mod packages;
mod setup;
mod shell;
mod target_dir;
mod test;
mod tools;
mod web;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::arguments::Arguments;

const USAGE: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  test      set up what the checks need, then run every check, cheapest first
              --only NAME    run one stage alone (see --list)
              --list         say which stages there are
              --without-gpu  do not set up a Vulkan adapter; GPU tests then skip themselves
              --without-browser
                             do not set up Chromium; browser tests then skip themselves
  web       build the page and its engine into web/dist
              --dev          fast to build, larger and slower
  bench-web time the page beside wllama, in one browser
              --model FILE   a GGUF file (default: the demo's)
  demo      the whole way on the embedded base: data, training, proof, export, the page
              --out DIR      where to work (default: target/demo)
              --no-serve     end instead of serving the page
  golden    make the reference numbers of tests/fixtures again (needs python3)
              --only NAME    one script of tests/fixtures/gen, without its .py
  gpu-kit   put what a GPU machine without a toolchain needs into gpu-kit/
              --spirv        compile kernels to SPIR-V instead of WGSL
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  because: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = Arguments::new(std::env::args().skip(1));
    let command = arguments.next_word();
    std::env::set_current_dir(root()?).context("entering the repository")?;
    match command.as_deref() {
        Some("test") => test::run(arguments),
        Some("bench-web") => bench_web::run(arguments),
        Some("web") => web::run(arguments),
        Some("demo") => demo::run(arguments),
        Some("golden") => golden::run(arguments),
        Some("gpu-kit") => gpu_kit::run(arguments),
        None | Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("unknown command `{other}`\n\n{USAGE}"),
    }
}

/// The folder of the workspace's `Cargo.toml`, wherever the command was typed.
fn root() -> Result<PathBuf> {
    let here = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()),
    );
    let root = here.parent().context("xtask/ has no parent folder")?;
    Ok(root.to_path_buf())
}
