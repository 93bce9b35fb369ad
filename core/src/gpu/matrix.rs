//! A weight matrix on the GPU, in the blocks of its file.
//!
//! What differs from the file is alignment: scales of 16 bits that stand between the quants move
//! into a buffer of their own, so that quants are read 16 bytes at a time. Values are the same to
//! the bit. Matrices beyond the binding limit are split by rows.

use std::{borrow::Cow, ops::Range};

use crate::quant::{Format, QuantError};

use super::{
    buffer::{Binding, Buffer},
    context::Gpu,
    error::GpuError,
    profile::GpuLimits,
};

/// Repacked bytes that are held on the host at a time.
const PIECE_BYTES: usize = 8 << 20;

/// `[n_rows, n_cols]` in blocks of a format.
#[derive(Debug, Clone)]
pub struct GpuMatrix {
    label: String,
    format: Format,
    n_rows: u32,
    n_cols: u32,
    shards: Vec<Shard>,
}

/// Consecutive rows of a matrix.
#[derive(Debug, Clone)]
pub struct Shard {
    pub first_row: u32,
    pub n_rows: u32,
    quants: Buffer,
    scales: Option<Buffer>,
}

impl GpuMatrix {
    /// Splits, repacks and uploads `bytes`, rows of `n_cols` values in `format`.
    ///
    /// # Errors
    /// Where the bytes are not that many rows, or a single row is larger than the GPU allows.
    pub fn upload(
        gpu: &Gpu,
        label: &str,
        format: Format,
        shape: [u32; 2],
        bytes: &[u8],
    ) -> Result<Self, GpuError> {
        let row_bytes = Packing::of(label, format, shape[1])?.file_row_bytes;
        check_length(label, format, bytes, shape[0] as usize * row_bytes)?;
        let at = |row: u32| row as usize * row_bytes;
        Self::upload_rows(gpu, label, format, shape, &mut |rows| {
            Ok(Cow::Borrowed(&bytes[at(rows.start)..at(rows.end)]))
        })
    }

    /// As [`Self::upload`], with a few MiB of rows at a time as `read` gives them.
    ///
    /// # Errors
    /// As [`Self::upload`], and what `read` returns.
    pub fn upload_rows<'a, E: From<GpuError>>(
        gpu: &Gpu,
        label: &str,
        format: Format,
        [n_rows, n_cols]: [u32; 2],
        read: &mut dyn FnMut(Range<u32>) -> Result<Cow<'a, [u8]>, E>,
    ) -> Result<Self, E> {
        let packing = Packing::of(label, format, n_cols)?;
        // An even count of rows keeps the pieces of scales at whole words.
        let piece_rows = (PIECE_BYTES / packing.file_row_bytes / 2).max(1) * 2;
        let piece_rows = u32::try_from(piece_rows).unwrap_or(u32::MAX);
        let mut shards = Vec::new();
        for (first_row, n_rows) in split(label, &packing, n_rows, gpu.limits())? {
            let shard = Shard::empty(gpu, label, &packing, first_row, n_rows)?;
            let (end, mut at) = (first_row + n_rows, first_row);
            while at < end {
                let rows = at..end.min(at.saturating_add(piece_rows));
                let n_bytes = rows.len() * packing.file_row_bytes;
                let bytes = read(rows.clone())?;
                check_length(label, format, &bytes, n_bytes)?;
                shard.write(gpu, &packing, at - first_row, &bytes)?;
                at = rows.end;
            }
            shards.push(shard);
        }
        Ok(Self {
            label: label.to_owned(),
            format,
            n_rows,
            n_cols,
            shards,
        })
    }

    /// Sizes of the buffers that such a matrix takes on a device.
    ///
    /// # Errors
    /// As [`GpuMatrix::upload`].
    pub fn buffer_sizes(
        label: &str,
        format: Format,
        [n_rows, n_cols]: [u32; 2],
        limits: &GpuLimits,
    ) -> Result<Vec<u64>, GpuError> {
        let packing = Packing::of(label, format, n_cols)?;
        let shards = split(label, &packing, n_rows, limits)?;
        Ok(shards
            .into_iter()
            .flat_map(|(_, n_rows)| [packing.quant_bytes(n_rows), packing.scale_bytes(n_rows)])
            .filter(|n_bytes| *n_bytes > 0)
            .collect())
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn n_rows(&self) -> u32 {
        self.n_rows
    }

    pub fn n_cols(&self) -> u32 {
        self.n_cols
    }

    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// Units in a row, as `lib/weights_*.wgsl` of the format counts them.
    pub(super) fn row_units(&self) -> u32 {
        self.n_cols.div_ceil(unit_len(self.format))
    }
}

