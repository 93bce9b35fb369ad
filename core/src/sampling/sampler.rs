//! Draws tokens one after another, from all logits or from the likeliest ones.
//!
//! Every filter keeps a beginning of the ranking, so a draw is: rank, cut, take one number from
//! the seed's stream, walk.

use super::{Sampling, penalties::Penalties, ranking::Ranking};
use crate::rng::Rng;

/// The likeliest tokens of a position, likeliest first, ties by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopTokens {
    pub ids: Vec<u32>,
    pub logits: Vec<f32>,
    /// `ln sum exp` over the whole vocabulary: a token's log-probability is its logit less this.
    pub log_sum_exp: f32,
}

impl TopTokens {
    /// The `n` likeliest of logits on the host.
    pub fn of(logits: &[f32], n: usize) -> Self {
        let scores = (0..).zip(logits.iter().map(|x| f64::from(*x)));
        let mut ranking = Ranking::new(scores.collect());
        let top = (0..n.min(logits.len())).filter_map(|rank| ranking.get(rank));
        let (ids, top): (Vec<u32>, Vec<f64>) = top.unzip();
        Self {
            ids,
            logits: top.into_iter().map(|x| x as f32).collect(),
            log_sum_exp: log_sum_exp(logits) as f32,
        }
    }
}

/// What a draw has to know of a position's logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The likeliest token.
    Best,
    /// So many of the likeliest.
    Top(usize),
    /// All logits.
    All,
}

/// The state of one answer: settings, the stream of random numbers, what was written.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    rng: Rng,
    penalties: Penalties,
}

impl Sampler {
    /// `stream` keeps answers of one seed apart; the first has 0.
    pub fn new(sampling: Sampling, stream: u64) -> Self {
        Self {
            rng: Rng::new(sampling.seed, stream),
            sampling,
            penalties: Penalties::default(),
        }
    }

    /// Tokens that the repetition penalty counts from the start.
    pub fn see_prompt(&mut self, ids: &[u32]) {
        if self.sampling.has_penalties() {
            self.penalties.see_prompt(ids);
        }
    }

    /// What [`Self::choose_from_top`] or [`Self::choose`] must be given.
    pub fn need(&self) -> Need {
        match &self.sampling {
            sampling if sampling.has_penalties() => Need::All,
            sampling if sampling.is_greedy() => Need::Best,
            // One more than are kept tells whether others are as likely as the last of them.
            sampling if sampling.top_k > 0 => Need::Top(sampling.top_k.saturating_add(1)),
            _ => Need::All,
        }
    }

    /// The next token from the logits of the whole vocabulary.
    pub fn choose(&mut self, logits: &[f32]) -> u32 {
        let id = if self.sampling.has_penalties() {
            let mut penalized = logits.to_vec();
            self.penalties.apply(&self.sampling, &mut penalized);
            self.draw(&penalized)
        } else {
            self.draw(logits)
        };
        self.took(id);
        id
    }

    /// The next token from the likeliest ones; `None`, with nothing drawn, where they do not
    /// decide it and [`Self::choose`] must.
    pub fn choose_from_top(&mut self, top: &TopTokens) -> Option<u32> {
        let id = match self.need() {
            Need::All => return None,
            Need::Best => *top.ids.first()?,
            Need::Top(n) => {
                let k = n - 1;
                let tied = top.logits.get(k).is_some_and(|x| *x == top.logits[k - 1]);
                if tied || top.ids.len() < k {
                    return None;
                }
                let ids = top.ids.iter().copied();
                let ranking = ranked(ids.zip(top.logits.iter().copied()), &self.sampling);
                self.draw_from(ranking)
            }
        };
        self.took(id);
        Some(id)
    }

    /// The tokens that may be drawn next and their probabilities, likeliest first.
    #[cfg(test)]
    pub(super) fn distribution(&self, logits: &[f32]) -> Vec<(u32, f64)> {
        let mut logits = logits.to_vec();
        self.penalties.apply(&self.sampling, &mut logits);
        let mut ranking = ranked((0..).zip(logits), &self.sampling);
        let best = ranking.get(0).map_or(0.0, |(_, score)| score);
        let (n_kept, total) = keep(&mut ranking, &self.sampling);
        let kept = (0..n_kept).filter_map(|rank| ranking.get(rank));
        kept.map(|(id, score)| (id, (score - best).exp() / total))
            .collect()
    }

    fn took(&mut self, id: u32) {
        if self.sampling.has_penalties() {
            self.penalties.see_answer(id);
        }
    }

    fn draw(&mut self, logits: &[f32]) -> u32 {
        if self.sampling.is_greedy() {
            return argmax(logits);
        }
        let ranking = ranked((0..).zip(logits.iter().copied()), &self.sampling);
        self.draw_from(ranking)
    }

    fn draw_from(&mut self, mut ranking: Ranking) -> u32 {
        let best = ranking.get(0).map_or(0.0, |(_, score)| score);
        let (n_kept, total) = keep(&mut ranking, &self.sampling);
        let mut left = self.rng.uniform() * total;
        for rank in 0..n_kept {
            let Some((id, score)) = ranking.get(rank) else {
                break;
            };
            left -= (score - best).exp();
            if left < 0.0 {
                return id;
            }
        }
        // The sums of the two walks may differ in their last bits.
        ranking
            .get(n_kept.saturating_sub(1))
            .map_or(0, |(id, _)| id)
    }
}

fn ranked(logits: impl Iterator<Item = (u32, f32)>, sampling: &Sampling) -> Ranking {
    let scores = logits.map(|(id, logit)| (id, f64::from(logit) / sampling.temperature));
    Ranking::new(scores.collect())
}

/// How many ranks stay, and the sum of `exp(score - best)` over them.
fn keep(ranking: &mut Ranking, sampling: &Sampling) -> (usize, f64) {
    let best = ranking.get(0).map_or(0.0, |(_, score)| score);
    let weight_of = |score: f64| (score - best).exp();

    let n_top_k = match sampling.top_k {
        0 => ranking.len(),
        k => within_top_k(ranking, k),
    };
    let mut total = if n_top_k == ranking.len() {
        ranking.scores().map(weight_of).sum::<f64>()
    } else {
        let scores = (0..n_top_k).filter_map(|rank| ranking.get(rank));
        scores.map(|(_, score)| weight_of(score)).sum()
    };
    let mut n_kept = n_top_k;
    if sampling.top_p < 1.0 || sampling.min_p > 0.0 {
        let enough = sampling.top_p * total;
        let mut kept = 0.0;
        n_kept = 0;
        while n_kept < n_top_k {
            let Some((_, score)) = ranking.get(n_kept) else {
                break;
            };
            let weight = weight_of(score);
            let reached = sampling.top_p < 1.0 && kept >= enough;
            if n_kept > 0 && (reached || weight < sampling.min_p) {
                break;
            }
            kept += weight;
            n_kept += 1;
        }
        total = kept;
    }
    (n_kept, total)
}

/// The `k` likeliest and those as likely as the last of them.
fn within_top_k(ranking: &mut Ranking, k: usize) -> usize {
    let Some((_, last)) = ranking.get(k - 1) else {
        return ranking.len();
    };
    let mut n = k;
    while ranking.get(n).is_some_and(|(_, score)| score == last) {
        n += 1;
    }
    n
}

/// The first of the largest, as torch's argmax on CPU.
pub fn argmax(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (id, x) in logits.iter().enumerate() {
        if *x > logits[best] {
            best = id;
        }
    }
    best as u32
}

/// `ln sum exp(x)`, by which logits become log-probabilities.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let max = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    f64::from(max) + sum.ln()
}
