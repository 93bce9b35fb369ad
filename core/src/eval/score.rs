//! Scores of finished answers, or of losses, over a corpus and for each record.

use serde_json::{Map, Value, json};

use super::{
    bleu_tokenizer::BleuTokenizer,
    metric::Metric,
    prediction::Prediction,
    resampling::{Interval, Resampling},
    statistics::Statistics,
};

/// What may be chosen about the metrics. The defaults are those of the reference libraries.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ScoreOptions {
    pub bleu_tokenize: BleuTokenizer,
    /// Compare word stems instead of words in ROUGE (English).
    pub rouge_stemmer: bool,
    pub resampling: Resampling,
}

/// Cross-entropy of one record's targets under a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordLoss {
    pub loss_sum: f64,
    pub n_tokens: u64,
}

/// Scores of the same records under several metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub n_examples: usize,
    /// In the order asked for.
    pub metrics: Vec<MetricScore>,
    pub options: ScoreOptions,
}

/// One metric over all records.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricScore {
    pub metric: Metric,
    pub value: f64,
    pub interval: Interval,
    /// The metric of each record by itself; BLEU with effective order.
    pub per_record: Vec<f64>,
    pub(super) statistics: Statistics,
}

/// Why nothing can be scored.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScoreError {
    #[error("there is no record to score; give at least one")]
    NoRecords,
    #[error("record {record} has no reference, expected at least one")]
    NoReference { record: usize },
    #[error("record {record} has no target token, so it has no loss; leave it out")]
    NoTargets { record: usize },
    #[error("metric `{metric}` needs a model, not finished answers")]
    NeedsModel { metric: Metric },
}

/// Score finished answers. Records are numbered from 1 in errors.
pub fn score(
    predictions: &[Prediction],
    metrics: &[Metric],
    options: &ScoreOptions,
) -> Result<Scores, ScoreError> {
    if let Some(i) = predictions
        .iter()
        .position(|record| record.references.is_empty())
    {
        return Err(ScoreError::NoReference { record: i + 1 });
    }
    if let Some(&metric) = metrics
        .iter()
        .find(|metric| !Metric::OF_ANSWERS.contains(metric))
    {
        return Err(ScoreError::NeedsModel { metric });
    }
    let of_answers = |&metric: &Metric| Statistics::of_answers(metric, predictions, options);
    Scores::new(
        metrics.iter().map(of_answers).collect(),
        predictions.len(),
        options,
    )
}

/// Loss and perplexity from the losses of records.
pub fn score_losses(losses: &[RecordLoss], options: &ScoreOptions) -> Result<Scores, ScoreError> {
    if let Some(i) = losses.iter().position(|record| record.n_tokens == 0) {
        return Err(ScoreError::NoTargets { record: i + 1 });
    }
    let of_losses = |metric| Statistics::of_losses(metric, losses);
    let tables = [Metric::Loss, Metric::Perplexity].map(of_losses).to_vec();
    Scores::new(tables, losses.len(), options)
}

impl Scores {
    fn new(
        tables: Vec<Statistics>,
        n_examples: usize,
        options: &ScoreOptions,
    ) -> Result<Self, ScoreError> {
        if n_examples == 0 {
            return Err(ScoreError::NoRecords);
        }
        let resampled = options
            .resampling
            .bootstrap(&tables.iter().collect::<Vec<_>>());
        let metrics = tables
            .into_iter()
            .zip(resampled)
            .map(|(statistics, resampled)| MetricScore {
                metric: statistics.metric(),
                value: statistics.value(&statistics.total()),
                interval: options.resampling.interval(resampled),
                per_record: (0..n_examples)
                    .map(|i| statistics.record_value(i))
                    .collect(),
                statistics,
            })
            .collect();
        Ok(Self {
            n_examples,
            metrics,
            options: *options,
        })
    }

