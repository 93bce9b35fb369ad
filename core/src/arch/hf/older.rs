//! Families with LayerNorm: GPT-NeoX, Phi, StableLM, Falcon, GPT-BigCode, StarCoder 2.

use serde_json::{Map, Value};

use super::{
    ArchError,
    draft::{Defaults, HeadDim, attention_bias, defaults, draft},
    fields::Fields,
    layer_types::set_one_window,
    rope::{RopeDefaults, WHOLE_HEADS},
};
use crate::arch::{
    Activation, Arch, BlockShape, Family, MlpLayout, NormKind, NormSpec, QkNormOver, QkNormSpec,
    QkvLayout,
};

/// LayerNorm, and heads whose width follows from the model's.
const fn layer_norm(family: Family, eps_key: &'static str) -> Defaults {
    Defaults {
        norm: NormKind::Layer,
        eps_key,
        eps: 1e-5,
        head_dim: HeadDim::Divided,
        ..defaults(family)
    }
}

/// The names that these families have for sizes, and those that all others have.
const RENAMED: [(&str, &str, &str); 9] = [
    ("gpt_bigcode", "n_embd", "hidden_size"),
    ("gpt_bigcode", "n_layer", "num_hidden_layers"),
    ("gpt_bigcode", "n_head", "num_attention_heads"),
    ("gpt_bigcode", "n_positions", "max_position_embeddings"),
    ("gpt_bigcode", "n_inner", "intermediate_size"),
    ("falcon", "n_embed", "hidden_size"),
    ("falcon", "n_layer", "num_hidden_layers"),
    ("falcon", "n_head", "num_attention_heads"),
    ("falcon", "ffn_hidden_size", "intermediate_size"),
];

/// Families whose feed-forward layer is four times as wide as the model unless the file says it.
const FOUR_TIMES_WIDE: [&str; 2] = ["gpt_bigcode", "falcon"];

/// Gives sizes the names that other families have for them.
pub(super) fn rename(object: &mut Map<String, Value>) {
    let family = object.get("model_type").and_then(Value::as_str);
    let Some(family) = family.map(str::to_owned) else {
        return;
    };
    for (_, own, common) in RENAMED.iter().filter(|(of, _, _)| *of == family) {
        if let Some(value) = object.remove(*own).filter(|value| !value.is_null()) {
            object.insert((*common).to_owned(), value);
        }
    }
    let width = object.get("hidden_size").and_then(Value::as_u64);
    if let Some(width) = width.filter(|_| FOUR_TIMES_WIDE.contains(&family.as_str())) {
        let d_ff = object.entry("intermediate_size").or_insert(Value::Null);
        if d_ff.is_null() {
            *d_ff = Value::from(width.saturating_mul(4));
        }
    }
}

pub(super) fn gpt_neox(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            rope: Some(RopeDefaults {
                theta_key: "rotary_emb_base",
                rotated_share: Some((0.25, "rotary_pct")),
                ..WHOLE_HEADS
            }),
            activation: ("hidden_act", Activation::Gelu),
            ..layer_norm(Family::GptNeox, "layer_norm_eps")
        },
    )?;
    arch.attention.qkv = QkvLayout::Grouped;
    attention_bias(&mut arch, fields.flag_or("attention_bias", true)?);
    plain_mlp(&mut arch, true);
    if fields.flag_or("use_parallel_residual", true)? {
        arch.block.shape = BlockShape::Parallel;
    }
    if arch.n_kv_heads != arch.n_heads {
        let found = arch.n_kv_heads.to_string();
        let expected = "as many as query heads in this family";
        return Err(fields.field("num_key_value_heads", found, expected));
    }
    Ok(arch)
}

pub(super) fn phi(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            rope: Some(RopeDefaults {
                rotated_share: Some((0.5, "partial_rotary_factor")),
                ..WHOLE_HEADS
            }),
            activation: ("hidden_act", Activation::GeluTanh),
            ..layer_norm(Family::Phi, "layer_norm_eps")
        },
    )?;
    arch.block.shape = BlockShape::ParallelOneNorm;
    attention_bias(&mut arch, true);
    plain_mlp(&mut arch, true);
    arch.logits.has_bias = true;
    if fields.flag_or("qk_layernorm", false)? {
        arch.attention.qk_norm = Some(QkNormSpec {
            norm: arch.norm,
            over: QkNormOver::Head,
        });
    }
    Ok(arch)
}

