//! Rows of the embedding table by token id.

use crate::quant::Format;

use super::{
    buffer::Buffer,
    context::Gpu,
    dispatch::{Dispatch, Launch},
    error::GpuError,
    kernel::{Kernel, Params as _, params},
    matrix::GpuMatrix,
    profile::GpuProfile,
    rows::Rows,
};

params! {
    EmbedParams {
        first_row: u32,
        n_rows: u32,
        row_units: u32,
        x_len: u32,
    }
}

/// `x[i] = table[ids[i]]`; ids beyond the table leave their row as it was.
#[derive(Clone, Copy)]
pub struct Embed<'a> {
    /// `[t]`, u32
    pub ids: &'a Buffer,
    pub table: &'a GpuMatrix,
    /// `[t, d]`
    pub x: &'a Buffer,
    pub n_tokens: u32,
}

/// One launch for each shard of the table.
///
/// # Errors
/// Where a buffer is too short.
pub fn embed(gpu: &Gpu, label: &str, op: &Embed<'_>) -> Result<Vec<Dispatch>, GpuError> {
    op.ids.check_range(0, 4 * u64::from(op.n_tokens), 4)?;
    Rows::packed(op.x, op.table.n_cols()).check(op.n_tokens, op.table.n_cols())?;
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
                params: EmbedParams {
                    first_row: shard.first_row,
                    n_rows: shard.n_rows,
                    row_units: op.table.row_units(),
                    x_len: op.table.n_cols() / 4,
                },
                groups: [op.n_tokens, 1, 1],
            })
        })
        .collect()
}

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

/// The file of the weights is a literal of its own, so that it is found by its name.
macro_rules! embed_kernel {
    ($kernel:ident, $name:literal, $weights:literal) => {
        pub(super) const $kernel: Kernel = Kernel {
            name: concat!("embed_", $name),
            source: concat!(
                include_str!($weights),
                include_str!("../../../shaders/embed.wgsl"),
            ),
            needs: GpuProfile::BASELINE,
            params: EmbedParams::LAYOUT,
        };
    };
}

embed_kernel!(F32, "f32", "../../../shaders/lib/weights_f32.wgsl");
embed_kernel!(F16, "f16", "../../../shaders/lib/weights_f16.wgsl");
embed_kernel!(BF16, "bf16", "../../../shaders/lib/weights_bf16.wgsl");
embed_kernel!(Q8_0, "q8_0", "../../../shaders/lib/weights_q8_0.wgsl");
embed_kernel!(Q4_0, "q4_0", "../../../shaders/lib/weights_q4_0.wgsl");
embed_kernel!(Q4_K, "q4_k", "../../../shaders/lib/weights_q4_k.wgsl");
embed_kernel!(Q6_K, "q6_k", "../../../shaders/lib/weights_q6_k.wgsl");
