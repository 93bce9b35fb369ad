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
pub use layout::{InputGroup, Layout, PlannedLayer, PlannedMatrix, PlannedProjection, Segment};
pub use table::bytes_text;

use super::{EngineOptions, KvFormat};
use crate::{
    arch::{Arch, MlpLayout, TensorSpec},
    gpu::{
        GpuLimits, GpuMatrix,
        ops::{KvShape, MAX_HEAD_DIM, TopShape, attention_scratch_bytes, takes_heads_of},
    },
    quant::Format,
    weights::{LoadError, LoadErrors, PackedSource, adapter::Adapter},
};

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
    /// Of a GPU; the processor has none.
    pub gpu: Option<GpuLimits>,
    /// Memory that may be taken in all, where it is known.
    pub total_bytes: Option<u64>,
}

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BufferClass {
    /// Of tokens, and of positions where the model has learned ones.
    Embedding,
    Projections,
    /// Norms, biases, slopes of heads.
    Vectors,
    Head,
    KvCache,
    /// Scratch that all sessions share.
    Activations,
    /// Ids, logits, candidates and rotary frequencies of a session.
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
    /// `[c, d]`; also what a norm after a block reads.
    pub normed: u64,
    /// `[c, (h + 2g) k]`
    pub qkv: u64,
    /// Rotated queries `[c, h k]`.
    pub q: u64,
    /// What the splits of one token's attention leave.
    pub splits: u64,
    /// `[c, h k]`
    pub attended: u64,
    /// `[c, 2f]`, without a gate `[c, f]`.
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
    /// Of every rotation; some depend on the length of the text.
    pub frequencies: u64,
    /// `[v]`
    pub logits: u64,
    /// The best token, and what finding it leaves.
    pub best: u64,
}

impl ScratchSizes {
    pub fn new(arch: &Arch, n_tokens: usize) -> Self {
        let rows_of = |width: usize| 4 * n_tokens as u64 * width as u64;
        Self {
            x: rows_of(arch.d_model),
            normed: rows_of(arch.d_model),
            qkv: rows_of(arch.d_q() + 2 * arch.d_kv()),
            q: rows_of(arch.d_q()),
            splits: attention_scratch_bytes(arch.n_heads, arch.n_kv_heads, arch.head_dim),
            attended: rows_of(arch.d_q()),
            gate_up: rows_of(match arch.mlp.layout {
                MlpLayout::Plain => arch.d_ff,
                MlpLayout::Gated | MlpLayout::FusedGated => 2 * arch.d_ff,
            }),
            gated: rows_of(arch.d_ff),
        }
    }

    fn list(&self) -> [(&'static str, u64); 8] {
        [
            ("residual stream", self.x),
            ("normed", self.normed),
            ("queries, keys, values", self.qkv),
            ("rotated queries", self.q),
            ("splits of attention", self.splits),
            ("attended", self.attended),
            ("gate and up", self.gate_up),
            ("gated", self.gated),
        ]
    }
}

impl SessionSizes {
    pub fn new(arch: &Arch, context: &ContextShape) -> Self {
        let best = TopShape::new(arch.vocab_size, 1);
        Self {
            kv_cache: context.kv_shape(arch).n_bytes(),
            ids: 4 * context.prefill_chunk as u64,
            state: 16,
            frequencies: arch
                .ropes
                .iter()
                .map(|r| 4 * (r.n_rotated / 2) as u64)
                .sum(),
            logits: 4 * arch.vocab_size as u64,
            best: best.candidates_bytes() + best.result_bytes(),
        }
    }

    /// Bytes of all of them, for the keys and values of every layer.
    pub fn n_bytes(&self, arch: &Arch) -> u64 {
        let of_layers = 2 * arch.n_layers as u64 * self.kv_cache;
        of_layers + self.ids + self.state + self.frequencies + self.logits + self.best
    }
}

impl ContextShape {
    /// Of one layer's cache.
    pub fn kv_shape(&self, arch: &Arch) -> KvShape {
        KvShape {
            capacity: self.capacity,
            n_kv_heads: arch.n_kv_heads,
            head_dim: arch.head_dim,
            format: self.kv,
        }
    }
}

impl Plan {
    /// Lists what loading will allocate, and compares it with the limits.
    ///
    /// # Errors
    /// [`PlanError::NoKernels`] where the GPU has no kernels for the model's heads,
    /// [`PlanError::Load`] where `format_of` fails, [`PlanError::Buffer`] where one buffer is
    /// larger than the device allows, [`PlanError::Total`] where all together are.
    pub fn new(
        arch: &Arch,
        format_of: &dyn Fn(&TensorSpec) -> Result<Format, LoadError>,
        context: ContextShape,
        limits: &MemoryLimits,
    ) -> Result<Self, PlanError> {
        if limits.gpu.is_some() {
            check_kernels(arch)?;
        }
        let context = checked(arch, context)?;
        let layout = Layout::new(arch, format_of)?;
        let plan = Self::of_layout(arch, layout, context, limits)?;
        plan.check(arch, limits)?;
        Ok(plan)
    }