    /// The corpus value of a metric that was asked for.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        self.metrics
            .iter()
            .find(|score| score.metric == metric)
            .map(|score| score.value)
    }

    /// `n_examples`, each score by name, `intervals` by name, and the `settings` behind them.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("n_examples".into(), json!(self.n_examples));
        for score in &self.metrics {
            object.insert(score.metric.name().into(), json!(score.value));
        }
        let interval = |score: &MetricScore| {
            (
                score.metric.name().to_owned(),
                json!([score.interval.low, score.interval.high]),
            )
        };
        object.insert(
            "intervals".into(),
            self.metrics.iter().map(interval).collect(),
        );
        object.insert("settings".into(), self.settings());
        object
    }

    /// The scores of one record by name.
    pub fn record_json(&self, record: usize) -> Map<String, Value> {
        let value = |score: &MetricScore| {
            (
                score.metric.name().to_owned(),
                json!(score.per_record.get(record)),
            )
        };
        self.metrics.iter().map(value).collect()
    }

    fn settings(&self) -> Value {
        let Resampling {
            confidence_level,
            n_resamples,
            seed,
            ..
        } = self.options.resampling;
        json!({
            "bleu_tokenize": self.options.bleu_tokenize.name(),
            "rouge_stemmer": self.options.rouge_stemmer,
            "confidence_level": confidence_level,
            "n_resamples": n_resamples,
            "seed": seed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        records: Vec<Record>,
        /// `setting → metric → corpus value and value of each record`.
        scores: std::collections::BTreeMap<String, std::collections::BTreeMap<String, Expected>>,
    }

    #[derive(serde::Deserialize)]
    struct Record {
        prediction: String,
        references: Vec<String>,
    }

    #[derive(serde::Deserialize)]
    struct Expected {
        corpus: f64,
        records: Vec<f64>,
    }

    /// From sacrebleu, rouge_score and the SQuAD script (`tests/fixtures/gen/metrics.py`).
    const GOLDEN: &str = include_str!("../../../tests/fixtures/metrics/scores.json");
    const TOLERANCE: f64 = 1e-9;

    /// `bleu_tokenize=zh`, `rouge_stemmer=true`, or `default`.
    fn options(setting: &str) -> ScoreOptions {
        let mut options = ScoreOptions::default();
        options.resampling.n_resamples = 2;
        match setting.split_once('=') {
            Some(("bleu_tokenize", name)) => options.bleu_tokenize = name.parse().unwrap(),
            Some(("rouge_stemmer", value)) => options.rouge_stemmer = value.parse().unwrap(),
            _ => assert_eq!(setting, "default"),
        }
        options
    }

    #[test]
    fn scores_equal_the_reference_libraries() {
        let golden: Golden = serde_json::from_str(GOLDEN).unwrap();
        let mut n_compared = 0;
        for case in golden.cases {
            let predictions: Vec<Prediction> = case
                .records
                .into_iter()
                .map(
                    |Record {
                         prediction,
                         references,
                     }| Prediction {
                        prediction,
                        references,
                    },
                )
                .collect();
            for (setting, expected) in &case.scores {
                let metrics: Vec<Metric> =
                    expected.keys().map(|name| name.parse().unwrap()).collect();
                let scores = score(&predictions, &metrics, &options(setting)).unwrap();
                for (found, (name, expected)) in scores.metrics.iter().zip(expected) {
                    let place = format!("{} {setting} {name}", case.name);
                    let close = |a: f64, b: f64| (a - b).abs() <= TOLERANCE;
                    assert!(
                        close(found.value, expected.corpus),
                        "{place}: {} instead of {}",
                        found.value,
                        expected.corpus
                    );
                    for (i, (a, b)) in found.per_record.iter().zip(&expected.records).enumerate() {
                        assert!(close(*a, *b), "{place} record {i}: {a} instead of {b}");
                    }
                    assert_eq!(found.per_record.len(), expected.records.len());
                    n_compared += 1 + expected.records.len();
                }
            }
        }
        assert!(n_compared > 1000, "{n_compared} numbers compared");
    }

    fn answer(prediction: &str, reference: &str) -> Prediction {
        Prediction {
            prediction: prediction.into(),
            references: vec![reference.into()],
        }
    }

    #[test]
    fn perplexity_weighs_records_by_their_targets() {
        let losses = [
            RecordLoss {
                loss_sum: 1.0,
                n_tokens: 1,
            },
            RecordLoss {
                loss_sum: 0.0,
                n_tokens: 3,
            },
        ];
        let scores = score_losses(&losses, &ScoreOptions::default()).unwrap();
        assert_eq!(scores.value(Metric::Loss), Some(0.25));
        assert_eq!(scores.value(Metric::Perplexity), Some(0.25f64.exp()));
    }

    #[test]
    fn intervals_hold_the_score() {
        let records: Vec<Prediction> = (0..40)
            .map(|i| answer(&format!("answer {}", i % 3), "answer 1"))
            .collect();
        let scores = score(&records, &Metric::OF_ANSWERS, &ScoreOptions::default()).unwrap();
        for MetricScore {
            metric,
            value,
            interval,
            ..
        } in &scores.metrics
        {
            assert!(
                interval.low <= *value && *value <= interval.high,
                "{metric} {interval:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let options = ScoreOptions::default();
        assert_eq!(
            score(&[], &[Metric::F1], &options),
            Err(ScoreError::NoRecords)
        );
        let bare = Prediction {
            prediction: "a".into(),
            references: Vec::new(),
        };
        let records = [answer("a", "a"), bare];
        assert_eq!(
            score(&records, &[Metric::F1], &options),
            Err(ScoreError::NoReference { record: 2 })
        );
        assert_eq!(
            score(&records[..1], &[Metric::Loss], &options),
            Err(ScoreError::NeedsModel {
                metric: Metric::Loss
            })
        );
    }
}
