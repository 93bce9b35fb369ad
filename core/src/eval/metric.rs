//! The metrics by name.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// A score of answers, or of the loss over targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    ExactMatch,
    /// Token F1 of SQuAD v1.1.
    F1,
    Rouge1,
    Rouge2,
    RougeL,
    RougeLsum,
    Bleu,
    Chrf,
    /// chrF with words and pairs of words.
    ChrfPlusPlus,
    /// Share of answers that name the label.
    Accuracy,
    /// Mean cross-entropy over targets; needs a model, see [`super::score_losses`].
    Loss,
    /// e to the loss; needs a model, see [`super::score_losses`].
    Perplexity,
}

/// A name that is no metric of finished answers.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{found}` is not a metric of finished answers, expected one of {}",
    expected_names()
)]
pub struct UnknownMetric {
    pub found: String,
}

impl Metric {
    /// Those that need nothing but answers and references.
    pub const OF_ANSWERS: [Self; 10] = [
        Self::ExactMatch,
        Self::F1,
        Self::Rouge1,
        Self::Rouge2,
        Self::RougeL,
        Self::RougeLsum,
        Self::Bleu,
        Self::Chrf,
        Self::ChrfPlusPlus,
        Self::Accuracy,
    ];

    /// Name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactMatch => "exact_match",
            Self::F1 => "f1",
            Self::Rouge1 => "rouge1",
            Self::Rouge2 => "rouge2",
            Self::RougeL => "rougeL",
            Self::RougeLsum => "rougeLsum",
            Self::Bleu => "bleu",
            Self::Chrf => "chrf",
            Self::ChrfPlusPlus => "chrf++",
            Self::Accuracy => "accuracy",
            Self::Loss => "loss",
            Self::Perplexity => "perplexity",
        }
    }

    /// What it says, in a few plain words.
    pub fn description(self) -> &'static str {
        match self {
            Self::ExactMatch => "answers equal to a reference",
            Self::F1 => "words in common (SQuAD)",
            Self::Rouge1 => "words in common (ROUGE)",
            Self::Rouge2 => "pairs of words in common",
            Self::RougeL => "words in common, in order",
            Self::RougeLsum => "the same, line by line",
            Self::Bleu => "runs of 1 to 4 words in common",
            Self::Chrf => "runs of 1 to 6 letters in common",
            Self::ChrfPlusPlus => "the same with words",
            Self::Accuracy => "labels named, case ignored",
            Self::Loss => "surprise per token",
            Self::Perplexity => "choices per token",
        }
    }

    /// The best value, if there is a bound above.
    pub fn maximum(self) -> Option<f64> {
        match self {
            Self::Bleu | Self::Chrf | Self::ChrfPlusPlus => Some(100.0),
            Self::Loss | Self::Perplexity => None,
            _ => Some(1.0),
        }
    }

    /// Whether a smaller value is better.
    pub fn lower_is_better(self) -> bool {
        matches!(self, Self::Loss | Self::Perplexity)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::OF_ANSWERS
            .into_iter()
            .find(|metric| metric.name() == name);
        known.ok_or_else(|| UnknownMetric {
            found: name.to_owned(),
        })
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

fn expected_names() -> String {
    Metric::OF_ANSWERS.map(Metric::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_an_unknown_one_lists_them() {
        for metric in Metric::OF_ANSWERS {
            assert_eq!(metric.name().parse(), Ok(metric));
        }
        let error = "meteor".parse::<Metric>().unwrap_err();
        assert!(
            error.to_string().contains("rougeL, rougeLsum, bleu"),
            "{error}"
        );
    }
}