pub(super) fn stablelm(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            n_kv_heads: Some(32),
            max_positions: 4096,
            rope: Some(RopeDefaults {
                rotated_share: Some((0.25, "partial_rotary_factor")),
                ..WHOLE_HEADS
            }),
            ..layer_norm(Family::StableLm, "layer_norm_eps")
        },
    )?;
    arch.attention.qkv_bias = fields.flag_or("use_qkv_bias", false)?;
    if fields.flag_or("use_parallel_residual", false)? {
        arch.block.shape = BlockShape::ParallelOneNorm;
    }
    if fields.flag_or("qk_layernorm", false)? {
        arch.attention.qk_norm = Some(QkNormSpec {
            norm: NormSpec {
                has_bias: false,
                ..arch.norm
            },
            over: QkNormOver::OwnHead,
        });
    }
    Ok(arch)
}

pub(super) fn starcoder2(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            n_kv_heads: Some(2),
            head_dim: HeadDim::DividedOr,
            max_positions: 4096,
            activation: ("hidden_act", Activation::GeluTanh),
            tied: true,
            ..layer_norm(Family::Starcoder2, "norm_epsilon")
        },
    )?;
    let has_bias = fields.flag_or("use_bias", true)?;
    attention_bias(&mut arch, has_bias);
    plain_mlp(&mut arch, has_bias);
    let window = fields.optional_count("sliding_window")?;
    set_one_window(&mut arch, fields, window)?;
    Ok(arch)
}

pub(super) fn gpt_bigcode(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let mut arch = draft(
        fields,
        &Defaults {
            max_positions: 1024,
            rope: None,
            activation: ("activation_function", Activation::GeluTanh),
            tied: true,
            ..layer_norm(Family::GptBigCode, "layer_norm_epsilon")
        },
    )?;
    arch.embedding.n_positions = Some(arch.max_positions);
    let multi_query = fields.flag_or("multi_query", true)?;
    one_kv_head_or_all(&mut arch, multi_query);
    attention_bias(&mut arch, true);
    plain_mlp(&mut arch, true);
    Ok(arch)
}

pub(super) fn falcon(fields: &Fields<'_>) -> Result<Arch, ArchError> {
    let has_alibi = fields.flag_or("alibi", false)?;
    let mut arch = draft(
        fields,
        &Defaults {
            rope: (!has_alibi).then_some(WHOLE_HEADS),
            activation: ("activation", Activation::Gelu),
            tied: true,
            ..layer_norm(Family::Falcon, "layer_norm_epsilon")
        },
    )?;
    arch.attention.has_alibi = has_alibi;
    let has_bias = fields.flag_or("bias", false)?;
    attention_bias(&mut arch, has_bias);
    plain_mlp(&mut arch, has_bias);
    let is_new = fields.flag_or("new_decoder_architecture", false)?;
    let multi_query = fields.flag_or("multi_query", true)?;
    let n_kv_heads = fields.count_or("num_kv_heads", arch.n_heads)?;
    if is_new {
        arch.attention.qkv = QkvLayout::Grouped;
        arch.n_kv_heads = n_kv_heads;
    } else {
        one_kv_head_or_all(&mut arch, multi_query);
    }
    arch.block.shape = falcon_block(fields, is_new)?;
    Ok(arch)
}

fn falcon_block(fields: &Fields<'_>, is_new: bool) -> Result<BlockShape, ArchError> {
    const NORMS: &str = "num_ln_in_parallel_attn";
    let is_parallel = fields.flag_or("parallel_attn", true)?;
    let n_norms = fields.count_or(NORMS, if is_new { 2 } else { 1 })?;
    match (is_new, is_parallel, n_norms) {
        (false, false, 1) => Ok(BlockShape::Sequential),
        (_, true, 1) => Ok(BlockShape::ParallelOneNorm),
        (true, true, 2) => Ok(BlockShape::Parallel),
        (true, false, _) => {
            let expected = "true with `new_decoder_architecture`";
            Err(fields.field("parallel_attn", "false".to_owned(), expected))
        }
        _ => {
            let expected = "1, or 2 with `new_decoder_architecture`";
            Err(fields.field(NORMS, n_norms.to_string(), expected))
        }
    }
}

/// One key and value head behind all query heads, or one for each of them.
fn one_kv_head_or_all(arch: &mut Arch, multi_query: bool) {
    (arch.attention.qkv, arch.n_kv_heads) = match multi_query {
        true => (QkvLayout::Stacked, 1),
        false => (QkvLayout::Grouped, arch.n_heads),
    };
}

fn plain_mlp(arch: &mut Arch, has_bias: bool) {
    arch.mlp.layout = MlpLayout::Plain;
    arch.mlp.has_bias = has_bias;
}
