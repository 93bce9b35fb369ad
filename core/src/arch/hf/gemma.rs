//! Gemma 1, 2 and 3: scaled embeddings, norms whose weights are distances from one.

use super::{
    ArchError,
    draft::{Defaults, HeadDim, activation, attention_bias, defaults, draft},
    fields::Fields,
    layer_types::{SLIDING, set_windows, sliding_layers},
    rope::{RopeDefaults, RopeSizes, WHOLE_HEADS, read_rope},
};
use crate::arch::{Activation, Arch, BlockShape, Family, QkNormOver, QkNormSpec};

const fn gemma_defaults(family: Family) -> Defaults {
    Defaults {
        n_kv_heads: Some(4),
        head_dim: HeadDim::Constant(256),
        max_positions: 8192,
        activation: ("hidden_activation", Activation::GeluTanh),
        tied: true,
        ..defaults(family)
    }
}

fn gemma_draft(fields: &Fields<'_>, defaults: &Defaults) -> Result<Arch, ArchError> {
    let mut arch = draft(fields, defaults)?;
    arch.embedding.scale = (arch.d_model as f64).sqrt();
    arch.norm.plus_one = true;
    attention_bias(&mut arch, fields.flag_or("attention_bias", false)?);
    Ok(arch)
}

pub(super) fn gemma(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let defaults = Defaults {
        n_kv_heads: Some(16),
        ..gemma_defaults(Family::Gemma)
    };
    let mut arch = gemma_draft(fields, &defaults)?;
    // The first configs said `gelu` and meant the approximation, with which the weights were
    // trained; `hidden_activation` was added to say so.
    if fields.text("hidden_activation")?.is_none() {
        let named = activation(fields, ("hidden_act", Activation::GeluTanh))?;
        arch.mlp.activation = match named {
            Activation::Gelu => Activation::GeluTanh,
            other => other,
        };
    }
    Ok(arch)
}

pub(super) fn gemma2(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = gemma_draft(fields, &gemma_defaults(Family::Gemma2))?;
    gemma2_block(&mut arch, fields)?;
    arch.attention.softcap = fields.nullable_positive("attn_logit_softcapping", Some(50.0))?;
    arch.logits.softcap = fields.nullable_positive("final_logit_softcapping", Some(30.0))?;
    let window = fields.nullable_count("sliding_window", Some(4096))?;
    let sliding = sliding_layers(fields, arch.n_layers, |layer_idx| layer_idx % 2 == 0)?;
    set_windows(&mut arch, window, &sliding);
    Ok(arch)
}

pub(super) fn gemma3(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let defaults = Defaults {
        max_positions: 131_072,
        rope: Some(RopeDefaults {
            theta: 1_000_000.0,
            ..WHOLE_HEADS
        }),
        ..gemma_defaults(Family::Gemma3Text)
    };
    let mut arch = gemma_draft(fields, &defaults)?;
    gemma2_block(&mut arch, fields)?;
    arch.attention.qk_norm = Some(QkNormSpec {
        norm: arch.norm,
        over: QkNormOver::Head,
    });
    arch.logits.softcap = fields.optional_positive("final_logit_softcapping")?;
    let window = fields.nullable_count("sliding_window", Some(4096))?;
    let pattern = fields.count_or("sliding_window_pattern", 6)?;
    let slides = |layer_idx: usize| !(layer_idx + 1).is_multiple_of(pattern);
    let sliding = sliding_layers(fields, arch.n_layers, slides)?;
    set_windows(&mut arch, window, &sliding);
    let local = local_rope(fields, &arch)?;
    arch.ropes.push(local);
    for (layer, slides) in arch.layers.iter_mut().zip(&sliding) {
        layer.rope = Some(usize::from(*slides));
    }
    Ok(arch)
}

fn gemma2_block(arch: &mut Arch, fields: &Fields<'_>) -> Result<(), ArchError> {
    arch.block.shape = BlockShape::Sandwich;
    let scalar = fields.positive_or("query_pre_attn_scalar", 256.0)?;
    arch.attention.scale = scalar.powf(-0.5);
    Ok(())
}

/// Layers with a window rotate by a base of their own, and unscaled unless config.json keeps
/// both apart.
fn local_rope(fields: &Fields<'_>, arch: &Arch) -> Result<crate::arch::RopeSpec, ArchError> {
    let theta = fields.positive_or("rope_local_base_freq", 10_000.0)?;
    let apart = match fields.inside("rope_parameters")? {
        Some(types) => types.inside(SLIDING)?.is_some(),
        None => false,
    };
    if !apart {
        return Ok(crate::arch::RopeSpec::plain(theta, arch.head_dim));
    }
    let sizes = RopeSizes {
        head_dim: arch.head_dim,
        max_positions: arch.max_positions,
    };
    let defaults = RopeDefaults {
        theta,
        // The top of the file has the base of the other layers.
        theta_key: "rope_local_base_freq",
        ..WHOLE_HEADS
    };
    read_rope(fields, Some(SLIDING), sizes, &defaults)
}
