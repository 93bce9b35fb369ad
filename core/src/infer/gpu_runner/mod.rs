//! The runner on a GPU: weights stay in their block formats, one forward pass is a list of
//! launches that is replayed for every token.
//!
//! The host knows how many tokens a context has; the device knows which token it chose. A step is
//! recorded before its predecessor's token was read, so that the device never waits for the host.

mod runner;

mod adapter;
mod block;
mod context;
mod graph;
mod scratch;
mod update;
mod upload;
mod weights;

pub use runner::DecodeCost;
pub(super) use {
    context::GpuContext,
    runner::{GpuRunner, GpuTicket},
};
