//! Confidence intervals and p-values without assumptions about how scores are distributed.
//!
//! Interval: percentile bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
//! chapter 13). Records are drawn with replacement, the score of each such corpus is computed from
//! its summed counts (Koehn, 2004), and the interval holds the middle `confidence_level` of them.
//!
//! p-value: approximate randomization (Noreen, 1989; Riezler and Maxwell, 2005). If base and tuned
//! were equally good, swapping their answers to a record would change nothing. So each permutation
//! swaps about half of the records at random; p is the share of permutations, the observed one
//! among them, whose scores differ at least as much as observed, in either direction.

use serde::Serialize;

use super::statistics::Statistics;
use crate::rng::Rng;

/// Streams of the seed: one draw of records for each resample, after those of the permutations.
const BOOTSTRAP_STREAM: u64 = 1 << 32;
/// Differences this close, relative to their size, are equal but for rounding.
const ROUNDING: f64 = 1e-10;

/// How many times chance is asked, and with which seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Resampling {
    /// Share of resamples inside an interval.
    pub confidence_level: f64,
    pub n_resamples: usize,
    /// Permutations of the paired test; 1 / (this + 1) is the smallest p-value.
    pub n_permutations: usize,
    pub seed: u64,
}

impl Default for Resampling {
    /// The numbers of sacrebleu: 1 000 resamples, 10 000 permutations, 95 %.
    fn default() -> Self {
        Self {
            confidence_level: 0.95,
            n_resamples: 1_000,
            n_permutations: 10_000,
            seed: 12345,
        }
    }
}

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Resampling {
    /// Scores of the resampled corpora, one list for each table. All tables are resampled together,
    /// so that the differences between them are paired.
    pub(super) fn bootstrap(&self, tables: &[&Statistics]) -> Vec<Vec<f64>> {
        let n_records = tables.first().map_or(0, |table| table.n_records());
        let mut values = vec![Vec::with_capacity(self.n_resamples); tables.len()];
        for resample in 0..self.n_resamples as u64 {
            let mut rng = Rng::new(self.seed, BOOTSTRAP_STREAM + resample);
            let records: Vec<usize> = (0..n_records).map(|_| rng.below(n_records)).collect();
            for (table, values) in tables.iter().zip(&mut values) {
                values.push(table.value(&table.sum_of(records.iter().copied())));
            }
        }
        values
    }

    /// The middle of these values.
    pub(super) fn interval(&self, mut values: Vec<f64>) -> Interval {
        values.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - self.confidence_level) / 2.0;
        Interval {
            low: quantile(&values, tail),
            high: quantile(&values, 1.0 - tail),
        }
    }

    /// Two-sided p-value of the difference between two tables of the same metric and records.
    pub(super) fn p_value(&self, base: &Statistics, tuned: &Statistics) -> f64 {
        let (base_sum, tuned_sum) = (base.total(), tuned.total());
        let difference = |a: &[f64], b: &[f64]| (base.value(a) - tuned.value(b)).abs();
        let observed = difference(&base_sum, &tuned_sum) * (1.0 - ROUNDING);
        // Where both have the same counts a swap changes nothing.
        let swappable: Vec<usize> = (0..base.n_records())
            .filter(|record| base.row(*record) != tuned.row(*record))
            .collect();

        let mut n_extreme = 1;
        for permutation in 0..self.n_permutations as u64 {
            let mut rng = Rng::new(self.seed, permutation);
            let (mut a, mut b) = (base_sum.clone(), tuned_sum.clone());
            for records in swappable.chunks(64) {
                let coins = rng.next_u64();
                for (coin, record) in records.iter().enumerate() {
                    if coins >> coin & 1 == 1 {
                        swap_rows(&mut a, &mut b, base.row(*record), tuned.row(*record));
                    }
                }
            }
            n_extreme += usize::from(difference(&a, &b) >= observed);
        }
        n_extreme as f64 / (self.n_permutations + 1) as f64
    }
}

fn swap_rows(a: &mut [f64], b: &mut [f64], from_a: &[f64], from_b: &[f64]) {
    for (((a, b), from_a), from_b) in a.iter_mut().zip(b).zip(from_a).zip(from_b) {
        *a += from_b - from_a;
        *b += from_a - from_b;
    }
}

/// Quantile of sorted values by linear interpolation between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = share.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{metric::Metric, score::RecordLoss};

    /// A table of plain values: the mean is their sum over their number.
    fn table(values: &[f64]) -> Statistics {
        let losses: Vec<RecordLoss> = values
            .iter()
            .map(|value| RecordLoss {
                loss_sum: *value,
                n_tokens: 1,
            })
            .collect();
        Statistics::of_losses(Metric::Loss, &losses)
    }

    #[test]
    fn quantiles_interpolate() {
        let sorted = [0.0, 1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&sorted, 0.5), 2.0);
        assert_eq!(quantile(&sorted, 0.025), 0.1);
        assert_eq!(quantile(&sorted, 1.0), 4.0);
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_normal_approximation() {
        // 400 zeros and ones, half each: mean 0.5, standard error 0.025, ±1.96 of it.
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let resampling = Resampling {
            n_resamples: 4000,
            ..Resampling::default()
        };
        let table = table(&values);
        let interval = resampling.interval(resampling.bootstrap(&[&table]).remove(0));
        assert!((interval.low - 0.451).abs() < 0.004, "{interval:?}");
        assert!((interval.high - 0.549).abs() < 0.004, "{interval:?}");
    }

    #[test]
    fn p_values_approach_the_exact_sign_test() {
        // Five records, all better by one: of 32 swaps only none and all differ as much.
        let p = Resampling::default().p_value(&table(&[0.0; 5]), &table(&[1.0; 5]));
        assert!((p - 2.0 / 32.0).abs() < 0.008, "{p}");
    }

    #[test]
    fn equal_answers_are_never_significant() {
        let values = table(&[0.1, 0.7, 0.4]);
        assert_eq!(Resampling::default().p_value(&values, &values), 1.0);
    }

    #[test]
    fn a_large_difference_has_the_smallest_p_value() {
        let resampling = Resampling {
            n_permutations: 999,
            ..Resampling::default()
        };
        let p = resampling.p_value(&table(&[0.0; 100]), &table(&[1.0; 100]));
        assert_eq!(p, 0.001);
    }

    #[test]
    fn one_seed_gives_one_result() {
        let values = table(&[0.0, 1.0, 3.0, 9.0]);
        let draw = |seed| {
            Resampling {
                seed,
                ..Resampling::default()
            }
            .bootstrap(&[&values])
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
