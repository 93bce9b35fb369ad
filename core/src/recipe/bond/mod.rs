//! Bonds to questions and answers whose every number is computed.
//!
//! [`read_bonds`] checks the terms, [`analyse`] computes price or yield, accrued interest, durations,
//! convexity and cash flows, [`BondDataset::new`] asks about them in many phrasings, [`check_response`]
//! verifies an answer's numbers.

mod check;
mod comparison;
mod dataset;
mod date;
mod day_count;
mod input;
mod isin;
#[cfg(test)]
mod quantlib_parity;
mod question;
mod schedule;
mod terms;
mod valuation;

pub use check::{BondVerdict, check_response};
pub use dataset::{BondDataset, BondRecord, BondSettings, BondSettingsError};
pub use date::{Date, DateError};
pub use day_count::DayCount;
pub use input::{BondProblem, BondReadError, Bonds, read_bonds};
pub use question::Kind;
pub use schedule::{Period, ScheduleError};
pub use terms::{Bond, Quote};
pub use valuation::{Analysis, CashFlow, ValuationError, analyse};
