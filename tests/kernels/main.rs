//! Every kernel against its scalar oracle, in every profile that the adapter offers.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod devices;
mod inputs;
mod memory;
mod models;
mod sources;

mod activate;
mod add;
mod attention;
mod embed;
mod engine;
mod engine_formats;
mod engine_sessions;
mod linear;
mod lora_up;
mod norm;
mod rope_append;
mod soft_cap;
mod top_tokens;
