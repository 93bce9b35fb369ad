//! What would fit where a plan does not: a shorter context, smaller weights, or both.

use std::fmt;

use super::{BufferClass, ContextShape, Layout, MemoryLimits, Plan, PlanError, table::bytes_text};
use crate::{arch::Arch, quant::Format};

/// A setting that fits, with what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// Matrices in this format instead of their own.
    pub format: Option<Format>,
    /// A context of so many tokens instead of what was asked for.
    pub capacity: Option<usize>,
    pub n_bytes: u64,
}

/// A shorter context than this answers nothing.
const SHORTEST_CONTEXT: usize = 256;

/// Contexts that are proposed are multiples of this.
const CONTEXT_STEP: usize = 256;

/// From the largest to the smallest; the first that fits loses least.
const SMALLER_FORMATS: [Format; 2] = [Format::Q8_0, Format::Q4_0];

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.format, self.capacity) {
            (None, Some(capacity)) => write!(f, "a context of {capacity} tokens")?,
            (Some(format), None) => write!(f, "weights in {}", format.name())?,
            (Some(format), Some(capacity)) => {
                write!(
                    f,
                    "weights in {} and a context of {capacity} tokens",
                    format.name()
                )?;
            }
            (None, None) => f.write_str("these settings")?,
        }
        write!(f, " ({})", bytes_text(self.n_bytes))
    }
}

impl Plan {
    /// Compares every buffer and their sum with the limits.
    pub(super) fn check(&self, arch: &Arch, limits: &MemoryLimits) -> Result<(), PlanError> {
        if let Some((buffer, allowed)) = self.first_too_large(limits) {
            return Err(PlanError::Buffer {
                label: buffer.label.clone(),
                needed: buffer.n_bytes,
                allowed,
                alternatives: self.alternatives(arch, limits),
            });
        }
        let total = self.n_bytes();
        match limits.total_bytes {
            Some(available) if total > available => {
                let kv_cache = self.n_bytes_of(BufferClass::KvCache);
                let working = self.n_bytes_of(BufferClass::Activations)
                    + self.n_bytes_of(BufferClass::Session);
                Err(PlanError::Total {
                    weights: total - kv_cache - working,
                    kv_cache,
                    working,
                    capacity: self.context.capacity,
                    available,
                    alternatives: self.alternatives(arch, limits),
                })
            }
            _ => Ok(()),
        }
    }

    fn first_too_large(&self, limits: &MemoryLimits) -> Option<(&super::PlannedBuffer, u64)> {
        let allowed = [limits.max_binding_bytes, limits.max_buffer_bytes];
        let allowed = allowed.into_iter().flatten().min()?;
        let mut buffers = self.buffers.iter();
        let buffer = buffers.find(|buffer| buffer.n_bytes > allowed)?;
        Some((buffer, allowed))
    }

    fn fits(&self, limits: &MemoryLimits) -> bool {
        self.first_too_large(limits).is_none()
            && limits
                .total_bytes
                .is_none_or(|available| self.n_bytes() <= available)
    }

    /// Settings near the asked ones that fit: shorter context first, then smaller weights, then
    /// both.
    fn alternatives(&self, arch: &Arch, limits: &MemoryLimits) -> Vec<Alternative> {
        let mut found = Vec::new();
        found.extend(self.shorter(arch, None, limits));
        let smaller = SMALLER_FORMATS
            .into_iter()
            .filter(|format| self.shrinks(*format));
        let mut shortened = None;
        for format in smaller {
            let plan = self.with(arch, Some(format), self.context.capacity, limits);
            if plan.fits(limits) {
                found.push(Alternative {
                    format: Some(format),
                    capacity: None,
                    n_bytes: plan.n_bytes(),
                });
                return found;
            }
            shortened = shortened.or_else(|| self.shorter(arch, Some(format), limits));
        }
        found.extend(shortened);
        found
    }

    /// The longest context that fits with weights in `format`.
    fn shorter(
        &self,
        arch: &Arch,
        format: Option<Format>,
        limits: &MemoryLimits,
    ) -> Option<Alternative> {
        let fits = |steps: usize| {
            self.with(arch, format, steps * CONTEXT_STEP, limits)
                .fits(limits)
        };
        let mut least = SHORTEST_CONTEXT / CONTEXT_STEP;
        let mut most = self.context.capacity / CONTEXT_STEP;
        if most < least || !fits(least) {
            return None;
        }
        while least < most {
            let middle = least + (most - least).div_ceil(2);
            if fits(middle) {
                least = middle;
            } else {
                most = middle - 1;
            }
        }
        let capacity = least * CONTEXT_STEP;
        Some(Alternative {
            format,
            capacity: Some(capacity),
            n_bytes: self.with(arch, format, capacity, limits).n_bytes(),
        })
    }

    fn with(
        &self,
        arch: &Arch,
        format: Option<Format>,
        capacity: usize,
        limits: &MemoryLimits,
    ) -> Self {
        let layout = match format {
            Some(format) => in_format(&self.layout, format),
            None => self.layout.clone(),
        };
        let context = ContextShape {
            capacity,
            prefill_chunk: self.context.prefill_chunk.min(capacity),
            kv: self.context.kv,
        };
        Self::of_layout(arch, layout, context, limits)
    }

    fn shrinks(&self, format: Format) -> bool {
        let smaller = in_format(&self.layout, format);
        let bytes = |layout: &Layout| -> u64 {
            let matrices = layout.matrices();
            matrices
                .map(|m| super::matrix_bytes(m.format, m.n_rows, m.n_cols))
                .sum()
        };
        bytes(&smaller) < bytes(&self.layout)
    }
}

/// The layout with every matrix whose rows are whole blocks in `format`.
fn in_format(layout: &Layout, format: Format) -> Layout {
    let mut layout = layout.clone();
    let projections = layout.projections.iter_mut().flat_map(|p| &mut p.matrices);
    for matrix in projections
        .chain([&mut layout.embedding])
        .chain(&mut layout.head)
    {
        if matrix.n_cols.is_multiple_of(format.block_len()) {
            matrix.format = format;
        }
    }
    layout
}
