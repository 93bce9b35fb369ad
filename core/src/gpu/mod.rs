//! One wgpu device, the table of kernels, buffers and read-back.
//!
//! [`Gpu`] owns the device. An operation is a function that takes buffers and returns a
//! [`Dispatch`] (or several), built once and replayed by [`Gpu::submit`]; results come back
//! through a [`Readback`]. What goes wrong on the device between calls is kept and told by the
//! next [`Gpu::take`], [`Gpu::read`] or [`Gpu::check`].
//!
//! # Adding a kernel
//!
//! 1. `shaders/<name>.wgsl` with the header of its neighbours: formula, bindings, dispatch, needs,
//!    oracle. Storage buffers are bindings 0, 1, … of group 0, all of them used; the uniform
//!    `params: Params` is the one after the last. Weights of a [`GpuMatrix`] are group 1 and come
//!    with `shaders/lib/weights_*.wgsl`. No `enable` lines. Sizes of workgroups and tiles are
//!    `override` constants with a default, or plain constants where one value serves all.
//! 2. In the operation's file: `params!` with the fields of `Params` in the same order, a
//!    `Kernel` const with `concat!(include_str!(…))`, and a function that fills a `Launch`.
//! 3. One line in [`kernels::ALL`]: the tests then validate the WGSL and compare the layouts.
//! 4. `tests/kernels/<name>.rs` against the scalar twin, on every device of `devices()`.

mod buffer;
mod context;
mod device;
mod dispatch;
mod error;
mod faults;
mod kernel;
pub mod kernels;
mod linear;
mod matrix;
pub mod ops;
mod profile;
mod rows;
mod signal;

pub use buffer::{Binding, Buffer, CopyOut, Readback};
pub use context::Gpu;
pub use dispatch::Dispatch;
pub use error::GpuError;
pub use kernel::{Kernel, ParamsLayout};
pub use linear::{Linear, MATVEC_TOKENS, linear};
pub use matrix::{GpuMatrix, Shard};
pub use profile::{GpuInfo, GpuLimits, GpuOptions, GpuProfile};
pub use rows::Rows;
