//! How the next token is chosen from logits: one definition for training's `generate` and for the
//! engine, so that a seed gives the same answer in both.
//!
//! The order is transformers': repetition penalty, then frequency and presence penalty (OpenAI's),
//! then temperature, top-k, top-p and min-p.

#[cfg(test)]
mod golden_tests;
mod penalties;
mod ranking;
mod sampler;
mod settings;

pub use sampler::{Need, Sampler, TopTokens, argmax, log_sum_exp};
pub use settings::{Sampling, SamplingError};
