//! What is asked about one bond, in several English phrasings, and the computed answer to each.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Analysis, Quote};

/// A question about one bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    YieldToMaturity,
    CleanPrice,
    DirtyPrice,
    AccruedInterest,
    MacaulayDuration,
    ModifiedDuration,
    Convexity,
    PriceChange,
    CashFlows,
}

/// Every kind has this many phrasings.
pub(super) const N_PHRASINGS: usize = 6;

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::YieldToMaturity,
        Self::CleanPrice,
        Self::DirtyPrice,
        Self::AccruedInterest,
        Self::MacaulayDuration,
        Self::ModifiedDuration,
        Self::Convexity,
        Self::PriceChange,
        Self::CashFlows,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Self::YieldToMaturity => "yield_to_maturity",
            Self::CleanPrice => "clean_price",
            Self::DirtyPrice => "dirty_price",
            Self::AccruedInterest => "accrued_interest",
            Self::MacaulayDuration => "macaulay_duration",
            Self::ModifiedDuration => "modified_duration",
            Self::Convexity => "convexity",
            Self::PriceChange => "price_change",
            Self::CashFlows => "cash_flows",
        }
    }

    /// The one number that answers, where there is one, rounded as the answer prints it.
    pub(super) fn figure(self, found: &Analysis) -> Option<String> {
        let two = |value: f64| Some(fixed(value, 2));
        match self {
            Self::YieldToMaturity => two(found.ytm),
            Self::CleanPrice => Some(fixed(found.clean_price, 4)),
            Self::DirtyPrice => Some(fixed(found.dirty_price, 4)),
            Self::AccruedInterest => Some(fixed(found.accrued_interest, 4)),
            Self::MacaulayDuration => two(found.macaulay_duration),
            Self::ModifiedDuration => two(found.modified_duration),
            Self::Convexity => two(found.convexity),
            Self::PriceChange => two(price_change(found)),
            Self::CashFlows => None,
        }
    }

    /// The question in one of its phrasings.
    pub(super) fn query(self, phrasing: usize, isin: &str) -> Option<String> {
        self.phrasings()
            .get(phrasing)
            .map(|pattern| pattern.replace("{isin}", isin))
    }

    /// The computed answer.
    pub(super) fn response(self, found: &Analysis) -> String {
        let (isin, settlement) = (&found.bond.isin, found.bond.settlement);
        let figure = self.figure(found).unwrap_or_default();
        let basis = basis(found);
        match self {
            Self::YieldToMaturity => format!(
                "The Yield to Maturity (YTM) for {isin} is {figure}%, compounded {}, at {}.",
                compounding(found.bond.frequency),
                at_price(found)
            ),
            Self::CleanPrice => {
                format!(
                    "The clean price of {isin} is {figure} per 100 of face value, at {}.",
                    at_yield(found)
                )
            }
            Self::DirtyPrice => format!(
                "The dirty price of {isin} is {figure} per 100: a clean price of {} plus accrued interest of {} on {settlement}.",
                fixed(found.clean_price, 4),
                fixed(found.accrued_interest, 4)
            ),
            Self::AccruedInterest => format!(
                "The accrued interest of {isin} is {figure} per 100, for {} days ({}) up to {settlement}.",
                found.accrued_days, found.bond.day_count
            ),
            Self::MacaulayDuration => {
                format!("The Macaulay duration of {isin} is {figure} years, at {basis}.")
            }
            Self::ModifiedDuration => {
                format!("The modified duration of {isin} is {figure}, at {basis}.")
            }
            Self::Convexity => format!("The convexity of {isin} is {figure}, at {basis}."),
            Self::PriceChange => format!(
                "If its yield rises by 1 percentage point, the price of {isin} changes by about {figure}% (modified duration {}, convexity {}).",
                fixed(found.modified_duration, 2),
                fixed(found.convexity, 2)
            ),
            Self::CashFlows => cash_flow_table(found),
        }
    }

    fn phrasings(self) -> &'static [&'static str; N_PHRASINGS] {
        match self {
            Self::YieldToMaturity => &[
                "What is the YTM for {isin}?",
                "What is the yield to maturity of {isin}?",
                "How much does {isin} yield if held to maturity?",
                "Calculate the YTM of {isin}.",
                "I need the yield to maturity for bond {isin}.",
                "At which yield does {isin} trade?",
            ],
            Self::CleanPrice => &[
                "What is the clean price of {isin}?",
                "At which clean price does {isin} trade?",
                "Give me the quoted price of {isin}.",
                "What does {isin} cost without accrued interest?",
                "Calculate the clean price of bond {isin}.",
                "How is {isin} priced?",
            ],
            Self::DirtyPrice => &[
                "What is the dirty price of {isin}?",
                "What do I pay for {isin} including accrued interest?",
                "Calculate the full price of {isin}.",
                "What is the invoice price of {isin} per 100?",
                "Give me the price of {isin} with accrued interest.",
                "How much is {isin} including accrued?",
            ],
            Self::AccruedInterest => &[
                "What is the accrued interest of {isin}?",
                "How much interest has accrued on {isin}?",
                "Calculate the accrued interest for {isin}.",
                "How much accrued do I pay when I buy {isin}?",
                "Give me the accrued interest per 100 of {isin}.",
                "How many days of interest has {isin} accrued?",
            ],
            Self::MacaulayDuration => &[
                "What is the duration of {isin}?",
                "What is the Macaulay duration of {isin}?",
                "Calculate the Macaulay duration for {isin}.",
                "How many years is the duration of {isin}?",
                "How long does {isin} tie up money on average?",
                "Give me the Macaulay duration of bond {isin}.",
            ],
            Self::ModifiedDuration => &[
                "What is the modified duration of {isin}?",
                "How sensitive is {isin} to interest rates?",
                "Calculate the modified duration for {isin}.",
                "Give me the interest rate sensitivity of {isin}.",
                "What modified duration does bond {isin} have?",
                "I need the modified duration of {isin}.",
            ],
            Self::Convexity => &[
                "What is the convexity of {isin}?",
                "Calculate the convexity for {isin}.",
                "How convex is {isin}?",
                "Give me the convexity of bond {isin}.",
                "I need the convexity of {isin}.",
                "Which convexity does {isin} have?",
            ],
            Self::PriceChange => &[
                "What happens to the price of {isin} if yields rise by 1%?",
                "How much does {isin} lose when its yield goes up one percentage point?",
                "Estimate the price change of {isin} for a 100 basis point rise.",
                "If rates rise by 1 point, how does {isin} react?",
                "Stress {isin} with a yield increase of 100 bp.",
                "How would a 1% higher yield change the price of {isin}?",
            ],
            Self::CashFlows => &[
                "What are the cash flows of {isin}?",
                "List the remaining payments of {isin}.",
                "When does {isin} pay, and how much?",
                "Show the cash flow table of {isin}.",
                "Which coupons does {isin} still pay?",
                "Give me the payment schedule of bond {isin}.",
            ],
        }
    }
}

