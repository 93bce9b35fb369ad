//! `veneer bench`

mod adapters;
mod answer;
mod compare;
mod data;
mod train;

use anyhow::Result;

/// Measure how fast this machine trains, answers and takes in datasets
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: Bench,
}

#[derive(Debug, clap::Subcommand)]
enum Bench {
    /// LoRA on the shape of Qwen2.5-0.5B with random weights
    Train(train::TrainBench),
    /// Tokens of an answer, one after another, on the inference engine
    Decode(answer::AnswerBench),
    /// Tokens of a prompt, many at once, on the inference engine
    Prefill(answer::AnswerBench),
    /// The three ways to put an adapter on a quantized base: what each loses and what it costs
    Adapters(adapters::AdapterBench),
    /// A dataset into a project, checked, put into a template, tokenized
    Data(data::DataBench),
}

pub(crate) fn run(args: BenchArgs) -> Result<()> {
    match args.what {
        Bench::Train(args) => train::run(&args),
        Bench::Decode(args) => answer::run(&args, answer::Phase::Decode),
        Bench::Prefill(args) => answer::run(&args, answer::Phase::Prefill),
        Bench::Adapters(args) => adapters::run(&args),
        Bench::Data(args) => data::run(&args),
    }
}
