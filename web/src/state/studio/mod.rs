//! What the studio decides: plain values with native tests.

pub mod draft;
pub mod json_text;
pub mod markdown;
pub mod token_rows;
