//! Logits changed by what was written so far.
//!
//! Repetition: `x / p` for `x ≥ 0`, `x p` for `x < 0`, for every token of prompt and answer
//! (Keskar et al. 2019, as transformers' `RepetitionPenaltyLogitsProcessor`). Frequency and
//! presence: `x - n f - [n > 0] q` with `n` the token's count in the answer (OpenAI's API).

use std::collections::BTreeMap;

use super::Sampling;

/// Which tokens have occurred, and how often in the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Penalties {
    n_in_answer: BTreeMap<u32, u32>,
}

impl Penalties {
    pub(super) fn see_prompt(&mut self, ids: &[u32]) {
        for &id in ids {
            self.n_in_answer.entry(id).or_default();
        }
    }

    pub(super) fn see_answer(&mut self, id: u32) {
        *self.n_in_answer.entry(id).or_default() += 1;
    }

    pub(super) fn apply(&self, sampling: &Sampling, logits: &mut [f32]) {
        let repetition = sampling.repetition_penalty as f32;
        for (&id, &n) in &self.n_in_answer {
            let Some(logit) = logits.get_mut(id as usize) else {
                continue;
            };
            if *logit < 0.0 {
                *logit *= repetition;
            } else {
                *logit /= repetition;
            }
            if n > 0 {
                let taken = f64::from(n) * sampling.frequency_penalty + sampling.presence_penalty;
                *logit -= taken as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequency_and_presence_count_the_answer_only() {
        let sampling = Sampling {
            frequency_penalty: 0.5,
            presence_penalty: 0.25,
            ..Sampling::default()
        };
        let mut seen = Penalties::default();
        seen.see_prompt(&[0]);
        for id in [1, 2, 2] {
            seen.see_answer(id);
        }
        let mut logits = [1.0; 4];
        seen.apply(&sampling, &mut logits);
        assert_eq!(logits, [1.0, 0.25, -0.25, 1.0]);
    }

    #[test]
    fn ids_outside_of_the_vocabulary_change_nothing() {
        let mut seen = Penalties::default();
        seen.see_prompt(&[7]);
        let mut logits = [1.0];
        let sampling = Sampling {
            repetition_penalty: 2.0,
            ..Sampling::default()
        };
        seen.apply(&sampling, &mut logits);
        assert_eq!(logits, [1.0]);
    }
}
