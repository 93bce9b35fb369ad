//! Layers of the decoder, each a plain struct over burn tensors.
//!
//! Dimensions, everywhere below: `b` batch, `t` sequence, `s` keys in sight, `d` model width,
//! `h` query heads, `g` key/value heads, `r` query heads a key/value head, `k` head width,
//! `f` feed-forward width, `v` vocabulary.

mod attention;
mod mlp;
mod norm;
mod pass;
mod projection;
mod rope;
mod weight;

pub use attention::{Attention, LayerCache, attend};
pub use mlp::GatedMlp;
pub use norm::RmsNorm;
pub use pass::{Dropout, KeyPlace, Masks, Pass};
pub use projection::{LoraPair, Projection};
pub use rope::Rope;
pub use weight::Weight;
