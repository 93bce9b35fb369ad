//! Figures of banks by year to Spanish questions and answers.

mod metric;

pub use metric::Metric;
