//! Token by token: greedy or sampled continuation with a key/value cache.

use burn::tensor::Tensor;

use super::{Decoder, decoder::rows_of};
use crate::sampling::{Sampler, Sampling, log_sum_exp};

/// How to continue.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    pub max_new_tokens: usize,
    /// 0 takes the most likely token.
    pub temperature: f64,
    /// 0 keeps all.
    pub top_k: usize,
    /// Smallest set of likely tokens whose probability reaches this; 1 keeps all.
    pub top_p: f64,
    pub seed: u64,
    /// Ids after which a row ends. Empty: always `max_new_tokens`.
    pub end_token_ids: Vec<u32>,
}

/// One continued row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Generated {
    /// New tokens, the end token included where one came.
    pub ids: Vec<u32>,
    /// Natural log-probability of each new token under the model (before temperature).
    pub logprobs: Vec<f32>,
    pub ended: bool,
}

/// Continues `prompts` together; all must have one length of at least one token.
///
/// `stop` is asked before each token; true ends the rows where they are, as does a table of
/// positions that has no further row.
pub fn generate(
    model: &Decoder,
    prompts: &[&[u32]],
    options: &GenerateOptions,
    stop: &dyn Fn() -> bool,
) -> Vec<Generated> {
    let mut rows = vec![Generated::default(); prompts.len()];
    let mut samplers: Vec<Sampler> = (0..prompts.len())
        .map(|row| sampler(options, row))
        .collect();
    let mut cache = model.new_cache();
    let mut hidden = model.extend(prompts, &mut cache);
    for _ in 0..options.max_new_tokens {
        if stop() {
            break;
        }
        let logits = rows_of(last_logits(model, hidden));
        let mut next = Vec::with_capacity(rows.len());
        for ((row, sampler), logits) in rows.iter_mut().zip(&mut samplers).zip(&logits) {
            let id = sampler.choose(logits);
            if !row.ended {
                row.ids.push(id);
                row.logprobs.push(log_probability(logits, id));
                row.ended = options.end_token_ids.contains(&id);
            }
            next.push([id]);
        }
        let n_new = rows
            .iter()
            .map(|row| row.ids.len())
            .max()
            .unwrap_or_default();
        if rows.iter().all(|row| row.ended) || n_new == options.max_new_tokens {
            break;
        }
        let limit = model.arch.embedding.n_positions;
        if limit.is_some_and(|limit| cache.n_tokens() >= limit) {
            break;
        }
        let next: Vec<&[u32]> = next.iter().map(|id| id.as_slice()).collect();
        hidden = model.extend(&next, &mut cache);
    }
    rows
}

/// Logits after the last position of every row. `hidden: [b, t, d] -> [b, v]`
pub fn last_logits(model: &Decoder, hidden: Tensor<3>) -> Tensor<2> {
    let [b, t, d] = hidden.dims();
    model.logits(hidden.narrow(1, t - 1, 1).reshape([b, d]))
}

/// The draws of one row; rows of one seed differ by their stream.
fn sampler(options: &GenerateOptions, row: usize) -> Sampler {
    let sampling = Sampling {
        temperature: options.temperature,
        top_k: options.top_k,
        top_p: options.top_p,
        seed: options.seed,
        ..Sampling::default()
    };
    Sampler::new(sampling, row as u64)
}

fn log_probability(logits: &[f32], id: u32) -> f32 {
    (f64::from(logits[id as usize]) - log_sum_exp(logits)) as f32
}
