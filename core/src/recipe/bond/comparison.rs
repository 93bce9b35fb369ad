//! Questions on two bonds, answered by their computed numbers.

use super::{Analysis, question::fixed};

/// What two bonds are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    HigherYield,
    LongerDuration,
    HigherPrice,
}

impl Comparison {
    pub(super) const ALL: [Self; 3] = [Self::HigherYield, Self::LongerDuration, Self::HigherPrice];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::HigherYield => "compare_yield",
            Self::LongerDuration => "compare_duration",
            Self::HigherPrice => "compare_price",
        }
    }

    pub(super) fn queries(self, first: &str, second: &str) -> [String; 3] {
        let patterns = match self {
            Self::HigherYield => [
                "Which bond has the higher yield, {a} or {b}?",
                "Compare the YTM of {a} and {b}.",
                "Does {a} yield more than {b}?",
            ],
            Self::LongerDuration => [
                "Which is more sensitive to interest rates, {a} or {b}?",
                "Compare the modified duration of {a} and {b}.",
                "If rates rise, which loses more, {a} or {b}?",
            ],
            Self::HigherPrice => [
                "Which bond is more expensive, {a} or {b}?",
                "Compare the clean price of {a} and {b}.",
                "Does {a} trade above {b}?",
            ],
        };
        patterns.map(|pattern| pattern.replace("{a}", first).replace("{b}", second))
    }

    /// The larger number, as printed, wins; equal prints are called equal.
    pub(super) fn response(self, first: &Analysis, second: &Analysis) -> String {
        let (value, decimals, unit, noun): (fn(&Analysis) -> f64, usize, &str, &str) = match self {
            Self::HigherYield => (|x| x.ytm, 2, "%", "yield to maturity"),
            Self::LongerDuration => (|x| x.modified_duration, 2, "", "modified duration"),
            Self::HigherPrice => (|x| x.clean_price, 4, "", "clean price"),
        };
        let (more, less) = if value(first) >= value(second) {
            (first, second)
        } else {
            (second, first)
        };
        let (high, low) = (fixed(value(more), decimals), fixed(value(less), decimals));
        let (winner, other) = (&more.bond.isin, &less.bond.isin);
        if high == low {
            return format!("{winner} and {other} have the same {noun}: {high}{unit}.");
        }
        format!("{winner} has the higher {noun}: {high}{unit} against {low}{unit} for {other}.")
    }
}
