//! Price, yield, accrued interest, durations and convexity of a bond with a fixed coupon.
//!
//! With f coupons a year, yield y, and the share w of the running period that is left, the flow after
//! k whole periods is discounted over n = w + k periods:
//!
//! dirty price P(y) = Σ CF / (1 + y/f)^n,  clean = dirty − accrued
//!
//! Macaulay duration = Σ (n/f) PV / P,  modified = −P′/P = Macaulay / (1 + y/f),
//! convexity = P″/P = Σ n(n+1) PV / (P f² (1 + y/f)²).
//!
//! In the last coupon period interest is simple, P(y) = CF / (1 + w y/f), as in Microsoft's PRICE and
//! YIELD ("when N = 1", <https://support.microsoft.com/en-us/office/price-function-3ea9deac-8dfa-436f-a7c8-17ea02c21b0a>).
//! The formulas are those of the Standard Securities Calculation Methods (SIFMA); see also Fabozzi,
//! "Bond Markets, Analysis, and Strategies", chapters 2 to 4.

use thiserror::Error;

use super::{
    Bond, Date, Quote, ScheduleError,
    schedule::{accrual_start, remaining_periods},
};

/// A payment of one bond.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CashFlow {
    pub date: Date,
    pub coupon: f64,
    pub redemption: f64,
    /// Coupon periods from settlement.
    pub periods: f64,
    pub discount_factor: f64,
}

impl CashFlow {
    pub fn amount(&self) -> f64 {
        self.coupon + self.redemption
    }

    pub fn present_value(&self) -> f64 {
        self.amount() * self.discount_factor
    }
}

/// Everything that is computed for a bond. Prices are per 100 of face, rates in per cent.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    pub bond: Bond,
    pub clean_price: f64,
    pub dirty_price: f64,
    pub accrued_interest: f64,
    /// Days that accrued interest is counted for.
    pub accrued_days: i64,
    pub ytm: f64,
    /// Years.
    pub macaulay_duration: f64,
    /// Per cent of price a percentage point of yield.
    pub modified_duration: f64,
    /// Years squared.
    pub convexity: f64,
    /// Per `face`, not per 100.
    pub cash_flows: Vec<CashFlow>,
}

/// Why a bond could not be valued.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ValuationError {
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(
        "no yield gives a clean price of {clean_price}; expected a price above 0 that a yield from {lowest:.0} % to {highest:.0} % can give"
    )]
    NoYield {
        clean_price: f64,
        lowest: f64,
        highest: f64,
    },
    #[error("a yield of {found} % with {frequency} coupons a year leaves nothing to discount with; expected more than -{} %", frequency * 100)]
    YieldTooLow { found: f64, frequency: u32 },
    #[error("the numbers of this bond are out of range: {what} is {found}")]
    OutOfRange { what: &'static str, found: f64 },
}

/// Compute everything that follows from a bond and its quote.
///
/// # Errors
/// When no cash flow is left, or the quote is one that no market could give.
pub fn analyse(bond: &Bond) -> Result<Analysis, ValuationError> {
    let flows = Flows::new(bond)?;
    let (rate, dirty_price) = match bond.quote {
        Quote::CleanPrice(clean) => (flows.solve(clean)?, clean + flows.accrued),
        Quote::Yield(percent) => {
            let rate = percent / 100.0;
            if rate.is_nan() || rate <= -flows.frequency {
                return Err(ValuationError::YieldTooLow {
                    found: percent,
                    frequency: bond.frequency,
                });
            }
            (rate, flows.dirty_price(rate))
        }
    };
    let risk = flows.risk(rate);
    let analysis = Analysis {
        bond: bond.clone(),
        clean_price: dirty_price - flows.accrued,
        dirty_price,
        accrued_interest: flows.accrued,
        accrued_days: flows.accrued_days,
        ytm: 100.0 * rate,
        macaulay_duration: risk.macaulay,
        modified_duration: risk.modified,
        convexity: risk.convexity,
        cash_flows: flows.cash_flows(rate, bond.face),
    };
    for (what, found) in [
        ("the dirty price", analysis.dirty_price),
        ("the yield", analysis.ytm),
        ("the duration", analysis.macaulay_duration),
        ("the convexity", analysis.convexity),
    ] {
        if !found.is_finite() {
            return Err(ValuationError::OutOfRange { what, found });
        }
    }
    Ok(analysis)
}

