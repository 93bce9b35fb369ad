//! Questions on two facts or more: bank against bank, year against year, first of a year.
//!
//! Amounts are only compared in one unit and currency.

use std::cmp::Ordering;

use serde_json::json;

use super::{Fact, Metric, fact::chat_record};
use crate::{data::Record, recipe::spanish::format_number};

/// All comparisons that the facts allow, by metric.
pub(super) fn comparisons(facts: &[Fact]) -> Vec<Record> {
    let mut records = Vec::new();
    for metric in Metric::ALL {
        let of_metric: Vec<&Fact> = facts.iter().filter(|fact| fact.metric == metric).collect();
        for (index, first) in of_metric.iter().enumerate() {
            for second in &of_metric[index + 1..] {
                if !comparable(first, second) {
                    continue;
                }
                if first.bank == second.bank {
                    records.push(over_time(first, second));
                } else if first.year == second.year {
                    records.extend(between_banks(first, second));
                }
            }
        }
        records.extend(leaders(&of_metric));
    }
    records
}

fn comparable(first: &Fact, second: &Fact) -> bool {
    !first.metric.is_amount() || (first.unit == second.unit && first.currency == second.currency)
}

/// The noun with its article, and whether it is plural.
fn noun(metric: Metric) -> (&'static str, bool) {
    match metric {
        Metric::TotalAssets => ("los activos totales", true),
        Metric::NetProfit => ("el beneficio neto", false),
        Metric::CapitalRatio => ("la ratio de capital CET1", false),
        Metric::Roe => ("el ROE", false),
        Metric::NplRatio => ("la tasa de morosidad", false),
    }
}

fn bare(metric: Metric) -> &'static str {
    let (noun, _) = noun(metric);
    noun.split_once(' ').map_or(noun, |(_, bare)| bare)
}

fn record(kind: &str, question: String, answer: String, facts: &[&Fact]) -> Record {
    let ids: Vec<String> = facts.iter().map(|fact| fact.id()).collect();
    let metric = facts.first().map(|fact| fact.metric.key());
    chat_record(
        question,
        answer,
        json!({ "kind": kind, "facts": ids, "metric": metric }),
    )
}

fn between_banks(first: &Fact, second: &Fact) -> Option<Record> {
    let (more, less) = match first.value.total_cmp(&second.value) {
        Ordering::Greater => (first, second),
        Ordering::Less => (second, first),
        Ordering::Equal => return None,
    };
    let (noun, year) = (bare(first.metric), first.year);
    let adjective = if noun.starts_with("activos") {
        "mayores"
    } else {
        "mayor"
    };
    let question = format!(
        "¿Qué banco tuvo {adjective} {noun} en {year}, {} o {}?",
        first.bank, second.bank
    );
    let answer = format!(
        "{} tuvo {adjective} {noun} que {} en {year}: {} frente a {}.",
        more.bank,
        less.bank,
        more.figure(),
        less.figure()
    );
    Some(record("between_banks", question, answer, &[first, second]))
}

fn over_time(first: &Fact, second: &Fact) -> Record {
    let (old, new) = if first.year <= second.year {
        (first, second)
    } else {
        (second, first)
    };
    let (noun, plural) = noun(old.metric);
    let evolved = if plural {
        "evolucionaron"
    } else {
        "evolucionó"
    };
    let question = format!(
        "¿Cómo {evolved} {} de {} entre {} y {}?",
        noun, old.bank, old.year, new.year
    );
    let verb = match (new.value.total_cmp(&old.value), plural) {
        (Ordering::Greater, false) => "subió",
        (Ordering::Greater, true) => "subieron",
        (Ordering::Less, false) => "bajó",
        (Ordering::Less, true) => "bajaron",
        (Ordering::Equal, false) => "se mantuvo",
        (Ordering::Equal, true) => "se mantuvieron",
    };
    let subject = capitalized(noun);
    let answer = if new.value == old.value {
        format!(
            "{subject} de {} {verb} en {} entre {} y {}.",
            old.bank,
            new.figure(),
            old.year,
            new.year
        )
    } else {
        format!(
            "{subject} de {} {verb} de {} en {} a {} en {} ({}).",
            old.bank,
            old.figure(),
            old.year,
            new.figure(),
            new.year,
            change(old, new)
        )
    };
    record("over_time", question, answer, &[old, new])
}

