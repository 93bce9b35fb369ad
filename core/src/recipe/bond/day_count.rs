//! Day counts: how much of a coupon a number of days is.
//!
//! Names and rules of the ISDA 2006 Definitions, section 4.16, and ICMA rule 251. A regular period
//! always earns `coupon / frequency`; the count only divides it.

use std::{fmt, str::FromStr};

use super::{Date, Period};

/// The convention of a bond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DayCount {
    /// 30/360, bond basis.
    Thirty360,
    /// 30E/360, Eurobond basis.
    ThirtyE360,
    /// Actual days over actual days in the coupon period.
    ActActIcma,
    /// Actual days over 365.
    Act365Fixed,
    /// Actual days over 360.
    Act360,
}

impl DayCount {
    pub const ALL: [Self; 5] = [
        Self::Thirty360,
        Self::ThirtyE360,
        Self::ActActIcma,
        Self::Act365Fixed,
        Self::Act360,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Thirty360 => "30/360",
            Self::ThirtyE360 => "30E/360",
            Self::ActActIcma => "ACT/ACT ICMA",
            Self::Act365Fixed => "ACT/365F",
            Self::Act360 => "ACT/360",
        }
    }

    /// Days from `start` to `end` as this convention counts them.
    pub fn days(self, start: Date, end: Date) -> i64 {
        match self {
            Self::Thirty360 => {
                let first = start.day().min(30);
                let last = if end.day() == 31 && first == 30 {
                    30
                } else {
                    end.day()
                };
                thirty_360(start, first, end, last)
            }
            Self::ThirtyE360 => thirty_360(start, start.day().min(30), end, end.day().min(30)),
            Self::ActActIcma | Self::Act365Fixed | Self::Act360 => end.days_since(start),
        }
    }

    /// Days that count as a whole coupon period, `frequency` of them a year.
    pub fn days_in_period(self, period: Period, frequency: u32) -> f64 {
        let frequency = f64::from(frequency);
        match self {
            Self::Thirty360 | Self::ThirtyE360 | Self::Act360 => 360.0 / frequency,
            Self::Act365Fixed => 365.0 / frequency,
            Self::ActActIcma => period.end.days_since(period.start) as f64,
        }
    }

    /// The part of a regular period from `start` to `end`, both inside it.
    pub fn fraction_of_period(self, start: Date, end: Date, period: Period, frequency: u32) -> f64 {
        self.days(start, end) as f64 / self.days_in_period(period, frequency)
    }
}

fn thirty_360(start: Date, first: u32, end: Date, last: u32) -> i64 {
    let years = i64::from(end.year() - start.year());
    let months = i64::from(end.month()) - i64::from(start.month());
    360 * years + 30 * months + i64::from(last) - i64::from(first)
}

impl fmt::Display for DayCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DayCount {
    /// The names that are understood.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = match text.trim().to_uppercase().replace("ACTUAL", "ACT").as_str() {
            "30/360" | "30U/360" => Self::Thirty360,
            "30E/360" => Self::ThirtyE360,
            "ACT/ACT ICMA" | "ACT/ACT (ICMA)" | "ACT/ACT" => Self::ActActIcma,
            "ACT/365F" | "ACT/365" | "ACT/365 FIXED" => Self::Act365Fixed,
            "ACT/360" => Self::Act360,
            _ => return Err(Self::ALL.map(Self::name).join(", ")),
        };
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn thirty_360_treats_month_ends_by_its_variant() {
        let (start, end) = (date("2024-01-15"), date("2024-01-31"));
        assert_eq!(DayCount::Thirty360.days(start, end), 16);
        assert_eq!(DayCount::ThirtyE360.days(start, end), 15);
        assert_eq!(
            DayCount::Thirty360.days(date("2024-01-31"), date("2024-03-31")),
            60
        );
        assert_eq!(
            DayCount::Act360.days(date("2024-02-01"), date("2024-03-01")),
            29
        );
    }

    /// ISDA's memo "The Actual/Actual Day Count Fraction" (1998, example 1): the half year from
    /// 2003-11-01 to 2004-05-01 pays 500.00 on 10 000 at 10 % under the ISMA (ICMA) method.
    #[test]
    fn icma_pays_half_a_coupon_for_half_a_year() {
        let period = Period {
            start: date("2003-11-01"),
            end: date("2004-05-01"),
        };
        let part = DayCount::ActActIcma.fraction_of_period(period.start, period.end, period, 2);
        assert_eq!(10_000.0 * 0.10 / 2.0 * part, 500.0);
    }

    #[test]
    fn names_are_read_back() {
        for count in DayCount::ALL {
            assert_eq!(count.name().parse(), Ok(count));
        }
        assert_eq!("actual/actual (ICMA)".parse(), Ok(DayCount::ActActIcma));
        assert!(
            "BUS/252"
                .parse::<DayCount>()
                .unwrap_err()
                .contains("30E/360")
        );
    }
}