/// Yields that are searched, as rates: a little above the pole at −f, up to 1000 % a period.
const LOWEST_SHARE_OF_POLE: f64 = 0.99;
const HIGHEST_PER_PERIOD: f64 = 10.0;

/// The remaining payments per 100 of face.
struct Flows {
    frequency: f64,
    dates: Vec<Date>,
    coupons: Vec<f64>,
    /// Share of the running period that is left.
    remaining: f64,
    accrued: f64,
    accrued_days: i64,
}

struct Risk {
    macaulay: f64,
    modified: f64,
    convexity: f64,
}

impl Flows {
    fn new(bond: &Bond) -> Result<Self, ScheduleError> {
        let periods = remaining_periods(bond)?;
        // `remaining_periods` gives at least one: settlement is before maturity.
        let first = periods[0];
        let (count, frequency) = (bond.day_count, bond.frequency);
        let part = |start, end| count.fraction_of_period(start, end, first, frequency);
        let regular = bond.coupon / f64::from(frequency);
        let start = accrual_start(bond, first);
        let mut coupons = vec![regular; periods.len()];
        if start > first.start {
            // A short first coupon pays for its part of the regular period.
            coupons[0] = regular * part(start, first.end);
        }
        Ok(Self {
            frequency: f64::from(frequency),
            dates: periods.iter().map(|period| period.end).collect(),
            coupons,
            remaining: part(bond.settlement, first.end),
            accrued: regular * part(start, bond.settlement),
            accrued_days: count.days(start, bond.settlement),
        })
    }

    fn is_last_period(&self) -> bool {
        self.dates.len() == 1
    }

    fn redemption(&self, index: usize) -> f64 {
        if index + 1 == self.dates.len() {
            100.0
        } else {
            0.0
        }
    }

    fn periods(&self, index: usize) -> f64 {
        self.remaining + index as f64
    }

    fn discount_factor(&self, index: usize, rate: f64) -> f64 {
        let per_period = rate / self.frequency;
        if self.is_last_period() {
            1.0 / (1.0 + self.remaining * per_period)
        } else {
            (1.0 + per_period).powf(-self.periods(index))
        }
    }

    fn present_value(&self, index: usize, rate: f64) -> f64 {
        (self.coupons[index] + self.redemption(index)) * self.discount_factor(index, rate)
    }

    fn dirty_price(&self, rate: f64) -> f64 {
        (0..self.dates.len())
            .map(|index| self.present_value(index, rate))
            .sum()
    }

    fn risk(&self, rate: f64) -> Risk {
        let price = self.dirty_price(rate);
        let base = 1.0 + rate / self.frequency;
        if self.is_last_period() {
            let years = self.remaining / self.frequency;
            let growth = 1.0 + self.remaining * rate / self.frequency;
            let modified = years / growth;
            return Risk {
                macaulay: years,
                modified,
                convexity: 2.0 * modified * modified,
            };
        }
        let weighted = |weight: fn(f64) -> f64| -> f64 {
            let term = |index| weight(self.periods(index)) * self.present_value(index, rate);
            (0..self.dates.len()).map(term).sum::<f64>() / price
        };
        let macaulay = weighted(|n| n) / self.frequency;
        let convexity = weighted(|n| n * (n + 1.0)) / (self.frequency * base).powi(2);
        Risk {
            macaulay,
            modified: macaulay / base,
            convexity,
        }
    }

    fn cash_flows(&self, rate: f64, face: f64) -> Vec<CashFlow> {
        let flow = |(index, &date): (usize, &Date)| CashFlow {
            date,
            coupon: self.coupons[index] * face / 100.0,
            redemption: self.redemption(index) * face / 100.0,
            periods: self.periods(index),
            discount_factor: self.discount_factor(index, rate),
        };
        self.dates.iter().enumerate().map(flow).collect()
    }