/// Relative price change in per cent for one point more of yield: −D + C/2 · 0.01.
fn price_change(found: &Analysis) -> f64 {
    -found.modified_duration + 0.5 * found.convexity * 0.01
}

/// What a number was computed at: the quote that was given, and the day.
fn basis(found: &Analysis) -> String {
    match found.bond.quote {
        Quote::CleanPrice(_) => at_price(found),
        Quote::Yield(_) => at_yield(found),
    }
}

fn at_price(found: &Analysis) -> String {
    format!(
        "a clean price of {} on {}",
        fixed(found.clean_price, 4),
        found.bond.settlement
    )
}

fn at_yield(found: &Analysis) -> String {
    format!(
        "a yield of {}% on {}",
        fixed(found.ytm, 4),
        found.bond.settlement
    )
}

fn compounding(frequency: u32) -> &'static str {
    match frequency {
        1 => "annually",
        2 => "semi-annually",
        4 => "quarterly",
        _ => "monthly",
    }
}

fn cash_flow_table(found: &Analysis) -> String {
    let bond = &found.bond;
    let mut text = format!(
        "Remaining cash flows of {} per {} of face value after {}:\n| Date | Coupon | Redemption | Present value |\n| --- | --- | --- | --- |",
        bond.isin,
        plain(bond.face),
        bond.settlement
    );
    for flow in &found.cash_flows {
        // Writing to a String cannot fail.
        let row = write!(
            text,
            "\n| {} | {} | {} | {} |",
            flow.date,
            fixed(flow.coupon, 2),
            fixed(flow.redemption, 2),
            fixed(flow.present_value(), 2)
        );
        debug_assert!(row.is_ok());
    }
    text
}

/// A fixed number of decimals, without a sign on zero.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let is_zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    if is_zero {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

fn plain(value: f64) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::recipe::bond::{analyse, read_bonds};

    #[test]
    fn no_phrasing_serves_two_kinds() {
        let mut all = BTreeSet::new();
        for kind in Kind::ALL {
            for phrasing in 0..N_PHRASINGS {
                let query = kind.query(phrasing, "XS1").unwrap();
                assert!(
                    query.contains("XS1") && all.insert(query.clone()),
                    "{query}"
                );
            }
        }
        assert_eq!(Kind::Convexity.query(N_PHRASINGS, "XS1"), None);
    }

    #[test]
    fn a_price_is_explained_by_its_yield_and_a_yield_by_its_price() {
        let json = r#"{"isin": "US0378331005", "coupon": 5, "frequency": 1, "day_count": "30/360",
            "maturity": "2030-05-15", "settlement": "2025-05-15", "clean_price": 100}"#;
        let found = analyse(&read_bonds(json.as_bytes()).unwrap().bonds[0]).unwrap();
        assert_eq!(
            Kind::CleanPrice.response(&found),
            "The clean price of US0378331005 is 100.0000 per 100 of face value, at a yield of 5.0000% on 2025-05-15."
        );
        assert_eq!(
            Kind::YieldToMaturity.response(&found),
            "The Yield to Maturity (YTM) for US0378331005 is 5.00%, compounded annually, at a clean price of 100.0000 on 2025-05-15."
        );
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(-0.01, 2), "-0.01");
    }
}
