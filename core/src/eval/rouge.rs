//! ROUGE-N and ROUGE-L as `rouge_score` 0.1.2 computes them (Lin, 2004).
//!
//! The F measure 2pr/(p+r), of n-gram overlap for ROUGE-N and of the longest common subsequence
//! (LCS) for ROUGE-L. ROUGE-Lsum takes each line as a sentence and the union of its LCS with every
//! line of the other side. The tokenizer keeps runs of `a-z0-9` only: text in other scripts has no
//! tokens and scores 0.

use super::{ngram_counts::NgramCounts, porter::stem};

/// Words shorter than this are not stemmed.
const MIN_STEMMED_LEN: usize = 4;

/// Which ROUGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rouge {
    N(usize),
    L,
    Lsum,
}

/// Best F measure over the references.
pub(super) fn rouge(kind: Rouge, prediction: &str, references: &[String], stemmed: bool) -> f64 {
    match kind {
        Rouge::N(n) => {
            let predicted = tokens(prediction, stemmed);
            best(references, |text| {
                rouge_n(n, &predicted, &tokens(text, stemmed))
            })
        }
        Rouge::L => {
            let predicted = tokens(prediction, stemmed);
            best(references, |text| {
                rouge_l(&predicted, &tokens(text, stemmed))
            })
        }
        Rouge::Lsum => {
            let predicted = sentences(prediction, stemmed);
            best(references, |text| {
                rouge_lsum(&predicted, &sentences(text, stemmed))
            })
        }
    }
}

fn best(references: &[String], score: impl Fn(&str) -> f64) -> f64 {
    references
        .iter()
        .map(|reference| score(reference))
        .fold(0.0, f64::max)
}

/// Whether ROUGE sees half of this text or more.
pub(super) fn reads(text: &str) -> bool {
    let n_read = text.bytes().filter(u8::is_ascii_alphanumeric).count();
    let n_there = text.chars().filter(|c| c.is_alphanumeric()).count();
    n_read > 0 && 2 * n_read >= n_there
}

fn tokens(text: &str, stemmed: bool) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(|token| {
            if stemmed && token.len() >= MIN_STEMMED_LEN {
                stem(token)
            } else {
                token.to_owned()
            }
        })
        .collect()
}

fn sentences(text: &str, stemmed: bool) -> Vec<Vec<String>> {
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| tokens(line, stemmed))
        .collect()
}

fn rouge_n(n: usize, predicted: &[String], expected: &[String]) -> f64 {
    let (predicted, expected) = (
        NgramCounts::new(predicted, n),
        NgramCounts::new(expected, n),
    );
    f_measure(
        predicted.overlap(&expected),
        predicted.total(),
        expected.total(),
    )
}

fn rouge_l(predicted: &[String], expected: &[String]) -> f64 {
    f_measure(
        lcs_length(predicted, expected),
        predicted.len(),
        expected.len(),
    )
}

fn rouge_lsum(predicted: &[Vec<String>], expected: &[Vec<String>]) -> f64 {
    let n_predicted = predicted.iter().map(Vec::len).sum();
    let n_expected = expected.iter().map(Vec::len).sum();
    let mut left_predicted: Vec<&String> = predicted.iter().flatten().collect();
    let mut left_expected: Vec<&String> = expected.iter().flatten().collect();
    let mut n_hits = 0;
    for sentence in expected {
        for index in union_lcs(sentence, predicted) {
            let token = &sentence[index];
            // Each occurrence on either side may be hit once.
            let here = left_predicted.iter().position(|other| *other == token);
            let there = left_expected.iter().position(|other| *other == token);
            if let (Some(here), Some(there)) = (here, there) {
                left_predicted.swap_remove(here);
                left_expected.swap_remove(there);
                n_hits += 1;
            }
        }
    }
    f_measure(n_hits, n_predicted, n_expected)
}

fn f_measure(n_hits: usize, n_predicted: usize, n_expected: usize) -> f64 {
    let precision = n_hits as f64 / n_predicted.max(1) as f64;
    let recall = n_hits as f64 / n_expected.max(1) as f64;
    if precision + recall > 0.0 {
        2.0 * precision * recall / (precision + recall)
    } else {
        0.0
    }
}

/// Row `i`, column `j`: LCS length of the first `i` and first `j` tokens, kept one row at a time.
fn lcs_length(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for token in a {
        let mut diagonal = 0;
        for (j, other) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if token == other {
                diagonal + 1
            } else {
                above.max(row[j])
            };
            diagonal = above;
        }
    }
    row[b.len()]
}

/// Positions in `sentence` that are part of its LCS with any of `others`, ascending.
fn union_lcs(sentence: &[String], others: &[Vec<String>]) -> Vec<usize> {
    let mut positions: Vec<usize> = others
        .iter()
        .flat_map(|other| lcs_positions(sentence, other))
        .collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

/// Positions in `a` of one LCS with `b`: of several, the one that `rouge_score` walks to.
fn lcs_positions(a: &[String], b: &[String]) -> Vec<usize> {
    let width = b.len() + 1;
    let mut table = vec![0u32; (a.len() + 1) * width];
    for (i, token) in a.iter().enumerate() {
        for (j, other) in b.iter().enumerate() {
            table[(i + 1) * width + j + 1] = if token == other {
                table[i * width + j] + 1
            } else {
                table[i * width + j + 1].max(table[(i + 1) * width + j])
            };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut positions = Vec::new();
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            positions.push(i - 1);
            (i, j) = (i - 1, j - 1);
        } else if table[i * width + j - 1] > table[(i - 1) * width + j] {
            j -= 1;
        } else {
            i -= 1;
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lcs_skips_but_keeps_order() {
        let words = |text: &str| tokens(text, false);
        assert_eq!(
            lcs_length(
                &words("police killed the gunman"),
                &words("police kill the gunman")
            ),
            3
        );
        assert_eq!(
            lcs_length(
                &words("the gunman kill police"),
                &words("police kill the gunman")
            ),
            2
        );
    }

    #[test]
    fn other_scripts_have_no_tokens() {
        let references = ["東京".to_owned()];
        assert_eq!(rouge(Rouge::N(1), "東京", &references, false), 0.0);
        assert!(!reads("東京") && !reads("東京2") && reads("BBVA 東京"));
    }

    #[test]
    fn stemming_joins_word_forms() {
        let references = ["running dogs".to_owned()];
        assert_eq!(rouge(Rouge::N(1), "run dog", &references, false), 0.0);
        // `dogs` becomes `dog`, but `dog` and `run` are too short to be stemmed and equal already.
        assert_eq!(rouge(Rouge::N(1), "run dog", &references, true), 1.0);
    }
}