impl Shard {
    fn empty(
        gpu: &Gpu,
        label: &str,
        packing: &Packing,
        first_row: u32,
        n_rows: u32,
    ) -> Result<Self, GpuError> {
        Ok(Self {
            first_row,
            n_rows,
            quants: gpu.empty(label, packing.quant_bytes(n_rows))?,
            scales: match packing.scale_bytes(n_rows) {
                0 => None,
                n_bytes => Some(gpu.empty(&format!("{label} scales"), n_bytes)?),
            },
        })
    }

    /// Repacks rows of the file to where they belong; `row`, counted in the shard, is even.
    fn write(&self, gpu: &Gpu, packing: &Packing, row: u32, rows: &[u8]) -> Result<(), GpuError> {
        let (quant_bytes, scale_bytes) = packing.repack(rows);
        gpu.write(&self.quants, packing.quant_bytes(row), &quant_bytes)?;
        match &self.scales {
            Some(scales) => gpu.write(scales, packing.scale_bytes(row), &scale_bytes),
            None => Ok(()),
        }
    }

    /// The buffers of group 1 in the order of `lib/weights_*.wgsl`.
    pub(super) fn bindings(&self) -> Vec<Binding<'_>> {
        let scales = self.scales.iter().map(Buffer::whole);
        [self.quants.whole()].into_iter().chain(scales).collect()
    }
}

/// Values that an invocation takes at a time.
fn unit_len(format: Format) -> u32 {
    match format {
        Format::F32 => 4,
        Format::F16 | Format::Bf16 => 8,
        Format::Q8_0 | Format::Q4_0 | Format::Q4K | Format::Q6K => 32,
    }
}

/// How a row of a format lies in the file and on the GPU.
struct Packing {
    n_blocks: usize,
    block_bytes: usize,
    /// Bytes of a block that stay together, and where they start.
    quants: std::ops::Range<usize>,
    /// Where a block's scale stands that moves to the other buffer.
    scale_at: Option<usize>,
    file_row_bytes: usize,
    /// On the GPU, with the padding of a last broken unit.
    row_bytes: usize,
}

impl Packing {
    fn of(label: &str, format: Format, n_cols: u32) -> Result<Self, GpuError> {
        let file_row_bytes = format.n_bytes(n_cols as usize).filter(|_| n_cols > 0);
        let Some(file_row_bytes) = file_row_bytes.filter(|_| n_cols.is_multiple_of(4)) else {
            return Err(GpuError::Shape {
                label: label.to_owned(),
                what: "the length of a row",
                found: n_cols.into(),
                expected: format!("a multiple of {}", format.block_len().max(4)),
            });
        };
        let block_bytes = format.block_bytes();
        let (quants, scale_at) = match format {
            Format::F32 | Format::F16 | Format::Bf16 | Format::Q4K => (0..block_bytes, None),
            Format::Q8_0 | Format::Q4_0 => (2..block_bytes, Some(0)),
            Format::Q6K => (0..block_bytes - 2, Some(block_bytes - 2)),
        };
        let n_blocks = file_row_bytes / block_bytes;
        Ok(Self {
            n_blocks,
            block_bytes,
            row_bytes: (n_blocks * quants.len()).next_multiple_of(16),
            quants,
            scale_at,
            file_row_bytes,
        })
    }

    fn quant_bytes(&self, n_rows: u32) -> u64 {
        self.row_bytes as u64 * u64::from(n_rows)
    }

    fn scale_bytes(&self, n_rows: u32) -> u64 {
        match self.scale_at {
            Some(_) => (2 * self.n_blocks as u64 * u64::from(n_rows)).next_multiple_of(4),
            None => 0,
        }
    }

    /// Quants and scales of whole rows.
    fn repack(&self, rows: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let n_rows = rows.len() / self.file_row_bytes;
        let mut quants = Vec::with_capacity(n_rows * self.row_bytes);
        let mut scales = Vec::new();
        for row in rows.chunks_exact(self.file_row_bytes) {
            let Some(scale_at) = self.scale_at else {
                quants.extend_from_slice(row);
                quants.resize(quants.len().next_multiple_of(self.row_bytes), 0);
                continue;
            };
            for block in row.chunks_exact(self.block_bytes) {
                quants.extend_from_slice(&block[self.quants.clone()]);
                scales.extend_from_slice(&block[scale_at..scale_at + 2]);
            }
        }
        (quants, scales)
    }
}

