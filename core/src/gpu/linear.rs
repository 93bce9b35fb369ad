//! `y = s (W x + b)`: what most of a model's time goes into.
//!
//! Up to [`MATVEC_TOKENS`] tokens take the form that is bound by reading the weights once, more
//! take tiles. Each form exists for each format, and the first for each profile.

use crate::quant::Format;

use super::{
    buffer::{Binding, Buffer},
    context::Gpu,
    dispatch::{Dispatch, Launch, spread},
    error::GpuError,
    kernel::{Kernel, Params, params},
    matrix::{GpuMatrix, Shard},
    profile::GpuProfile,
    rows::Rows,
};

/// Tokens that the mat-vec kernels take at once.
pub const MATVEC_TOKENS: u32 = 4;

const WORKGROUP: u32 = 64;
const ROWS_PER_GROUP: u32 = 4;
const TILE: u32 = 32;
/// Fewer lanes than this cost more rows than they save sums.
const MIN_LANES: u32 = 8;

/// A linear map of `n_tokens` rows.
#[derive(Clone, Copy)]
pub struct Linear<'a> {
    pub weight: &'a GpuMatrix,
    /// `n_cols` values a row; offset and stride are multiples of 4.
    pub x: Rows<'a>,
    /// `n_rows` values a row, in another buffer than x.
    pub y: Rows<'a>,
    /// `[n_rows]`, f32.
    pub bias: Option<&'a Buffer>,
    /// Of product and bias together.
    pub scale: f32,
    /// Add to what y holds.
    pub accumulate: bool,
    pub n_tokens: u32,
}

params! {
    /// Mirrors `Params` of `shaders/lib/linear.wgsl`.
    LinearParams {
        n_rows: u32,
        row_units: u32,
        x_len: u32,
        n_tokens: u32,
        x_offset: u32,
        x_stride: u32,
        y_offset: u32,
        y_stride: u32,
        first_row: u32,
        has_bias: u32,
        accumulate: u32,
        scale: f32,
    }
}

/// One launch for each shard of the matrix.
///
/// # Errors
/// Where rows do not lie inside their buffers, or x and y are the same memory.
pub fn linear(gpu: &Gpu, label: &str, op: &Linear<'_>) -> Result<Vec<Dispatch>, GpuError> {
    check(label, op)?;
    op.weight
        .shards()
        .iter()
        .map(|shard| {
            if op.n_tokens <= MATVEC_TOKENS {
                matvec(gpu, label, op, shard)
            } else {
                matmul(gpu, label, op, shard)
            }
        })
        .collect()
}

fn matvec(gpu: &Gpu, label: &str, op: &Linear<'_>, shard: &Shard) -> Result<Dispatch, GpuError> {
    let subgroups = gpu.profile().subgroups;
    let kernels = kernels_of(op.weight.format());
    let lanes = lanes(gpu, op.weight.row_units());
    let rows = WORKGROUP / lanes * ROWS_PER_GROUP;
    gpu.launch(&Launch {
        label,
        kernel: if subgroups {
            kernels.matvec_subgroups
        } else {
            kernels.matvec
        },
        constants: &[("LANES", lanes.into()), ("TOKENS", op.n_tokens.into())],
        bindings: &bindings(op),
        weights: &shard.bindings(),
        params: shard_params(op, shard),
        groups: spread(shard.n_rows.div_ceil(rows), gpu.limits().max_workgroups),
    })
}

fn matmul(gpu: &Gpu, label: &str, op: &Linear<'_>, shard: &Shard) -> Result<Dispatch, GpuError> {
    gpu.launch(&Launch {
        label,
        kernel: kernels_of(op.weight.format()).matmul,
        constants: &[],
        bindings: &bindings(op),
        weights: &shard.bindings(),
        params: shard_params(op, shard),
        groups: [shard.n_rows.div_ceil(TILE), op.n_tokens.div_ceil(TILE), 1],
    })
}

/// Invocations that share rows: no more than a row has work for, and whole subgroups.
fn lanes(gpu: &Gpu, row_units: u32) -> u32 {
    let least = if gpu.profile().subgroups {
        match gpu.limits().max_subgroup_size {
            0 => WORKGROUP,
            size => size,
        }
    } else {
        MIN_LANES
    };
    let wanted = row_units.next_power_of_two();
    wanted.max(least).next_power_of_two().min(WORKGROUP)
}

fn bindings<'a>(op: &Linear<'a>) -> [Binding<'a>; 3] {
    let bias = op.bias.unwrap_or(op.x.buffer);
    [op.x.buffer.whole(), bias.whole(), op.y.buffer.whole()]
}

