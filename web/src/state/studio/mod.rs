//! What the studio decides: plain values with native tests.

pub mod actions;
pub mod changes;
pub mod draft;
pub mod export_form;
pub mod importing;
pub mod json_text;
pub mod markdown;
pub mod remaining;
pub mod shortcuts;
pub mod split_form;
pub mod stroke;
pub mod text_model;
pub mod token_rows;
