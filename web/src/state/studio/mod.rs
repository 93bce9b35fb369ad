//! What the studio decides: plain values with native tests.

pub mod actions;
pub mod importing;
pub mod order;
pub mod remaining;
