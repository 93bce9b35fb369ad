//! What `veneer eval` measured, as a table for people.

use crate::{
    commands::eval::{Measured, Numbers, Outcome},
    score_text::comparisons_table,
};

/// At most 80 columns.
pub(crate) fn text(outcome: &Outcome) -> String {
    let mut out = String::new();
    for measured in &outcome.measured {
        out.push_str(&one(measured));
    }
    let mut measured = outcome.measured.iter();
    let first = measured.next().map_or("", |first| &first.name);
    for (other, against) in measured.zip(&outcome.against_first) {
        out.push_str(&format!("\n{} against {first}\n", other.name));
        out.push_str(&comparisons_table(&against.comparisons));
        if !against.control.is_empty() {
            out.push_str("\ncontrol set (facts that were never trained)\n");
            out.push_str(&comparisons_table(&against.control));
        }
    }
    out
}

fn one(measured: &Measured) -> String {
    let mut out = format!("{}\n", measured.name);
    out.push_str(&lines(&measured.data));
    if let Some(control) = &measured.control {
        out.push_str("  control set\n");
        out.push_str(&lines(control));
    }
    out
}

fn lines(numbers: &Numbers) -> String {
    let mut out = format!(
        "  {} examples, {} targets: loss {:.4}, perplexity {:.3}\n",
        numbers.n_examples,
        numbers.n_tokens,
        numbers.loss,
        numbers.loss.exp()
    );
    let scores = numbers
        .answers
        .iter()
        .flat_map(|answers| &answers.scores.metrics);
    for score in scores {
        let interval = &score.interval;
        out.push_str(&format!(
            "  {:<12} {:>8.3}   [{:.3}, {:.3}]\n",
            score.metric.name(),
            score.value,
            interval.low,
            interval.high
        ));
    }
    out
}
