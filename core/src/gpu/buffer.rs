//! Memory on the device, freed with the last handle to it.

use std::{cell::Cell, fmt, rc::Rc};

use super::error::GpuError;

/// Multiple of offsets and lengths in copies.
pub(super) const COPY_ALIGNMENT: u64 = wgpu::COPY_BUFFER_ALIGNMENT;

/// A buffer that kernels read and write. Cheap to clone: clones are the same memory.
#[derive(Clone)]
pub struct Buffer(Rc<Allocation>);

struct Allocation {
    label: String,
    raw: wgpu::Buffer,
    in_use: Rc<Cell<u64>>,
}

/// A part of a buffer that a kernel sees.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    pub(super) buffer: &'a Buffer,
    pub(super) at: u64,
    pub(super) n_bytes: u64,
}

impl Buffer {
    pub(super) fn new(label: &str, raw: wgpu::Buffer, in_use: &Rc<Cell<u64>>) -> Self {
        in_use.set(in_use.get() + raw.size());
        Self(Rc::new(Allocation {
            label: label.to_owned(),
            raw,
            in_use: in_use.clone(),
        }))
    }

    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// Its length, rounded up to whole words.
    pub fn n_bytes(&self) -> u64 {
        self.0.raw.size()
    }

    /// All of it, for a kernel.
    pub fn whole(&self) -> Binding<'_> {
        self.part(0, self.n_bytes())
    }

    /// A part of it, for a kernel; it must start at a multiple of the binding alignment.
    pub fn part(&self, at: u64, n_bytes: u64) -> Binding<'_> {
        Binding {
            buffer: self,
            at,
            n_bytes,
        }
    }

    /// Whether the two are the same memory.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn raw(&self) -> &wgpu::Buffer {
        &self.0.raw
    }

    /// Fails unless `n_bytes` at `at` lie inside and both are multiples of `alignment`.
    pub(super) fn check_range(
        &self,
        at: u64,
        n_bytes: u64,
        alignment: u64,
    ) -> Result<(), GpuError> {
        let end = at.saturating_add(n_bytes);
        if end <= self.n_bytes() && at.is_multiple_of(alignment) {
            return Ok(());
        }
        Err(GpuError::Range {
            label: self.label().to_owned(),
            at,
            end,
            len: self.n_bytes(),
            alignment,
        })
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({}, {} bytes)", self.label(), self.n_bytes())
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // A browser would keep the memory until its garbage collector looks.
        self.raw.destroy();
        self.in_use.set(self.in_use.get() - self.raw.size());
    }
}

/// Memory that the device copies results to and the host reads, one copy at a time.
pub struct Readback {
    pub(super) label: String,
    pub(super) raw: wgpu::Buffer,
    pub(super) filled_by: Cell<Option<Filled>>,
}

/// Which submission copied how much.
#[derive(Clone)]
pub(super) struct Filled {
    pub(super) by: wgpu::SubmissionIndex,
    pub(super) n_bytes: u64,
}

impl Readback {
    pub fn n_bytes(&self) -> u64 {
        self.raw.size()
    }
}

impl Drop for Readback {
    fn drop(&mut self) {
        self.raw.destroy();
    }
}

/// A copy out of a buffer at the end of a submission.
#[derive(Clone, Copy)]
pub struct CopyOut<'a> {
    pub from: &'a Buffer,
    pub at: u64,
    pub n_bytes: u64,
    pub to: &'a Readback,
}
