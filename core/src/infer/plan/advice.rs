//! What would fit where a plan does not: a shorter context, smaller weights, or both.

use std::fmt;

use super::{
    BufferClass, ContextShape, Layout, MemoryLimits, Plan, PlanError, PlannedBuffer, PlannedMatrix,
    matrix_buffers, table::bytes_text,
};
use crate::{arch::Arch, quant::Format, weights::quantized_format};

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

    fn first_too_large(&self, limits: &MemoryLimits) -> Option<(&PlannedBuffer, u64)> {
        let gpu = limits.gpu?;
        let allowed = gpu.max_binding_bytes.min(gpu.max_buffer_bytes);
        let mut buffers = self.buffers.iter();
        let buffer = buffers.find(|buffer| buffer.n_bytes > allowed)?;
        Some((buffer, allowed))
    }

    /// Settings near the asked ones that fit: a shorter context, and smaller weights or both.
    fn alternatives(&self, arch: &Arch, limits: &MemoryLimits) -> Vec<Alternative> {
        let mut found: Vec<Alternative> = self.shorter(arch, None, limits).into_iter().collect();
        let mut both = None;
        for format in SMALLER_FORMATS {
            if !self.shrinks(format, limits) {
                continue;
            }
            if let Some(plan) = self.fitting(arch, Some(format), self.context.capacity, limits) {
                found.push(Alternative {
                    format: Some(format),
                    capacity: None,
                    n_bytes: plan.n_bytes(),
                });
                return found;
            }
            both = both.or_else(|| self.shorter(arch, Some(format), limits));
        }
        found.extend(both);
        found
    }

    /// The longest context that fits with weights in `format`.
    fn shorter(
        &self,
        arch: &Arch,
        format: Option<Format>,
        limits: &MemoryLimits,
    ) -> Option<Alternative> {
        let fitting = |steps: usize| self.fitting(arch, format, steps * CONTEXT_STEP, limits);
        let mut least = SHORTEST_CONTEXT / CONTEXT_STEP;
        let mut most = self.context.capacity / CONTEXT_STEP;
        if most < least {
            return None;
        }
        let mut best = fitting(least)?;
        while least < most {
            let middle = least + (most - least).div_ceil(2);
            match fitting(middle) {
                Some(plan) => {
                    least = middle;
                    best = plan;
                }
                None => most = middle - 1,
            }
        }
        Some(Alternative {
            format,
            capacity: Some(best.context.capacity),
            n_bytes: best.n_bytes(),
        })
    }

    /// The plan with other settings, where it fits.
    fn fitting(
        &self,
        arch: &Arch,
        format: Option<Format>,
        capacity: usize,
        limits: &MemoryLimits,
    ) -> Option<Self> {
        let layout = match format {
            Some(format) => in_format(&self.layout, format),
            None => self.layout.clone(),
        };
        let context = ContextShape {
            capacity,
            prefill_chunk: self.context.prefill_chunk.min(capacity),
            kv: self.context.kv,
        };
        // A format that no kernel takes is no advice.
        let plan = Self::of_layout(arch, layout, context, limits).ok()?;
        let total_fits = limits
            .total_bytes
            .is_none_or(|available| plan.n_bytes() <= available);
        (total_fits && plan.first_too_large(limits).is_none()).then_some(plan)
    }

    /// Whether weights in `format` would be smaller than they are.
    fn shrinks(&self, format: Format, limits: &MemoryLimits) -> bool {
        let bytes = |layout: &Layout| -> u64 {
            let sizes = layout
                .matrices()
                .map(|matrix| matrix_buffers(matrix, limits));
            sizes.flatten().flatten().sum()
        };
        bytes(&in_format(&self.layout, format)) < bytes(&self.layout)
    }
}

/// The layout as a file of `format` would have it.
fn in_format(layout: &Layout, format: Format) -> Layout {
    let mut layout = layout.clone();
    let tied = layout.head.is_none();
    let wanted = |matrix: &mut PlannedMatrix, is_head: bool| {
        let shape = [matrix.n_rows, matrix.n_cols];
        matrix.format = quantized_format(&shape, is_head, format);
    };
    wanted(&mut layout.embedding, tied);
    let projections = layout.layers.iter_mut().flat_map(|l| l.projections_mut());
    for matrix in projections.flat_map(|p| &mut p.matrices) {
        wanted(matrix, false);
    }
    if let Some(head) = &mut layout.head {
        wanted(head, true);
    }
    layout
}
