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

mod add;
mod attention;
mod embed;
mod engine;
mod engine_formats;
mod engine_sessions;
mod linear;
mod lora_up;
mod rms_norm;
mod rope_append;
mod silu_mul;
mod top_tokens;
