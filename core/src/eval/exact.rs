//! Exact match and label accuracy.
//!
//! Exact match compares the two texts as they are, apart from white space around them. SQuAD's
//! own exact match also drops case, articles and punctuation, which calls `35 %` right where the
//! reference says `3.5 %`; answers here are figures, SQL and code, so it is not used.

use super::python_text::strip;

/// Whether the answer is one of the references, ignoring only outer white space.
pub(super) fn exact_match(prediction: &str, references: &[String]) -> bool {
    references
        .iter()
        .any(|reference| strip(prediction) == strip(reference))
}

/// Whether the answer names the label: outer white space and case do not count.
pub(super) fn label_match(prediction: &str, references: &[String]) -> bool {
    let label = |text: &str| strip(text).to_lowercase();
    references
        .iter()
        .any(|reference| label(prediction) == label(reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(texts: &[&str]) -> Vec<String> {
        texts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_decimal_point_counts() {
        assert!(exact_match(
            "\u{3000}3.5 %\n",
            &references(&["35 %", "3.5 %"])
        ));
        assert!(!exact_match("3.5 %", &references(&["35 %"])));
    }

    #[test]
    fn labels_ignore_case_but_exact_match_does_not() {
        assert!(label_match(" Positive\n", &references(&["positive"])));
        assert!(!exact_match("Positive", &references(&["positive"])));
    }
}
