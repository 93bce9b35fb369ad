//! What the studio decides: plain values with native tests.

pub mod actions;
pub mod importing;
pub mod remaining;
pub mod shortcuts;
pub mod stroke;
