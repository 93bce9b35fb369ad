//! Rows of the embedding table, straight from its blocks.

use super::sizes::{count, holds, some};
use crate::{
    gpu::{
        Gpu, GpuMatrix,
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

/// `x[i] = table[ids[i]]`; ids must lie inside the table.
#[derive(Debug, Clone, Copy)]
pub struct Embed<'a> {
    /// `[v, d]`
    pub table: &'a GpuMatrix,
    /// `[t]`
    pub ids: &'a Buffer,
    /// `[t, d]`
    pub x: &'a Buffer,
    pub n_tokens: usize,
}

/// One launch a shard of the table.
///
/// # Errors
/// Where a buffer is too short.
pub fn embed(gpu: &Gpu, label: &str, op: &Embed<'_>) -> Result<Vec<Dispatch>, GpuError> {
    some(label, "the number of tokens", op.n_tokens)?;
    holds(op.ids, &[op.n_tokens])?;
    holds(op.x, &[op.n_tokens, op.table.n_cols() as usize])?;
    let n_tokens = count(label, "the number of tokens", op.n_tokens)?;
    let d4 = op.table.n_cols() / 4;
    op.table
        .shards()
        .iter()
        .map(|shard| {
            gpu.launch(&Launch {
                label,
                kernel: kernel_of(op.table.format()),
                constants: &[],
                bindings: &[op.ids.whole(), op.x.whole()],
                weights: &shard.bindings(),
                params: Params {
                    d4,
                    row_units: op.table.row_units(),
                    first_row: shard.first_row,
                    n_rows: shard.n_rows,
                },
                groups: [d4.div_ceil(64), n_tokens, 1],
            })
        })
        .collect()
}
