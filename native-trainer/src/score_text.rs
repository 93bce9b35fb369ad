//! Scores as text: numbers, verdicts and tables of at most 80 columns.

use std::fmt::Write as _;

use veneer_core::eval::{Comparison, Interval, Metric, Scores};

/// A value of this metric with as many decimals as its scale calls for.
pub(crate) fn value_text(metric: Metric, value: f64) -> String {
    match metric.maximum() {
        Some(maximum) if maximum > 1.0 => format!("{value:.2}"),
        Some(_) => format!("{value:.3}"),
        None if metric == Metric::Loss => format!("{value:.3}"),
        None if value.abs() < 10_000.0 => format!("{value:.2}"),
        None => format!("{value:.3e}"),
    }
}

/// A difference of two values, always with its sign.
pub(crate) fn difference_text(metric: Metric, difference: f64) -> String {
    let sign = if difference < 0.0 { "-" } else { "+" };
    format!("{sign}{}", value_text(metric, difference.abs()))
}

/// `low to high`.
pub(crate) fn interval_text(metric: Metric, interval: Interval) -> String {
    format!(
        "{} to {}",
        value_text(metric, interval.low),
        value_text(metric, interval.high)
    )
}

/// A p-value with three decimals.
pub(crate) fn p_text(p_value: f64) -> String {
    if p_value < 0.001 {
        "<0.001".to_owned()
    } else {
        format!("{p_value:.3}")
    }
}

/// `95%`.
pub(crate) fn level_text(confidence_level: f64) -> String {
    // Rounded, because 0.55 * 100 prints as 55.00000000000001.
    format!("{}%", (confidence_level * 1000.0).round() / 10.0)
}

/// Better, worse, or not to be told from chance.
pub(crate) fn verdict(comparison: &Comparison) -> &'static str {
    match (comparison.significant(), comparison.improved()) {
        _ if comparison.difference == 0.0 => "the same",
        (true, true) => "better",
        (true, false) => "worse",
        (false, _) => "may be chance",
    }
}

/// One line a metric: value, interval, best possible value, meaning.
pub(crate) fn scores_table(scores: &Scores) -> String {
    let level = level_text(scores.options.resampling.confidence_level);
    let interval = format!("{level} interval");
    let mut table = format!(
        "{:<11} {:>8}  {:<18} {:>4}  {}\n",
        "metric", "score", interval, "best", "what it measures"
    );
    for score in &scores.metrics {
        let best = score
            .metric
            .maximum()
            .map_or("-".to_owned(), |best| best.to_string());
        let line = format!(
            "{:<11} {:>8}  {:<18} {:>4}  {}",
            score.metric.name(),
            value_text(score.metric, score.value),
            interval_text(score.metric, score.interval),
            best,
            score.metric.description(),
        );
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// One line a metric: base, tuned, the difference, and whether it may be chance.
pub(crate) fn comparisons_table(comparisons: &[Comparison]) -> String {
    let level = comparisons
        .first()
        .map_or(0.95, |comparison| comparison.confidence_level);
    let interval = format!("{} interval", level_text(level));
    let mut table = format!(
        "{:<11} {:>7} {:>7} {:>8}  {:<18} {:>6}  {}\n",
        "metric", "base", "tuned", "change", interval, "p", "verdict"
    );
    for comparison in comparisons {
        let Comparison {
            metric,
            base,
            tuned,
            difference,
            interval,
            p_value,
            ..
        } = comparison;
        let interval = format!(
            "{} to {}",
            difference_text(*metric, interval.low),
            difference_text(*metric, interval.high)
        );
        table.push_str(&format!(
            "{:<11} {:>7} {:>7} {:>8}  {:<18} {:>6}  {}\n",
            metric.name(),
            value_text(*metric, *base),
            value_text(*metric, *tuned),
            difference_text(*metric, *difference),
            interval,
            p_text(*p_value),
            verdict(comparison),
        ));
    }
    table
}

/// One line a record: where it stands, then its score under each metric.
pub(crate) fn records_table(scores: &Scores, line_numbers: &[usize]) -> String {
    let metrics = || scores.metrics.iter();
    let width = |metric: Metric| metric.name().len().max(6) + 2;
    let mut table = format!("{:>7}", "line");
    for score in metrics() {
        add(&mut table, score.metric.name(), width(score.metric));
    }
    for (record, line) in line_numbers.iter().enumerate() {
        add(&mut table, &format!("\n{line:>7}"), 0);
        for score in metrics() {
            let value = value_text(score.metric, score.per_record[record]);
            add(&mut table, &value, width(score.metric));
        }
    }
    table.push('\n');
    table
}

fn add(table: &mut String, cell: &str, width: usize) {
    write!(table, "{cell:>width$}").expect("a String takes what is written to it");
}

#[cfg(test)]
mod tests {
    use veneer_core::eval::{Prediction, ScoreOptions, compare, score};

    use super::*;

    fn scores(answers: &[&str]) -> Scores {
        let records: Vec<Prediction> = answers
            .iter()
            .map(|answer| Prediction {
                prediction: (*answer).to_owned(),
                references: vec!["fue de 3,5 millones".to_owned()],
            })
            .collect();
        score(&records, &Metric::OF_ANSWERS, &ScoreOptions::default()).unwrap()
    }

    #[test]
    fn tables_fit_80_columns() {
        let right = "fue de 3,5 millones";
        let (base, tuned) = (scores(&["no", "fue", "x", "y"]), scores(&[right; 4]));
        let comparisons = compare(&base, &tuned).unwrap();
        let tables = [scores_table(&tuned), comparisons_table(&comparisons)];
        for line in tables.iter().flat_map(|table| table.lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(tables[1].contains("+1.000"), "{}", tables[1]);
    }

    #[test]
    fn numbers_keep_their_sign_and_scale() {
        assert_eq!(difference_text(Metric::F1, -0.25), "-0.250");
        assert_eq!(difference_text(Metric::Bleu, 12.345), "+12.35");
        assert_eq!(value_text(Metric::Perplexity, 123_456.0), "1.235e5");
        assert_eq!(p_text(0.000_1), "<0.001");
        assert_eq!(level_text(0.55), "55%");
    }
}
