//! `veneer eval`

mod measured;
mod outcome;
mod reporting;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use veneer_core::protocol::TrainJob;

use super::{generate::SamplingArgs, score::MetricArgs};
use crate::{
    dataset::{Sides, side_to_measure, split_of},
    device::DeviceArgs,
    eval_text,
    examples::TextArgs,
    interrupt,
    model_run::{Checkpoint, attach},
    text_files,
};

pub(crate) use measured::{Measured, Numbers};
use measured::{Set, Sets};
pub(crate) use outcome::Outcome;

/// Measure a model, or finished answers
///
/// With --model: loss and perplexity on a dataset, and with --answers what the model replies.
/// Several --adapter, or --with-base, are measured side by side with a test of the difference.
/// With --predictions: scores of answers that you already have, with no model.
#[derive(Debug, clap::Args)]
pub(crate) struct EvalArgs {
    /// Folder with config.json, tokenizer.json and *.safetensors, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL", required_unless_present = "predictions")]
    model: Option<String>,

    /// Adapter folder; may be given several times
    #[arg(long, value_name = "DIR")]
    adapter: Vec<PathBuf>,

    /// Measure the base too, and compare the adapters with it
    #[arg(long)]
    with_base: bool,

    /// Dataset to measure on; keep it out of training. Of a project with sides, the test side is
    /// measured, or validation where that is empty, unless --side says otherwise
    #[arg(long, value_name = "FILE", required_unless_present = "predictions")]
    data: Option<PathBuf>,

    /// Records whose facts were never trained, reported beside: recall must not help there
    #[arg(long, value_name = "FILE")]
    control: Option<PathBuf>,

    /// Let the model answer every record, and score the answers
    #[arg(long)]
    answers: bool,

    /// Score the answers of this JSONL file (`prediction`, and `reference` or `references`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "adapter", "data", "with_base", "control", "answers", "report"])]
    predictions: Option<PathBuf>,

    /// Longest record in tokens [default: 2048, or what a project says]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,

    /// Records in one forward pass
    #[arg(long, value_name = "N", default_value_t = 4)]
    batch_size: usize,

    /// Use only the first N records
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Write an HTML report here [default: report.html of the last adapter's run; scores of one
    /// model do not replace a comparison there]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    metrics: MetricArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    text: TextArgs,
    #[command(flatten)]
    place: DeviceArgs,
}

/// Checks of what a run would learn, which measuring does not need.
const OF_TRAINING: [&str; 2] = ["end_never_trained", "end_masked_as_pad"];

pub(crate) fn run(mut args: EvalArgs) -> Result<()> {
    args.text.allow.extend(OF_TRAINING.map(String::from));
    if let Some(predictions) = &args.predictions {
        return super::score::run(predictions, &args.metrics, args.json);
    }
    let (Some(model), Some(data)) = (args.model.clone(), args.data.clone()) else {
        bail!("--model and --data, or --predictions, are needed");
    };
    let max_length = args.text.take_with_limit(&data, args.max_length)?;
    args.max_length = max_length.or(Some(TrainJob::default().max_length));
    let place = args.place.open()?;
    let checkpoint = Checkpoint::open(&model)?;
    let text = text_files::model_text(&checkpoint.dir, args.text.template.as_deref())?;
    let read = |path: &Path| {
        let side = measured_side(path, &args, *path == data)?;
        Set::read(path, side, &args, &checkpoint, &text)
    };
    let sets = Sets {
        data: read(&data)?,
        control: args.control.as_deref().map(read).transpose()?,
    };
    for sentence in sets.data.advice(&args.metrics) {
        eprintln!("note: {sentence}");
    }
    interrupt::listen();
    let mut decoder = checkpoint.decoder(&place)?;
    let mut measured = Vec::new();
    if args.with_base || args.adapter.is_empty() {
        measured.push(Measured::new(None, &decoder, &sets, &args, &text)?);
    }
    for dir in &args.adapter {
        decoder.detach_adapter();
        attach(&mut decoder, dir)?;
        measured.push(Measured::new(Some(dir), &decoder, &sets, &args, &text)?);
    }
    let outcome = Outcome::new(measured, sets.data.side)?;
    for sentence in outcome.warnings() {
        eprintln!("warning: {sentence}");
    }
    reporting::write(&outcome, &sets, &args)?;
    if args.json {
        println!("{}", outcome.json(args.metrics.per_record));
    } else {
        print!("{}", eval_text::text(&outcome));
    }
    Ok(())
}

/// Of a project with sides, the one that is kept for measuring, unless another is asked for. What
/// is taken of the data itself is said.
fn measured_side(path: &Path, args: &EvalArgs, is_data: bool) -> Result<Option<Sides>> {
    let asked = args.text.read.side;
    let Some(split) = split_of(path)? else {
        // `--side` is about projects, and where there is none it is refused with the data.
        return Ok(asked.filter(|_| is_data));
    };
    if asked.is_some() {
        return Ok(asked);
    }
    let side = side_to_measure(&split);
    let taken = match side {
        Some(side) => format!("the side `{}` is measured", side.name()),
        None => "all is measured, as no record is on the side `test` or `validation`".into(),
    };
    eprintln!("{}: {taken}; --side takes another, or all", path.display());
    Ok(side)
}
