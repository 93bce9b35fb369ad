//! The `veneer` binary: thin edges over `veneer-core`.

mod cli;
mod commands;
mod dataset;
mod files;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    output::install_panic_hook();
    output::exit_code(cli::run(cli::Cli::parse()))
}
