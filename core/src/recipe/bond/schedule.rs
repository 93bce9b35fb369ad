//! The coupon periods of a bond, counted back from maturity.
//!
//! Dates stay on maturity's day of the month; when maturity is the last of its month, so is every
//! coupon. No business-day adjustment: yields are quoted on unadjusted dates.

use thiserror::Error;

use super::{Bond, Date};

/// A regular coupon period, from one coupon date to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub start: Date,
    pub end: Date,
}

/// Why a bond has no cash flow left.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScheduleError {
    #[error("settlement {settlement} is not before maturity {maturity}")]
    Matured { settlement: Date, maturity: Date },
    #[error("issue {issue} is not before maturity {maturity}")]
    IssuedAfterMaturity { issue: Date, maturity: Date },
    #[error("settlement {settlement} is before issue {issue}")]
    BeforeIssue { settlement: Date, issue: Date },
}

/// The regular periods that end after settlement, first to last; the first holds the settlement day.
pub(super) fn remaining_periods(bond: &Bond) -> Result<Vec<Period>, ScheduleError> {
    let &Bond {
        settlement,
        maturity,
        ..
    } = bond;
    if settlement >= maturity {
        return Err(ScheduleError::Matured {
            settlement,
            maturity,
        });
    }
    if let Some(issue) = bond.issue {
        if issue >= maturity {
            return Err(ScheduleError::IssuedAfterMaturity { issue, maturity });
        }
        if settlement < issue {
            return Err(ScheduleError::BeforeIssue { settlement, issue });
        }
    }
    let months = 12 / bond.frequency as i32;
    let at_month_end = maturity.is_month_end();
    let mut periods = Vec::new();
    let mut end = maturity;
    while end > settlement {
        let n_periods = periods.len() as i32 + 1;
        let start = maturity.add_months(-months * n_periods, at_month_end);
        periods.push(Period { start, end });
        end = start;
    }
    periods.reverse();
    Ok(periods)
}

/// The day that interest runs from in the first of `periods`: its start, or issue if that is later.
pub(super) fn accrual_start(bond: &Bond, first: Period) -> Date {
    bond.issue
        .map_or(first.start, |issue| issue.max(first.start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::bond::{DayCount, Quote};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn bond(settlement: &str, maturity: &str) -> Bond {
        Bond {
            isin: "XS0000000009".into(),
            name: "Test".into(),
            currency: "EUR".into(),
            coupon: 5.0,
            frequency: 2,
            day_count: DayCount::ActActIcma,
            issue: None,
            maturity: date(maturity),
            settlement: date(settlement),
            face: 100.0,
            quote: Quote::Yield(5.0),
        }
    }

    #[test]
    fn month_ends_stay_month_ends() {
        let periods = remaining_periods(&bond("2023-09-15", "2024-08-31")).unwrap();
        let dates: Vec<String> = periods.iter().map(|p| p.end.to_string()).collect();
        assert_eq!(dates, ["2024-02-29", "2024-08-31"]);
        assert_eq!(periods[0].start, date("2023-08-31"));
    }

    #[test]
    fn a_day_that_does_not_exist_comes_back_where_it_does() {
        // The 30th of August has no day in February; the next coupon is on the 30th again.
        let periods = remaining_periods(&bond("2023-01-01", "2024-08-30")).unwrap();
        let dates: Vec<String> = periods.iter().map(|p| p.end.to_string()).collect();
        assert_eq!(
            dates,
            ["2023-02-28", "2023-08-30", "2024-02-29", "2024-08-30"]
        );
    }

    #[test]
    fn on_a_coupon_day_the_next_period_runs() {
        let periods = remaining_periods(&bond("2024-02-15", "2024-08-15")).unwrap();
        assert_eq!(
            periods,
            [Period {
                start: date("2024-02-15"),
                end: date("2024-08-15")
            }]
        );
    }

    #[test]
    fn refuses_dates_out_of_order() {
        let matured = remaining_periods(&bond("2024-08-15", "2024-08-15"));
        assert!(matches!(matured, Err(ScheduleError::Matured { .. })));
        let mut early = bond("2024-01-01", "2024-08-15");
        early.issue = Some(date("2024-02-01"));
        assert!(matches!(
            remaining_periods(&early),
            Err(ScheduleError::BeforeIssue { .. })
        ));
        early.issue = Some(date("2025-02-01"));
        assert!(matches!(
            remaining_periods(&early),
            Err(ScheduleError::IssuedAfterMaturity { .. })
        ));
    }
}
