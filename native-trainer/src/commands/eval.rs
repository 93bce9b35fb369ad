//! `veneer eval`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use veneer_core::{
    eval::{Comparison, Prediction, RecordLoss, Scores, advice, compare, score, score_losses},
    model::Decoder,
    text::{Encoded, ModelText},
    train::{TrainError, evaluate},
};

use super::{generate::SamplingArgs, score::MetricArgs};
use crate::{
    answers::{Question, answer, questions},
    device::DeviceArgs,
    eval_text,
    examples::{self, TextArgs},
    interrupt,
    model_run::{Checkpoint, attach},
    progress,
    report::{AnswerRow, Control},
    run_report::{self, EvalPart},
    text_files,
};

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

    /// Dataset to measure on; keep it out of training
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

    /// Longest record in tokens
    #[arg(long, value_name = "N", default_value_t = 2048)]
    max_length: usize,

    /// Records in one forward pass
    #[arg(long, value_name = "N", default_value_t = 4)]
    batch_size: usize,

    /// Use only the first N records
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Write an HTML report here (default: into the folder of the last adapter's run)
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
    args.text = args.text.of_data(&data)?;
    let place = args.place.open()?;
    let checkpoint = Checkpoint::open(&model)?;
    let text = text_files::model_text(&checkpoint.dir, args.text.template.as_deref())?;
    let sets = Sets {
        data: Set::read(&data, &args, &checkpoint, &text)?,
        control: args
            .control
            .as_deref()
            .map(|path| Set::read(path, &args, &checkpoint, &text))
            .transpose()?,
    };
    for sentence in sets.data.advice(&args.metrics) {
        eprintln!("note: {sentence}");
    }
    interrupt::listen();
    let mut decoder = checkpoint.decoder(&place)?;
    let mut measured = Vec::new();
    if args.with_base || args.adapter.is_empty() {
        measured.push(Measured::new("base", None, &decoder, &sets, &args, &text)?);
    }
    for dir in &args.adapter {
        decoder.detach_adapter();
        attach(&mut decoder, dir)?;
        measured.push(Measured::new(
            &dir.display().to_string(),
            Some(dir),
            &decoder,
            &sets,
            &args,
            &text,
        )?);
    }
    let outcome = Outcome::new(measured)?;
    if let Some(path) = report_path(&args) {
        write_report(&path, &outcome, &sets, &args)?;
    }
    if args.json {
        println!("{}", outcome.json(args.metrics.per_record));
    } else {
        print!("{}", eval_text::text(&outcome));
    }
    Ok(())
}

/// Records to measure on.
struct Set {
    encoded: Vec<Encoded>,
    questions: Vec<Question>,
}

struct Sets {
    data: Set,
    control: Option<Set>,
}

impl Set {
    fn read(
        path: &Path,
        args: &EvalArgs,
        checkpoint: &Checkpoint,
        text: &ModelText,
    ) -> Result<Self> {
        let read = examples::read(
            path,
            checkpoint,
            text,
            &args.text,
            Some(args.max_length),
            args.limit,
        )?;
        let options = args
            .text
            .options(Some(args.max_length), checkpoint.arch.vocab_size);
        let questions = if args.answers {
            questions(&read.records, text, &options)
                .with_context(|| format!("asking the questions of `{}`", path.display()))?
        } else {
            Vec::new()
        };
        Ok(Self {
            encoded: read.encoded,
            questions,
        })
    }
}

impl Set {
    /// Which scores will mislead on these answers.
    fn advice(&self, metrics: &MetricArgs) -> Vec<String> {
        let asked = self.questions.iter().map(|question| Prediction {
            prediction: String::new(),
            references: vec![question.prompt.reference.clone()],
        });
        let asked: Vec<Prediction> = asked.collect();
        advice(&asked, &metrics.metrics(), &metrics.options())
    }
}

/// One model's numbers on one set.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) n_examples: usize,
    pub(crate) n_tokens: u64,
    pub(crate) loss: f64,
    pub(crate) losses: Scores,
    pub(crate) answers: Option<(Vec<String>, Scores)>,
}

/// One model's numbers.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    adapter: Option<PathBuf>,
    pub(crate) data: Numbers,
    pub(crate) control: Option<Numbers>,
}

