//! Metrics of finished answers, with confidence intervals and paired tests.
//!
//! [`score`] turns predictions into [`Scores`]; [`compare`] sets two of them side by side. Every
//! metric is the one of its reference library: ROUGE is `rouge_score` 0.1.2, BLEU and chrF are
//! `sacrebleu` 2.6.0, F1 is the SQuAD v1.1 script. Scales are theirs as well: ROUGE runs from 0 to
//! 1, BLEU and chrF from 0 to 100. Exact match, F1 and accuracy run from 0 to 1.
//!
//! Each metric reduces a record to a row of counts that may be added up ([`statistics`]), so a
//! resample of the corpus is a sum of rows and never a mean of sentence scores.

mod advice;
mod bleu;
mod bleu_tokenizer;
mod chrf;
mod compare;
mod exact;
mod metric;
mod ngram_counts;
mod porter;
mod prediction;
mod python_text;
mod resampling;
mod rouge;
mod score;
mod squad;
mod statistics;

pub use advice::advice;
pub use bleu_tokenizer::{BleuTokenizer, UnknownTokenizer};
pub use compare::{CompareError, Comparison, compare};
pub use metric::{Metric, UnknownMetric};
pub use prediction::{Prediction, PredictionError};
pub use resampling::{Interval, Resampling};
pub use score::{MetricScore, RecordLoss, ScoreError, ScoreOptions, Scores, score, score_losses};