    /// The yield of a clean price: Newton's steps inside a bracket that halves when a step leaves it.
    /// P falls as y rises, so there is one solution.
    fn solve(&self, clean: f64) -> Result<f64, ValuationError> {
        let target = clean + self.accrued;
        let (mut low, mut high) = self.bracket();
        let no_yield = ValuationError::NoYield {
            clean_price: clean,
            lowest: 100.0 * low,
            highest: 100.0 * high,
        };
        let possible =
            clean > 0.0 && self.dirty_price(low) >= target && self.dirty_price(high) <= target;
        if !possible {
            return Err(no_yield);
        }
        let mut rate = 0.05_f64.clamp(low, high);
        for _ in 0..200 {
            let price = self.dirty_price(rate);
            let error = price - target;
            if error > 0.0 {
                low = rate
            } else {
                high = rate
            }
            let newton = rate + error / (price * self.risk(rate).modified);
            let next = if newton > low && newton < high {
                newton
            } else {
                0.5 * (low + high)
            };
            if (next - rate).abs() <= 1e-14 * rate.abs().max(1.0) {
                return Ok(next);
            }
            rate = next;
        }
        Ok(rate)
    }

    fn bracket(&self) -> (f64, f64) {
        // Simple interest has its pole further out.
        let pole = if self.is_last_period() {
            self.frequency / self.remaining
        } else {
            self.frequency
        };
        (-LOWEST_SHARE_OF_POLE * pole, HIGHEST_PER_PERIOD * pole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::bond::DayCount;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn bond(
        settlement: &str,
        maturity: &str,
        coupon: f64,
        day_count: DayCount,
        quote: Quote,
    ) -> Bond {
        Bond {
            isin: "XS0000000009".into(),
            name: "Test".into(),
            currency: "USD".into(),
            coupon,
            frequency: 2,
            day_count,
            issue: None,
            maturity: date(maturity),
            settlement: date(settlement),
            face: 100.0,
            quote,
        }
    }

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance,
            "expected {expected}, found {found}"
        );
    }

    /// Microsoft, "PRICE function", example: 2008-02-15 to 2017-11-15, 5.75 %, yield 6.50 %,
    /// semi-annual, 30/360 gives 94.63.
    #[test]
    fn price_of_microsofts_example() {
        let quote = Quote::Yield(6.5);
        let found = analyse(&bond(
            "2008-02-15",
            "2017-11-15",
            5.75,
            DayCount::Thirty360,
            quote,
        ))
        .unwrap();
        near(found.clean_price, 94.634_361_62, 5e-9);
    }

    /// Microsoft, "YIELD function", example: 2008-02-15 to 2016-11-15, 5.75 %, price 95.04287,
    /// semi-annual, 30/360 gives 6.5 %.
    #[test]
    fn yield_of_microsofts_example() {
        let quote = Quote::CleanPrice(95.042_87);
        let found = analyse(&bond(
            "2008-02-15",
            "2016-11-15",
            5.75,
            DayCount::Thirty360,
            quote,
        ))
        .unwrap();
        near(found.ytm, 6.5, 1e-5);
    }

    /// Microsoft, "DURATION function", example: 2018-07-01 to 2048-01-01, 8 %, yield 9 %,
    /// semi-annual, actual/actual gives 10.9191452815919.
    #[test]
    fn duration_of_microsofts_example() {
        let quote = Quote::Yield(9.0);
        let found = analyse(&bond(
            "2018-07-01",
            "2048-01-01",
            8.0,
            DayCount::ActActIcma,
            quote,
        ))
        .unwrap();
        near(found.macaulay_duration, 10.919_145_281_591_9, 1e-12);
    }

    /// Microsoft, "MDURATION function", example: 2008-01-01 to 2016-01-01, 8 %, yield 9 %,
    /// semi-annual, actual/actual gives 5.736.
    #[test]
    fn modified_duration_of_microsofts_example() {
        let quote = Quote::Yield(9.0);
        let found = analyse(&bond(
            "2008-01-01",
            "2016-01-01",
            8.0,
            DayCount::ActActIcma,
            quote,
        ))
        .unwrap();
        near(found.modified_duration, 5.736, 5e-4);
    }

    /// Microsoft, "ACCRINT function", example: issued 2008-03-01, settled 2008-05-01, 10 % on 1000,
    /// semi-annual, 30/360 gives 16.666667.
    #[test]
    fn accrued_interest_of_microsofts_example() {
        let mut bond = bond(
            "2008-05-01",
            "2018-08-31",
            10.0,
            DayCount::Thirty360,
            Quote::CleanPrice(100.0),
        );
        bond.issue = Some(date("2008-03-01"));
        near(
            10.0 * analyse(&bond).unwrap().accrued_interest,
            16.666_667,
            5e-7,
        );
    }

