//! The command line: one variant a verb, one file a verb in [`crate::commands`].

use anyhow::Result;

use crate::commands::{
    bench, chat, data, doctor, eval, export, generate, inspect, merge, pretrain, recipe, serve,
    tokenize, train,
};

/// Fine-tune a language model on your own records, prove that it got better, and export it.
#[derive(Debug, clap::Parser)]
#[command(
    name = "veneer",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

// In the order in which a newcomer needs them.
#[derive(Debug, clap::Subcommand)]
enum Command {
    Data(Box<data::DataArgs>),
    Recipe(recipe::RecipeArgs),
    Inspect(Box<inspect::InspectArgs>),
    Tokenize(tokenize::TokenizeArgs),
    Train(Box<train::TrainArgs>),
    Eval(Box<eval::EvalArgs>),
    Generate(Box<generate::GenerateArgs>),
    Chat(Box<chat::ChatArgs>),
    Serve(serve::ServeArgs),
    Merge(merge::MergeArgs),
    Export(Box<export::ExportArgs>),
    Pretrain(Box<pretrain::PretrainArgs>),
    Bench(bench::BenchArgs),
    Doctor(doctor::DoctorArgs),
}

pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Data(args) => data::run(*args),
        Command::Recipe(args) => recipe::run(args),
        Command::Inspect(args) => inspect::run(*args),
        Command::Tokenize(args) => tokenize::run(&args),
        Command::Train(args) => train::run(*args),
        Command::Eval(args) => eval::run(*args),
        Command::Generate(args) => generate::run(*args),
        Command::Chat(args) => chat::run(*args),
        Command::Serve(args) => serve::run(args),
        Command::Merge(args) => merge::run(args),
        Command::Export(args) => export::run(*args),
        Command::Pretrain(args) => pretrain::run(*args),
        Command::Bench(args) => bench::run(args),
        Command::Doctor(args) => doctor::run(args),
    }
}
