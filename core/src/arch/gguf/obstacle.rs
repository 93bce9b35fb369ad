//! What a model has that a GGUF file of its architecture cannot say.
//!
//! llama.cpp fixes some things by the name of the architecture: which layers have windows, which
//! rotate, how attention is scaled.

use super::super::{Arch, BlockShape, Family, RopeScaling};

/// Every second layer of Gemma 2 and all but every sixth of Gemma 3 have windows; every fourth of
/// SmolLM 3 does not rotate.
const GEMMA2_PERIOD: usize = 2;
const GEMMA3_PERIOD: usize = 6;
const SMOLLM3_PERIOD: usize = 4;

/// Layers of the 27B models of Gemma 2 and 3, whose attention is scaled by the model's width.
const SCALED_BY_WIDTH: [usize; 2] = [46, 62];

impl Arch {
    /// The first such part; `None` where a file says it all.
    pub fn gguf_obstacle(&self) -> Option<&'static str> {
        let of_family = match self.family {
            Family::Phi => {
                let norms = self.attention.qk_norm.is_some();
                norms.then_some("norms of queries and keys")
            }
            Family::Falcon if self.attention.has_alibi => Some("ALiBi"),
            Family::Falcon if self.attention.qkv_bias => Some("biases"),
            Family::Falcon if self.block.shape == BlockShape::Sequential => {
                Some("attention and feed-forward one after the other")
            }
            Family::Gemma | Family::Gemma2 if !self.tie_embeddings => Some("a head of its own"),
            Family::Gemma2 => self.gemma_obstacle(GEMMA2_PERIOD),
            Family::Gemma3Text => self.gemma_obstacle(GEMMA3_PERIOD),
            Family::SmolLm3 if !self.rotates_by(SMOLLM3_PERIOD) => {
                Some("its choice of layers that rotate")
            }
            _ => None,
        };
        of_family.or_else(|| self.rope_obstacle())
    }

    fn gemma_obstacle(&self, period: usize) -> Option<&'static str> {
        let slides = |layer_idx: usize| !(layer_idx + 1).is_multiple_of(period);
        let mut layers = self.layers.iter().enumerate();
        if !layers.all(|(layer_idx, layer)| layer.window.is_some() == slides(layer_idx)) {
            return Some("its choice of layers with a window");
        }
        let scalar = self.attention.scale.powi(-2);
        let known = gemma_scalar(self.n_layers, self.d_model / self.n_heads, self.head_dim);
        ((scalar / known as f64 - 1.0).abs() > 1e-6).then_some("its scale of attention")
    }

    fn rotates_by(&self, period: usize) -> bool {
        let rotates = |layer_idx: usize| !(layer_idx + 1).is_multiple_of(period);
        let mut layers = self.layers.iter().enumerate();
        layers.all(|(layer_idx, layer)| {
            layer.rope.is_some() == rotates(layer_idx) && layer.window.is_none()
        })
    }

    fn rope_obstacle(&self) -> Option<&'static str> {
        let rope = self.ropes.first()?;
        match rope.scaling {
            RopeScaling::LongRope { .. } if self.family != Family::Phi3 => {
                Some("long factors of rotation")
            }
            RopeScaling::Yarn {
                factor, truncate, ..
            } if !truncate || (rope.attention_factor - yarn_magnitude(factor)).abs() > 1e-6 => {
                Some("its form of YaRN")
            }
            _ => None,
        }
    }
}

/// What llama.cpp scales YaRN's cosines and sines by.
pub fn yarn_magnitude(factor: f64) -> f64 {
    0.1 * factor.max(1.0).ln() + 1.0
}

/// `query_pre_attn_scalar` as llama.cpp has it for Gemma.
pub(super) fn gemma_scalar(n_layers: usize, divided: usize, head_dim: usize) -> usize {
    match SCALED_BY_WIDTH.contains(&n_layers) {
        true => divided,
        false => head_dim,
    }
}
