//! chrF and chrF++ as sacrebleu 2.6.0 computes them (Popović, 2015 and 2017).
//!
//! The F score with β = 2 of character n-grams of orders 1 to 6, white space removed; chrF++ adds
//! words and pairs of words. Precision and recall are averaged over the orders that both sides
//! have, then combined: 100 · (1+β²)·p·r/(β²·p+r).
//!
//! The counts of a record: for each order the n-grams predicted, expected and matched, against the
//! reference that scores best. They add up over a corpus.

use super::{
    ngram_counts::NgramCounts,
    python_text::{is_punctuation, is_space, words},
};

const CHAR_ORDER: usize = 6;
const BETA_SQUARED: f64 = 4.0;

/// The row of one record; `word_order` is 0 for chrF and 2 for chrF++.
pub(super) fn counts(prediction: &str, references: &[String], word_order: usize) -> Vec<f64> {
    let predicted = Sequences::new(prediction);
    let mut best: Option<(f64, Vec<f64>)> = None;
    for reference in references {
        let row = predicted.counts_against(&Sequences::new(reference), word_order);
        let score = value(&row);
        if best
            .as_ref()
            .is_none_or(|(best_score, _)| score > *best_score)
        {
            best = Some((score, row));
        }
    }
    best.map_or_else(|| vec![0.0; n_counts(word_order)], |(_, row)| row)
}

/// Numbers in a record's row.
pub(super) fn n_counts(word_order: usize) -> usize {
    3 * (CHAR_ORDER + word_order)
}

/// chrF from 0 to 100 of a sum of rows.
pub(super) fn value(counts: &[f64]) -> f64 {
    let (mut precision, mut recall, mut n_orders) = (0.0, 0.0, 0.0);
    for order in counts.chunks_exact(3) {
        let (predicted, expected, matched) = (order[0], order[1], order[2]);
        if predicted > 0.0 && expected > 0.0 {
            precision += matched / predicted;
            recall += matched / expected;
            n_orders += 1.0;
        }
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / n_orders, recall / n_orders);
    100.0 * (1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
}

/// What n-grams are taken from.
struct Sequences {
    chars: Vec<char>,
    words: Vec<String>,
}

impl Sequences {
    fn new(text: &str) -> Self {
        Self {
            chars: text.chars().filter(|c| !is_space(*c)).collect(),
            words: words(text).flat_map(without_outer_mark).collect(),
        }
    }

    fn counts_against(&self, reference: &Self, word_order: usize) -> Vec<f64> {
        let mut row = Vec::with_capacity(n_counts(word_order));
        for n in 1..=CHAR_ORDER {
            row.extend(order_counts(&self.chars, &reference.chars, n));
        }
        for n in 1..=word_order {
            row.extend(order_counts(&self.words, &reference.words, n));
        }
        row
    }
}

/// Predicted n-grams count only where the reference has any of that order.
fn order_counts<T: Ord>(predicted: &[T], expected: &[T], n: usize) -> [f64; 3] {
    let (predicted, expected) = (
        NgramCounts::new(predicted, n),
        NgramCounts::new(expected, n),
    );
    let n_predicted = if expected.total() > 0 {
        predicted.total()
    } else {
        0
    };
    [n_predicted, expected.total(), predicted.overlap(&expected)].map(|count| count as f64)
}

/// A word and its last mark, or its first one when it ends without: never both, as in chrF++.
fn without_outer_mark(word: &str) -> Vec<String> {
    let mut chars = word.chars();
    let (Some(first), last) = (chars.next(), chars.next_back()) else {
        return Vec::new();
    };
    match last {
        Some(last) if is_punctuation(last) => {
            vec![
                word[..word.len() - last.len_utf8()].to_owned(),
                last.to_string(),
            ]
        }
        Some(_) if is_punctuation(first) => {
            vec![first.to_string(), word[first.len_utf8()..].to_owned()]
        }
        _ => vec![word.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_mark_leaves_a_word() {
        assert_eq!(without_outer_mark("(hi)"), ["(hi", ")"]);
        assert_eq!(without_outer_mark("(hi"), ["(", "hi"]);
        assert_eq!(without_outer_mark("."), ["."]);
        assert_eq!(without_outer_mark("¿qué?"), ["¿qué", "?"]);
    }

    #[test]
    fn white_space_does_not_count() {
        let row = counts("東 京\u{3000}都", &["東京都".to_owned()], 0);
        assert!((value(&row) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_best_reference_is_used_and_an_empty_one_scores_zero() {
        let row = counts("abc", &["xyz".to_owned(), "abc".to_owned()], 2);
        assert!((value(&row) - 100.0).abs() < 1e-9);
        assert_eq!(value(&counts("abc", &[String::new()], 0)), 0.0);
    }
}
