//! A run as a state machine: one call, one optimizer step.

use std::collections::BTreeMap;

use burn::tensor::{DType, Tensor, TensorData};

use super::{
    AdamW, Gradients, Group, MicroBatch, Order, clip_coefficient, evaluate_batch, global_norm,
    learning_rate, micro_backward,
};
use crate::{
    arch::Arch,
    model::{Decoder, host_f32},
    nn::Dropout,
    protocol::TrainJob,
    text::Encoded,
};

/// Why a run cannot start or go on.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum TrainError {
    #[error("no example to train on")]
    Empty,

    #[error("example {index} has {n_labels} labels for {n_ids} tokens, expected one a token")]
    Labels {
        index: usize,
        n_ids: usize,
        n_labels: usize,
    },

    #[error("example {index} holds token id {id}, but the model's vocabulary has {vocab_size}")]
    Vocabulary {
        index: usize,
        id: i64,
        vocab_size: usize,
    },

    #[error(
        "example {index} has {n_ids} tokens, but the model has embeddings for {limit} positions; \
         set `max_length` to at most {limit}"
    )]
    TooLong {
        index: usize,
        n_ids: usize,
        limit: usize,
    },

    #[error("example {index} has no token to train on; run `veneer inspect` on it")]
    NoTarget { index: usize },

    #[error(
        "step {step} has loss {loss} and gradient norm {grad_norm}, expected finite numbers; \
         lower `learning_rate`, or look at the examples of this step"
    )]
    Diverged {
        step: u64,
        loss: f64,
        grad_norm: f64,
    },

    #[error("the checkpoint does not fit this run: {reason}")]
    State { reason: String },

    #[error("stopped")]
    Cancelled,
}

/// What one optimizer step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepStats {
    /// From 1.
    pub step: u64,
    /// Epochs done after this step.
    pub epoch: f64,
    /// Mean cross-entropy over the targets of the whole accumulation group.
    pub loss: f64,
    /// Before clipping.
    pub grad_norm: f64,
    pub learning_rate: f64,
    pub n_targets: u64,
    pub n_input_tokens: u64,
}

/// Mean loss over a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    pub loss: f64,
    /// Sum of the cross-entropy, and number of targets, of each example.
    pub per_example: Vec<(f64, u64)>,
    pub n_examples: usize,
    pub n_targets: u64,
}

/// All that a run needs to go on from a step, beside its job and data.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainState {
    pub step: u64,
    /// Named matrices: trained parameters as they are, and `adam.m:`, `adam.v:` + name.
    pub tensors: BTreeMap<String, ([usize; 2], Vec<f32>)>,
}

/// A run in progress.
#[derive(Debug)]
pub struct Training {
    job: TrainJob,
    model: Decoder,
    optimizer: AdamW,
    examples: Vec<Encoded>,
    order: Order,
    /// The steps of one epoch, kept while it lasts.
    epoch: Option<(u64, Vec<Group>)>,
    step: u64,
    total_steps: u64,
}

impl Training {
    /// # Errors
    /// Examples that the model cannot take.
    pub fn new(job: TrainJob, model: Decoder, examples: Vec<Encoded>) -> Result<Self, TrainError> {
        check_examples(&examples, &model.arch)?;
        let lengths: Vec<usize> = examples.iter().map(Encoded::len).collect();
        let order = Order::new(&job, &lengths);
        let by_epochs = (job.num_train_epochs * order.steps_per_epoch() as f64).ceil() as u64;
        let total_steps = job.max_steps.unwrap_or(by_epochs);
        let optimizer = AdamW::default();
        Ok(Self {
            job,
            model,
            optimizer,
            examples,
            order,
            epoch: None,
            step: 0,
            total_steps,
        })
    }

    pub fn model(&self) -> &Decoder {
        &self.model
    }

    pub fn job(&self) -> &TrainJob {
        &self.job
    }

    /// Steps done.
    pub fn steps_done(&self) -> u64 {
        self.step
    }

    pub fn total_steps(&self) -> u64 {
        self.total_steps
    }

    pub fn steps_per_epoch(&self) -> u64 {
        self.order.steps_per_epoch()
    }

    pub fn is_done(&self) -> bool {
        self.step >= self.total_steps
    }

