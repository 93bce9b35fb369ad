//! Do the numbers of an answer fit the bond?
//!
//! The first number of an answer that is neither an ISIN nor a date must be the figure, right to the
//! decimals it is written with (two at least). A table of cash flows must name every date with its
//! amounts, and no other date after settlement.

use super::{Analysis, Date, Kind};

/// What an answer says about a bond.
#[derive(Debug, Clone, PartialEq)]
pub enum BondVerdict {
    Right,
    /// The number that stands where the figure should.
    Wrong {
        expected: f64,
        found: f64,
    },
    /// Right as far as it goes, but with fewer than two decimals.
    TooCoarse {
        expected: f64,
        found: f64,
    },
    /// A payment that is missing, or has another amount, or does not exist.
    WrongCashFlow {
        date: Date,
    },
    /// No number at all.
    NoFigure,
}

/// Check the numbers of an answer to a question on one bond.
pub fn check_response(kind: Kind, found: &Analysis, response: &str) -> BondVerdict {
    let expected = match kind {
        Kind::CashFlows => return check_cash_flows(found, response),
        Kind::YieldToMaturity => found.ytm,
        Kind::CleanPrice => found.clean_price,
        Kind::DirtyPrice => found.dirty_price,
        Kind::AccruedInterest => found.accrued_interest,
        Kind::MacaulayDuration => found.macaulay_duration,
        Kind::ModifiedDuration => found.modified_duration,
        Kind::Convexity => found.convexity,
        Kind::PriceChange => -found.modified_duration + 0.005 * found.convexity,
    };
    let numbers = numbers(response);
    // The size of the shift stands before the answer to it.
    let skip =
        usize::from(kind == Kind::PriceChange && numbers.len() > 1 && numbers[0].value == 1.0);
    let Some(number) = numbers.get(skip) else {
        return BondVerdict::NoFigure;
    };
    let value = number.value;
    // Half a unit of the last decimal, and what binary fractions add.
    let tolerance = 0.5 * 10f64.powi(-(number.decimals as i32)) * (1.0 + 1e-9) + 1e-12;
    if (value - expected).abs() > tolerance {
        BondVerdict::Wrong {
            expected,
            found: value,
        }
    } else if number.decimals < 2 && value != expected {
        BondVerdict::TooCoarse {
            expected,
            found: value,
        }
    } else {
        BondVerdict::Right
    }
}

fn check_cash_flows(found: &Analysis, response: &str) -> BondVerdict {
    let mut lines: Vec<(Date, Vec<Number>)> = Vec::new();
    for line in response.lines() {
        let first_date = words(line).find_map(|word| word.parse::<Date>().ok());
        if let Some(date) = first_date.filter(|&date| date > found.bond.settlement) {
            lines.push((date, numbers(line)));
        }
    }
    if lines.is_empty() {
        return BondVerdict::NoFigure;
    }
    let has = |numbers: &[Number], amount: f64| {
        numbers
            .iter()
            .any(|number| (number.value - amount).abs() <= 0.005 * (1.0 + 1e-9))
    };
    for flow in &found.cash_flows {
        let stated = lines.iter().find(|(date, _)| *date == flow.date);
        let fits = stated.is_some_and(|(_, numbers)| {
            let parts = has(numbers, flow.coupon)
                && (flow.redemption == 0.0 || has(numbers, flow.redemption));
            parts || has(numbers, flow.amount())
        });
        if !fits {
            return BondVerdict::WrongCashFlow { date: flow.date };
        }
    }
    let exists = |date: &Date| found.cash_flows.iter().any(|flow| flow.date == *date);
    match lines.iter().find(|(date, _)| !exists(date)) {
        Some(&(date, _)) => BondVerdict::WrongCashFlow { date },
        None => BondVerdict::Right,
    }
}

/// A number with the decimals it was written with.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Number {
    value: f64,
    decimals: usize,
}

/// Words without the punctuation around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '|' | '(' | ')' | ':' | ';' | '='))
        .map(|word| {
            word.trim_matches([',', '%', '$', '€', '£', '¥', '*'])
                .trim_end_matches('.')
        })
        .map(|word| word.trim_end_matches('%'))
        .filter(|word| !word.is_empty())
}

/// English numbers: `1,234.56`, `-3.2`. Dates and codes are not numbers.
fn numbers(text: &str) -> Vec<Number> {
    let number = |word: &str| {
        let plain = word.replace(',', "").replace('−', "-");
        let shaped = plain
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
        let value = plain.parse::<f64>().ok().filter(|_| shaped)?;
        Some(Number {
            value,
            decimals: plain.split_once('.').map_or(0, |(_, tail)| tail.len()),
        })
    };
    words(text).filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::bond::{analyse, read_bonds};

    fn analysis() -> Analysis {
        let json = r#"{"isin": "US0378331005", "coupon": 5, "frequency": 1, "day_count": "ACT/ACT ICMA",
            "maturity": "2026-05-15", "settlement": "2024-05-15", "yield": 4, "face": 1000}"#;
        analyse(&read_bonds(json.as_bytes()).unwrap().bonds[0]).unwrap()
    }

    #[test]
    fn numbers_are_told_from_dates_and_codes() {
        let text = "On 2024-05-15 US0378331005 costs 1,012.50 (up -3.2%), i.e. 4%.";
        let found: Vec<f64> = numbers(text).iter().map(|n| n.value).collect();
        assert_eq!(found, [1012.5, -3.2, 4.0]);
    }

    #[test]
    fn a_figure_may_be_rounded_but_not_wrong() {
        let found = analysis();
        let check = |text: &str| check_response(Kind::CleanPrice, &found, text);
        // 5/1.04 + 105/1.04² = 101.88609…
        assert_eq!(
            check("The clean price of US0378331005 is 101.8861."),
            BondVerdict::Right
        );
        assert_eq!(check("It costs 101.89 on 2024-05-15."), BondVerdict::Right);
        assert!(matches!(
            check("It costs 101.88."),
            BondVerdict::Wrong { .. }
        ));
        assert!(matches!(
            check("It costs 102."),
            BondVerdict::TooCoarse { .. }
        ));
        assert_eq!(check("I do not know US0378331005."), BondVerdict::NoFigure);
    }

    #[test]
    fn cash_flows_must_be_complete_and_true() {
        let found = analysis();
        let check = |text: &str| check_response(Kind::CashFlows, &found, text);
        let date = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(
            check("2025-05-15: 50.00\n2026-05-15: 1,050.00"),
            BondVerdict::Right
        );
        assert_eq!(
            check("2025-05-15 pays 50.00\n2026-05-15 pays 50.00 and 1000"),
            BondVerdict::Right
        );
        let missing = BondVerdict::WrongCashFlow {
            date: date("2026-05-15"),
        };
        assert_eq!(check("2025-05-15: 50.00"), missing);
        assert_eq!(check("2025-05-15: 50.00\n2026-05-15: 1051.00"), missing);
        let extra = check("2025-05-15: 50\n2026-05-15: 1050\n2027-05-15: 50");
        assert_eq!(
            extra,
            BondVerdict::WrongCashFlow {
                date: date("2027-05-15")
            }
        );
        assert_eq!(check("It pays twice."), BondVerdict::NoFigure);
    }
}
