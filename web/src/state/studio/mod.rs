//! What the studio decides: plain values with native tests.

pub mod actions;
pub mod changes;
pub mod draft;
pub mod importing;
pub mod json_text;
pub mod markdown;
pub mod remaining;
pub mod shortcuts;
pub mod stroke;
pub mod token_rows;
