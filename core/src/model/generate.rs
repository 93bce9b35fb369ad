//! Token by token: greedy or sampled continuation with a key/value cache.

use burn::tensor::Tensor;

use super::{Decoder, decoder::rows_of};
use crate::rng::Rng;

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
/// `stop` is asked before each token; true ends the rows where they are.
pub fn generate(
    model: &Decoder,
    prompts: &[&[u32]],
    options: &GenerateOptions,
    stop: &dyn Fn() -> bool,
) -> Vec<Generated> {
    let mut rows = vec![Generated::default(); prompts.len()];
    let mut rngs: Vec<Rng> = (0..prompts.len())
        .map(|row| Rng::new(options.seed, row as u64))
        .collect();
    let mut cache = model.new_cache();
    let mut hidden = model.extend(prompts, &mut cache);
    for _ in 0..options.max_new_tokens {
        if stop() {
            break;
        }
        let logits = rows_of(last_logits(model, hidden));
        let mut next = Vec::with_capacity(rows.len());
        for ((row, rng), logits) in rows.iter_mut().zip(&mut rngs).zip(&logits) {
            let id = choose(logits, options, rng);
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

fn choose(logits: &[f32], options: &GenerateOptions, rng: &mut Rng) -> u32 {
    if options.temperature <= 0.0 {
        return argmax(logits);
    }
    let mut candidates: Vec<(u32, f64)> = logits
        .iter()
        .enumerate()
        .map(|(id, &x)| (id as u32, f64::from(x) / options.temperature))
        .collect();
    candidates.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
    if options.top_k > 0 {
        candidates.truncate(options.top_k);
    }
    let best = candidates.first().map_or(0.0, |c| c.1);
    for candidate in &mut candidates {
        candidate.1 = (candidate.1 - best).exp();
    }
    let total: f64 = candidates.iter().map(|c| c.1).sum();
    let mut kept = 0.0;
    let within = candidates.iter().take_while(|c| {
        let before = kept;
        kept += c.1 / total;
        before < options.top_p
    });
    let n_kept = within.count().max(1);
    candidates.truncate(n_kept);

    let total: f64 = candidates.iter().map(|c| c.1).sum();
    let mut left = rng.uniform() * total;
    for (id, weight) in &candidates {
        left -= weight;
        if left < 0.0 {
            return *id;
        }
    }
    candidates.last().map_or(0, |c| c.0)
}

/// The first of the largest, as torch's argmax on CPU.
pub(crate) fn argmax(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (id, x) in logits.iter().enumerate() {
        if *x > logits[best] {
            best = id;
        }
    }
    best as u32
}

fn log_probability(logits: &[f32], id: u32) -> f32 {
    let max = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    (f64::from(logits[id as usize] - max) - sum.ln()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(temperature: f64, top_k: usize, top_p: f64) -> GenerateOptions {
        GenerateOptions {
            max_new_tokens: 1,
            temperature,
            top_k,
            top_p,
            seed: 0,
            end_token_ids: vec![],
        }
    }

    #[test]
    fn sampling_follows_the_distribution() {
        let logits = [0.0, (3.0f32).ln(), f32::MIN];
        let mut rng = Rng::new(5, 0);
        let counts = (0..4000).fold([0; 3], |mut counts, _| {
            counts[choose(&logits, &options(1.0, 0, 1.0), &mut rng) as usize] += 1;
            counts
        });
        assert!(
            (counts[1] as f64 / 4000.0 - 0.75).abs() < 0.03,
            "{counts:?}"
        );
        assert_eq!(counts[2], 0);
    }

    #[test]
    fn top_k_and_top_p_keep_the_likely() {
        let logits = [1.0, 2.0, 0.0];
        let mut rng = Rng::new(5, 0);
        for narrow in [options(1.0, 1, 1.0), options(1.0, 0, 0.1)] {
            assert!((0..50).all(|_| choose(&logits, &narrow, &mut rng) == 1));
        }
    }

    #[test]
    fn ties_go_to_the_first() {
        assert_eq!(argmax(&[0.0, 2.0, 2.0]), 1);
    }
}
