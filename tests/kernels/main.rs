//! Every kernel against its scalar oracle, in every profile that the adapter offers.

mod devices;
mod models;
mod numbers;
mod sources;

mod add;
mod attention;
mod engine;
mod linear;
mod lora_up;
mod rms_norm;
mod rope_append;
mod silu_mul;
mod top_tokens;
