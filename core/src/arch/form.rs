//! What a model has beyond the form that Llama, Mistral, Qwen 2 and Qwen 3 share, in words.
//!
//! An engine that computes that form alone asks here before it loads anything.

use super::{
    Activation, Arch, BlockShape, MlpLayout, NormKind, QkNormOver, QkvLayout, RopeScaling,
};

impl Arch {
    /// Every part that the shared form does not have; empty for a model of that form.
    pub fn parts_beyond_llama(&self) -> Vec<&'static str> {
        let parts = [
            (self.norm.kind == NormKind::Layer, "LayerNorm"),
            (self.norm.plus_one, "norms around one"),
            (self.block.shape == BlockShape::PostNorm, "norms after"),
            (
                self.block.shape == BlockShape::Sandwich,
                "four norms a block",
            ),
            (
                self.is_parallel(),
                "attention and feed-forward side by side",
            ),
            (self.block.residual_scale != 1.0, "scaled residuals"),
            (self.embedding.scale != 1.0, "scaled embeddings"),
            (self.embedding.n_positions.is_some(), "learned positions"),
            (self.attention.has_alibi, "ALiBi"),
            (
                self.attention.qkv != QkvLayout::Separate,
                "queries, keys and values from one module",
            ),
            (self.has_other_qk_norm(), "its norms of queries and keys"),
            (!self.scales_by_width(), "its scale of attention"),
            (self.attention.softcap.is_some(), "soft-capped attention"),
            (
                self.mlp.layout == MlpLayout::Plain,
                "a feed-forward layer without gate",
            ),
            (
                self.mlp.layout == MlpLayout::FusedGated,
                "gate and up from one module",
            ),
            (
                self.mlp.activation != Activation::Silu,
                "an activation other than SiLU",
            ),
            (self.logits.has_bias, "a bias of logits"),
            (self.logits.divisor != 1.0, "divided logits"),
            (self.logits.softcap.is_some(), "soft-capped logits"),
            (!self.rotates_all_layers(), "layers that rotate differently"),
            (self.rotates_otherwise(), "its form of rotation"),
        ];
        let has = parts.into_iter().filter(|(has, _)| *has);
        has.map(|(_, part)| part).collect()
    }

    fn is_parallel(&self) -> bool {
        matches!(
            self.block.shape,
            BlockShape::Parallel | BlockShape::ParallelOneNorm
        )
    }

    fn has_other_qk_norm(&self) -> bool {
        self.attention.qk_norm.is_some_and(|qk_norm| {
            qk_norm.over != QkNormOver::Head
                || qk_norm.norm.kind != NormKind::Rms
                || qk_norm.norm.plus_one
                || qk_norm.norm.has_bias
        })
    }

    fn scales_by_width(&self) -> bool {
        (self.attention.scale * (self.head_dim as f64).sqrt() - 1.0).abs() < 1e-6
    }

    fn rotates_all_layers(&self) -> bool {
        self.ropes.len() == 1 && self.layers.iter().all(|layer| layer.rope == Some(0))
    }

    fn rotates_otherwise(&self) -> bool {
        self.ropes.iter().any(|rope| {
            rope.n_rotated != self.head_dim
                || rope.attention_factor != 1.0
                || matches!(
                    rope.scaling,
                    RopeScaling::LongRope { .. } | RopeScaling::Dynamic { .. }
                )
        })
    }
}
