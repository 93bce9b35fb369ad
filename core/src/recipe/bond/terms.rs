//! What a bond promises, and the quote it is valued at.

use super::{Date, DayCount};

/// A bond with a fixed coupon and one repayment, quoted for one settlement day.
#[derive(Debug, Clone, PartialEq)]
pub struct Bond {
    pub isin: String,
    pub name: String,
    pub currency: String,
    /// Per cent of the face a year.
    pub coupon: f64,
    /// Coupons a year: 1, 2, 4 or 12.
    pub frequency: u32,
    pub day_count: DayCount,
    /// Interest runs from here; `None` when it is before the running coupon period.
    pub issue: Option<Date>,
    pub maturity: Date,
    pub settlement: Date,
    /// What one bond repays.
    pub face: f64,
    pub quote: Quote,
}

/// What is known; the other follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quote {
    /// Per 100 of face, without accrued interest.
    CleanPrice(f64),
    /// Per cent a year, compounded as often as coupons are paid.
    Yield(f64),
}
