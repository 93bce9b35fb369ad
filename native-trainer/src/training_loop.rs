//! A run from its first step to its last: events, evaluation, checkpoints, Ctrl-C.

use std::time::Instant;

use anyhow::{Context as _, Result};
use veneer_core::{
    protocol::{EvalStrategy, Event, RunSummary},
    text::Encoded,
    train::{StepStats, TrainError, Training, evaluate},
    weights::{adapter::Adapter, adapter_config::AdapterConfig},
};

use crate::{
    interrupt, memory,
    run_dir::{Progress, RunDir, save_adapter},
    run_printer::RunPrinter,
};

/// A run with everything that it writes to.
pub(crate) struct Loop<'a> {
    pub(crate) training: Training,
    pub(crate) run_dir: RunDir,
    pub(crate) printer: RunPrinter,
    pub(crate) eval_examples: &'a [Encoded],
    /// `None` where whole models are trained.
    pub(crate) adapter_config: Option<AdapterConfig>,
    pub(crate) progress: Progress,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Finished,
    Stopped,
}

impl Loop<'_> {
    /// Trains to the end, or until Ctrl-C; writes the adapter in the former case.
    pub(crate) fn run(&mut self, start: Event) -> Result<Ended> {
        interrupt::listen();
        self.say(start)?;
        let (started, earlier) = (Instant::now(), self.progress.seconds);
        let first_step = self.training.steps_done();
        let mut last_loss = f64::NAN;
        let mut ended_early = None;
        while !self.training.is_done() {
            let step_started = Instant::now();
            let stats = match self.training.step(&interrupt::asked) {
                Ok(stats) => stats,
                Err(TrainError::Cancelled) => return self.stop(),
                Err(error) => return Err(error).context("training"),
            };
            last_loss = stats.loss;
            let elapsed = started.elapsed().as_secs_f64();
            self.progress.step = stats.step;
            self.progress.seconds = earlier + elapsed;
            let per_step = elapsed / (stats.step - first_step) as f64;
            let left = (self.training.total_steps() - stats.step) as f64;
            self.say(step_event(
                &stats,
                step_started.elapsed().as_secs_f64(),
                per_step * left,
            ))?;

            let job = self.training.job().clone();
            if self.due(job.eval_strategy, job.eval_steps) && !self.eval_examples.is_empty() {
                self.evaluate(&stats)?;
            }
            if self.due(job.save_strategy, job.save_steps) {
                self.save()?;
            }
            let without = self.progress.evaluations_without_improvement;
            if job
                .early_stopping_patience
                .is_some_and(|patience| without >= patience)
            {
                ended_early = Some(format!("{without} evaluations without improvement"));
                break;
            }
            if interrupt::asked() && !self.training.is_done() {
                return self.stop();
            }
        }
        self.finish(last_loss, ended_early)
    }

    fn finish(&mut self, final_loss: f64, ended_early: Option<String>) -> Result<Ended> {
        if let Some(adapter) = self.adapter() {
            let best = self.training.job().early_stopping_patience.is_some()
                && self.run_dir.best().exists();
            let adapter = if best {
                crate::model_run::open_adapter(&self.run_dir.best())?
            } else {
                adapter
            };
            save_adapter(self.run_dir.path(), &adapter)?;
        }
        self.say(Event::Finish(RunSummary {
            steps: self.training.steps_done(),
            seconds: self.progress.seconds,
            final_loss,
            best_eval_loss: self.progress.best_eval_loss,
            ended_early,
        }))?;
        Ok(Ended::Finished)
    }

    fn stop(&mut self) -> Result<Ended> {
        self.save()?;
        let (step, total_steps) = (self.training.steps_done(), self.training.total_steps());
        self.say(Event::Stop { step, total_steps })?;
        Ok(Ended::Stopped)
    }

    /// Whether something with this strategy comes after the step just done.
    fn due(&self, strategy: EvalStrategy, every: u64) -> bool {
        let step = self.training.steps_done();
        match strategy {
            EvalStrategy::No => false,
            EvalStrategy::Epoch => {
                self.training.is_done()
                    || step.is_multiple_of(self.training.steps_per_epoch().max(1))
            }
            EvalStrategy::Steps => step.is_multiple_of(every.max(1)),
        }
    }

    fn evaluate(&mut self, stats: &StepStats) -> Result<()> {
        let job = self.training.job();
        let batch_size = job.per_device_train_batch_size;
        let n_examples = self.eval_examples.len();
        let printer = &self.printer;
        let mut progress = |done: usize| {
            printer.evaluating(done, n_examples);
            !interrupt::asked()
        };
        let result = evaluate(
            self.training.model(),
            self.eval_examples,
            batch_size,
            &mut progress,
        );
        let result = match result {
            Err(TrainError::Cancelled) => return Ok(()),
            result => result.context("evaluating")?,
        };
        if self
            .progress
            .best_eval_loss
            .is_none_or(|best| result.loss < best)
        {
            self.progress.best_eval_loss = Some(result.loss);
            self.progress.evaluations_without_improvement = 0;
            if let Some(adapter) = self
                .adapter()
                .filter(|_| job.early_stopping_patience.is_some())
            {
                self.run_dir.save_best(&adapter)?;
            }
        } else {
            self.progress.evaluations_without_improvement += 1;
        }
        self.say(Event::Eval {
            step: stats.step,
            epoch: stats.epoch,
            loss: result.loss,
            perplexity: result.loss.exp(),
            n_tokens: result.n_targets,
        })
    }

    fn save(&mut self) -> Result<()> {
        let state = self.training.state();
        let limit = self.training.job().save_total_limit;
        let path =
            self.run_dir
                .save_checkpoint(&state, self.adapter().as_ref(), &self.progress, limit)?;
        self.say(Event::Checkpoint {
            step: state.step,
            path: path.display().to_string(),
        })
    }

    fn adapter(&self) -> Option<Adapter> {
        self.adapter_config
            .as_ref()
            .map(|config| self.training.model().adapter(config))
    }

    fn say(&mut self, event: Event) -> Result<()> {
        self.run_dir.record(&event)?;
        self.printer.event(&event);
        Ok(())
    }
}

fn step_event(stats: &StepStats, seconds: f64, eta_seconds: f64) -> Event {
    Event::Step {
        step: stats.step,
        epoch: stats.epoch,
        loss: stats.loss,
        grad_norm: stats.grad_norm,
        learning_rate: stats.learning_rate,
        n_tokens: stats.n_targets,
        n_input_tokens: stats.n_input_tokens,
        tokens_per_second: stats.n_input_tokens as f64 / seconds.max(1e-9),
        peak_memory_bytes: memory::peak_bytes(),
        eta_seconds,
    }
}
