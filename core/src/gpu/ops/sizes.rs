//! Shapes as kernels take them, and whether buffers hold them.

use crate::gpu::{buffer::Buffer, error::GpuError};

/// Values of an array with these dimensions.
pub(super) fn n_values(dims: &[usize]) -> u64 {
    dims.iter()
        .fold(1, |product: u64, &dim| product.saturating_mul(dim as u64))
}

/// A number of things as a kernel takes it.
pub(super) fn count(label: &str, what: &'static str, n: usize) -> Result<u32, GpuError> {
    u32::try_from(n).map_err(|_| wrong(label, what, n as u64, "below 2^32"))
}

/// Fails unless `n` is at least 1.
pub(super) fn some(label: &str, what: &'static str, n: usize) -> Result<(), GpuError> {
    if n > 0 {
        return Ok(());
    }
    Err(wrong(label, what, 0, "at least 1"))
}

/// Fails unless the buffer holds an array of words with these dimensions.
pub(super) fn holds(buffer: &Buffer, dims: &[usize]) -> Result<(), GpuError> {
    let expected = n_values(dims);
    let found = buffer.n_bytes() / 4;
    if found >= expected {
        return Ok(());
    }
    let expected = format!("at least {expected} for {dims:?}");
    Err(wrong(
        buffer.label(),
        "its length in words",
        found,
        expected,
    ))
}

pub(super) fn wrong(
    label: &str,
    what: &'static str,
    found: u64,
    expected: impl Into<String>,
) -> GpuError {
    GpuError::Shape {
        label: label.to_owned(),
        what,
        found,
        expected: expected.into(),
    }
}
