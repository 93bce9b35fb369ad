//! Fields that change what a model computes. A family reads those it knows; any other one that is
//! switched on means a model that would be computed wrongly.

use serde_json::Value;

use super::{ArchError, fields::Fields};
use crate::arch::Family;

/// Values with which a field changes nothing, besides null.
#[derive(Clone, Copy)]
enum Neutral {
    /// False, 0, nothing in it.
    Off,
    One,
    True,
    /// No experts, or one.
    AtMostOne,
}

const SIGNIFICANT: [(&str, Neutral); 38] = [
    ("add_cross_attention", Neutral::Off),
    ("alibi", Neutral::Off),
    ("apply_residual_connection_post_layernorm", Neutral::Off),
    ("attention_bias", Neutral::Off),
    ("attention_multiplier", Neutral::One),
    ("attn_logit_softcapping", Neutral::Off),
    ("bias", Neutral::Off),
    ("clip_qkv", Neutral::Off),
    ("dual_chunk_attention_config", Neutral::Off),
    ("embedding_multiplier", Neutral::One),
    ("final_logit_softcapping", Neutral::Off),
    ("is_causal", Neutral::True),
    ("is_encoder_decoder", Neutral::Off),
    ("logit_scale", Neutral::One),
    ("logits_scaling", Neutral::One),
    ("mlp_bias", Neutral::Off),
    ("moe_intermediate_size", Neutral::Off),
    ("multi_query", Neutral::Off),
    ("n_routed_experts", Neutral::Off),
    ("new_decoder_architecture", Neutral::Off),
    ("no_rope_layers", Neutral::Off),
    ("num_experts", Neutral::AtMostOne),
    ("num_experts_per_tok", Neutral::AtMostOne),
    ("num_local_experts", Neutral::AtMostOne),
    ("parallel_attn", Neutral::Off),
    ("partial_rotary_factor", Neutral::One),
    ("qk_layernorm", Neutral::Off),
    ("query_pre_attn_scalar", Neutral::Off),
    ("residual_multiplier", Neutral::One),
    ("rotary_pct", Neutral::One),
    ("scale_attn_by_inverse_layer_idx", Neutral::Off),
    ("scale_attn_weights", Neutral::True),
    ("use_bias", Neutral::Off),
    ("use_bidirectional_attention", Neutral::Off),
    ("use_mrope", Neutral::Off),
    ("use_parallel_residual", Neutral::Off),
    ("use_qk_norm", Neutral::Off),
    ("use_qkv_bias", Neutral::Off),
];

impl Neutral {
    fn is(self, value: &Value) -> bool {
        let number = value.as_f64();
        match value {
            Value::Null => true,
            Value::Bool(on) => *on == matches!(self, Self::True),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::String(_) => false,
            Value::Number(_) => match self {
                Self::Off => number == Some(0.0),
                Self::One => number == Some(1.0),
                Self::AtMostOne => number <= Some(1.0),
                Self::True => false,
            },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Off => "none",
            Self::One => "1",
            Self::True => "true",
            Self::AtMostOne => "no experts",
        }
    }
}

/// Refuses the first field that changes results and that nobody asked for.
pub(super) fn refuse_unread(fields: &Fields<'_>, family: Family) -> Result<(), ArchError> {
    for (key, value) in fields.unread() {
        let known = SIGNIFICANT.iter().find(|(name, _)| name == key);
        if let Some((name, neutral)) = known
            && !neutral.is(value)
        {
            let neutral = neutral.name();
            let expected = format!("{neutral}: `{}` has no such part", family.model_type());
            return Err(fields.wrong(name, value, &expected));
        }
    }
    Ok(())
}