impl Measured {
    fn new(
        name: &str,
        adapter: Option<&Path>,
        model: &Decoder,
        sets: &Sets,
        args: &EvalArgs,
        text: &ModelText,
    ) -> Result<Self> {
        let numbers = |set: &Set| Numbers::new(name, model, set, args, text);
        Ok(Self {
            name: name.into(),
            adapter: adapter.map(Path::to_path_buf),
            data: numbers(&sets.data)?,
            control: sets.control.as_ref().map(numbers).transpose()?,
        })
    }
}

impl Numbers {
    fn new(
        name: &str,
        model: &Decoder,
        set: &Set,
        args: &EvalArgs,
        text: &ModelText,
    ) -> Result<Self> {
        let bar = progress::bar(set.encoded.len() as u64, &format!("{name}: loss"));
        let mut tick = |done: usize| {
            bar.set_position(done as u64);
            !interrupt::asked()
        };
        let result = evaluate(model, &set.encoded, args.batch_size, &mut tick);
        bar.finish_and_clear();
        let result = match result {
            Err(TrainError::Cancelled) => bail!("stopped"),
            result => result.context("evaluating")?,
        };
        let scores = args.metrics.options();
        let losses: Vec<RecordLoss> = result
            .per_example
            .iter()
            .map(|&(loss_sum, n_tokens)| RecordLoss { loss_sum, n_tokens })
            .collect();
        let answers = if set.questions.is_empty() {
            None
        } else {
            let options = args.sampling.options(&text.end_token_ids)?;
            let what = format!("{name}: answers");
            let answers = answer(model, text, &set.questions, &options, &what)?;
            let predictions: Vec<Prediction> = answers
                .iter()
                .zip(&set.questions)
                .map(|(answer, question)| Prediction {
                    prediction: answer.clone(),
                    references: vec![question.prompt.reference.clone()],
                })
                .collect();
            let scored = score(&predictions, &args.metrics.metrics(), &scores)?;
            Some((answers, scored))
        };
        Ok(Self {
            n_examples: result.n_examples,
            n_tokens: result.n_targets,
            loss: result.loss,
            losses: score_losses(&losses, &scores)?,
            answers,
        })
    }

    fn json(&self, per_record: bool) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("n_examples".into(), json!(self.n_examples));
        object.insert("n_tokens".into(), json!(self.n_tokens));
        object.insert("loss".into(), json!(self.loss));
        object.insert("perplexity".into(), json!(self.loss.exp()));
        let mut intervals = Map::new();
        for scores in [
            Some(&self.losses),
            self.answers.as_ref().map(|(_, scores)| scores),
        ]
        .into_iter()
        .flatten()
        {
            for metric in &scores.metrics {
                intervals.insert(metric.metric.name().into(), json!(metric.interval));
                object
                    .entry(metric.metric.name())
                    .or_insert_with(|| json!(metric.value));
            }
        }
        object.insert("intervals".into(), Value::Object(intervals));
        if per_record {
            let records = (0..self.n_examples).map(|record| {
                let mut line = self.losses.record_json(record);
                if let Some((answers, scores)) = &self.answers {
                    line.extend(scores.record_json(record));
                    line.insert("prediction".into(), json!(answers[record]));
                }
                Value::Object(line)
            });
            object.insert("records".into(), records.collect());
        }
        object
    }

    fn compared(&self, tuned: &Self) -> Result<Vec<Comparison>> {
        let mut comparisons = compare(&self.losses, &tuned.losses)?;
        if let (Some((_, base)), Some((_, tuned))) = (&self.answers, &tuned.answers) {
            comparisons.extend(compare(base, tuned)?);
        }
        Ok(comparisons)
    }
}

/// Everything that was measured, the others against the first.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) measured: Vec<Measured>,
    /// One for each but the first.
    pub(crate) against_first: Vec<Against>,
}

/// How one model differs from the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Against {
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) control: Vec<Comparison>,
}

impl Against {
    fn new(first: &Measured, other: &Measured) -> Result<Self> {
        let control = match (&first.control, &other.control) {
            (Some(first), Some(other)) => first.compared(other)?,
            _ => Vec::new(),
        };
        Ok(Self {
            comparisons: first.data.compared(&other.data)?,
            control,
        })
    }
}

