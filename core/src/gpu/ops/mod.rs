//! What a layer does between its matrix products: one file an operation.
//!
//! Each function checks that its buffers hold what the shapes say and returns launches, built
//! once and replayed for every token. Dimensions as in `nn`: `t` tokens of this graph, `d` model
//! width, `h` query heads, `g` key/value heads, `k` head width, `f` feed-forward width, `v`
//! vocabulary. Numbers that change from token to token are read on the GPU from `state`:
//! `[position of the first token, tokens generated so far, 0, 0]`, and `ids`: `[t]`, both u32.

pub(super) mod add;
pub(super) mod attention;
pub(super) mod embed;
mod kv_cache;
pub(super) mod lora_up;
pub(super) mod rms_norm;
pub(super) mod rope_append;
pub(super) mod silu_mul;
mod sizes;
pub(super) mod top_tokens;

pub use add::{Add, add};
pub use attention::{Attention, attention, attention_scratch_bytes};
pub use embed::{Embed, embed};
pub use kv_cache::{KvCache, KvFormat, KvShape};
pub use lora_up::{LoraSegment, LoraUp, LoraUpWeights, lora_up};
pub use rms_norm::{AddRmsNorm, RmsNorm, add_rms_norm, rms_norm};
pub use rope_append::{QkNorm, RopeAppend, rope_append};
pub use silu_mul::{SiluMul, silu_mul};
pub use top_tokens::{Top, TopShape, TopTokens, top_tokens};
