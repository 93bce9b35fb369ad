//! `veneer data`: look at datasets, repair, convert, measure and split them; projects that keep them.

mod check;
mod convert;
mod export;
mod fix;
mod history;
mod import;
pub(in crate::commands) mod layout;
mod lengths;
mod project_check;
mod project_split;
mod split;
mod stats;

use anyhow::Result;

/// Check, repair, convert, measure and split datasets, whatever their format
///
/// Reads JSON (an array, one record a line, or records one after the other), CSV and TSV, in
/// UTF-8, UTF-16, Shift_JIS or Latin-1, XLSX, ODS and Parquet, PDF, DOCX, HTML, Markdown and text,
/// zipped folders, and projects of the studio. The format is detected, and the reason is shown.
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
    Import(Box<import::ImportArgs>),
    Fix(fix::FixArgs),
    Undo(history::UndoArgs),
    /// Do again what was undone in a project
    Redo(history::UndoArgs),
    History(history::HistoryArgs),
    Snapshot(history::SnapshotArgs),
    Export(Box<export::ExportArgs>),
}

pub(crate) fn run(args: DataArgs) -> Result<()> {
    match args.command {
        DataCommand::Check(args) => check::run(args),
        DataCommand::Convert(args) => convert::run(args),
        DataCommand::Stats(args) => stats::run(args),
        DataCommand::Split(args) => split::run(args),
        DataCommand::Import(args) => import::run(&args),
        DataCommand::Fix(args) => fix::run(&args),
        DataCommand::Undo(args) => history::undo(&args),
        DataCommand::Redo(args) => history::redo(&args),
        DataCommand::History(args) => history::history(&args),
        DataCommand::Snapshot(args) => history::snapshot(&args),
        DataCommand::Export(args) => export::run(&args),
    }
}
