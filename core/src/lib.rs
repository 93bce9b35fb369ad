//! Everything of Veneer that computes: datasets, templates, models, LoRA, metrics, quantization.
//!
//! Bytes and values in, values out. No files, sockets, clocks, environment or standard output:
//! the native binary and the web page own those, so that one crate serves both.

pub mod arch;
pub mod checkpoint;
pub mod data;
pub mod eval;
pub mod export;
pub mod protocol;
pub mod quant;
pub mod recipe;
pub mod rng;
pub mod sampling;
pub mod text;
pub mod weights;

#[cfg(any(feature = "train", feature = "studio"))]
mod cores;

#[cfg(feature = "train")]
pub mod model;
#[cfg(feature = "train")]
pub mod nn;
#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "studio")]
pub mod documents;
#[cfg(feature = "studio")]
pub mod project;

#[cfg(feature = "infer")]
pub mod gpu;
#[cfg(feature = "infer")]
pub mod infer;
