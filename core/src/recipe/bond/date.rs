//! Calendar dates of the Gregorian calendar, with the arithmetic that coupons need.
//!
//! Day numbers follow Howard Hinnant's `days_from_civil`
//! (<https://howardhinnant.github.io/date_algorithms.html>): eras of 400 years, years starting in March.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A day. Ordered by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u32,
    day: u32,
}

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DateError {
    #[error("`{found}` is not a date of the form 2031-05-15")]
    Form { found: String },
    #[error("`{found}` is no day of the calendar between 1900 and 2200")]
    NoSuchDay { found: String },
}

impl Date {
    /// `None` when there is no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let possible = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        possible.then_some(Self { year, month, day })
    }

    pub fn year(self) -> i32 {
        self.year
    }

    pub fn month(self) -> u32 {
        self.month
    }

    pub fn day(self) -> u32 {
        self.day
    }

    pub fn is_month_end(self) -> bool {
        self.day == days_in_month(self.year, self.month)
    }

    /// Days from 1970-01-01.
    pub fn day_number(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// Days from `earlier` to `self`, as the calendar counts them.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.day_number() - earlier.day_number()
    }

    /// The same day some months away, or the last of the month where that day does not exist.
    /// With `at_month_end` always the last of the month.
    pub fn add_months(self, months: i32, at_month_end: bool) -> Self {
        let index = self.year * 12 + self.month as i32 - 1 + months;
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12) as u32 + 1);
        let last = days_in_month(year, month);
        let day = if at_month_end {
            last
        } else {
            self.day.min(last)
        };
        Self { year, month, day }
    }
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let form = || DateError::Form {
            found: text.chars().take(40).collect(),
        };
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else {
            return Err(form());
        };
        let plain =
            |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(year, 4) || !plain(month, 2) || !plain(day, 2) {
            return Err(form());
        }
        let number = |part: &str| part.parse::<u32>().map_err(|_| form());
        let (year, month, day) = (number(year)? as i32, number(month)?, number(day)?);
        let date = Self::new(year, month, day).filter(|date| (1900..=2200).contains(&date.year));
        date.ok_or_else(|| DateError::NoSuchDay {
            found: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn counts_days_across_leap_years() {
        assert_eq!(date("1970-01-01").day_number(), 0);
        assert_eq!(date("2000-03-01").days_since(date("2000-02-28")), 2);
        assert_eq!(date("2100-03-01").days_since(date("2100-02-28")), 1);
        // Excel's serial number of 2008-01-01 is 39448 and of 1900-03-01 is 61.
        assert_eq!(
            date("2008-01-01").days_since(date("1900-03-01")),
            39_448 - 61
        );
    }

    #[test]
    fn months_stop_at_the_end_of_short_months() {
        assert_eq!(date("2023-08-31").add_months(-6, false), date("2023-02-28"));
        assert_eq!(date("2024-02-29").add_months(6, true), date("2024-08-31"));
        assert_eq!(
            date("2024-01-15").add_months(-13, false),
            date("2022-12-15")
        );
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in [
            "2023-02-29",
            "2023-13-01",
            "2023-00-10",
            "1800-01-01",
            "9999-01-01",
        ] {
            assert!(
                matches!(text.parse::<Date>(), Err(DateError::NoSuchDay { .. })),
                "{text}"
            );
        }
        for text in [
            "",
            "2023-2-3",
            "15/05/2031",
            "2031-05-15T00:00",
            "+031-05-15",
            "２０３１-05-15",
        ] {
            assert!(
                matches!(text.parse::<Date>(), Err(DateError::Form { .. })),
                "{text}"
            );
        }
    }
}
