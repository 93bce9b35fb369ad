//! What a run will take, before its first step: memory by class and arithmetic.
//!
//! Activations follow from which tensors the backward pass keeps, per token and block:
//! residual and norm inputs `6 d`, queries and attention output `2 d_q`, keys and values `2 d_kv`,
//! feed-forward `6 f`, attention weights `5 h s` (the counts agree with the peak that
//! `veneer bench train` measures within a few per cent). With recompute a block keeps `d`, and one block
//! at a time keeps all of that. The arithmetic is the usual count for frozen weights: 2 FLOPs a
//! weight forward and 2 backward, 2 more with recompute, and attention's two products.

use super::Order;
use crate::{arch::Arch, model::base_bytes, protocol::TrainJob};

/// Bytes by class, and floating-point operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The base, packed where the job packs it.
    pub weights_bytes: u64,
    /// The weights of one block as it computes, where the base is packed.
    pub unpacked_bytes: u64,
    /// Trained parameters, their gradients and Adam's two moments, in f32.
    pub trained_bytes: u64,
    pub activation_bytes: u64,
    /// The chunk of logits that exists at once, with its gradient.
    pub logits_bytes: u64,
    /// Of the whole run.
    pub flops: f64,
    /// Weights of the blocks that all passes of the run go through, whatever the batch: what takes
    /// the time where batches are small, and where weights are unpacked.
    pub weights_seen: f64,
    /// Rows × longest row of the largest micro-batch.
    pub largest_batch: [usize; 2],
}

impl Plan {
    pub fn total_bytes(&self) -> u64 {
        self.weights_bytes
            + self.unpacked_bytes
            + self.trained_bytes
            + self.activation_bytes
            + self.logits_bytes
    }
}

/// What decides a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    pub arch: &'a Arch,
    pub job: &'a TrainJob,
    pub n_trained: u64,
    /// Bytes of one weight or activation.
    pub element_bytes: u64,
    /// Tokens of every example.
    pub lengths: &'a [usize],
    pub n_targets: u64,
    pub total_steps: u64,
}

/// Estimates a run; the largest micro-batch is that of the first epoch.
pub fn plan(input: &PlanInput) -> Plan {
    let PlanInput {
        arch, job, lengths, ..
    } = *input;
    let order = Order::new(job, lengths);
    let row_length = |row: &Vec<usize>| row.iter().map(|&i| lengths[i]).sum::<usize>();
    let epoch = order.epoch(0);
    let largest_batch = epoch
        .iter()
        .flatten()
        .map(|rows| {
            [
                rows.len(),
                rows.iter().map(row_length).max().unwrap_or_default(),
            ]
        })
        .max_by_key(|&[b, t]| b * t * (t + arch.d_model))
        .unwrap_or_default();
    let [b, t] = largest_batch.map(|n| n as u64);
    let tokens = b * t;

    let wide = |n: usize| n as u64;
    let kept = 6 * wide(arch.d_model)
        + 2 * wide(arch.d_q())
        + 2 * wide(arch.d_kv())
        + 6 * wide(arch.d_ff)
        + 5 * wide(arch.n_heads) * t;
    let n_layers = wide(arch.n_layers);
    let per_token = if job.gradient_checkpointing {
        n_layers * wide(arch.d_model) + kept
    } else {
        n_layers * kept
    };
    let chunk = super::loss::CHUNK_ELEMENTS as u64;
    let base = base_bytes(arch, input.element_bytes, job.load_in);
    let logits = chunk.min(tokens * wide(arch.vocab_size));

    Plan {
        weights_bytes: base.resident,
        unpacked_bytes: base.unpacked,
        trained_bytes: input.n_trained * 4 * 4,
        activation_bytes: tokens * per_token * input.element_bytes,
        logits_bytes: logits * 4 * 3,
        flops: flops(input, &order),
        weights_seen: weights_seen(input, &order),
        largest_batch,
    }
}

/// Forward and backward, and forward once more with recompute.
fn n_passes(job: &TrainJob) -> f64 {
    if job.gradient_checkpointing { 3.0 } else { 2.0 }
}

fn block_weights(arch: &Arch) -> f64 {
    let linear = arch.linear_modules();
    let n_weights: usize = linear.iter().map(|module| module.d_out * module.d_in).sum();
    n_weights as f64
}

fn weights_seen(input: &PlanInput, order: &Order) -> f64 {
    let n_batches: usize = order.epoch(0).iter().map(Vec::len).sum();
    let per_step = n_batches as f64 / order.steps_per_epoch().max(1) as f64;
    block_weights(input.arch) * n_passes(input.job) * per_step * input.total_steps as f64
}

fn flops(input: &PlanInput, order: &Order) -> f64 {
    let PlanInput {
        arch, job, lengths, ..
    } = *input;
    let block_weights = block_weights(arch);
    let of_blocks = |t: f64| {
        let attention = 2.0 * 2.0 * (arch.d_q() * arch.n_layers) as f64 * t;
        t * n_passes(job) * (2.0 * block_weights + attention)
    };
    let head = 2.0 * 2.0 * (arch.vocab_size * arch.d_model) as f64;
    let epoch =
        lengths.iter().map(|&n| of_blocks(n as f64)).sum::<f64>() + input.n_targets as f64 * head;
    epoch * input.total_steps as f64 / order.steps_per_epoch().max(1) as f64
}
