//! What both workers need of the browser: clock, locks, files, storage, network.
//!
//! Nothing here knows what is asked of a worker, or what lies in the files.

pub(crate) mod blob;
pub(crate) mod folder;
mod global;
pub(crate) mod locks;
pub(crate) mod network;
mod patience;
pub(crate) mod storage;

#[cfg(feature = "studio")]
pub(crate) use global::sleep;
pub(crate) use global::{AWAKE, breathe, heard, name_of, now_ms, scope, settled, text_of};
pub(crate) use patience::Patience;
