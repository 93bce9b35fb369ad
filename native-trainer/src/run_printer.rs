//! What a run shows: a bar on a terminal, lines in a log, JSON for machines.

use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use veneer_core::protocol::Event;

use crate::memory::{human, human_seconds};

pub(crate) struct RunPrinter {
    json: bool,
    bar: Option<ProgressBar>,
    total_steps: u64,
}

impl RunPrinter {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            bar: None,
            total_steps: 0,
        }
    }

    pub(crate) fn event(&mut self, event: &Event) {
        if self.json
            && let Ok(line) = serde_json::to_string(event)
        {
            // A closed pipe must not end a run that is being saved.
            writeln!(std::io::stdout(), "{line}").ok();
        }
        match event {
            Event::Start {
                total_steps,
                first_step,
                ..
            } => self.start(*total_steps, *first_step),
            Event::Step { .. } => self.step(event),
            Event::Eval {
                step,
                loss,
                perplexity,
                ..
            } => {
                self.line(&format!(
                    "step {step}: validation loss {loss:.4}, perplexity {perplexity:.2}"
                ));
            }
            Event::Checkpoint { path, .. } => self.line(&format!("saved {path}")),
            Event::Finish(summary) => {
                self.clear();
                let early = summary
                    .ended_early
                    .as_ref()
                    .map_or(String::new(), |why| format!(" ({why})"));
                let seconds = human_seconds(summary.seconds);
                self.line(&format!(
                    "done: {} steps in {seconds}{early}",
                    summary.steps
                ));
            }
            Event::Stop { step, total_steps } => {
                self.clear();
                self.line(&format!(
                    "stopped after step {step} of {total_steps}, saved"
                ));
            }
        }
    }

    fn start(&mut self, total_steps: u64, first_step: u64) {
        self.total_steps = total_steps;
        if self.json || !std::io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(total_steps), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_position(first_step);
        bar.enable_steady_tick(Duration::from_millis(500));
        self.bar = Some(bar);
    }

    fn step(&self, event: &Event) {
        let Event::Step {
            step,
            loss,
            learning_rate,
            tokens_per_second,
            peak_memory_bytes,
            eta_seconds,
            ..
        } = event
        else {
            return;
        };
        let text = format!(
            "loss {loss:.3} lr {learning_rate:.1e} {tokens_per_second:.0} tok/s {} ETA {}",
            human(*peak_memory_bytes),
            human_seconds(*eta_seconds),
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(*step);
                bar.set_message(text);
            }
            // A log gets about twenty lines, whatever the length of the run.
            None if !self.json
                && (*step == 1 || step.is_multiple_of((self.total_steps / 20).max(1))) =>
            {
                eprintln!("step {step}/{} {text}", self.total_steps);
            }
            None => {}
        }
    }

    pub(crate) fn evaluating(&self, done: usize, of: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("evaluating {done}/{of}"));
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.json => {}
            None => eprintln!("{text}"),
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
