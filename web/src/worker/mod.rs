//! The worker.
pub(crate) fn start() {}
