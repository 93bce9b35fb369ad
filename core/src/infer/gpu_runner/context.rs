//! What one session keeps on the device: keys, values, position, the last logits.

use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

use super::graph::Graph;
use crate::{
    arch::Arch,
    gpu::{
        Buffer, Dispatch, Gpu, GpuError, Readback,
        ops::{KvCache, TopShape, TopTokens, top_tokens},
    },
    infer::{
        AdapterId,
        plan::{ContextShape, SessionSizes},
    },
};

/// Launches by the number of tokens and the adapter, built when they are first needed.
pub(super) type Graphs = RefCell<BTreeMap<(usize, Option<AdapterId>), Rc<Graph>>>;

/// One session's state on the device.
pub(in crate::infer) struct GpuContext {
    pub(super) buffers: ContextBuffers,
    /// Shared with the runner, which drops those of an adapter that is removed.
    pub(super) graphs: Rc<Graphs>,
    /// Launches that find the best tokens, by how many are wanted.
    tops: BTreeMap<usize, Rc<TopGraph>>,
    /// Tokens in the context, those of `waiting` included.
    pub(super) n_tokens: usize,
    /// The position that the device has, where it is known.
    device_position: Option<usize>,
    pub(super) waiting: Option<Waiting>,
    /// The last chunk that was submitted, to be waited for before the one after the next.
    pub(super) in_flight: Option<Readback>,
}

/// Launches that are submitted together with what reads their logits.
pub(super) struct Waiting {
    pub(super) graph: Rc<Graph>,
    /// Of the first token.
    pub(super) position: usize,
}

/// Buffers that only this session's launches touch.
pub(super) struct ContextBuffers {
    pub(super) kv: Vec<KvCache>,
    /// `[c]`
    pub(super) ids: Buffer,
    /// `[position of the first token, tokens generated, 0, 0]`
    pub(super) state: Buffer,
    /// Angular frequencies of every rotation, `[n_rotated / 2]`.
    pub(super) frequencies: Vec<Buffer>,
    /// `[v]`, after the last token.
    pub(super) logits: Buffer,
}

/// Launches that find the best tokens of the last logits.
pub(super) struct TopGraph {
    pub(super) launches: [Dispatch; 2],
    pub(super) result: Buffer,
}

impl ContextBuffers {
    fn new(gpu: &Gpu, arch: &Arch, context: &ContextShape) -> Result<Self, GpuError> {
        let sizes = SessionSizes::new(arch, context);
        let shape = context.kv_shape(arch);
        let kv = (0..arch.n_layers)
            .map(|layer_idx| KvCache::new(gpu, &format!("layer {layer_idx}"), shape));
        let frequencies = arch.ropes.iter().map(|rope| {
            let frequencies = rope.frequencies(0);
            gpu.upload("rotary frequencies", bytemuck::cast_slice(&frequencies))
        });
        Ok(Self {
            kv: kv.collect::<Result<_, GpuError>>()?,
            ids: gpu.empty("token ids", sizes.ids)?,
            state: gpu.empty("position", sizes.state)?,
            frequencies: frequencies.collect::<Result<_, GpuError>>()?,
            logits: gpu.empty("logits", sizes.logits)?,
        })
    }
}

impl GpuContext {
    pub(super) fn new(gpu: &Gpu, arch: &Arch, context: &ContextShape) -> Result<Self, GpuError> {
        Ok(Self {
            buffers: ContextBuffers::new(gpu, arch, context)?,
            graphs: Rc::default(),
            tops: BTreeMap::new(),
            n_tokens: 0,
            device_position: None,
            waiting: None,
            in_flight: None,
        })
    }

    /// Forgets all but the first `n_tokens`. Launches of tokens before them still run.
    pub(in crate::infer) fn truncate(&mut self, n_tokens: usize) {
        self.n_tokens = self.n_tokens.min(n_tokens);
        let n_tokens = self.n_tokens;
        self.waiting.take_if(|waiting| waiting.position >= n_tokens);
    }

    /// Of an empty context: how long its text will be.
    pub(super) fn rotate_for(
        &self,
        gpu: &Gpu,
        arch: &Arch,
        n_positions: usize,
    ) -> Result<(), GpuError> {
        for (rope, buffer) in arch.ropes.iter().zip(&self.buffers.frequencies) {
            let frequencies = rope.frequencies(n_positions);
            gpu.write(buffer, 0, bytemuck::cast_slice(&frequencies))?;
        }
        Ok(())
    }

    /// Counts tokens whose ids are on the device; their launches wait.
    pub(super) fn wait_for(&mut self, graph: Rc<Graph>, n_tokens: usize) {
        self.waiting = Some(Waiting {
            graph,
            position: self.n_tokens,
        });
        self.n_tokens += n_tokens;
    }

    /// Tells the device where the next launch starts, unless it knows.
    pub(super) fn set_position(&mut self, gpu: &Gpu, position: usize) -> Result<(), GpuError> {
        if self.device_position == Some(position) {
            return Ok(());
        }
        let state = [position as u32, 0, 0, 0];
        gpu.write(&self.buffers.state, 0, bytemuck::cast_slice(&state))?;
        self.device_position = Some(position);
        Ok(())
    }

    /// The device moves on by one when it has found the best token.
    pub(super) fn count_found(&mut self) {
        self.device_position = self.device_position.map(|position| position + 1);
    }

    /// Launches for the best `n_top` tokens.
    pub(super) fn top(&mut self, gpu: &Gpu, shape: TopShape) -> Result<Rc<TopGraph>, GpuError> {
        if let Some(top) = self.tops.get(&shape.n_top()) {
            return Ok(top.clone());
        }
        let candidates = gpu.empty("candidates", shape.candidates_bytes())?;
        let result = gpu.empty("best tokens", shape.result_bytes())?;
        let launches = top_tokens(
            gpu,
            "best tokens",
            &TopTokens {
                logits: &self.buffers.logits,
                shape,
                candidates: &candidates,
                result: &result,
                ids: &self.buffers.ids,
                state: &self.buffers.state,
                advance: 1,
            },
        )?;
        let top = Rc::new(TopGraph { launches, result });
        self.tops.insert(shape.n_top(), top.clone());
        Ok(top)
    }
}

impl fmt::Debug for GpuContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuContext({} tokens)", self.n_tokens)
    }
}
