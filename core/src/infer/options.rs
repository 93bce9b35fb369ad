//! How a model is set up to answer.

use std::{future::Future, pin::Pin, rc::Rc};

/// Lets others run between two pieces of work, such as a worker's message queue.
pub type Pause = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>>;

/// Sizes that are fixed while a model is loaded.
#[derive(Clone)]
pub struct EngineOptions {
    /// Tokens of a session, prompt and answers together; never more than the model was trained for.
    pub capacity: usize,
    /// Prompt tokens that go through the model at once.
    pub prefill_chunk: usize,
    pub kv: KvFormat,
    /// Awaited between tensors while loading, and by the processor between tokens and chunks.
    pub pause: Pause,
}

/// How keys and values of the context are kept on a GPU. The processor keeps f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvFormat {
    /// Half the memory; what other engines do.
    #[default]
    F16,
    /// For comparisons to the last digit.
    F32,
}

impl KvFormat {
    pub fn value_bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            capacity: 4096,
            prefill_chunk: 128,
            kv: KvFormat::default(),
            pause: Rc::new(|| Box::pin(std::future::ready(()))),
        }
    }
}
