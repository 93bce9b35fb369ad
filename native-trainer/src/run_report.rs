//! The report of a run, with what an evaluation added to it.

use std::path::Path;

use anyhow::Result;
use veneer_core::protocol::{EvalStrategy, Event};

use crate::{
    report::{self, AnswerRow, Compared, ModelScores, Report},
    run_dir::{RunDir, RunSpec},
};

/// What an evaluation adds.
#[derive(Debug, Default)]
pub(crate) struct EvalPart {
    /// The dataset measured on.
    pub(crate) data: String,
    /// Models that are not compared.
    pub(crate) models: Vec<ModelScores>,
    pub(crate) compared: Vec<Compared>,
    /// Whether no adapter was trained on any of it.
    pub(crate) is_held_out: bool,
    pub(crate) answers: Vec<AnswerRow>,
    /// What a reader should know of the data, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Writes `report` from the run in `run_dir` (if it is one) and an evaluation.
pub(crate) fn write(path: &Path, run_dir: Option<&Path>, eval: EvalPart) -> Result<()> {
    let run = run_dir.and_then(|dir| RunDir::read_spec(dir).ok().map(|spec| (dir, spec)));
    let mut page = Report {
        title: "Evaluation".into(),
        subtitle: eval.data.clone(),
        models: eval.models,
        compared: eval.compared,
        is_held_out: eval.is_held_out,
        answers: eval.answers,
        notes: eval.notes,
        ..Report::default()
    };
    if let Some((dir, spec)) = run {
        page.title = format!("Fine-tuning {}", spec.model);
        page.subtitle = format!("on {}", spec.data.display());
        page.events = RunDir::read_events(dir);
        page.dataset = dataset(&spec, &page.events, &eval.data);
        page.notes.extend(notes(&spec, &page.events));
        page.job = serde_json::to_value(&spec.job)?;
    }
    report::write(path, &page)
}

fn dataset(spec: &RunSpec, events: &[Event], eval_data: &str) -> Vec<(String, String)> {
    let data = match spec.read.side {
        Some(side) => format!("{} ({})", spec.data.display(), side.name()),
        None => spec.data.display().to_string(),
    };
    let mut rows = vec![("training data".to_string(), data)];
    rows.push(("SHA-256 of its tokens".into(), spec.data_sha256.clone()));
    if let Some(path) = &spec.eval_data {
        rows.push(("validation data".into(), path.display().to_string()));
    }
    if !eval_data.is_empty() {
        rows.push(("evaluated on".into(), eval_data.into()));
    }
    let start = events.iter().rev().find_map(|event| match event {
        Event::Start {
            n_examples,
            trainable_parameters,
            total_parameters,
            device,
            ..
        } => Some((n_examples, trainable_parameters, total_parameters, device)),
        _ => None,
    });
    if let Some((n_examples, trained, total, device)) = start {
        rows.push(("examples".into(), n_examples.to_string()));
        let share = 100.0 * *trained as f64 / (*total).max(1) as f64;
        rows.push((
            "trained parameters".into(),
            format!("{trained} of {total} ({share:.2} %)"),
        ));
        rows.push(("device".into(), device.clone()));
    }
    rows
}

/// What a reader should know before believing the numbers.
fn notes(spec: &RunSpec, events: &[Event]) -> Vec<String> {
    let mut notes = Vec::new();
    if spec.eval_data.is_none() {
        notes.push(
            "The run had no validation data: overfitting would not show in its curves.".into(),
        );
    } else if spec.job.eval_strategy == EvalStrategy::No {
        notes.push("Evaluation during training was switched off.".into());
    }
    let losses: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Eval { loss, .. } => Some(*loss),
            _ => None,
        })
        .collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    if losses.last().is_some_and(|&last| last > best * 1.05) {
        notes.push(
            "The validation loss rose again before the end, a sign of overfitting: train for fewer \
             epochs, or set early_stopping_patience."
                .into(),
        );
    }
    notes
}
