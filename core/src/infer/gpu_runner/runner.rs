//! The runner's side of the contract: contexts, chunks, steps, adapters.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    rc::{Rc, Weak},
};

use super::{
    adapter::GpuAdapter,
    context::{ContextBuffers, GpuContext, Graphs, Waiting},
    graph::{Graph, GraphBuilder},
    scratch::Scratch,
    upload::Loader,
    weights::GpuWeights,
};
use crate::{
    arch::Arch,
    gpu::{Buffer, CopyOut, Dispatch, Gpu, GpuError, MATVEC_TOKENS, Readback, ops::TopShape},
    infer::{
        AdapterId, EngineOptions, InferError, LoadProgress, MemoryUse,
        plan::{Plan, SessionSizes},
    },
    sampling::TopTokens,
    weights::{PackedSource, adapter::Adapter},
};

/// Launches of long chunks that go to the device in one piece; drivers take long pieces for a hang.
const LAUNCHES_AT_ONCE: usize = 64;

/// Rows whose logits are read back at once while scoring.
const SCORED_ROWS: usize = 16;

/// A model on a GPU.
pub(in crate::infer) struct GpuRunner {
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
pub(in crate::infer) struct GpuTicket {
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
    pub(in crate::infer) async fn load(
        gpu: Gpu,
        arch: &Arch,
        source: &dyn PackedSource,
        options: &EngineOptions,
        progress: &mut dyn FnMut(LoadProgress),
    ) -> Result<Self, InferError> {
        let plan = Plan::of_source(arch, source, options, Some(gpu.limits()))?;
        let context = plan.context;
        let weights = Loader {
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

    pub(in crate::infer) fn new_context(&self) -> Result<GpuContext, InferError> {
        let context = GpuContext::new(&self.gpu, &self.arch, &self.plan.context)?;
        let mut graphs = self.graphs.borrow_mut();
        graphs.retain(|graphs| graphs.strong_count() > 0);
        graphs.push(Rc::downgrade(&context.graphs));
        Ok(context)
    }

    pub(in crate::infer) fn rotate_for(
        &self,
        context: &mut GpuContext,
        n_positions: usize,
    ) -> Result<(), InferError> {
        // Launches that wait would see frequencies that are not theirs.
        self.flush(context, &[], &[])?;
        Ok(context.rotate_for(&self.gpu, &self.arch, n_positions)?)
    }

    /// Runs a chunk. A few tokens wait for what reads their logits; of longer chunks two are on
    /// their way at most, so that a prompt can be broken off.
    pub(in crate::infer) async fn extend(
        &self,
        context: &mut GpuContext,
        ids: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        if ids.is_empty() {
            return Ok(());
        }
        let graph = self.graph(context, ids.len(), adapter)?;
        self.append(context, graph, ids)?;
        if ids.len() <= MATVEC_TOKENS as usize {
            return Ok(());
        }
        let marker = self.readback(4)?;
        let position = context.buffers.state.clone();
        let copy = CopyOut {
            from: &position,
            at: 0,
            n_bytes: 4,
            to: &marker,
        };
        self.flush(context, &[], &[copy])?;
        if let Some(before) = context.in_flight.replace(marker) {
            self.wait(before).await?;
        }
        Ok(())
    }

    /// Runs a chunk and reads the logits after every token of it.
    pub(in crate::infer) async fn extend_scored(
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
        self.append(context, graph, ids)?;
        self.flush(context, &[], &[])?;
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

    pub(in crate::infer) async fn logits(
        &self,
        context: &mut GpuContext,
    ) -> Result<Vec<f32>, InferError> {
        self.flush(context, &[], &[])?;
        let logits = &context.buffers.logits;
        Ok(self.read_f32(logits, self.arch.vocab_size).await?)
    }

    pub(in crate::infer) fn submit_sample(
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

    pub(in crate::infer) fn submit_step(
        &self,
        context: &mut GpuContext,
        adapter: Option<AdapterId>,
    ) -> Result<(), InferError> {
        let graph = self.graph(context, 1, adapter)?;
        self.flush(context, &[], &[])?;
        context.wait_for(graph, 1);
        Ok(())
    }

    pub(in crate::infer) async fn take(&self, ticket: GpuTicket) -> Result<TopTokens, InferError> {
        let bytes = self.gpu.take(&ticket.readback).await?;
        let top = ticket.shape.read(&bytes)?;
        self.spare.borrow_mut().push(ticket.readback);
        Ok(TopTokens {
            ids: top.ids,
            logits: top.logits,
            log_sum_exp: top.log_sum_exp,
        })
    }

    pub(in crate::infer) fn add_adapter(
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
    pub(in crate::infer) fn remove_adapter(&mut self, id: AdapterId) {
        if let Some(adapter) = self.adapters.remove(&id) {
            self.memory.adapters -= adapter.n_bytes;
        }
        for graphs in self.graphs.borrow().iter().filter_map(Weak::upgrade) {
            graphs.borrow_mut().retain(|(_, of), _| *of != Some(id));
        }
    }

    pub(in crate::infer) fn memory(&self) -> MemoryUse {
        self.memory
    }

    pub(in crate::infer) fn max_top(&self) -> usize {
        TopShape::new(self.arch.vocab_size, usize::MAX).n_top()
    }

    /// What a token of this context costs.
    pub(in crate::infer) fn decode_cost(
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

    /// Gives ids to the device; their launches wait.
    fn append(
        &self,
        context: &mut GpuContext,
        graph: Rc<Graph>,
        ids: &[u32],
    ) -> Result<(), GpuError> {
        self.flush(context, &[], &[])?;
        self.gpu
            .write(&context.buffers.ids, 0, bytemuck::cast_slice(ids))?;
        context.wait_for(graph, ids.len());
        Ok(())
    }

    /// Submits launches that wait, with what follows them.
    fn flush(
        &self,
        context: &mut GpuContext,
        then: &[Dispatch],
        copies: &[CopyOut<'_>],
    ) -> Result<(), GpuError> {
        let Some(Waiting { graph, position }) = context.waiting.take() else {
            if then.is_empty() && copies.is_empty() {
                return Ok(());
            }
            context.set_position(&self.gpu, context.n_tokens.saturating_sub(1))?;
            return self.gpu.submit(&[then], copies);
        };
        context.set_position(&self.gpu, position)?;
        let mut body = graph.body.as_slice();
        if graph.n_tokens > MATVEC_TOKENS as usize {
            while body.len() > LAUNCHES_AT_ONCE {
                let (piece, rest) = body.split_at(LAUNCHES_AT_ONCE);
                self.gpu.submit(&[piece], &[])?;
                body = rest;
            }
        }
        self.gpu.submit(&[body, &graph.head, then], copies)
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
        context: &'a ContextBuffers,
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
