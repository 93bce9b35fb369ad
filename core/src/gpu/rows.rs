//! Activations: one row of f32 a token, at an offset of a buffer and some distance apart.

use super::{buffer::Buffer, error::GpuError};

/// Row `t` starts at value `offset + t * stride`.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    pub buffer: &'a Buffer,
    pub offset: u32,
    pub stride: u32,
}

impl<'a> Rows<'a> {
    /// Rows of `width` values, one after the other from the start.
    pub fn packed(buffer: &'a Buffer, width: u32) -> Self {
        Self {
            buffer,
            offset: 0,
            stride: width,
        }
    }

    /// Columns of these rows from `column` on.
    pub fn from_column(self, column: u32) -> Self {
        Self {
            offset: self.offset + column,
            ..self
        }
    }

    /// Fails unless `n_rows` rows of `width` values lie inside the buffer.
    pub(super) fn check(&self, n_rows: u32, width: u32) -> Result<(), GpuError> {
        let last = u64::from(n_rows.saturating_sub(1)) * u64::from(self.stride);
        let n_values = last + u64::from(width);
        self.buffer
            .check_range(4 * u64::from(self.offset), 4 * n_values, 4)
    }
}
