//! Token F1 of the SQuAD v1.1 evaluation script (Rajpurkar et al., 2016).
//!
//! Both texts are lower-cased, lose ASCII punctuation and the English articles, and are split at
//! white space; F1 is 2pr/(p+r) of the multiset overlap of the tokens. The script reports percent,
//! this one a share from 0 to 1. Two answers without any token in common score 0, also when both
//! are empty, as in v1.1 (the v2.0 script says 1 there).

use std::sync::LazyLock;

use regex::Regex;

use super::{
    ngram_counts::NgramCounts,
    python_text::{is_punctuation, words},
};

/// Best F1 over the references.
pub(super) fn f1(prediction: &str, references: &[String]) -> f64 {
    let prediction = normalized(prediction);
    let predicted: Vec<&str> = words(&prediction).collect();
    let scores = references.iter().map(|reference| {
        let reference = normalized(reference);
        token_f1(&predicted, &words(&reference).collect::<Vec<_>>())
    });
    scores.fold(0.0, f64::max)
}

fn token_f1(predicted: &[&str], expected: &[&str]) -> f64 {
    let n_same = NgramCounts::new(predicted, 1).overlap(&NgramCounts::new(expected, 1));
    if n_same == 0 {
        return 0.0;
    }
    let precision = n_same as f64 / predicted.len() as f64;
    let recall = n_same as f64 / expected.len() as f64;
    2.0 * precision * recall / (precision + recall)
}

/// Lower case, no punctuation, articles replaced by a space. White space is left to the split.
fn normalized(text: &str) -> String {
    // An article is a whole word in Python's sense: no letter, number or underscore beside it.
    static ARTICLES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]+").expect("the pattern is constant"));
    let bare: String = text
        .to_lowercase()
        .chars()
        .filter(|c| !is_punctuation(*c))
        .collect();
    ARTICLES
        .replace_all(&bare, |word: &regex::Captures<'_>| match &word[0] {
            "a" | "an" | "the" => " ".to_owned(),
            other => other.to_owned(),
        })
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f1_of(prediction: &str, reference: &str) -> f64 {
        f1(prediction, &[reference.to_owned()])
    }

    #[test]
    fn articles_case_and_punctuation_do_not_count() {
        assert_eq!(f1_of("The Cat, sat!", "a cat sat"), 1.0);
        assert_eq!(f1_of("theatre", "atre"), 0.0);
    }

    #[test]
    fn nothing_in_common_is_zero_even_when_both_are_empty() {
        assert_eq!(f1_of("", ""), 0.0);
        assert_eq!(f1_of("the", "a"), 0.0);
    }

    #[test]
    fn repeated_tokens_count_as_often_as_both_sides_have_them() {
        // 2 of 3 predicted, 2 of 2 expected: p = 2/3, r = 1.
        assert!((f1_of("so so so", "so so") - 0.8).abs() < 1e-15);
    }
}