/// First letter in upper case.
fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Amounts change by per cent with one decimal, ratios by points with two.
fn change(old: &Fact, new: &Fact) -> String {
    let difference = new.value - old.value;
    let (size, unit) = if !old.metric.is_amount() {
        (difference, " puntos")
    } else if old.value > 0.0 {
        (100.0 * difference / old.value, " %")
    } else {
        // A per cent change from a loss means nothing.
        let sign = if difference > 0.0 { "+" } else { "" };
        return format!(
            "{sign}{} {} {}",
            format_number(difference),
            old.unit,
            old.currency
        );
    };
    let scale = if old.metric.is_amount() { 10.0 } else { 100.0 };
    let rounded = (size * scale).round() / scale;
    let sign = if rounded > 0.0 { "+" } else { "" };
    format!("{sign}{}{unit}", format_number(rounded))
}

/// Who was first in each year, among three banks or more that can be compared.
fn leaders(facts: &[&Fact]) -> Vec<Record> {
    let mut years: Vec<u16> = facts.iter().map(|fact| fact.year).collect();
    years.sort_unstable();
    years.dedup();
    years
        .into_iter()
        .filter_map(|year| leader(facts, year))
        .collect()
}

fn leader(facts: &[&Fact], year: u16) -> Option<Record> {
    let of_year: Vec<&Fact> = facts
        .iter()
        .copied()
        .filter(|fact| fact.year == year)
        .collect();
    let best = of_year
        .iter()
        .copied()
        .max_by(|a, b| a.value.total_cmp(&b.value))?;
    let ties = of_year
        .iter()
        .filter(|fact| fact.value == best.value)
        .count();
    if of_year.len() < 3 || ties > 1 || !of_year.iter().all(|fact| comparable(best, fact)) {
        return None;
    }
    let noun = bare(best.metric);
    let (adjective, article) = if noun.starts_with("activos") {
        ("mayores", "los ")
    } else {
        ("mayor", "el ")
    };
    let article = if matches!(best.metric, Metric::CapitalRatio | Metric::NplRatio) {
        "la "
    } else {
        article
    };
    let question = format!("¿Qué banco tuvo {article}{adjective} {noun} en {year}?");
    let answer = format!(
        "{} tuvo {article}{adjective} {noun} en {year}: {}.",
        best.bank,
        best.figure()
    );
    Some(record("leader", question, answer, &of_year))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Body;

    fn fact(bank: &str, year: u16, metric: Metric, value: f64) -> Fact {
        let (unit, currency) = ("millones".to_owned(), "EUR".to_owned());
        Fact {
            bank: bank.to_owned(),
            year,
            metric,
            value,
            unit,
            currency,
        }
    }

    fn answers(facts: &[Fact]) -> Vec<String> {
        let answer = |record: Record| match record.body {
            Body::Chat(chat) => chat.messages[1].text().to_owned(),
            _ => panic!("not a chat"),
        };
        comparisons(facts).into_iter().map(answer).collect()
    }

    #[test]
    fn compares_banks_years_and_names_the_first() {
        let profit = |bank, year, value| fact(bank, year, Metric::NetProfit, value);
        let facts = [
            profit("A", 2022, 100.0),
            profit("A", 2023, 110.5),
            profit("B", 2023, 90.0),
            profit("C", 2023, 90.0),
        ];
        assert_eq!(
            answers(&facts),
            [
                "El beneficio neto de A subió de 100 millones EUR en 2022 a 110,5 millones EUR en 2023 (+10,5 %).",
                "A tuvo mayor beneficio neto que B en 2023: 110,5 millones EUR frente a 90 millones EUR.",
                "A tuvo mayor beneficio neto que C en 2023: 110,5 millones EUR frente a 90 millones EUR.",
                "A tuvo el mayor beneficio neto en 2023: 110,5 millones EUR.",
            ]
        );
    }

    #[test]
    fn ratios_change_by_points_and_assets_are_plural() {
        let facts = [
            fact("A", 2022, Metric::NplRatio, 3.1),
            fact("A", 2023, Metric::NplRatio, 2.87),
            fact("A", 2022, Metric::TotalAssets, 50.0),
            fact("A", 2023, Metric::TotalAssets, 50.0),
        ];
        assert_eq!(
            answers(&facts),
            [
                "Los activos totales de A se mantuvieron en 50 millones EUR entre 2022 y 2023.",
                "La tasa de morosidad de A bajó de 3,1 % en 2022 a 2,87 % en 2023 (-0,23 puntos).",
            ]
        );
    }

    #[test]
    fn currencies_are_not_mixed() {
        let mut dollars = fact("B", 2023, Metric::NetProfit, 90.0);
        dollars.currency = "USD".to_owned();
        assert!(answers(&[fact("A", 2023, Metric::NetProfit, 100.0), dollars]).is_empty());
    }
}
