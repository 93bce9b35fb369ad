//! The `veneer` binary: thin edges over `veneer-core`.

mod cli;
mod commands;
mod files;
mod model_dir;
mod output;
mod score_text;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    output::install_panic_hook();
    output::exit_code(cli::run(cli::Cli::parse()))
}