    /// ISDA's memo "The Actual/Actual Day Count Fraction" (1998), short first period: 10 % a year on
    /// 10 000 from 1999-02-01 to 1999-07-01 pays 410.96 under the ISMA method, then 1000.00.
    #[test]
    fn short_first_coupon_of_isdas_example() {
        let mut bond = bond(
            "1999-02-01",
            "2000-07-01",
            10.0,
            DayCount::ActActIcma,
            Quote::CleanPrice(100.0),
        );
        (bond.frequency, bond.face, bond.issue) = (1, 10_000.0, Some(date("1999-02-01")));
        let flows = analyse(&bond).unwrap().cash_flows;
        near(flows[0].coupon, 410.96, 5e-3);
        assert_eq!(flows[1].coupon, 1_000.0);
    }

    #[test]
    fn a_bond_at_par_on_a_coupon_day_yields_its_coupon() {
        for count in DayCount::ALL {
            let quote = Quote::CleanPrice(100.0);
            let found = analyse(&bond("2024-05-15", "2034-05-15", 4.25, count, quote)).unwrap();
            // Counts over 360 or 365 do not make the first period exactly one.
            let exact = matches!(
                count,
                DayCount::Thirty360 | DayCount::ThirtyE360 | DayCount::ActActIcma
            );
            near(found.ytm, 4.25, if exact { 1e-10 } else { 2e-2 });
            assert_eq!(found.accrued_interest, 0.0);
        }
    }

    #[test]
    fn duration_and_convexity_are_the_derivatives_of_price() {
        for maturity in ["2024-11-15", "2031-08-31"] {
            let at = |percent: f64| {
                let quote = Quote::Yield(percent);
                analyse(&bond(
                    "2024-07-20",
                    maturity,
                    6.0,
                    DayCount::ActActIcma,
                    quote,
                ))
                .unwrap()
            };
            let (low, mid, high) = (at(4.99), at(5.0), at(5.01));
            let step = 1e-4;
            let slope = (high.dirty_price - low.dirty_price) / (2.0 * step);
            let bend = (high.dirty_price - 2.0 * mid.dirty_price + low.dirty_price) / (step * step);
            near(mid.modified_duration, -slope / mid.dirty_price, 1e-6);
            near(mid.convexity, bend / mid.dirty_price, 1e-4);
        }
    }

    #[test]
    fn yield_and_price_agree_far_from_par() {
        for percent in [-0.75, 0.0, 0.01, 3.0, 25.0, 180.0] {
            for maturity in ["2024-12-31", "2026-02-28", "2060-01-30"] {
                let quote = Quote::Yield(percent);
                let mut bond = bond("2024-09-09", maturity, 0.5, DayCount::Thirty360, quote);
                let priced = analyse(&bond).unwrap();
                bond.quote = Quote::CleanPrice(priced.clean_price);
                // A far price hardly moves with the yield: the bound is on the price.
                let found = analyse(&bond).unwrap();
                near(found.ytm, percent, 1e-7 * percent.abs().max(1.0));
            }
        }
    }

    #[test]
    fn refuses_impossible_quotes() {
        let of = |quote| {
            analyse(&bond(
                "2024-09-09",
                "2030-01-30",
                5.0,
                DayCount::Act360,
                quote,
            ))
        };
        assert!(matches!(
            of(Quote::CleanPrice(0.0)),
            Err(ValuationError::NoYield { .. })
        ));
        assert!(matches!(
            of(Quote::CleanPrice(f64::NAN)),
            Err(ValuationError::NoYield { .. })
        ));
        assert!(matches!(
            of(Quote::CleanPrice(1e300)),
            Err(ValuationError::NoYield { .. })
        ));
        assert!(matches!(
            of(Quote::Yield(-200.0)),
            Err(ValuationError::YieldTooLow { .. })
        ));
        assert!(matches!(
            of(Quote::Yield(f64::NAN)),
            Err(ValuationError::YieldTooLow { .. })
        ));
    }

    #[test]
    fn present_values_add_up_to_the_dirty_price() {
        let quote = Quote::CleanPrice(97.25);
        let mut bond = bond(
            "2024-09-09",
            "2030-01-30",
            5.0,
            DayCount::Act365Fixed,
            quote,
        );
        bond.face = 1_000.0;
        let found = analyse(&bond).unwrap();
        let total: f64 = found.cash_flows.iter().map(CashFlow::present_value).sum();
        near(total / 10.0, found.dirty_price, 1e-9);
        near(found.clean_price, 97.25, 1e-12);
    }
}
