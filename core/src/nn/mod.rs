//! Layers of the decoder, each a plain struct over burn tensors.
//!
//! Dimensions, everywhere below: `b` batch, `t` sequence, `s` keys in sight, `d` model width,
//! `h` query heads, `g` key/value heads, `r` query heads a key/value head, `k` head width,
//! `f` feed-forward width, `v` vocabulary.

mod activation;
mod attention;
mod block;
mod embedding;
mod head;
mod mlp;
mod norm;
mod packed;
mod pass;
mod projection;
mod rope;
mod weight;

pub use activation::{activate, soft_cap};
pub use attention::{Attention, HeadSizes, LayerCache, QkvInput, Scoring, attend};
pub use block::Block;
pub use embedding::{Embedding, EmbeddingPair, Positions};
pub use head::{Head, HeadMatrix};
pub use mlp::{Mlp, MlpInput};
pub use norm::{HeadNorm, Norm};
pub use packed::{PackedMatrix, Packing};
pub use pass::{Dropout, KeyPlace, Masks, Pass};
pub use projection::{LoraPair, Magnitude, Projection, row_squares};
pub use rope::Rope;
pub use weight::Weight;
