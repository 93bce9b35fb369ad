//! Llama, and what its descendants changed.

use super::{
    ArchError,
    draft::{Defaults, HeadDim, attention_bias, defaults, draft},
    fields::Fields,
    layer_types::{set_one_window, set_windows, sliding_layers},
    rope::{RopeDefaults, WHOLE_HEADS},
};
use crate::arch::{Arch, BlockShape, Family, MlpLayout, QkNormOver, QkNormSpec, QkvLayout};

pub(super) fn llama(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(fields, &defaults(Family::Llama))?;
    attention_bias(&mut arch, fields.flag_or("attention_bias", false)?);
    arch.mlp.has_bias = fields.flag_or("mlp_bias", false)?;
    Ok(arch)
}

pub(super) fn mistral(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            n_kv_heads: Some(8),
            max_positions: 131_072,
            ..defaults(Family::Mistral)
        },
    )?;
    let window = fields.nullable_count("sliding_window", Some(4096))?;
    set_one_window(&mut arch, fields, window)?;
    Ok(arch)
}

pub(super) fn qwen2(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            n_kv_heads: Some(32),
            max_positions: 32_768,
            ..defaults(Family::Qwen2)
        },
    )?;
    arch.attention.qkv_bias = true;
    qwen_windows(&mut arch, fields)?;
    Ok(arch)
}

pub(super) fn qwen3(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            n_kv_heads: Some(32),
            head_dim: HeadDim::Constant(128),
            max_positions: 32_768,
            ..defaults(Family::Qwen3)
        },
    )?;
    attention_bias(&mut arch, fields.flag_or("attention_bias", false)?);
    arch.attention.qk_norm = Some(QkNormSpec {
        norm: arch.norm,
        over: QkNormOver::Head,
    });
    qwen_windows(&mut arch, fields)?;
    Ok(arch)
}

/// The window counts only where it is switched on, and then from a layer on.
fn qwen_windows(arch: &mut Arch, fields: &Fields<'_>) -> Result<(), ArchError> {
    let window = fields.nullable_count("sliding_window", Some(4096))?;
    let is_on = fields.flag_or("use_sliding_window", false)?;
    // 0 is a layer too, and no count.
    let first = match fields.given("max_window_layers").and_then(|v| v.as_u64()) {
        Some(first) => usize::try_from(first).unwrap_or(usize::MAX),
        None => fields.count_or("max_window_layers", 28)?,
    };
    let sliding = sliding_layers(fields, arch.n_layers, |layer_idx| layer_idx >= first)?;
    set_windows(arch, window.filter(|_| is_on), &sliding);
    Ok(())
}

pub(super) fn phi3(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            max_positions: 4096,
            eps: 1e-5,
            rope: Some(RopeDefaults {
                rotated_share: Some((1.0, "partial_rotary_factor")),
                yarn_is_longrope: true,
                original_max_positions: Some(4096),
                ..WHOLE_HEADS
            }),
            ..defaults(Family::Phi3)
        },
    )?;
    arch.attention.qkv = QkvLayout::Stacked;
    arch.mlp.layout = MlpLayout::FusedGated;
    let window = fields.optional_count("sliding_window")?;
    set_one_window(&mut arch, fields, window)?;
    Ok(arch)
}

pub(super) fn smollm3(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            n_kv_heads: Some(4),
            max_positions: 32_768,
            rope: Some(RopeDefaults {
                theta: 2_000_000.0,
                ..WHOLE_HEADS
            }),
            // The class leaves it to transformers' base, where it is true.
            tied: true,
            ..defaults(Family::SmolLm3)
        },
    )?;
    attention_bias(&mut arch, fields.flag_or("attention_bias", false)?);
    arch.mlp.has_bias = fields.flag_or("mlp_bias", false)?;
    let rotates = rotating_layers(fields, arch.n_layers)?;
    for (layer, rotates) in arch.layers.iter_mut().zip(&rotates) {
        layer.rope = layer.rope.filter(|_| *rotates);
    }
    let window = fields.optional_count("sliding_window")?;
    let is_on = fields.flag_or("use_sliding_window", false)?;
    let window = window.filter(|_| is_on);
    let without_types = |layer_idx: usize| !rotates[layer_idx];
    let sliding = sliding_layers(fields, arch.n_layers, without_types)?;
    set_windows(&mut arch, window, &sliding);
    Ok(arch)
}

/// `no_rope_layers` says 1 for a layer that rotates and 0 for one that does not.
fn rotating_layers(fields: &Fields<'_>, n_layers: usize) -> Result<Vec<bool>, ArchError> {
    const KEY: &str = "no_rope_layers";
    let interval = fields.count_or("no_rope_layer_interval", 4)?;
    let Some(list) = fields.list(KEY)? else {
        let rotates = |layer_idx: usize| !(layer_idx + 1).is_multiple_of(interval);
        return Ok((0..n_layers).map(rotates).collect());
    };
    if list.len() != n_layers {
        let expected = format!("one for each of {n_layers} layers");
        return Err(fields.field(KEY, format!("a list of {}", list.len()), &expected));
    }
    let flag = |value: &serde_json::Value| match value.as_u64() {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(fields.wrong(KEY, value, "0 or 1")),
    };
    list.iter().map(flag).collect()
}

pub(super) fn olmo2(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            eps: 1e-5,
            ..defaults(Family::Olmo2)
        },
    )?;
    attention_bias(&mut arch, fields.flag_or("attention_bias", false)?);
    arch.block.shape = BlockShape::PostNorm;
    arch.attention.qk_norm = Some(QkNormSpec {
        norm: arch.norm,
        over: QkNormOver::AllHeads,
    });
    Ok(arch)
}

pub(super) fn granite(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(fields, &defaults(Family::Granite))?;
    attention_bias(&mut arch, fields.flag_or("attention_bias", false)?);
    arch.mlp.has_bias = fields.flag_or("mlp_bias", false)?;
    arch.embedding.scale = fields.positive_or("embedding_multiplier", 1.0)?;
    arch.attention.scale = fields.positive_or("attention_multiplier", 1.0)?;
    arch.block.residual_scale = fields.positive_or("residual_multiplier", 1.0)?;
    arch.logits.divisor = fields.positive_or("logits_scaling", 1.0)?;
    Ok(arch)
}
