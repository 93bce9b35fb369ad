//! The studio's worker: the project's database and everything that reads files, behind the closed
//! messages of `core::protocol::studio`.
//!
//! A module of its own, loaded when the studio is first opened: the page and the engine stay small.

/// Listens from now on.
pub(crate) fn start() {}
