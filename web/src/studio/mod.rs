//! The studio's worker: the project's database and everything that reads files, behind the closed
//! messages of `core::protocol::studio`.
//!
//! A module of its own, loaded when the studio is first opened: the page and the engine stay small.
//! [`desk`] hears the page, keeps the order of requests and steps what takes long; [`lifecycle`]
//! opens, closes and copies projects, [`answers`] asks them; [`store`] and [`place`] know where they
//! lie.
//!
//! Invariant: the project is borrowed for one step at a time, never across an await, so that what
//! only looks is answered between any two steps.

mod answers;
mod copying;
mod desk;
mod faults;
mod input;
mod inspected;
mod lifecycle;
mod opened;
mod place;
mod store;
mod text_files;
mod tidings;
mod voice;

pub(crate) use desk::start;
