//! The HTML report of an evaluation.

use std::path::{Path, PathBuf};

use anyhow::Result;
use veneer_core::eval::{Comparison, Scores};

use super::{EvalArgs, Measured, Numbers, Outcome, Sets};
use crate::{
    answers::Question,
    report::{self, AnswerRow, Compared, Control, ModelScores, ScoreRow},
    run_report::{self, EvalPart},
};

/// Answers in the report.
const N_ANSWERS: usize = 20;

/// Writes the report as asked, or beside the run whose adapter was measured. There, scores of one
/// model do not take the place of a comparison.
pub(super) fn write(outcome: &Outcome, sets: &Sets, args: &EvalArgs) -> Result<()> {
    let (path, run_dir) = match (&args.report, beside_run(args)) {
        (Some(path), _) => (path.clone(), only(&args.adapter)),
        (None, Some((path, run_dir))) => (path, Some(run_dir)),
        (None, None) => return Ok(()),
    };
    let is_unasked = args.report.is_none();
    if is_unasked && outcome.against_first.is_empty() && report::holds_comparison(&path) {
        eprintln!(
            "report: {} stays, as it holds a comparison; --report FILE writes these scores",
            path.display()
        );
        return Ok(());
    }
    run_report::write(&path, run_dir, part(outcome, sets, args))?;
    eprintln!("report: {}", path.display());
    Ok(())
}

/// The report of the last adapter's run.
fn beside_run(args: &EvalArgs) -> Option<(PathBuf, &Path)> {
    let dir = args.adapter.last()?;
    let is_run = dir.join("run.json").is_file();
    is_run.then(|| (dir.join("report.html"), dir.as_path()))
}

/// A report of several adapters is not about the run of one.
fn only(adapters: &[PathBuf]) -> Option<&Path> {
    match adapters {
        [adapter] => Some(adapter),
        _ => None,
    }
}

fn part(outcome: &Outcome, sets: &Sets, args: &EvalArgs) -> EvalPart {
    let data = args.data.as_ref().map(|path| path.display().to_string());
    let data = data.unwrap_or_default();
    let compared = compared(outcome);
    // What is compared has its scores in the comparison.
    let alone = outcome.measured.iter().filter(|_| compared.is_empty());
    EvalPart {
        data: match sets.data.side {
            Some(side) => format!("{data} ({})", side.name()),
            None => data,
        },
        models: alone.map(model_scores).collect(),
        compared,
        is_held_out: outcome.is_held_out(),
        answers: rows(&outcome.measured, &sets.data.questions),
        notes: outcome.warnings(),
    }
}

fn compared(outcome: &Outcome) -> Vec<Compared> {
    let Some((first, others)) = outcome.measured.split_first() else {
        return Vec::new();
    };
    let control = |comparisons: &[Comparison]| {
        (!comparisons.is_empty()).then(|| Control {
            description: "Records whose facts were never trained: what a tuned model gets right \
                          here is no recall."
                .into(),
            comparisons: comparisons.to_vec(),
        })
    };
    let others = others.iter().zip(&outcome.against_first);
    others
        .map(|(other, against)| Compared {
            name: other.name.clone(),
            against: first.name.clone(),
            comparisons: against.comparisons.clone(),
            control: control(&against.control),
        })
        .collect()
}

fn model_scores(measured: &Measured) -> ModelScores {
    let rows = |numbers: &Numbers| numbers.scores().flat_map(score_rows).collect();
    ModelScores {
        name: measured.name.clone(),
        n_examples: measured.data.n_examples,
        scores: rows(&measured.data),
        control: measured.control.as_ref().map_or_else(Vec::new, rows),
    }
}

fn score_rows(scores: &Scores) -> impl Iterator<Item = ScoreRow> {
    scores.metrics.iter().map(|score| ScoreRow {
        metric: score.metric,
        value: score.value,
        interval: score.interval,
        confidence_level: scores.options.resampling.confidence_level,
    })
}

fn rows(measured: &[Measured], questions: &[Question]) -> Vec<AnswerRow> {
    // Spread over the set, so that one kind of question does not fill the report.
    let every = questions.len().div_ceil(N_ANSWERS).max(1);
    let answers = |at: usize| {
        let answer = |measured: &Measured| {
            let text = measured.data.answers.as_ref()?.texts.get(at)?;
            Some((measured.name.clone(), text.clone()))
        };
        measured.iter().filter_map(answer).collect()
    };
    let questions = questions.iter().enumerate().step_by(every);
    questions
        .map(|(at, question)| AnswerRow {
            prompt: question.shown.clone(),
            reference: question.prompt.reference.clone(),
            answers: answers(at),
        })
        .collect()
}
