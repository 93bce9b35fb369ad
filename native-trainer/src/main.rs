//! The `veneer` binary: thin edges over `veneer-core`.

mod allocator;
mod answers;
mod chat;
mod cli;
mod commands;
mod dataset;
mod device;
mod engine_args;
mod engine_model;
mod eval_text;
mod examples;
mod export_check;
mod file_bytes;
mod files;
mod forecast;
mod gguf_file;
mod input;
mod interrupt;
mod job_args;
mod leftovers;
mod memory;
mod merged_folder;
mod model_dir;
mod model_run;
mod output;
mod progress;
mod project_file;
mod report;
mod run_dir;
mod run_printer;
mod run_report;
mod score_text;
mod site;
mod spooled;
mod text_files;
mod training_loop;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: allocator::BySize = allocator::BySize;

fn main() -> ExitCode {
    output::install_panic_hook();
    match cli::Cli::try_parse() {
        Ok(cli) => output::exit_code(cli::run(cli)),
        Err(error) => output::usage(&error),
    }
}
