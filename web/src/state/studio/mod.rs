//! What the studio decides: plain values with native tests.

pub mod actions;
pub mod changes;
pub mod columns;
pub mod copying;
pub mod divide;
pub mod draft;
pub mod export_form;
pub mod field_text;
pub mod filters;
pub mod highlight;
pub mod importing;
pub mod json_text;
pub mod leaving;
pub mod markdown;
pub mod naming;
pub mod order;
pub mod remaining;
pub mod rows;
pub mod selection;
pub mod shortcuts;
pub mod split_form;
pub mod standing;
pub mod stroke;
pub mod text_model;
pub mod token_rows;
pub mod viewport;
