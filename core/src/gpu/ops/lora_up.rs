//! The second half of low-rank updates: `y += s · B u` (Hu et al. 2021). The first half, `u = A x`,
//! is a matrix product like any other.

use super::sizes::{count, holds, some, wrong};
use crate::{
    gpu::{
        Gpu,
        buffer::Buffer,
        dispatch::{Dispatch, Launch},
        error::GpuError,
        kernel::{Kernel, Params as _, params},
        profile::GpuProfile,
    },
    quant::Format,
};

pub(in crate::gpu) const LORA_UP: Kernel = Kernel {
    name: "lora_up",
    source: include_str!("../../../../shaders/lora_up.wgsl"),
    needs: GpuProfile::BASELINE,
    params: Params::LAYOUT,
};

params! {
    Params {
        n_tokens: u32,
        n_segments: u32,
        u_stride: u32,
        y_stride: u32,
        scale: f32,
        pad0: u32,
        pad1: u32,
        pad2: u32,
    }
}

/// One projection's part: `y[.., column..] += scale · B u[.., u_column..]`.
#[derive(Debug, Clone, Copy)]
pub struct LoraSegment<'a> {
    /// First column in `y`, and how many.
    pub column: usize,
    pub n_columns: usize,
    /// First column in `u`; `rank` follow.
    pub u_column: usize,
    pub rank: usize,
    pub scale: f32,
    /// `[n_columns, rank]`, as PEFT stores it.
    pub b: &'a [f32],
}

/// The segment as the kernel sees it.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Segment {
    column: u32,
    n_columns: u32,
    u_column: u32,
    rank: u32,
    first_pair: u32,
    scale: f32,
    pad0: u32,
    pad1: u32,
}

/// B of the projections that share an input, on the device.
#[derive(Debug, Clone)]
pub struct LoraUpWeights {
    b: Buffer,
    segments: Buffer,
    n_segments: usize,
    /// Pairs of columns of all segments.
    n_pairs: usize,
    /// Columns that `u` and `y` must have at least.
    u_columns: usize,
    y_columns: usize,
    is_f16: bool,
}

impl LoraUpWeights {
    /// Stores B as `format`, F32 or F16.
    ///
    /// # Errors
    /// Where a B has another shape than its segment says or values that F16 cannot hold.
    pub fn upload(
        gpu: &Gpu,
        label: &str,
        format: Format,
        segments: &[LoraSegment<'_>],
    ) -> Result<Self, GpuError> {
        if !matches!(format, Format::F32 | Format::F16) {
            return Err(GpuError::Format {
                label: label.to_owned(),
                format: format.name(),
            });
        }
        some(label, "the number of segments", segments.len())?;
        let mut values = Vec::new();
        let mut table = Vec::new();
        for segment in segments {
            table.push(describe(label, segment, values.len() / 2)?);
            push_transposed(segment, &mut values);
        }
        let bytes = format
            .quantize(&values)
            .map_err(|source| GpuError::Weights {
                label: label.to_owned(),
                source,
            })?;
        let end = |start: usize, n: usize| start.saturating_add(n);
        Ok(Self {
            b: gpu.upload(label, &bytes)?,
            segments: gpu.upload(label, bytemuck::cast_slice(&table))?,
            n_segments: segments.len(),
            n_pairs: segments.iter().map(|s| s.n_columns.div_ceil(2)).sum(),
            u_columns: largest(segments.iter().map(|s| end(s.u_column, s.rank))),
            y_columns: largest(segments.iter().map(|s| end(s.column, s.n_columns))),
            is_f16: format == Format::F16,
        })
    }

    /// Bytes on the device.
    pub fn n_bytes(&self) -> u64 {
        self.b.n_bytes() + self.segments.n_bytes()
    }
}

fn largest(numbers: impl Iterator<Item = usize>) -> usize {
    numbers.max().unwrap_or(0)
}

fn describe(
    label: &str,
    segment: &LoraSegment<'_>,
    first_pair: usize,
) -> Result<Segment, GpuError> {
    some(label, "the rank", segment.rank)?;
    some(label, "the number of columns", segment.n_columns)?;
    if Some(segment.b.len()) != segment.n_columns.checked_mul(segment.rank) {
        let expected = format!("{} by {}", segment.n_columns, segment.rank);
        let found = segment.b.len() as u64;
        return Err(wrong(label, "the number of values of B", found, expected));
    }
    Ok(Segment {
        column: count(label, "a column", segment.column)?,
        n_columns: count(label, "the number of columns", segment.n_columns)?,
        u_column: count(label, "a column", segment.u_column)?,
        rank: count(label, "the rank", segment.rank)?,
        first_pair: count(label, "the number of values of B", first_pair)?,
        scale: segment.scale,
        pad0: 0,
        pad1: 0,
    })
}

/// B's columns one after the other, each filled up to whole pairs.
fn push_transposed(segment: &LoraSegment<'_>, values: &mut Vec<f32>) {
    for j in 0..segment.rank {
        let column = segment.b.iter().skip(j).step_by(segment.rank);
        values.extend(column);
        if !segment.n_columns.is_multiple_of(2) {
            values.push(0.0);
        }
    }
}

/// All segments' updates added to `y`.
#[derive(Debug, Clone, Copy)]
pub struct LoraUp<'a> {
    pub weights: &'a LoraUpWeights,
    /// `[t, u_stride]`
    pub u: &'a Buffer,
    pub u_stride: usize,
    /// `[t, y_stride]`
    pub y: &'a Buffer,
    pub y_stride: usize,
    /// Of all segments, beside their own.
    pub scale: f32,
    pub n_tokens: usize,
}

/// # Errors
/// Where a buffer is too short or its rows are narrower than the segments.
pub fn lora_up(gpu: &Gpu, label: &str, op: &LoraUp<'_>) -> Result<Dispatch, GpuError> {
    let weights = op.weights;
    for (stride, columns) in [
        (op.u_stride, weights.u_columns),
        (op.y_stride, weights.y_columns),
    ] {
        if stride < columns {
            let expected = format!("at least {columns}");
            return Err(wrong(label, "the length of a row", stride as u64, expected));
        }
    }
    some(label, "the number of tokens", op.n_tokens)?;
    holds(op.u, &[op.n_tokens, op.u_stride])?;
    holds(op.y, &[op.n_tokens, op.y_stride])?;
    let n_tokens = count(label, "the number of tokens", op.n_tokens)?;
    gpu.launch(&Launch {
        label,
        kernel: &LORA_UP,
        constants: &[("B_F16", f64::from(u8::from(weights.is_f16)))],
        bindings: &[
            op.u.whole(),
            weights.b.whole(),
            weights.segments.whole(),
            op.y.whole(),
        ],
        weights: &[],
        params: Params {
            n_tokens,
            n_segments: count(label, "the number of segments", weights.n_segments)?,
            u_stride: count(label, "the length of a row", op.u_stride)?,
            y_stride: count(label, "the length of a row", op.y_stride)?,
            scale: op.scale,
            pad0: 0,
            pad1: 0,
            pad2: 0,
        },
        groups: [
            count(label, "the number of columns", weights.n_pairs.div_ceil(64))?,
            n_tokens.div_ceil(4),
            1,
        ],
    })
}