/// First row and count of rows of each shard.
fn split(
    label: &str,
    packing: &Packing,
    n_rows: u32,
    limits: &GpuLimits,
) -> Result<Vec<(u32, u32)>, GpuError> {
    let limit = limits.max_binding_bytes.min(limits.max_buffer_bytes);
    let most = u32::try_from(limit / packing.row_bytes as u64).unwrap_or(u32::MAX);
    if most == 0 || n_rows == 0 {
        return Err(GpuError::TooLarge {
            label: label.to_owned(),
            n_bytes: packing.row_bytes as u64,
            limit,
            limit_name: "maxStorageBufferBindingSize",
        });
    }
    // Shards of nearly equal size, so that none of them is a launch for a few rows.
    let n_shards = n_rows.div_ceil(most);
    let shard_rows = n_rows.div_ceil(n_shards);
    Ok((0..n_rows)
        .step_by(shard_rows as usize)
        .map(|first| (first, shard_rows.min(n_rows - first)))
        .collect())
}

fn check_length(
    label: &str,
    format: Format,
    bytes: &[u8],
    expected: usize,
) -> Result<(), GpuError> {
    if bytes.len() == expected {
        return Ok(());
    }
    Err(GpuError::Weights {
        label: label.to_owned(),
        source: QuantError::ByteLength {
            len: bytes.len(),
            format: format.name(),
            block_bytes: format.block_bytes(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_repack(format: Format, n_cols: u32, quants: &[u8], scales: &[u8]) {
        let packing = Packing::of("w", format, n_cols).unwrap();
        let bytes: Vec<u8> = (0..packing.file_row_bytes as u32 * 2)
            .map(|i| i as u8)
            .collect();
        let (got_quants, got_scales) = packing.repack(&bytes);
        assert_eq!(
            (got_quants.as_slice(), got_scales.as_slice()),
            (quants, scales)
        );
    }

    #[test]
    fn scales_leave_the_quants() {
        let quants: Vec<u8> = (2..18).chain(20..36).collect();
        check_repack(Format::Q4_0, 32, &quants, &[0, 1, 18, 19]);
        let quants: Vec<u8> = (2..34).chain(36..68).collect();
        check_repack(Format::Q8_0, 32, &quants, &[0, 1, 34, 35]);
    }

    #[test]
    fn ragged_rows_are_padded() {
        let quants: Vec<u8> = (0..8).chain([0; 8]).chain(8..16).chain([0; 8]).collect();
        check_repack(Format::F16, 4, &quants, &[]);
    }

    #[test]
    fn rows_that_no_kernel_takes_are_refused() {
        for (format, n_cols) in [
            (Format::F32, 0),
            (Format::F32, 6),
            (Format::Q4_0, 48),
            (Format::Q6K, 128),
        ] {
            assert!(matches!(
                Packing::of("w", format, n_cols),
                Err(GpuError::Shape { .. })
            ));
        }
    }

    fn limits(max_binding_bytes: u64) -> GpuLimits {
        GpuLimits {
            max_buffer_bytes: 1 << 30,
            max_binding_bytes,
            binding_alignment: 256,
            max_workgroups: 65535,
            max_invocations: 256,
            max_workgroup_bytes: 16384,
            max_storage_buffers: 8,
            min_subgroup_size: 0,
            max_subgroup_size: 0,
        }
    }

    #[test]
    fn shards_cover_all_rows_and_keep_the_limit() {
        let packing = Packing::of("w", Format::F32, 64).unwrap();
        let shards = split("w", &packing, 10, &limits(4 * 256 + 100)).unwrap();
        assert_eq!(shards, [(0, 4), (4, 4), (8, 2)]);
        assert!(split("w", &packing, 10, &limits(255)).is_err());
        assert!(split("w", &packing, 0, &limits(1 << 20)).is_err());
    }

    #[test]
    fn sizes_are_known_before_anything_is_allocated() {
        let limits = limits(1 << 27);
        let sizes = GpuMatrix::buffer_sizes("w", Format::Q4_0, [3, 96], &limits).unwrap();
        assert_eq!(sizes, [3 * 3 * 16, 20]);
        let sizes = GpuMatrix::buffer_sizes("w", Format::Q4K, [3, 256], &limits).unwrap();
        assert_eq!(sizes, [3 * 144]);
    }
}
