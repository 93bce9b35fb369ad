//! Rows of counts that add up: what every score, resample and permutation is computed from.
//!
//! A mean is the sum of values over their number, perplexity is e to the summed loss over the
//! summed targets, BLEU and chrF are functions of summed n-gram counts. So one table of rows, one
//! for each record, is enough for any corpus made from those records.

use super::{
    bleu::{self, Orders},
    chrf,
    exact::{exact_match, label_match},
    metric::Metric,
    prediction::Prediction,
    rouge::{Rouge, rouge},
    score::{RecordLoss, ScoreOptions},
    squad::f1,
};

const CHRF_PLUS_PLUS_WORDS: usize = 2;

/// One metric's row of counts for every record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statistics {
    metric: Metric,
    width: usize,
    /// `[records, width]`, row by row.
    counts: Vec<f64>,
}

impl Statistics {
    /// The counts of finished answers.
    pub(super) fn of_answers(
        metric: Metric,
        predictions: &[Prediction],
        options: &ScoreOptions,
    ) -> Self {
        let counts = predictions
            .iter()
            .flat_map(|record| answer_counts(metric, record, options))
            .collect();
        Self {
            metric,
            width: width(metric),
            counts,
        }
    }

    /// The counts of losses; `metric` is [`Metric::Loss`] or [`Metric::Perplexity`].
    pub(super) fn of_losses(metric: Metric, losses: &[RecordLoss]) -> Self {
        let counts = losses
            .iter()
            .flat_map(|record| [record.loss_sum, record.n_tokens as f64])
            .collect();
        Self {
            metric,
            width: width(metric),
            counts,
        }
    }

    pub(super) fn metric(&self) -> Metric {
        self.metric
    }

    pub(super) fn n_records(&self) -> usize {
        self.counts.len() / self.width
    }

    pub(super) fn row(&self, record: usize) -> &[f64] {
        &self.counts[record * self.width..][..self.width]
    }

    /// Sum of all rows.
    pub(super) fn total(&self) -> Vec<f64> {
        self.sum_of(0..self.n_records())
    }

    /// Sum of the rows of these records, repetitions included.
    pub(super) fn sum_of(&self, records: impl IntoIterator<Item = usize>) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        for record in records {
            for (sum, count) in sum.iter_mut().zip(self.row(record)) {
                *sum += count;
            }
        }
        sum
    }

    /// The score of the corpus that `sum` was added up from.
    pub(super) fn value(&self, sum: &[f64]) -> f64 {
        match self.metric {
            Metric::Bleu => bleu::value(sum, Orders::All),
            Metric::Chrf | Metric::ChrfPlusPlus => chrf::value(sum),
            Metric::Perplexity => (sum[0] / sum[1]).exp(),
            _ => sum[0] / sum[1],
        }
    }

    /// The score of one record by itself.
    pub(super) fn record_value(&self, record: usize) -> f64 {
        match self.metric {
            Metric::Bleu => bleu::value(self.row(record), Orders::Effective),
            _ => self.value(self.row(record)),
        }
    }
}

fn width(metric: Metric) -> usize {
    match metric {
        Metric::Bleu => bleu::N_COUNTS,
        Metric::Chrf => chrf::n_counts(0),
        Metric::ChrfPlusPlus => chrf::n_counts(CHRF_PLUS_PLUS_WORDS),
        _ => 2,
    }
}

fn answer_counts(metric: Metric, record: &Prediction, options: &ScoreOptions) -> Vec<f64> {
    let Prediction {
        prediction,
        references,
    } = record;
    let share = |value: f64| vec![value, 1.0];
    let truth = |holds: bool| share(f64::from(u8::from(holds)));
    let rouge = |kind| share(rouge(kind, prediction, references, options.rouge_stemmer));
    match metric {
        Metric::ExactMatch => truth(exact_match(prediction, references)),
        Metric::Accuracy => truth(label_match(prediction, references)),
        Metric::F1 => share(f1(prediction, references)),
        Metric::Rouge1 => rouge(Rouge::N(1)),
        Metric::Rouge2 => rouge(Rouge::N(2)),
        Metric::RougeL => rouge(Rouge::L),
        Metric::RougeLsum => rouge(Rouge::Lsum),
        Metric::Bleu => bleu::counts(prediction, references, options.bleu_tokenize).to_vec(),
        Metric::Chrf => chrf::counts(prediction, references, 0),
        Metric::ChrfPlusPlus => chrf::counts(prediction, references, CHRF_PLUS_PLUS_WORDS),
        // Refused by `score`.
        Metric::Loss | Metric::Perplexity => share(f64::NAN),
    }
}
