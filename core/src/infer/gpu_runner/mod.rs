//! The runner on a GPU: weights stay in their block formats, one forward pass is a list of
//! launches that is replayed for every token.
//!
//! The host knows how many tokens a context has; the device knows which token it chose. A step is
//! recorded before its predecessor's token was read, so that the device never waits for the host.

mod adapter;
mod context;
mod graph;
mod scratch;
mod update;
mod upload;
mod weights;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    rc::{Rc, Weak},
};

pub(super) use context::GpuContext;

use self::{
    adapter::GpuAdapter,
    context::Graphs,
    graph::{Graph, GraphBuilder},
    scratch::Scratch,
    weights::GpuWeights,
};
use super::{
    AdapterId, EngineOptions, InferError, LoadProgress, MemoryUse,
    plan::{Plan, SessionSizes},
};
use crate::{
    arch::Arch,
    gpu::{Buffer, CopyOut, Dispatch, Gpu, GpuError, Readback, ops::TopShape},
    sampling::TopTokens,
    weights::{PackedSource, adapter::Adapter},
};

/// Launches that go to the device in one piece; a driver takes a long piece for a hang.
const LAUNCHES_AT_ONCE: usize = 64;

/// Rows whose logits are read back at once while scoring.
const SCORED_ROWS: usize = 16;

/// A model on a GPU.
pub(super) struct GpuRunner {
    gpu: Gpu,
    arch: Arch,
    plan: Plan,
    weights: GpuWeights,
    scratch: Scratch,
    adapters: BTreeMap<AdapterId, GpuAdapter>,
    /// Of every context that is alive.
    graphs: RefCell<Vec<Weak<Graphs>>>,
    /// Readbacks that nobody waits for.
    spare: RefCell<Vec<Readback>>,
    memory: MemoryUse,
}

/// Best tokens that the device is about to find.
pub(super) struct GpuTicket {
    readback: Readback,
    shape: TopShape,
}

/// What one token costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeCost {
    /// Kernels launched, the choice of the token included.
    pub n_launches: usize,
    /// Bytes of weights that are read.
    pub weight_bytes: u64,
    /// Bytes of keys and values that are read for each token of context.
    pub kv_bytes_per_position: u64,
}

