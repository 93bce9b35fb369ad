//! The command line: one variant a verb, one file a verb in [`crate::commands`].

use anyhow::Result;

use crate::commands::{bench, doctor, eval, generate, inspect, pretrain, train};

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
enum Command {
    Bench(bench::BenchArgs),
    Train(Box<train::TrainArgs>),
    Eval(Box<eval::EvalArgs>),
    Generate(generate::GenerateArgs),
    Inspect(inspect::InspectArgs),
    Pretrain(Box<pretrain::PretrainArgs>),
    Doctor(doctor::DoctorArgs),
}

pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Bench(args) => bench::run(args),
        Command::Train(args) => train::run(*args),
        Command::Eval(args) => eval::run(*args),
        Command::Generate(args) => generate::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Pretrain(args) => pretrain::run(*args),
        Command::Doctor(args) => doctor::run(args),
    }
}
