//! What a training run says while it goes: one JSON object a line.

use serde::{Deserialize, Serialize};

/// One line of `events.jsonl` and of `veneer train --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Before the first step of this process.
    Start {
        total_steps: u64,
        /// Steps already done (resumed runs).
        first_step: u64,
        n_examples: usize,
        trainable_parameters: u64,
        total_parameters: u64,
        device: String,
    },
    /// After each optimizer step.
    Step {
        step: u64,
        epoch: f64,
        /// Mean cross-entropy over the targets of this step's whole accumulation group.
        loss: f64,
        /// Global L2 norm of the trainable gradients, before clipping.
        grad_norm: f64,
        learning_rate: f64,
        /// Targets in this step.
        n_tokens: u64,
        /// Input tokens without padding in this step.
        n_input_tokens: u64,
        tokens_per_second: f64,
        peak_memory_bytes: u64,
        eta_seconds: f64,
    },
    /// After an evaluation on the validation set.
    Eval {
        step: u64,
        epoch: f64,
        loss: f64,
        perplexity: f64,
        n_tokens: u64,
    },
    /// A checkpoint was written, under its final name.
    Checkpoint { step: u64, path: String },
    /// The run ended by itself.
    Finish(RunSummary),
    /// The user stopped the run; `--resume` goes on from here.
    Stop { step: u64, total_steps: u64 },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    pub steps: u64,
    pub seconds: f64,
    pub final_loss: f64,
    pub best_eval_loss: Option<f64>,
    /// Why it ended before `total_steps`, if it did (early stopping).
    pub ended_early: Option<String>,
}
