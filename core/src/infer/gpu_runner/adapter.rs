//! An adapter beside the base, on the device.

use std::collections::BTreeMap;

use super::update::{GroupUpdate, UpdateSegment};
use crate::{
    gpu::{
        Buffer, Gpu, GpuError, GpuMatrix,
        ops::{LoraSegment, LoraUpWeights},
    },
    infer::plan::{InputGroup, Layout},
    quant::Format,
    weights::adapter::Adapter,
};

pub(super) struct GpuAdapter {
    updates: BTreeMap<(usize, InputGroup), GpuUpdate>,
    /// `[c, widest rank]`, what the first halves leave.
    pub(super) u: Buffer,
    pub(super) n_bytes: u64,
}

/// What an adapter adds to one group of projections.
pub(super) struct GpuUpdate {
    /// Rows of all A together.
    pub(super) rank: usize,
    /// `[rank, n_in]`
    pub(super) a: GpuMatrix,
    pub(super) b: LoraUpWeights,
}

impl GpuAdapter {
    /// Uploads an adapter that fits the layout, for chunks of `n_tokens`.
    pub(super) fn new(
        gpu: &Gpu,
        layout: &Layout,
        adapter: &Adapter,
        n_tokens: usize,
    ) -> Result<Self, GpuError> {
        let before = gpu.n_bytes_in_use();
        let mut updates = BTreeMap::new();
        let mut widest = 1;
        for projection in layout.projections() {
            let Some(update) = GroupUpdate::new(projection, adapter) else {
                continue;
            };
            widest = widest.max(update.rank);
            let label = format!("adapter, layer {}", projection.layer_idx);
            let a = GpuMatrix::upload(
                gpu,
                &label,
                Format::F32,
                [update.rank, projection.n_in].map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
                bytemuck::cast_slice(&update.a),
            )?;
            let segments: Vec<LoraSegment<'_>> = update.segments.iter().map(segment).collect();
            let b = LoraUpWeights::upload(gpu, &label, Format::F32, &segments)?;
            updates.insert(
                (projection.layer_idx, projection.group),
                GpuUpdate {
                    rank: update.rank,
                    a,
                    b,
                },
            );
        }
        let u = gpu.empty("adapter, low rank", 4 * (n_tokens * widest) as u64)?;
        Ok(Self {
            updates,
            u,
            n_bytes: gpu.n_bytes_in_use() - before,
        })
    }

    pub(super) fn update(&self, layer_idx: usize, group: InputGroup) -> Option<&GpuUpdate> {
        self.updates.get(&(layer_idx, group))
    }
}

fn segment<'a>(segment: &UpdateSegment<'a>) -> LoraSegment<'a> {
    LoraSegment {
        column: segment.column,
        n_columns: segment.n_columns,
        u_column: segment.u_column,
        rank: segment.rank,
        scale: segment.scale,
        b: segment.b,
    }
}
