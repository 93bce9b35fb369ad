//! Rows of the embedding table, straight from its blocks, and learned positions added to them.

use super::sizes::{count, holds, some};
use crate::{
    gpu::{
        Gpu, GpuMatrix, Shard,
        buffer::Buffer,
        dispatch::{Dispatch, Launch},
        error::GpuError,
        kernel::{Kernel, Params as _, params},
        profile::GpuProfile,
    },
    quant::Format,
};

params! {
    Params {
        d4: u32,
        row_units: u32,
        first_row: u32,
        n_rows: u32,
        scale: f32,
        pad0: u32,
        pad1: u32,
        pad2: u32,
    }
}

/// The kernel of a format.
macro_rules! embed_kernel {
    ($kernel:ident, $name:literal, $weights:literal) => {
        pub(in crate::gpu) const $kernel: Kernel = Kernel {
            name: concat!("embed_", $name),
            source: concat!(
                include_str!($weights),
                include_str!("../../../../shaders/embed.wgsl"),
            ),
            needs: GpuProfile::BASELINE,
            params: Params::LAYOUT,
        };
    };
}

embed_kernel!(F32, "f32", "../../../../shaders/lib/weights_f32.wgsl");
embed_kernel!(F16, "f16", "../../../../shaders/lib/weights_f16.wgsl");
embed_kernel!(BF16, "bf16", "../../../../shaders/lib/weights_bf16.wgsl");
embed_kernel!(Q8_0, "q8_0", "../../../../shaders/lib/weights_q8_0.wgsl");
embed_kernel!(Q4_0, "q4_0", "../../../../shaders/lib/weights_q4_0.wgsl");
embed_kernel!(Q4_K, "q4_k", "../../../../shaders/lib/weights_q4_k.wgsl");
embed_kernel!(Q6_K, "q6_k", "../../../../shaders/lib/weights_q6_k.wgsl");

fn kernel_of(format: Format) -> &'static Kernel {
    match format {
        Format::F32 => &F32,
        Format::F16 => &F16,
        Format::Bf16 => &BF16,
        Format::Q8_0 => &Q8_0,
        Format::Q4_0 => &Q4_0,
        Format::Q4K => &Q4_K,
        Format::Q6K => &Q6_K,
    }
}

/// `x[i] = scale · table[ids[i]]`; ids must lie inside the table.
#[derive(Debug, Clone, Copy)]
pub struct Embed<'a> {
    /// `[v, d]`
    pub table: &'a GpuMatrix,
    /// `[t]`
    pub ids: &'a Buffer,
    /// `[t, d]`
    pub x: &'a Buffer,
    pub scale: f32,
    pub n_tokens: usize,
}

/// `x[i] += table[state[0] + i]`; positions beyond the table add nothing.
#[derive(Debug, Clone, Copy)]
pub struct AddPositions<'a> {
    /// `[positions, d]`
    pub table: &'a GpuMatrix,
    pub state: &'a Buffer,
    /// `[t, d]`
    pub x: &'a Buffer,
    pub n_tokens: usize,
}

/// One launch a shard of the table.
///
/// # Errors
/// Where a buffer is too short.
pub fn embed(gpu: &Gpu, label: &str, op: &Embed<'_>) -> Result<Vec<Dispatch>, GpuError> {
    holds(op.ids, &[op.n_tokens])?;
    let rows = Rows {
        table: op.table,
        ids: op.ids,
        by_position: false,
        x: op.x,
        scale: op.scale,
        n_tokens: op.n_tokens,
    };
    launch_rows(gpu, label, &rows)
}

/// One launch a shard of the table.
///
/// # Errors
/// Where a buffer is too short.
pub fn add_positions(
    gpu: &Gpu,
    label: &str,
    op: &AddPositions<'_>,
) -> Result<Vec<Dispatch>, GpuError> {
    holds(op.state, &[2])?;
    let rows = Rows {
        table: op.table,
        ids: op.state,
        by_position: true,
        x: op.x,
        scale: 1.0,
        n_tokens: op.n_tokens,
    };
    launch_rows(gpu, label, &rows)
}

/// Rows of a table, chosen by id or by position.
struct Rows<'a> {
    table: &'a GpuMatrix,
    ids: &'a Buffer,
    by_position: bool,
    x: &'a Buffer,
    scale: f32,
    n_tokens: usize,
}

fn launch_rows(gpu: &Gpu, label: &str, rows: &Rows<'_>) -> Result<Vec<Dispatch>, GpuError> {
    let table = rows.table;
    some(label, "the number of tokens", rows.n_tokens)?;
    holds(rows.x, &[rows.n_tokens, table.n_cols() as usize])?;
    let n_tokens = count(label, "the number of tokens", rows.n_tokens)?;
    let d4 = table.n_cols() / 4;
    let launch = |shard: &Shard| {
        gpu.launch(&Launch {
            label,
            kernel: kernel_of(table.format()),
            constants: &[("BY_POSITION", f64::from(u8::from(rows.by_position)))],
            bindings: &[rows.ids.whole(), rows.x.whole()],
            weights: &shard.bindings(),
            params: Params {
                d4,
                row_units: table.row_units(),
                first_row: shard.first_row,
                n_rows: shard.n_rows,
                scale: rows.scale,
                pad0: 0,
                pad1: 0,
                pad2: 0,
            },
            groups: [d4.div_ceil(64), n_tokens, 1],
        })
    };
    table.shards().iter().map(launch).collect()
}
