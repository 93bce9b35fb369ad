//! Every buffer of a model on a device, with its size, before anything is allocated.
//!
//! A model that cannot fit is refused here, with numbers: what it needs, what there is, and what
//! would fit. Sizes follow from the architecture and the formats alone, so that a page can plan
//! from a file's header.
//!
//! `c` is the tokens of a prefill chunk; the other letters are those of the architecture: `d` model
//! width, `h` query heads, `g` key/value heads, `k` head width, `f` feed-forward width, `v`
//! vocabulary.

mod advice;
mod error;
mod layout;
mod table;

pub use advice::Alternative;
pub use error::PlanError;
pub use layout::{InputGroup, Layout, PlannedMatrix, PlannedProjection, Segment};
pub use table::bytes_text;

use crate::{
    arch::{Arch, TensorSpec},
    quant::Format,
    weights::{LoadError, adapter::Adapter},
};

/// How keys and values of the context are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvFormat {
    /// Half the memory; what other engines do.
    #[default]
    F16,
    /// For comparisons to the last digit.
    F32,
}

/// What a context may grow to, and how it is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextShape {
    /// Tokens of prompt and answer together.
    pub capacity: usize,
    /// Tokens of a prompt that go through the model at once.
    pub prefill_chunk: usize,
    pub kv: KvFormat,
}

/// What the device allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryLimits {
    /// Largest part of a buffer that a kernel can see.
    pub max_binding_bytes: Option<u64>,
    pub max_buffer_bytes: Option<u64>,
    /// Memory that may be taken in all, where it is known.
    pub total_bytes: Option<u64>,
}

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BufferClass {
    Embedding,
    Projections,
    /// Norms, biases, rotary frequencies.
    Vectors,
    Head,
    KvCache,
    /// Scratch that all sessions share.
    Activations,
    /// Ids, logits and candidates of a session.
    Session,
    Adapter,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBuffer {
    pub class: BufferClass,
    pub label: String,
    pub n_bytes: u64,
}

/// A model, one session, and what both take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub layout: Layout,
    pub context: ContextShape,
    pub buffers: Vec<PlannedBuffer>,
}

/// Bytes of the shared scratch buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScratchSizes {
    /// Residual stream `[c, d]`.
    pub x: u64,
    /// `[c, d]`
    pub normed: u64,
    /// `[c, (h + 2g) k]`
    pub qkv: u64,
    /// Rotated queries `[c, h k]`.
    pub q: u64,
    /// `[c, h k]`
    pub attended: u64,
    /// `[c, 2f]`
    pub gate_up: u64,
    /// `[c, f]`
    pub gated: u64,
}

/// Bytes of the buffers of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionSizes {
    /// Keys of one layer `[capacity, g, k]`; values take the same.
    pub kv_cache: u64,
    /// `[c]`
    pub ids: u64,
    pub state: u64,
    /// `[v]`
    pub logits: u64,
    /// Best tokens of one step.
    pub top_tokens: u64,
}

/// Candidates that are kept of a step at most.
pub const MAX_TOP_TOKENS: usize = 64;

impl KvFormat {
    pub fn value_bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }
}

impl ScratchSizes {
    pub fn new(arch: &Arch, n_tokens: usize) -> Self {
        let rows_of = |width: usize| 4 * n_tokens as u64 * width as u64;
        Self {
            x: rows_of(arch.d_model),
            normed: rows_of(arch.d_model),
            qkv: rows_of(arch.d_q() + 2 * arch.d_kv()),
            q: rows_of(arch.d_q()),
            attended: rows_of(arch.d_q()),
            gate_up: rows_of(2 * arch.d_ff),
            gated: rows_of(arch.d_ff),
        }
    }

    fn list(&self) -> [(&'static str, u64); 7] {
        [
            ("residual stream", self.x),
            ("normed", self.normed),
            ("queries, keys, values", self.qkv),
            ("rotated queries", self.q),
            ("attended", self.attended),
            ("gate and up", self.gate_up),
            ("gated", self.gated),
        ]
    }
}

impl SessionSizes {
    pub fn new(arch: &Arch, context: &ContextShape) -> Self {
        let kv_values = context.capacity as u64 * arch.d_kv() as u64;
        Self {
            kv_cache: kv_values * context.kv.value_bytes() as u64,
            ids: 4 * context.prefill_chunk as u64,
            state: 16,
            logits: 4 * arch.vocab_size as u64,
            top_tokens: 4 * (2 * MAX_TOP_TOKENS as u64 + 2),
        }
    }
}

impl Plan {
    /// Lists what loading will allocate, and compares it with the limits.
    ///
    /// # Errors
    /// [`PlanError::Load`] where `format_of` fails, [`PlanError::Buffer`] where one buffer is
    /// larger than the device allows, [`PlanError::Total`] where all together are.
    pub fn new(
        arch: &Arch,
        format_of: &dyn Fn(&TensorSpec) -> Result<Format, LoadError>,
        context: ContextShape,
        limits: &MemoryLimits,
    ) -> Result<Self, PlanError> {
        let context = checked(arch, context)?;
        let layout = Layout::new(arch, format_of)?;
        let plan = Self::of_layout(arch, layout, context, limits);
        plan.check(arch, limits)?;
        Ok(plan)
    }

    /// Lists the buffers without asking whether they fit.
    fn of_layout(
        arch: &Arch,
        layout: Layout,
        context: ContextShape,
        limits: &MemoryLimits,
    ) -> Self {
        let mut plan = Self {
            layout,
            context,
            buffers: Vec::new(),
        };
        plan.push_weights(arch, limits);
        plan.push_session(arch);
        plan
    }

