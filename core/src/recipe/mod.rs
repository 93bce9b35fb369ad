//! Domain figures to datasets, computed and checked.
//!
//! [`corpus`] writes the text that a small base learns its languages from, [`bank`] turns figures of
//! banks into questions and answers, [`bond`] computes what is asked about bonds.

pub mod bank;
pub mod bond;
pub mod corpus;
pub mod spanish;
