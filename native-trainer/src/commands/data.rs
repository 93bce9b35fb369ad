//! `veneer data`: look at datasets, repair, convert, measure and split them.

mod check;
mod convert;
mod layout;
mod lengths;
mod split;
mod stats;

use anyhow::Result;

/// Check, repair, convert, measure and split datasets, whatever their format
///
/// Reads JSON (an array, one record a line, or records one after the other), CSV and TSV, in
/// UTF-8, UTF-16, Shift_JIS or Latin-1. The format is detected, and the reason is shown.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DataCommand {
    Check(check::CheckArgs),
    Convert(convert::ConvertArgs),
    Stats(stats::StatsArgs),
    Split(split::SplitArgs),
}

pub(crate) fn run(args: DataArgs) -> Result<()> {
    match args.command {
        DataCommand::Check(args) => check::run(args),
        DataCommand::Convert(args) => convert::run(args),
        DataCommand::Stats(args) => stats::run(args),
        DataCommand::Split(args) => split::run(args),
    }
}