fn shard_params(op: &Linear<'_>, shard: &Shard) -> LinearParams {
    LinearParams {
        n_rows: shard.n_rows,
        row_units: op.weight.row_units(),
        x_len: op.weight.n_cols() / 4,
        n_tokens: op.n_tokens,
        x_offset: op.x.offset / 4,
        x_stride: op.x.stride / 4,
        y_offset: op.y.offset,
        y_stride: op.y.stride,
        first_row: shard.first_row,
        has_bias: op.bias.is_some().into(),
        accumulate: op.accumulate.into(),
        scale: op.scale,
    }
}

fn check(label: &str, op: &Linear<'_>) -> Result<(), GpuError> {
    let shape = |what, found: u32, expected: &str| GpuError::Shape {
        label: label.to_owned(),
        what,
        found: found.into(),
        expected: expected.to_owned(),
    };
    if op.n_tokens == 0 {
        return Err(shape("the number of tokens", 0, "at least 1"));
    }
    if !op.x.offset.is_multiple_of(4) {
        return Err(shape("the offset of x", op.x.offset, "a multiple of 4"));
    }
    if !op.x.stride.is_multiple_of(4) {
        return Err(shape("the stride of x", op.x.stride, "a multiple of 4"));
    }
    if op.x.buffer.is(op.y.buffer) || op.bias.is_some_and(|bias| bias.is(op.y.buffer)) {
        let what = "the number of buffers for input and output";
        return Err(shape(what, 1, "separate ones"));
    }
    op.x.check(op.n_tokens, op.weight.n_cols())?;
    op.y.check(op.n_tokens, op.weight.n_rows())?;
    match op.bias {
        Some(bias) => bias.check_range(0, 4 * u64::from(op.weight.n_rows()), 4),
        None => Ok(()),
    }
}

/// The kernels of a format.
pub(super) struct Kernels {
    pub(super) matvec: &'static Kernel,
    pub(super) matvec_subgroups: &'static Kernel,
    pub(super) matmul: &'static Kernel,
}

fn kernels_of(format: Format) -> &'static Kernels {
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

const SUBGROUPS: GpuProfile = GpuProfile {
    subgroups: true,
    f16: false,
};

/// The three kernels of a format from the files that they are put together from.
macro_rules! linear_kernels {
    ($kernels:ident, $name:literal, $weights:literal) => {
        pub(super) const $kernels: Kernels = Kernels {
            matvec: &Kernel {
                name: concat!("matvec_", $name),
                source: concat!(
                    include_str!("../../../shaders/lib/linear.wgsl"),
                    include_str!($weights),
                    include_str!("../../../shaders/lib/sum_tree.wgsl"),
                    include_str!("../../../shaders/matvec.wgsl"),
                ),
                needs: GpuProfile::BASELINE,
                params: LinearParams::LAYOUT,
            },
            matvec_subgroups: &Kernel {
                name: concat!("matvec_", $name, "_subgroups"),
                source: concat!(
                    include_str!("../../../shaders/lib/linear.wgsl"),
                    include_str!($weights),
                    include_str!("../../../shaders/lib/sum_subgroups.wgsl"),
                    include_str!("../../../shaders/matvec.wgsl"),
                ),
                needs: SUBGROUPS,
                params: LinearParams::LAYOUT,
            },
            matmul: &Kernel {
                name: concat!("matmul_", $name),
                source: concat!(
                    include_str!("../../../shaders/lib/linear.wgsl"),
                    include_str!($weights),
                    include_str!("../../../shaders/matmul.wgsl"),
                ),
                needs: GpuProfile::BASELINE,
                params: LinearParams::LAYOUT,
            },
        };
    };
}

linear_kernels!(F32, "f32", "../../../shaders/lib/weights_f32.wgsl");
linear_kernels!(F16, "f16", "../../../shaders/lib/weights_f16.wgsl");
linear_kernels!(BF16, "bf16", "../../../shaders/lib/weights_bf16.wgsl");
linear_kernels!(Q8_0, "q8_0", "../../../shaders/lib/weights_q8_0.wgsl");
linear_kernels!(Q4_0, "q4_0", "../../../shaders/lib/weights_q4_0.wgsl");
linear_kernels!(Q4_K, "q4_k", "../../../shaders/lib/weights_q4_k.wgsl");
linear_kernels!(Q6_K, "q6_k", "../../../shaders/lib/weights_q6_k.wgsl");
