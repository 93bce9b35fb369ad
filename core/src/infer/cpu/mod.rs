//! A model on the processor: for machines without WebGPU, and to check the kernels against.
//!
//! Weights stay in their block formats; a row is decoded into f32 where it is used, and its
//! products with the activations are summed in f32 in an order that does not depend on how many
//! tokens are run at once. A prompt in one chunk, in several, or token by token therefore gives
//! the same bits. One thread: wasm32 has no other.
//!
//! Dimensions: `t` tokens of a call, `d` model width, `h` query heads, `g` key/value heads, `k` head
//! width, `f` feed-forward width, `v` vocabulary, `r` rank of an adapter.

mod activation;
mod adapter;
mod attention;
mod decode;
mod forward;
mod matrix;
mod model;
mod norm;
mod rope;
mod runner;
mod widest;

pub(super) use runner::{CpuContext, CpuRunner};
