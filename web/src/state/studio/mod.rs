//! What the studio decides: plain values with native tests.

pub mod actions;
pub mod columns;
pub mod copying;
pub mod divide;
pub mod filters;
pub mod highlight;
pub mod importing;
pub mod remaining;
pub mod rows;
pub mod selection;
pub mod shortcuts;
pub mod stroke;
pub mod viewport;