impl Outcome {
    fn new(measured: Vec<Measured>) -> Result<Self> {
        let against_first = match measured.as_slice() {
            [first, others @ ..] => others
                .iter()
                .map(|other| Against::new(first, other))
                .collect::<Result<_>>()?,
            [] => Vec::new(),
        };
        Ok(Self {
            measured,
            against_first,
        })
    }

    /// The last against the first.
    fn last(&self) -> Against {
        self.against_first.last().cloned().unwrap_or_default()
    }

    /// One model: its numbers. Several: `runs`, each with its comparison with the first, and the
    /// last model's numbers and comparison.
    fn json(&self, per_record: bool) -> Value {
        let Some(last) = self.measured.last() else {
            return Value::Null;
        };
        let mut object = last.data.json(per_record && self.measured.len() == 1);
        if let Some(control) = &last.control {
            object.insert("control".into(), Value::Object(control.json(false)));
        }
        if self.measured.len() > 1 {
            let first = self.measured.first().map(|measured| &measured.name);
            let run = |(at, measured): (usize, &Measured)| {
                let mut run = measured.data.json(per_record);
                run.insert("name".into(), json!(measured.name));
                let against = at.checked_sub(1).and_then(|at| self.against_first.get(at));
                if let Some(against) = against {
                    run.insert("against".into(), json!(first));
                    run.insert("comparisons".into(), json!(against.comparisons));
                    run.insert("control_comparisons".into(), json!(against.control));
                }
                if let Some(control) = &measured.control {
                    run.insert("control".into(), Value::Object(control.json(per_record)));
                }
                Value::Object(run)
            };
            let runs = self.measured.iter().enumerate().map(run).collect();
            object.insert("runs".into(), runs);
            let Against {
                comparisons,
                control,
            } = self.last();
            object.insert("comparisons".into(), json!(comparisons));
            object.insert("control_comparisons".into(), json!(control));
        }
        Value::Object(object)
    }
}

/// Where the report goes: as asked, or beside the run whose adapter was measured.
fn report_path(args: &EvalArgs) -> Option<PathBuf> {
    let beside_run = || {
        let dir = args
            .adapter
            .last()
            .filter(|dir| dir.join("run.json").is_file())?;
        Some(dir.join("report.html"))
    };
    args.report.clone().or_else(beside_run)
}

fn write_report(path: &Path, outcome: &Outcome, sets: &Sets, args: &EvalArgs) -> Result<()> {
    let answers = match outcome.measured.as_slice() {
        [first, .., last] => rows(first, last, &sets.data.questions),
        _ => Vec::new(),
    };
    let run_dir = outcome
        .measured
        .iter()
        .rev()
        .find_map(|measured| measured.adapter.clone());
    let against = outcome.last();
    let control = (!against.control.is_empty()).then(|| Control {
        description:
            "Records whose facts were never trained: what the tuned model gets right here \
                      is no recall."
                .into(),
        comparisons: against.control,
    });
    let part = EvalPart {
        data: args
            .data
            .as_ref()
            .map_or_else(String::new, |path| path.display().to_string()),
        comparisons: against.comparisons,
        control,
        answers,
    };
    run_report::write(path, run_dir.as_deref(), part)?;
    eprintln!("report: {}", path.display());
    Ok(())
}

/// Answers in the report.
const N_ANSWERS: usize = 20;

fn rows(base: &Measured, tuned: &Measured, questions: &[Question]) -> Vec<AnswerRow> {
    let (Some((base, _)), Some((tuned, _))) = (&base.data.answers, &tuned.data.answers) else {
        return Vec::new();
    };
    // Spread over the set, so that one kind of question does not fill the report.
    let every = questions.len().div_ceil(N_ANSWERS).max(1);
    (0..questions.len())
        .step_by(every)
        .map(|i| AnswerRow {
            prompt: questions[i].shown.clone(),
            reference: questions[i].prompt.reference.clone(),
            base: base[i].clone(),
            tuned: tuned[i].clone(),
        })
        .collect()
}
