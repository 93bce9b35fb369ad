//! Base against tuned on the same records: difference, its interval, and whether it may be chance.

use serde::Serialize;

use super::{
    metric::Metric,
    resampling::Interval,
    score::{MetricScore, Scores},
};

/// One metric of two systems.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub metric: Metric,
    pub n_examples: usize,
    pub base: f64,
    pub base_interval: Interval,
    pub tuned: f64,
    pub tuned_interval: Interval,
    /// `tuned − base`.
    pub difference: f64,
    /// Of the difference, by paired bootstrap.
    pub interval: Interval,
    /// Two-sided, by approximate randomization.
    pub p_value: f64,
    pub confidence_level: f64,
}

/// Why two sets of scores do not belong together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CompareError {
    #[error("base has {base} records and tuned has {tuned}; score the same records with both")]
    Records { base: usize, tuned: usize },
    #[error("base and tuned were scored with different settings; use the same for both")]
    Options,
    #[error("metric `{metric}` was scored for base only; score it for both")]
    Metric { metric: Metric },
}

/// Compares every metric of `base` with the same one of `tuned`. Both hold the same records in the
/// same order.
pub fn compare(base: &Scores, tuned: &Scores) -> Result<Vec<Comparison>, CompareError> {
    if base.n_examples != tuned.n_examples {
        return Err(CompareError::Records {
            base: base.n_examples,
            tuned: tuned.n_examples,
        });
    }
    if base.options != tuned.options {
        return Err(CompareError::Options);
    }
    let same_metric = |score: &MetricScore| {
        let metric = score.metric;
        tuned
            .metrics
            .iter()
            .find(|tuned| tuned.metric == metric)
            .ok_or(CompareError::Metric { metric })
    };
    base.metrics
        .iter()
        .map(|score| Ok(comparison(score, same_metric(score)?, base)))
        .collect()
}

impl Comparison {
    /// Whether tuned is better than base.
    pub fn improved(&self) -> bool {
        if self.metric.lower_is_better() {
            self.difference < 0.0
        } else {
            self.difference > 0.0
        }
    }

    /// Whether the difference would be rare if both were equally good.
    pub fn significant(&self) -> bool {
        self.p_value <= 1.0 - self.confidence_level
    }
}

fn comparison(base: &MetricScore, tuned: &MetricScore, scores: &Scores) -> Comparison {
    let resampling = &scores.options.resampling;
    let resampled = resampling.bootstrap(&[&base.statistics, &tuned.statistics]);
    let differences = resampled[0]
        .iter()
        .zip(&resampled[1])
        .map(|(base, tuned)| tuned - base);
    Comparison {
        metric: base.metric,
        n_examples: scores.n_examples,
        base: base.value,
        base_interval: base.interval,
        tuned: tuned.value,
        tuned_interval: tuned.interval,
        difference: tuned.value - base.value,
        interval: resampling.interval(differences.collect()),
        p_value: resampling.p_value(&base.statistics, &tuned.statistics),
        confidence_level: resampling.confidence_level,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{Prediction, RecordLoss, ScoreOptions, score, score_losses};

    fn scores(answers: &[&str]) -> Scores {
        let records: Vec<Prediction> = answers
            .iter()
            .map(|answer| Prediction {
                prediction: (*answer).to_owned(),
                references: vec!["el activo total fue de 3,5 millones".to_owned()],
            })
            .collect();
        score(&records, &Metric::OF_ANSWERS, &ScoreOptions::default()).unwrap()
    }

    #[test]
    fn a_tuned_model_that_knows_the_answers_is_significantly_better() {
        let right = "el activo total fue de 3,5 millones";
        let base = scores(&[
            "no lo sé",
            "tres",
            right,
            "?",
            "el activo",
            "",
            "x",
            "y",
            "z",
            "w",
        ]);
        let tuned = scores(&[
            right, right, right, right, right, right, right, right, "z", right,
        ]);
        for comparison in compare(&base, &tuned).unwrap() {
            let Comparison {
                metric, interval, ..
            } = comparison;
            assert!(
                comparison.improved() && comparison.significant(),
                "{comparison:?}"
            );
            assert!(
                interval.low > 0.0 && interval.low <= comparison.difference,
                "{metric}"
            );
            assert!(interval.high >= comparison.difference, "{metric}");
        }
    }

    #[test]
    fn pairing_sees_what_separate_intervals_hide() {
        // Records differ far more from each other than base from tuned.
        let losses = |shift: f64| -> Scores {
            let records: Vec<RecordLoss> = (0..30)
                .map(|i| RecordLoss {
                    loss_sum: f64::from(i) - shift,
                    n_tokens: 1,
                })
                .collect();
            score_losses(&records, &ScoreOptions::default()).unwrap()
        };
        let comparison = &compare(&losses(0.0), &losses(0.5)).unwrap()[0];
        assert!(comparison.tuned_interval.high > comparison.base_interval.low);
        assert!(
            (comparison.interval.low + 0.5).abs() < 1e-9,
            "{comparison:?}"
        );
        assert!(
            comparison.improved() && comparison.significant(),
            "{comparison:?}"
        );
    }

    #[test]
    fn scores_of_different_records_are_refused() {
        let error = compare(&scores(&["a"]), &scores(&["a", "b"])).unwrap_err();
        assert_eq!(error, CompareError::Records { base: 1, tuned: 2 });
    }
}
