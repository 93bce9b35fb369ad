//! The studio: a dataset from its first file to its export, left to right.
//!
//! Components read the signals of [`handle::Studio`] and call its methods; nothing else sends requests
//! to the studio's worker.

mod checks;
mod confirm;
mod copying;
mod editor;
mod export;
mod field_undo;
mod frame;
mod grid;
mod handle;
mod history;
mod import;
mod keys;
mod leaving;
mod lost_focus;
mod split;
mod stored_field;
mod tokens;

pub(super) use frame::StudioFrame;
pub(super) use handle::Studio;

/// What lives as long as the page, whatever part of it is looked at.
pub(super) fn provide() {
    Studio::provide();
    import::Incoming::provide();
}