    /// Bytes of all buffers.
    pub fn n_bytes(&self) -> u64 {
        self.buffers.iter().map(|buffer| buffer.n_bytes).sum()
    }

    pub fn n_bytes_of(&self, class: BufferClass) -> u64 {
        let of_class = self.buffers.iter().filter(|buffer| buffer.class == class);
        of_class.map(|buffer| buffer.n_bytes).sum()
    }

    /// Bytes of weights that a token reads: all but the embedding, of which it reads one row.
    pub fn weight_bytes_per_token(&self) -> u64 {
        let bytes =
            |matrix: &PlannedMatrix| matrix_bytes(matrix.format, matrix.n_rows, matrix.n_cols);
        let projections = self.layout.projections.iter().flat_map(|p| &p.matrices);
        projections.map(bytes).sum::<u64>()
            + bytes(self.layout.head())
            + self.n_bytes_of(BufferClass::Vectors)
    }

    /// Adds what an adapter beside the base takes.
    pub fn add_adapter(&mut self, name: &str, adapter: &Adapter) {
        let values: usize = adapter
            .pairs
            .iter()
            .map(|pair| pair.a.len() + pair.b.len())
            .sum();
        self.push(BufferClass::Adapter, name.to_owned(), 4 * values as u64);
    }

    fn push(&mut self, class: BufferClass, label: String, n_bytes: u64) {
        self.buffers.push(PlannedBuffer {
            class,
            label,
            n_bytes,
        });
    }

    fn push_matrix(&mut self, class: BufferClass, matrix: &PlannedMatrix, limits: &MemoryLimits) {
        let shards = shard_rows(matrix, limits);
        let n_shards = shards.len();
        for (index, n_rows) in shards.into_iter().enumerate() {
            let label = match n_shards {
                1 => matrix.label.clone(),
                _ => format!("{} ({} of {n_shards})", matrix.label, index + 1),
            };
            self.push(
                class,
                label,
                matrix_bytes(matrix.format, n_rows, matrix.n_cols),
            );
        }
    }

    fn push_weights(&mut self, arch: &Arch, limits: &MemoryLimits) {
        let layout = self.layout.clone();
        self.push_matrix(BufferClass::Embedding, &layout.embedding, limits);
        for projection in &layout.projections {
            for matrix in &projection.matrices {
                self.push_matrix(BufferClass::Projections, matrix, limits);
            }
            if !projection.biases.is_empty() {
                let label = projection.biases.join(", ");
                self.push(BufferClass::Vectors, label, 4 * projection.n_out as u64);
            }
        }
        for (name, length) in &layout.norms {
            self.push(BufferClass::Vectors, name.clone(), 4 * *length as u64);
        }
        let frequencies = 4 * (arch.head_dim / 2) as u64;
        self.push(
            BufferClass::Vectors,
            "rotary frequencies".to_owned(),
            frequencies,
        );
        if let Some(head) = &layout.head {
            self.push_matrix(BufferClass::Head, head, limits);
        }
    }

    fn push_session(&mut self, arch: &Arch) {
        for (label, n_bytes) in ScratchSizes::new(arch, self.context.prefill_chunk).list() {
            self.push(BufferClass::Activations, label.to_owned(), n_bytes);
        }
        let session = SessionSizes::new(arch, &self.context);
        for layer_idx in 0..arch.n_layers {
            for what in ["keys", "values"] {
                let label = format!("{what} of layer {layer_idx}");
                self.push(BufferClass::KvCache, label, session.kv_cache);
            }
        }
        for (label, n_bytes) in [
            ("token ids", session.ids),
            ("position", session.state),
            ("logits", session.logits),
            ("best tokens", session.top_tokens),
        ] {
            self.push(BufferClass::Session, label.to_owned(), n_bytes);
        }
    }
}

/// A context that can be: at least one token, chunks no longer than it.
fn checked(arch: &Arch, context: ContextShape) -> Result<ContextShape, PlanError> {
    let ContextShape {
        capacity,
        prefill_chunk,
        kv,
    } = context;
    if capacity == 0 || prefill_chunk == 0 {
        return Err(PlanError::NoContext {
            capacity,
            prefill_chunk,
            longest: arch.max_positions,
        });
    }
    Ok(ContextShape {
        capacity,
        prefill_chunk: prefill_chunk.min(capacity),
        kv,
    })
}

/// Bytes of a matrix as it lies on the device.
fn matrix_bytes(format: Format, n_rows: usize, n_cols: usize) -> u64 {
    let row_blocks = n_cols.div_ceil(format.block_len()) as u64;
    let bytes = n_rows as u64 * row_blocks * format.block_bytes() as u64;
    bytes.next_multiple_of(4)
}

/// Rows of each part of a matrix: as few parts as the limits allow, of nearly equal size.
fn shard_rows(matrix: &PlannedMatrix, limits: &MemoryLimits) -> Vec<usize> {
    let limit = [limits.max_binding_bytes, limits.max_buffer_bytes];
    let Some(limit) = limit.into_iter().flatten().min() else {
        return vec![matrix.n_rows];
    };
    let row_bytes = matrix_bytes(matrix.format, 1, matrix.n_cols).max(1);
    let rows_a_shard = usize::try_from(limit / row_bytes)
        .unwrap_or(usize::MAX)
        .max(1);
    let n_shards = matrix.n_rows.div_ceil(rows_a_shard).max(1);
    let rows = matrix.n_rows.div_ceil(n_shards);
    (0..n_shards)
        .map(|index| rows.min(matrix.n_rows - (index * rows).min(matrix.n_rows)))
        .collect()
}

#[cfg(test)]
mod tests;
