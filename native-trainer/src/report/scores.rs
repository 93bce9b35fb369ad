//! Scores as tables, those of two models with a small dot-and-whisker plot in every row.

use veneer_core::eval::{Comparison, Interval};

use super::{
    html::escape,
    page::{Compared, ScoreRow},
};
use crate::{
    dataset::count,
    score_text::{difference_text, interval_text, level_text, p_text, value_text, verdict},
};

/// Side of the drawing that is stretched to the width of its cell.
const SIDE: f64 = 1000.0;

/// One sentence on what the comparisons of each model say together.
pub(super) fn summary(compared: &[Compared], is_held_out: bool) -> Vec<String> {
    let is_one = compared.len() == 1;
    let sentence = |compared: &Compared| {
        let who = match compared.against.as_str() {
            "base" if is_one => "the tuned model is better".to_owned(),
            against => format!("{} is better than {against}", compared.name),
        };
        let first = compared.comparisons.first()?;
        let which = if is_held_out {
            "held-out record"
        } else {
            "record"
        };
        let records = count(first.n_examples as u64, which);
        Some(format!(
            "On {records} {who} {}.",
            found(&compared.comparisons)
        ))
    };
    compared.iter().filter_map(sentence).collect()
}

/// `on 5 of 7 scores, worse on 1; on 1 the difference may be chance`
fn found(comparisons: &[Comparison]) -> String {
    let count = |text| {
        comparisons
            .iter()
            .filter(|comparison| verdict(comparison) == text)
            .count()
    };
    let mut text = format!("on {} of {} scores", count("better"), comparisons.len());
    for (n, words) in [
        (count("worse"), "worse on"),
        (count("the same"), "the same on"),
    ] {
        if n > 0 {
            text.push_str(&format!(", {words} {n}"));
        }
    }
    let n_chance = count("may be chance");
    if n_chance > 0 {
        text.push_str(&format!("; on {n_chance} the difference may be chance"));
    }
    text
}

/// How the intervals and p-values of the tables came about.
pub(super) const METHOD: &str = "<p class=\"muted small\">Intervals by percentile bootstrap over \
    records. p by approximate randomization, two-sided: how often a difference this large arises \
    when the answers of both models are swapped at random. exact_match, f1, accuracy and rouge run \
    from 0 to 1, bleu and chrf from 0 to 100.</p>";

/// The heading that only a table of comparisons has.
pub(super) const OF_COMPARISONS: &str = "<th>Verdict</th>";

/// The table of two models, with a legend; `names` are theirs.
pub(super) fn table(comparisons: &[Comparison], names: [&str; 2]) -> String {
    let Some(first) = comparisons.first() else {
        return String::new();
    };
    let level = level_text(first.confidence_level);
    let labels = match names {
        ["base", _] => ["Base", "Tuned"],
        _ => ["First", "Other"],
    };
    let rows = comparisons.iter().map(|comparison| row(comparison, labels));
    let rows: String = rows.collect();
    let [base, tuned] = names.map(escape);
    let [base_label, tuned_label] = labels;
    format!(
        "<p class=\"legend\"><span class=\"key base\">{base}</span><span class=\"key tuned\">{tuned}\
         </span><span class=\"muted\">lines span the {level} interval, the scale starts at 0</span></p>\
         <table class=\"scores\"><thead><tr><th>Score</th><th class=\"n\">{base_label}</th>\
         <th class=\"n\">{tuned_label}</th><th class=\"n\">Change</th><th class=\"n\">p</th>\
         {OF_COMPARISONS}<th class=\"whisker\"></th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

/// The table of one model.
pub(super) fn table_of_one(scores: &[ScoreRow]) -> String {
    let Some(first) = scores.first() else {
        return String::new();
    };
    let level = level_text(first.confidence_level);
    let row = |score: &ScoreRow| {
        let ScoreRow {
            metric,
            value,
            interval,
            ..
        } = *score;
        format!(
            "<tr><th scope=\"row\">{metric}<small>{}</small></th>\
             <td class=\"n\" data-label=\"Value\">{}</td>\
             <td class=\"n\" data-label=\"Interval\">{}</td></tr>",
            escape(metric.description()),
            value_text(metric, value),
            interval_text(metric, interval)
        )
    };
    let rows: String = scores.iter().map(row).collect();
    format!(
        "<table class=\"scores\"><thead><tr><th>Score</th><th class=\"n\">Value</th>\
         <th class=\"n\">{level} interval</th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

fn row(comparison: &Comparison, [base_label, tuned_label]: [&str; 2]) -> String {
    let Comparison {
        metric,
        base,
        tuned,
        base_interval,
        tuned_interval,
        ..
    } = *comparison;
    let Comparison {
        difference,
        interval,
        p_value,
        ..
    } = *comparison;
    let cell = |label: &str, value: String, interval: String| {
        format!("<td class=\"n\" data-label=\"{label}\">{value}<small>{interval}</small></td>")
    };
    let verdict = verdict(comparison);
    let class = match verdict {
        "better" => "good",
        "worse" => "bad",
        _ => "muted",
    };
    let change_interval = format!(
        "{} to {}",
        difference_text(metric, interval.low),
        difference_text(metric, interval.high)
    );
    [
        "<tr>".to_owned(),
        format!(
            "<th scope=\"row\">{metric}<small>{}</small></th>",
            escape(metric.description())
        ),
        cell(
            base_label,
            value_text(metric, base),
            interval_text(metric, base_interval),
        ),
        cell(
            tuned_label,
            value_text(metric, tuned),
            interval_text(metric, tuned_interval),
        ),
        cell(
            "Change",
            difference_text(metric, difference),
            change_interval,
        ),
        format!(
            "<td class=\"n\" data-label=\"p\">{}</td>",
            escape(&p_text(p_value))
        ),
        format!("<td class=\"verdict\"><span class=\"chip {class}\">{verdict}</span></td>"),
        format!("<td class=\"whisker\">{}</td></tr>", whiskers(comparison)),
    ]
    .concat()
}

/// Both scores with their intervals, from 0 to the best value there is.
fn whiskers(comparison: &Comparison) -> String {
    let Comparison {
        metric,
        base,
        tuned,
        base_interval,
        tuned_interval,
        ..
    } = *comparison;
    let seen = base_interval
        .high
        .max(tuned_interval.high)
        .max(base)
        .max(tuned);
    let maximum = metric.maximum().unwrap_or(seen * 1.05);
    let place = |value: f64| {
        let share = if maximum > 0.0 { value / maximum } else { 0.0 };
        (if share.is_finite() { share } else { 0.0 }).clamp(0.0, 1.0) * SIDE
    };
    let whisker = |class: &str, y: f64, value: f64, Interval { low, high }: Interval| {
        format!(
            "<path class=\"line {class}\" d=\"M{:.1} {y}H{:.1}\"/>\
             <path class=\"dot {class}\" d=\"M{:.1} {y}h0\"/>",
            place(low),
            place(high),
            place(value)
        )
    };
    format!(
        "<svg viewBox=\"0 0 {SIDE} {SIDE}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"base {}, tuned {}\"><path class=\"grid\" d=\"M0 0V{SIDE}M250 0V{SIDE}\
         M500 0V{SIDE}M750 0V{SIDE}M{SIDE} 0V{SIDE}\"/>{}{}</svg>",
        value_text(metric, base),
        value_text(metric, tuned),
        whisker("base", 300.0, base, base_interval),
        whisker("tuned", 700.0, tuned, tuned_interval),
    )
}