    /// Micro-batches of the next step.
    fn next_group(&mut self) -> Vec<MicroBatch> {
        let steps_per_epoch = self.order.steps_per_epoch().max(1);
        let (epoch, group_idx) = (self.step / steps_per_epoch, self.step % steps_per_epoch);
        if self.epoch.as_ref().is_none_or(|(known, _)| *known != epoch) {
            self.epoch = Some((epoch, self.order.epoch(epoch)));
        }
        let groups = self.epoch.as_ref().map_or(&[][..], |(_, groups)| groups);
        let group = &groups[group_idx as usize];
        group
            .iter()
            .map(|rows| MicroBatch::new(&self.examples, rows))
            .collect()
    }

    /// One optimizer step. `cancelled` is asked between micro-batches; a cancelled or failed step
    /// leaves the run as it was before it.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`], or [`TrainError::Diverged`] where numbers are no longer finite.
    pub fn step(&mut self, cancelled: &dyn Fn() -> bool) -> Result<StepStats, TrainError> {
        let group = self.next_group();
        let n_targets: usize = group.iter().map(|batch| batch.targets.len()).sum();
        let scale = 1.0 / n_targets.max(1) as f64;

        let mut gradients = Gradients::new();
        let mut losses = Vec::new();
        for (micro_idx, batch) in group.iter().enumerate() {
            if cancelled() {
                return Err(TrainError::Cancelled);
            }
            let dropout = (self.job.lora_dropout > 0.0).then_some(Dropout {
                seed: self.job.seed,
                micro_batch: (self.step << 12) | micro_idx as u64,
            });
            let recompute = self.job.gradient_checkpointing;
            losses.push(micro_backward(
                &self.model,
                batch,
                scale,
                recompute,
                dropout,
                &mut gradients,
            ));
        }

        let loss_sum: f64 = host_f32(Tensor::cat(losses, 0))
            .iter()
            .map(|&x| f64::from(x))
            .sum();
        let loss = loss_sum * scale;
        let grad_norm = global_norm(&gradients);
        let step = self.step + 1;
        if !(loss.is_finite() && grad_norm.is_finite()) {
            return Err(TrainError::Diverged {
                step,
                loss,
                grad_norm,
            });
        }
        let learning_rate = learning_rate(&self.job, self.step, self.total_steps);
        let clip = clip_coefficient(grad_norm, self.job.max_grad_norm);
        self.optimizer
            .update(&mut self.model, gradients, clip, learning_rate, &self.job);
        self.step = step;
        Ok(StepStats {
            step,
            epoch: step as f64 / self.order.steps_per_epoch().max(1) as f64,
            loss,
            grad_norm,
            learning_rate,
            n_targets: n_targets as u64,
            n_input_tokens: group
                .iter()
                .map(|batch| batch.n_input_tokens() as u64)
                .sum(),
        })
    }

    /// Everything that a checkpoint holds, on the host.
    pub fn state(&self) -> TrainState {
        let mut tensors = BTreeMap::new();
        let mut put = |name: String, value: Tensor<2>| {
            tensors.insert(name, (value.dims(), host_f32(value)));
        };
        for (name, value) in self.model.trained() {
            put(name, value);
        }
        for (name, (m, v)) in &self.optimizer.moments {
            put(format!("adam.m:{name}"), m.clone());
            put(format!("adam.v:{name}"), v.clone());
        }
        TrainState {
            step: self.step,
            tensors,
        }
    }

    /// Goes on from a checkpoint of the same job, model and data.
    ///
    /// # Errors
    /// [`TrainError::State`] where a tensor is missing or has another shape; nothing is changed then.
    pub fn restore(&mut self, state: &TrainState) -> Result<(), TrainError> {
        let device = self.model.device.clone();
        let read = |name: &str, expected: [usize; 2]| -> Result<Tensor<2>, TrainError> {
            let (shape, values) = state.tensors.get(name).ok_or_else(|| TrainError::State {
                reason: format!("it has no tensor `{name}`"),
            })?;
            if *shape != expected || values.len() != expected[0] * expected[1] {
                let reason = format!("tensor `{name}` has shape {shape:?}, expected {expected:?}");
                return Err(TrainError::State { reason });
            }
            let data = TensorData::new(values.clone(), expected);
            Ok(Tensor::from_data(data, (&device, DType::F32)))
        };
        if state.step > self.total_steps {
            let reason = format!("it is at step {} of {}", state.step, self.total_steps);
            return Err(TrainError::State { reason });
        }
        let mut values = BTreeMap::new();
        let mut moments = BTreeMap::new();
        for (name, value) in self.model.trained() {
            let shape = value.dims();
            values.insert(name.clone(), read(&name, shape)?);
            if state.step > 0 {
                let pair = (
                    read(&format!("adam.m:{name}"), shape)?,
                    read(&format!("adam.v:{name}"), shape)?,
                );
                moments.insert(name, pair);
            }
        }
        self.model.visit(&mut |name, weight| {
            if let Some(value) = values.remove(name) {
                weight.set(value);
            }
        });
        self.optimizer = AdamW {
            moments,
            n_updates: state.step,
        };
        self.step = state.step;
        Ok(())
    }
}