impl GpuRunner {
    pub(super) async fn load(
        gpu: Gpu,
        arch: &Arch,
        source: &dyn PackedSource,
        options: &EngineOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, InferError> {
        let plan = Plan::of_source(arch, source, options, Some(gpu.limits()))?;
        let context = plan.context;
        let weights = upload::Loader {
            gpu: &gpu,
            arch,
            source,
            pause: &options.pause,
            progress,
            n_tensors_done: 0,
            n_tensors: arch.tensors().len(),
            n_bytes_before: gpu.n_bytes_in_use(),
        };
        let before = gpu.n_bytes_in_use();
        let weights = weights.load(&plan.layout).await?;
        let after = gpu.n_bytes_in_use();
        let scratch = Scratch::new(&gpu, arch, context.prefill_chunk)?;
        Ok(Self {
            memory: MemoryUse {
                weights: after - before,
                adapters: 0,
                activations: gpu.n_bytes_in_use() - after,
                per_session: SessionSizes::new(arch, &context).n_bytes(arch),
            },
            gpu,
            arch: arch.clone(),
            plan,
            weights,
            scratch,
            adapters: BTreeMap::new(),
            graphs: RefCell::default(),
            spare: RefCell::default(),
        })
    }

    pub(super) fn new_context(&self) -> Result<GpuContext, InferError> {
        let context = GpuContext::new(&self.gpu, &self.arch, &self.plan.context)?;
        let mut graphs = self.graphs.borrow_mut();
        graphs.retain(|graphs| graphs.strong_count() > 0);
        graphs.push(Rc::downgrade(&context.graphs));
        Ok(context)
    }

    /// Runs a chunk. Two chunks at most are on their way, so that a prompt can be broken off.
    pub(super) async fn extend(
        &self,
        context: &mut GpuContext,
        ids: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        if ids.is_empty() {
            return Ok(());
        }
        let graph = self.graph(context, ids.len(), adapter)?;
        self.submit_body(context, &graph, ids)?;
        let marker = self.readback(4)?;
        let copy = CopyOut {
            from: &context.buffers.logits,
            at: 0,
            n_bytes: 4,
            to: &marker,
        };
        self.gpu.submit(&[&graph.head], &[copy])?;
        if let Some(before) = context.in_flight.replace(marker) {
            self.wait(before).await?;
        }
        Ok(())
    }

    /// Runs a chunk and reads the logits after every token of it.
    pub(super) async fn extend_scored(
        &self,
        context: &mut GpuContext,
        ids: &[u32],
        adapter: Option<AdapterId>,
        on_logits: &mut dyn FnMut(&[f32]),
    ) -> Result<(), InferError> {
        if ids.is_empty() {
            return Ok(());
        }
        let graph = self.graph(context, ids.len(), adapter)?;
        self.submit_body(context, &graph, ids)?;
        self.gpu.submit(&[&graph.head], &[])?;
        let n_values = SCORED_ROWS.min(ids.len()) * self.arch.vocab_size;
        let logits = self.gpu.empty("scored logits", 4 * n_values as u64)?;
        for first_row in (0..ids.len()).step_by(SCORED_ROWS) {
            let n_rows = SCORED_ROWS.min(ids.len() - first_row);
            let builder = self.builder(&context.buffers, adapter, ids.len())?;
            let head = builder.head(first_row, n_rows, &logits)?;
            self.gpu.submit(&[&head], &[])?;
            let rows = self
                .read_f32(&logits, n_rows * self.arch.vocab_size)
                .await?;
            rows.chunks(self.arch.vocab_size).for_each(&mut *on_logits);
        }
        Ok(())
    }

    pub(super) async fn logits(&self, context: &mut GpuContext) -> Result<Vec<f32>, InferError> {
        self.flush(context, &[], &[])?;
        let logits = &context.buffers.logits;
        Ok(self.read_f32(logits, self.arch.vocab_size).await?)
    }

    pub(super) fn submit_sample(
        &self,
        context: &mut GpuContext,
        n_top: usize,
    ) -> Result<GpuTicket, InferError> {
        let shape = TopShape::new(self.arch.vocab_size, n_top);
        let top = context.top(&self.gpu, shape)?;
        let n_bytes = shape.result_bytes();
        let readback = self.readback(n_bytes)?;
        let copy = CopyOut {
            from: &top.result,
            at: 0,
            n_bytes,
            to: &readback,
        };
        self.flush(context, &top.launches, &[copy])?;
        context.count_found();
        Ok(GpuTicket { readback, shape })
    }

    pub(super) fn submit_step(
        &self,
        context: &mut GpuContext,
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        let graph = self.graph(context, 1, adapter)?;
        self.flush(context, &[], &[])?;
        context.waiting = Some(graph);
        context.n_tokens += 1;
        Ok(())
    }

    pub(super) async fn take(&self, ticket: GpuTicket) -> Result<TopTokens, InferError> {
        let bytes = self.gpu.take(&ticket.readback).await?;
        let top = ticket.shape.read(&bytes)?;
        self.spare.borrow_mut().push(ticket.readback);
        Ok(TopTokens {
            ids: top.ids,
            logits: top.logits,
            log_sum_exp: top.log_sum_exp,
        })
    }

    pub(super) fn add_adapter(
        &mut self,
        id: AdapterId,
        adapter: &Adapter,
    ) -> Result<(), InferError> {
        let n_tokens = self.plan.context.prefill_chunk;
        let adapter = GpuAdapter::new(&self.gpu, &self.plan.layout, adapter, n_tokens)?;
        self.memory.adapters += adapter.n_bytes;
        self.adapters.insert(id, adapter);
        Ok(())
    }

    /// Frees an adapter, with the launches of every context that name it.
    pub(super) fn remove_adapter(&mut self, id: AdapterId) {
        if let Some(adapter) = self.adapters.remove(&id) {
            self.memory.adapters -= adapter.n_bytes;
        }
        for graphs in self.graphs.borrow().iter().filter_map(Weak::upgrade) {
            graphs.borrow_mut().retain(|(_, of), _| *of != Some(id));
        }
    }

    pub(super) fn memory(&self) -> MemoryUse {
        self.memory
    }

    pub(super) fn max_top(&self) -> usize {
        TopShape::new(self.arch.vocab_size, usize::MAX).n_top()
    }

    /// What a token of this context costs.
    pub(super) fn decode_cost(
        &self,
        context: &mut GpuContext,
        adapter: Option<AdapterId>,
    ) -> Result<DecodeCost, InferError> {
        let graph = self.graph(context, 1, adapter)?;
        let top = context.top(&self.gpu, TopShape::new(self.arch.vocab_size, 1))?;
        let kv = self.plan.context.kv_shape(&self.arch);
        Ok(DecodeCost {
            n_launches: graph.body.len() + graph.head.len() + top.launches.len(),
            weight_bytes: self.plan.weight_bytes_per_token(),
            kv_bytes_per_position: 2 * self.arch.n_layers as u64 * kv.n_bytes()
                / kv.capacity.max(1) as u64,
        })
    }

    /// Submits a chunk up to the last layer.
    fn submit_body(
        &self,
        context: &mut GpuContext,
        graph: &Graph,
        ids: &[u32],
    ) -> Result<(), GpuError> {
        self.flush(context, &[], &[])?;
        self.gpu
            .write(&context.buffers.ids, 0, bytemuck::cast_slice(ids))?;
        context.set_position(&self.gpu, context.n_tokens)?;
        for launches in graph.body.chunks(LAUNCHES_AT_ONCE) {
            self.gpu.submit(&[launches], &[])?;
        }
        context.n_tokens += ids.len();
        Ok(())
    }

    /// Submits a step that waits, with what follows it.
    fn flush(
        &self,
        context: &mut GpuContext,
        then: &[Dispatch],
        copies: &[CopyOut<'_>],
    ) -> Result<(), GpuError> {
        let waiting = context.waiting.take();
        if waiting.is_none() && then.is_empty() {
            return Ok(());
        }
        context.set_position(&self.gpu, context.n_tokens.saturating_sub(1))?;
        match &waiting {
            Some(step) => self.gpu.submit(&[&step.body, &step.head, then], copies),
            None => self.gpu.submit(&[then], copies),
        }
    }

    /// The launches for chunks of a length, kept where the length comes again.
    fn graph(
        &self,
        context: &GpuContext,
        n_tokens: usize,
        adapter: Option<AdapterId>,
    ) -> Result<Rc<Graph>, InferError> {
        let key = (n_tokens, adapter);
        if let Some(graph) = context.graphs.borrow().get(&key) {
            return Ok(graph.clone());
        }
        let builder = self.builder(&context.buffers, adapter, n_tokens)?;
        let graph = Rc::new(builder.build()?);
        if n_tokens == 1 || n_tokens == self.plan.context.prefill_chunk {
            context.graphs.borrow_mut().insert(key, graph.clone());
        }
        Ok(graph)
    }

    fn builder<'a>(
        &'a self,
        context: &'a context::ContextBuffers,
        adapter: Option<AdapterId>,
        n_tokens: usize,
    ) -> Result<GraphBuilder<'a>, InferError> {
        let adapter = match adapter {
            None => None,
            Some(id) => match self.adapters.get(&id) {
                Some(adapter) => Some(adapter),
                None => return Err(InferError::UnknownAdapter { id: id.0 }),
            },
        };
        Ok(GraphBuilder {
            gpu: &self.gpu,
            arch: &self.arch,
            weights: &self.weights,
            scratch: &self.scratch,
            context,
            adapter,
            n_tokens,
        })
    }

    /// Memory for a result, used again and again.
    fn readback(&self, n_bytes: u64) -> Result<Readback, GpuError> {
        let mut spare = self.spare.borrow_mut();
        let fitting = spare.iter().position(|spare| spare.n_bytes() >= n_bytes);
        match fitting {
            Some(index) => Ok(spare.swap_remove(index)),
            None => self.gpu.readback("result", n_bytes),
        }
    }

    async fn wait(&self, readback: Readback) -> Result<(), GpuError> {
        self.gpu.take(&readback).await?;
        self.spare.borrow_mut().push(readback);
        Ok(())
    }

    async fn read_f32(&self, buffer: &Buffer, n_values: usize) -> Result<Vec<f32>, GpuError> {
        let bytes = self.gpu.read(buffer, 0, 4 * n_values as u64).await?;
        let words = bytes.as_chunks().0.iter();
        Ok(words.map(|word| f32::from_le_bytes(*word)).collect())
    }
}

impl fmt::Debug for GpuTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuTicket({} tokens)", self.shape.n_top())
    }
}

impl fmt::Debug for GpuRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpuRunner")
            .field("gpu", &self.gpu.info().name)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}
