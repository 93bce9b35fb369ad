//! How a model is set up to answer.

use std::{future::Future, pin::Pin, rc::Rc};

pub use crate::gpu::ops::KvFormat;

/// Lets others run between two pieces of work, such as a worker's message queue.
pub type Pause = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>>;

/// Sizes that are fixed while a model is loaded.
#[derive(Clone)]
pub struct EngineOptions {
    /// Tokens of a session, prompt and answers together; never more than the model was trained for.
    pub capacity: usize,
    /// Prompt tokens that go through the model at once.
    pub prefill_chunk: usize,
    /// How a GPU keeps keys and values; the processor keeps f32.
    pub kv: KvFormat,
    /// Memory that may be taken in all, where it is known.
    pub memory_bytes: Option<u64>,
    /// Awaited between tensors while loading, and by the processor between tokens and chunks.
    pub pause: Pause,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            capacity: 4096,
            prefill_chunk: 128,
            kv: KvFormat::default(),
            memory_bytes: None,
            pause: Rc::new(|| Box::pin(std::future::ready(()))),
        }
    }
}