/// Mean cross-entropy over all targets of `examples`, `batch_size` rows at a time.
///
/// `progress` hears how many examples are done; returning false ends the evaluation.
///
/// # Errors
/// Examples that the model cannot take; [`TrainError::Cancelled`].
pub fn evaluate(
    model: &Decoder,
    examples: &[Encoded],
    batch_size: usize,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Evaluation, TrainError> {
    check_examples(examples, &model.arch)?;
    let mut per_example = vec![(0.0, 0); examples.len()];
    // Neighbours of one length waste no padding; the sum does not depend on the order.
    let mut by_length: Vec<usize> = (0..examples.len()).collect();
    by_length.sort_by_key(|&example_idx| examples[example_idx].len());
    let mut n_done = 0;
    for chunk in even_chunks(model, examples, &by_length, batch_size) {
        if !progress(n_done) {
            return Err(TrainError::Cancelled);
        }
        let rows: Vec<Vec<usize>> = chunk.iter().map(|&example_idx| vec![example_idx]).collect();
        let batch = MicroBatch::new(examples, &rows);
        let losses = host_f32(evaluate_batch(model, &batch));
        let mut left = &losses[..];
        for &example_idx in chunk {
            let (of_example, rest) = left.split_at(examples[example_idx].n_targets());
            let sum = of_example.iter().map(|&x| f64::from(x)).sum();
            per_example[example_idx] = (sum, of_example.len() as u64);
            left = rest;
        }
        n_done += chunk.len();
    }
    let loss_sum: f64 = per_example.iter().map(|(sum, _)| sum).sum();
    let n_targets: u64 = per_example.iter().map(|(_, n)| n).sum();
    let loss = loss_sum / n_targets.max(1) as f64;
    Ok(Evaluation {
        loss,
        per_example,
        n_examples: examples.len(),
        n_targets,
    })
}

/// At most `batch_size` examples at a time, and only such as are rotated alike: a long text in a
/// batch must not change how a short one is read.
fn even_chunks<'a>(
    model: &Decoder,
    examples: &[Encoded],
    by_length: &'a [usize],
    batch_size: usize,
) -> Vec<&'a [usize]> {
    let length = |example_idx: usize| examples[example_idx].len();
    let alike = |a: &usize, b: &usize| model.arch.rotates_alike(length(*a), length(*b));
    by_length
        .chunk_by(alike)
        .flat_map(|even| even.chunks(batch_size.max(1)))
        .collect()
}

fn check_examples(examples: &[Encoded], arch: &Arch) -> Result<(), TrainError> {
    if examples.is_empty() {
        return Err(TrainError::Empty);
    }
    let vocab_size = arch.vocab_size;
    for (index, example) in examples.iter().enumerate() {
        let (n_ids, n_labels) = (example.input_ids.len(), example.labels.len());
        if n_ids != n_labels {
            return Err(TrainError::Labels {
                index,
                n_ids,
                n_labels,
            });
        }
        if let Some(limit) = arch.embedding.n_positions.filter(|limit| n_ids > *limit) {
            return Err(TrainError::TooLong {
                index,
                n_ids,
                limit,
            });
        }
        let ids = example.input_ids.iter().map(|&id| i64::from(id));
        let labels = example
            .labels
            .iter()
            .filter(|&&l| l != crate::text::IGNORE_INDEX);
        let outside = |id: &i64| !(0..vocab_size as i64).contains(id);
        if let Some(id) = ids.chain(labels.map(|&l| i64::from(l))).find(outside) {
            return Err(TrainError::Vocabulary {
                index,
                id,
                vocab_size,
            });
        }
        if example.n_targets() == 0 {
            return Err(TrainError::NoTarget { index });
        }
    }
    Ok(())
}
