//! Models measured one by one on the same records: losses, answers, and whether the records are new.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use veneer_core::{
    eval::{Comparison, Prediction, RecordLoss, Scores, advice, compare, score, score_losses},
    model::Decoder,
    text::{Encoded, ModelText},
    train::{TrainError, evaluate},
};

use super::{EvalArgs, MetricArgs};
use crate::{
    answers::{Question, answer, questions},
    dataset::Sides,
    examples, interrupt,
    model_run::Checkpoint,
    progress,
    run_dir::trained::{Seen, Trained, prints},
};

/// Records to measure on.
pub(super) struct Set {
    pub(super) side: Option<Sides>,
    encoded: Vec<Encoded>,
    prints: Vec<u128>,
    pub(super) questions: Vec<Question>,
}

pub(super) struct Sets {
    pub(super) data: Set,
    pub(super) control: Option<Set>,
}

impl Set {
    pub(super) fn read(
        path: &Path,
        side: Option<Sides>,
        args: &EvalArgs,
        checkpoint: &Checkpoint,
        text: &ModelText,
    ) -> Result<Self> {
        let mut text_args = args.text.clone();
        text_args.read.side = side;
        let max_length = args.max_length;
        let read = examples::read(path, checkpoint, text, &text_args, max_length, args.limit)?;
        examples::warn_of_flattery(path, &read.records, side, &text_args.read)?;
        let options = text_args.options(max_length, checkpoint.arch.vocab_size);
        let questions = if args.answers {
            questions(&read.records, text, &options)
                .with_context(|| format!("asking the questions of `{}`", path.display()))?
        } else {
            Vec::new()
        };
        Ok(Self {
            side,
            prints: prints(&read.records),
            encoded: read.encoded,
            questions,
        })
    }

    /// Which scores will mislead on these answers.
    pub(super) fn advice(&self, metrics: &MetricArgs) -> Vec<String> {
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
    pub(crate) answers: Option<Answers>,
}

/// What a model answered, one entry a question.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(super) texts: Vec<String>,
    pub(super) references: Vec<String>,
    /// The record of each question; not every record asks one.
    record_idxs: Vec<usize>,
    pub(crate) scores: Scores,
}

/// One model's numbers.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    /// How much of the data the adapter was trained on.
    pub(super) seen: Option<Seen>,
    pub(crate) data: Numbers,
    pub(crate) control: Option<Numbers>,
}

impl Measured {
    pub(super) fn new(
        adapter: Option<&Path>,
        model: &Decoder,
        sets: &Sets,
        args: &EvalArgs,
        text: &ModelText,
    ) -> Result<Self> {
        let name = adapter.map_or_else(|| "base".into(), |dir| dir.display().to_string());
        let numbers = |set: &Set| Numbers::new(&name, model, set, args, text);
        Ok(Self {
            seen: adapter.map(|dir| Trained::of_adapter(dir).seen(&sets.data.prints)),
            data: numbers(&sets.data)?,
            control: sets.control.as_ref().map(numbers).transpose()?,
            name,
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
        let losses: Vec<RecordLoss> = result
            .per_example
            .iter()
            .map(|&(loss_sum, n_tokens)| RecordLoss { loss_sum, n_tokens })
            .collect();
        let answers = if set.questions.is_empty() {
            None
        } else {
            Some(Answers::new(name, model, set, args, text)?)
        };
        Ok(Self {
            n_examples: result.n_examples,
            n_tokens: result.n_targets,
            loss: result.loss,
            losses: score_losses(&losses, &args.metrics.options())?,
            answers,
        })
    }

    /// Of the losses and of the answers.
    pub(super) fn scores(&self) -> impl Iterator<Item = &Scores> {
        let answers = self.answers.as_ref().map(|answers| &answers.scores);
        std::iter::once(&self.losses).chain(answers)
    }

    pub(super) fn json(&self, per_record: bool) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("n_examples".into(), json!(self.n_examples));
        object.insert("n_tokens".into(), json!(self.n_tokens));
        object.insert("loss".into(), json!(self.loss));
        object.insert("perplexity".into(), json!(self.loss.exp()));
        let mut intervals = Map::new();
        for metric in self.scores().flat_map(|scores| &scores.metrics) {
            intervals.insert(metric.metric.name().into(), json!(metric.interval));
            object
                .entry(metric.metric.name())
                .or_insert_with(|| json!(metric.value));
        }
        object.insert("intervals".into(), Value::Object(intervals));
        if per_record {
            object.insert("records".into(), self.records_json());
        }
        object
    }

    /// One object a record; its answer is one that `--predictions` reads.
    fn records_json(&self) -> Value {
        let losses = 0..self.n_examples;
        let mut records: Vec<_> = losses.map(|at| self.losses.record_json(at)).collect();
        if let Some(answers) = &self.answers {
            for (at, record_idx) in answers.record_idxs.iter().enumerate() {
                let Some(record) = records.get_mut(*record_idx) else {
                    continue;
                };
                record.extend(answers.scores.record_json(at));
                record.insert("prediction".into(), json!(answers.texts.get(at)));
                record.insert("reference".into(), json!(answers.references.get(at)));
            }
        }
        records.into_iter().map(Value::Object).collect()
    }

    pub(super) fn compared(&self, tuned: &Self) -> Result<Vec<Comparison>> {
        let mut comparisons = compare(&self.losses, &tuned.losses)?;
        if let (Some(base), Some(tuned)) = (&self.answers, &tuned.answers) {
            comparisons.extend(compare(&base.scores, &tuned.scores)?);
        }
        Ok(comparisons)
    }
}

impl Answers {
    fn new(
        name: &str,
        model: &Decoder,
        set: &Set,
        args: &EvalArgs,
        text: &ModelText,
    ) -> Result<Self> {
        let options = args.sampling.options(&text.end_token_ids)?;
        let what = format!("{name}: answers");
        let texts = answer(model, text, &set.questions, &options, &what)?;
        let references = set
            .questions
            .iter()
            .map(|question| &question.prompt.reference);
        let references: Vec<String> = references.cloned().collect();
        let answered = texts.iter().zip(&references);
        let predictions: Vec<Prediction> = answered
            .map(|(text, reference)| Prediction {
                prediction: text.clone(),
                references: vec![reference.clone()],
            })
            .collect();
        let (metrics, options) = (args.metrics.metrics(), args.metrics.options());
        Ok(Self {
            scores: score(&predictions, &metrics, &options)?,
            record_idxs: set
                .questions
                .iter()
                .map(|question| question.record_idx)
                .collect(),
            texts,
            references,
        })
    }
}
