//! The page.
pub(crate) fn start() {}
