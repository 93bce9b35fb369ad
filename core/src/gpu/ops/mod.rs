//! What a layer does between its matrix products: one file an operation.
//!
//! Each function checks that its buffers hold what the shapes say and returns launches, built
//! once and replayed for every token. Dimensions as in `nn`: `t` tokens of this graph, `d` model
//! width, `h` query heads, `g` key/value heads, `k` head width, `f` feed-forward width, `v`
//! vocabulary. Numbers that change from token to token are read on the GPU from `state`:
//! `[position of the first token, tokens generated so far, 0, 0]`, and `ids`: `[t]`, both u32.

pub(super) mod activate;
pub(super) mod add;
pub(super) mod add_rms_norm;
pub(super) mod attention;
pub(super) mod embed;
mod kv_cache;
pub(super) mod lora_up;
pub(super) mod norm;
pub(super) mod rope_append;
mod sizes;
pub(super) mod soft_cap;
pub(super) mod top_tokens;

pub use activate::{Activate, Activation, activate};
pub use add::{Add, add};
pub use add_rms_norm::{AddRmsNorm, add_rms_norm};
pub use attention::{
    Attention, HeadSlopes, MAX_HEAD_DIM, attention, attention_scratch_bytes, takes_heads_of,
};
pub use embed::{AddPositions, Embed, add_positions, embed};
pub use kv_cache::{KvCache, KvFormat, KvShape};
pub use lora_up::{LoraSegment, LoraUp, LoraUpWeights, lora_up};
pub use norm::{Norm, NormWeights, norm};
pub use rope_append::{NormedHeads, QkNorm, RopeAppend, Rotation, rope_append};
pub use soft_cap::{SoftCap, soft_cap};
pub use top_tokens::{Top, TopShape, TopTokens, top_tokens};
