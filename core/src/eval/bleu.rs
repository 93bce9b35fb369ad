//! BLEU as sacrebleu 2.6.0 computes it (Papineni et al., 2002; Post, 2018).
//!
//! 100 · BP · exp(mean of ln pₙ for n = 1…4) with BP = exp(1 − r/c) when the corpus of c tokens is
//! shorter than its closest references of r tokens. An order without a match gets the precision
//! 1/(2ᵏ·total) at its k-th occurrence (`exp` smoothing, sacrebleu's default).
//!
//! The counts of a record: tokens, tokens of the closest reference, matches of each order, n-grams
//! of each order. They add up over a corpus.

use super::{bleu_tokenizer::BleuTokenizer, ngram_counts::NgramCounts, python_text::words};

const MAX_ORDER: usize = 4;

/// Numbers in a record's row.
pub(super) const N_COUNTS: usize = 2 + 2 * MAX_ORDER;

/// Which orders enter the mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Orders {
    /// All four: the score of a corpus.
    All,
    /// Those for which the answer is long enough: the score of a single record.
    Effective,
}

/// The row of one record.
pub(super) fn counts(
    prediction: &str,
    references: &[String],
    tokenizer: BleuTokenizer,
) -> [f64; N_COUNTS] {
    let prediction = tokenizer.tokenize(prediction);
    let predicted: Vec<&str> = words(&prediction).collect();
    let references: Vec<String> = references
        .iter()
        .map(|reference| tokenizer.tokenize(reference))
        .collect();
    let expected: Vec<Vec<&str>> = references
        .iter()
        .map(|reference| words(reference).collect())
        .collect();

    let mut row = [0.0; N_COUNTS];
    row[0] = predicted.len() as f64;
    row[1] = closest_length(predicted.len(), expected.iter().map(Vec::len)) as f64;
    for n in 1..=MAX_ORDER {
        let ngrams = NgramCounts::new(&predicted, n);
        let allowed = expected
            .iter()
            .map(|reference| NgramCounts::new(reference, n))
            .reduce(NgramCounts::union_max);
        row[1 + n] = allowed.map_or(0, |allowed| ngrams.overlap(&allowed)) as f64;
        row[1 + MAX_ORDER + n] = ngrams.total() as f64;
    }
    row
}

/// BLEU from 0 to 100 of a sum of rows.
pub(super) fn value(counts: &[f64], orders: Orders) -> f64 {
    let (lengths, counts) = counts.split_at(2);
    let (n_predicted, n_expected) = (lengths[0], lengths[1]);
    let (matches, totals) = counts.split_at(MAX_ORDER);
    if matches.iter().all(|n| *n == 0.0) {
        return 0.0;
    }

    let mut log_sum = 0.0;
    let mut n_orders = 0;
    let mut smoothing = 1.0;
    for (n_matches, total) in matches
        .iter()
        .zip(totals)
        .take_while(|(_, total)| **total > 0.0)
    {
        let precision = if *n_matches > 0.0 {
            100.0 * n_matches / total
        } else {
            smoothing *= 2.0;
            100.0 / (smoothing * total)
        };
        log_sum += precision.ln();
        n_orders += 1;
    }
    if orders == Orders::All && n_orders < MAX_ORDER {
        return 0.0;
    }
    let brevity_penalty = if n_predicted < n_expected {
        (1.0 - n_expected / n_predicted).exp()
    } else {
        1.0
    };
    brevity_penalty * (log_sum / f64::from(n_orders as u8)).exp()
}

/// The reference length nearest to `length`, the shorter of two equally near ones.
fn closest_length(length: usize, references: impl Iterator<Item = usize>) -> usize {
    references
        .min_by_key(|reference| (reference.abs_diff(length), *reference))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_and_then_the_shorter_reference_counts() {
        assert_eq!(closest_length(5, [9, 7, 3].into_iter()), 3);
        assert_eq!(closest_length(5, [9, 4].into_iter()), 4);
    }

    #[test]
    fn a_short_answer_scores_alone_but_not_as_a_corpus() {
        let row = counts("Madrid", &["Madrid".to_owned()], BleuTokenizer::V13a);
        assert_eq!(value(&row, Orders::All), 0.0);
        assert!((value(&row, Orders::Effective) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_predicted_scores_zero() {
        let row = counts("", &["Madrid".to_owned()], BleuTokenizer::V13a);
        assert_eq!(value(&row, Orders::Effective), 0.0);
    }
}
