//! The form that most families share, Llama's, to be changed where a family differs.

use super::{
    ArchError,
    fields::Fields,
    layer_types,
    rope::{RopeDefaults, RopeSizes, WHOLE_HEADS, read_rope},
};
use crate::arch::{
    Activation, Arch, AttentionSpec, BlockShape, BlockSpec, EmbeddingSpec, Family, LayerSpec,
    LogitsSpec, MlpLayout, MlpSpec, NormKind, NormSpec, QkvLayout,
};

/// What a missing field means to a family.
pub(super) struct Defaults {
    pub(super) family: Family,
    /// `None`: as many as query heads.
    pub(super) n_kv_heads: Option<usize>,
    pub(super) head_dim: HeadDim,
    pub(super) max_positions: usize,
    pub(super) norm: NormKind,
    pub(super) eps_key: &'static str,
    pub(super) eps: f64,
    pub(super) rope: Option<RopeDefaults>,
    /// The field that names the activation, and what it is without it.
    pub(super) activation: (&'static str, Activation),
    pub(super) tied: bool,
}

/// Where a head's width comes from.
#[derive(Clone, Copy)]
pub(super) enum HeadDim {
    /// Always the width divided by the heads.
    Divided,
    /// The same where `head_dim` is missing.
    DividedOr,
    /// A constant where `head_dim` is missing.
    Constant(usize),
}

/// Llama's defaults.
pub(super) const fn defaults(family: Family) -> Defaults {
    Defaults {
        family,
        n_kv_heads: None,
        head_dim: HeadDim::DividedOr,
        max_positions: 2048,
        norm: NormKind::Rms,
        eps_key: "rms_norm_eps",
        eps: 1e-6,
        rope: Some(WHOLE_HEADS),
        activation: ("hidden_act", Activation::Silu),
        tied: false,
    }
}

/// Llama's form with the sizes that config.json gives.
pub(super) fn draft(fields: &Fields<'_>, defaults: &Defaults) -> Result<Arch, ArchError> {
    let d_model = fields.count("hidden_size")?;
    let n_layers = fields.count("num_hidden_layers")?;
    let n_heads = fields.count("num_attention_heads")?;
    let kv_heads = fields.nullable_count("num_key_value_heads", defaults.n_kv_heads)?;
    let head_dim = head_dim(fields, defaults.head_dim, d_model / n_heads)?;
    let max_positions = fields.count_or("max_position_embeddings", defaults.max_positions)?;
    let sizes = RopeSizes {
        head_dim,
        max_positions,
    };
    let rope = defaults.rope.as_ref();
    let rope = rope.map(|defaults| read_rope(fields, Some(layer_types::FULL), sizes, defaults));
    let ropes: Vec<_> = rope.transpose()?.into_iter().collect();
    let layer = LayerSpec {
        window: None,
        rope: (!ropes.is_empty()).then_some(0),
    };
    Ok(Arch {
        family: defaults.family,
        vocab_size: fields.count("vocab_size")?,
        d_model,
        n_layers,
        n_heads,
        n_kv_heads: kv_heads.unwrap_or(n_heads),
        head_dim,
        d_ff: fields.count("intermediate_size")?,
        embedding: EmbeddingSpec {
            scale: 1.0,
            n_positions: None,
        },
        norm: NormSpec {
            kind: defaults.norm,
            eps: fields.positive_or(defaults.eps_key, defaults.eps)?,
            plus_one: false,
            has_bias: defaults.norm == NormKind::Layer,
        },
        block: BlockSpec {
            shape: BlockShape::Sequential,
            residual_scale: 1.0,
        },
        attention: AttentionSpec {
            qkv: QkvLayout::Separate,
            qkv_bias: false,
            o_bias: false,
            qk_norm: None,
            scale: (head_dim as f64).powf(-0.5),
            softcap: None,
            has_alibi: false,
        },
        mlp: MlpSpec {
            layout: MlpLayout::Gated,
            activation: activation(fields, defaults.activation)?,
            has_bias: false,
        },
        logits: LogitsSpec {
            has_bias: false,
            divisor: 1.0,
            softcap: None,
        },
        max_positions: ropes.iter().fold(max_positions, |n, rope| rope.reach(n)),
        ropes,
        layers: vec![layer; n_layers],
        tie_embeddings: fields.flag_or("tie_word_embeddings", defaults.tied)?,
        bos_token_id: fields.token_ids("bos_token_id")?.first().copied(),
        eos_token_ids: fields.token_ids("eos_token_id")?,
    })
}

fn head_dim(fields: &Fields<'_>, from: HeadDim, divided: usize) -> Result<usize, ArchError> {
    const KEY: &str = "head_dim";
    match from {
        HeadDim::DividedOr => fields.count_or(KEY, divided),
        HeadDim::Constant(default) => fields.count_or(KEY, default),
        HeadDim::Divided => match fields.optional_count(KEY)? {
            Some(given) if given != divided => {
                let expected = format!("{divided}, the width divided by the heads");
                Err(fields.field(KEY, given.to_string(), &expected))
            }
            _ => Ok(divided),
        },
    }
}

/// The activation that a field names.
pub(super) fn activation(
    fields: &Fields<'_>,
    (key, default): (&str, Activation),
) -> Result<Activation, ArchError> {
    match fields.text(key)? {
        None => Ok(default),
        Some("silu" | "swish") => Ok(Activation::Silu),
        Some("gelu") => Ok(Activation::Gelu),
        Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_accurate") => {
            Ok(Activation::GeluTanh)
        }
        Some("relu") => Ok(Activation::Relu),
        Some(other) => {
            let expected = "silu, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast or relu";
            Err(fields.field(key, format!("`{other}`"), expected))
        }
    }
}

/// The same bias switch for queries, keys, values and the output.
pub(super) fn attention_bias(arch: &mut Arch, has_bias: bool) {
    arch.attention.qkv_bias = has_bias;
    arch.attention.o_bias = has_bias;
}

/// What the rest of the crate relies on.
pub(super) fn validated(arch: Arch, fields: &Fields<'_>) -> Result<Arch, ArchError> {
    if !arch.n_heads.is_multiple_of(arch.n_kv_heads) {
        let expected = format!("a divisor of num_attention_heads ({})", arch.n_heads);
        let found = arch.n_kv_heads.to_string();
        return Err(fields.field("num_key_value_heads", found, &expected));
    }
    if arch.head_dim == 0 {
        let found = format!("{} for {} heads", arch.d_model, arch.n_heads);
        return Err(fields.field("hidden_size", found, "at least one value a head"));
    }
    Ok(arch)
}
