//! The worker: device, tokenizer and files, behind the closed messages of `core::protocol::tab`.
//!
//! [`desk`] hears the page and keeps the order of requests, [`requests`] carries each of them out,
//! [`engine`] is the only file that talks to the engine.

mod desk;
mod engine;
mod faults;
mod fetching;
mod opening;
mod requests;
mod store;
mod voice;

pub(crate) use desk::start;
