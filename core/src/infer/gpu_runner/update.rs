//! An adapter as the device takes it: one pair of matrices for every group of layers that read
//! the same activations.
//!
//! `u = A x` for all adapted modules of a group at once (the rows of their A joined), then each
//! module adds `scale · B u` to its own columns.

use crate::{infer::plan::PlannedProjection, weights::adapter::Adapter};

/// What an adapter adds to one projection.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupUpdate<'a> {
    /// Rows of all A together.
    pub(super) rank: usize,
    /// `[rank, n_in]`, row major.
    pub(super) a: Vec<f32>,
    pub(super) segments: Vec<UpdateSegment<'a>>,
}

/// What one module adds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UpdateSegment<'a> {
    /// First column of the module in the projection's output.
    pub(super) column: usize,
    pub(super) n_columns: usize,
    /// First row of its A in the joined one.
    pub(super) u_column: usize,
    pub(super) rank: usize,
    pub(super) scale: f32,
    /// `[n_columns, rank]`, row major.
    pub(super) b: &'a [f32],
}

impl<'a> GroupUpdate<'a> {
    /// `None` where the adapter leaves the projection alone.
    pub(super) fn new(projection: &PlannedProjection, adapter: &'a Adapter) -> Option<Self> {
        let mut update = Self {
            rank: 0,
            a: Vec::new(),
            segments: Vec::new(),
        };
        for segment in &projection.segments {
            let Some(pair) = adapter.pair(&segment.module) else {
                continue;
            };
            update.segments.push(UpdateSegment {
                column: segment.column,
                n_columns: segment.n_columns,
                u_column: update.rank,
                rank: pair.r,
                scale: adapter.scaling(pair) as f32,
                b: &pair.b,
            });
            update.a.extend_from_slice(&pair.a);
            update.rank += pair.r;
        }
        (update.rank > 0).then_some(update)
    }
}
