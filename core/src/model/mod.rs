//! The decoder with its adapter: load, forward, generate, attach and take LoRA pairs.

mod adapter;
mod by_blocks;
mod decoder;
mod generate;
mod load;
mod load_in;
mod save;
mod targets;

pub use by_blocks::{ByBlocks, ByBlocksError};
pub(crate) use decoder::host_f32;
pub use decoder::{Decoder, DecoderCache};
pub use generate::{GenerateOptions, Generated, generate, last_logits};
pub use load_in::{BaseBytes, base_bytes, packed_format};
pub use targets::{TargetError, match_targets};
