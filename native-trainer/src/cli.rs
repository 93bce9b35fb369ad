//! The command line: one variant a verb, one file a verb in [`crate::commands`].

use anyhow::Result;

/// Fine-tune a language model on your own records, prove that it got better, and export it.
#[derive(Debug, clap::Parser)]
#[command(
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {}

pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {}
}