    /// [`Self::new`] for a source's tensors, of which every one is compared with the architecture.
    ///
    /// # Errors
    /// As [`Self::new`]; all tensors that are missing or have another shape, at once.
    pub fn of_source(
        arch: &Arch,
        source: &dyn PackedSource,
        options: &EngineOptions,
        gpu: Option<&GpuLimits>,
    ) -> Result<Self, PlanError> {
        let wrong: Vec<LoadError> = arch
            .tensors()
            .iter()
            .filter_map(|spec| format_of(source, spec).err())
            .collect();
        if !wrong.is_empty() {
            return Err(LoadErrors(wrong).into());
        }
        let context = ContextShape {
            capacity: options.capacity.min(arch.max_positions),
            prefill_chunk: options.prefill_chunk,
            kv: options.kv,
        };
        let limits = MemoryLimits {
            gpu: gpu.copied(),
            total_bytes: options.memory_bytes,
        };
        Self::new(arch, &|spec| format_of(source, spec), context, &limits)
    }

    /// Lists the buffers without asking whether they fit.
    fn of_layout(
        arch: &Arch,
        layout: Layout,
        context: ContextShape,
        limits: &MemoryLimits,
    ) -> Result<Self, PlanError> {
        let mut plan = Self {
            layout,
            context,
            buffers: Vec::new(),
        };
        plan.push_weights(arch, limits)?;
        plan.push_session(arch);
        Ok(plan)
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
        let head = match self.layout.head {
            Some(_) => BufferClass::Head,
            None => BufferClass::Embedding,
        };
        let read = [BufferClass::Projections, BufferClass::Vectors, head];
        read.map(|class| self.n_bytes_of(class)).iter().sum()
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

    fn push_matrix(
        &mut self,
        class: BufferClass,
        matrix: &PlannedMatrix,
        limits: &MemoryLimits,
    ) -> Result<(), PlanError> {
        let sizes = matrix_buffers(matrix, limits)?;
        let n_buffers = sizes.len();
        for (index, n_bytes) in sizes.into_iter().enumerate() {
            let label = match n_buffers {
                1 => matrix.label.clone(),
                _ => format!("{} ({} of {n_buffers})", matrix.label, index + 1),
            };
            self.push(class, label, n_bytes);
        }
        Ok(())
    }

    fn push_weights(&mut self, arch: &Arch, limits: &MemoryLimits) -> Result<(), PlanError> {
        let layout = self.layout.clone();
        self.push_matrix(BufferClass::Embedding, &layout.embedding, limits)?;
        if let Some(positions) = &layout.positions {
            self.push_matrix(BufferClass::Embedding, positions, limits)?;
        }
        for projection in layout.projections() {
            for matrix in &projection.matrices {
                self.push_matrix(BufferClass::Projections, matrix, limits)?;
                if !matrix.biases.is_empty() {
                    let label = matrix.biases.join(", ");
                    self.push(BufferClass::Vectors, label, 4 * matrix.n_rows as u64);
                }
            }
        }
        for (name, length) in &layout.vectors {
            self.push(BufferClass::Vectors, name.clone(), 4 * *length as u64);
        }
        if arch.attention.has_alibi {
            let n_bytes = 4 * arch.n_heads as u64;
            self.push(BufferClass::Vectors, "slopes of heads".to_owned(), n_bytes);
        }
        if let Some(head) = &layout.head {
            self.push_matrix(BufferClass::Head, head, limits)?;
        }
        Ok(())
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
            ("rotary frequencies", session.frequencies),
            ("logits", session.logits),
            ("best token", session.best),
        ] {
            if n_bytes > 0 {
                self.push(BufferClass::Session, label.to_owned(), n_bytes);
            }
        }
    }
}

/// The kernels compute every form of decoder, with heads up to a width.
fn check_kernels(arch: &Arch) -> Result<(), PlanError> {
    if takes_heads_of(arch.head_dim) {
        return Ok(());
    }
    Err(PlanError::NoKernels {
        model_type: arch.family.model_type(),
        head_dim: arch.head_dim,
        widest: MAX_HEAD_DIM,
    })
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

/// The format of a tensor whose shape is what the architecture says.
fn format_of(source: &dyn PackedSource, spec: &TensorSpec) -> Result<Format, LoadError> {
    let info = source.info(&spec.name)?;
    if info.shape == spec.shape {
        return Ok(info.format);
    }
    Err(LoadError::Shape {
        name: spec.name.clone(),
        expected: spec.shape.clone(),
        found: info.shape,
    })
}

/// Bytes of the buffers of a matrix: quants and scales of each part under the binding limit on a
/// GPU, the file's blocks on the processor.
fn matrix_buffers(matrix: &PlannedMatrix, limits: &MemoryLimits) -> Result<Vec<u64>, PlanError> {
    let PlannedMatrix {
        label,
        format,
        n_rows,
        n_cols,
        ..
    } = matrix;
    let Some(limits) = &limits.gpu else {
        let row_bytes = format.n_bytes(*n_cols).unwrap_or(usize::MAX);
        return Ok(vec![(row_bytes as u64).saturating_mul(*n_rows as u64)]);
    };
    let [n_rows, n_cols] = [n_rows, n_cols].map(|n| u32::try_from(*n).unwrap_or(u32::MAX));
    Ok(GpuMatrix::buffer_sizes(
        label,
        *format,
        [n_rows, n_cols],
        limits,
    )?)
}

#[cfg(test)]
mod tests;
