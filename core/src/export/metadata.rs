//! `Arch` as GGUF metadata.
//!
//! Key names are those of llama.cpp's `gguf-py/gguf/constants.py`.

use super::ExportError;
use crate::{
    arch::{Arch, BlockShape, NormKind, RopeScaling, RopeSpec},
    quant::Format,
    weights::gguf::{ROPE_FACTORS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT, Value},
};

/// Version of the block formats, written where any is used.
const QUANTIZATION_VERSION: u32 = 2;

/// Everything about the network itself.
///
/// # Errors
/// Where GGUF's form of this model is not known here.
pub(super) fn arch_metadata(
    arch: &Arch,
    name: &str,
    format: Format,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Value)>, ExportError> {
    if let Some(part) = arch.gguf_obstacle() {
        return Err(ExportError::NoMapping {
            model_type: arch.family.model_type(),
            part,
        });
    }
    note_context(arch, notes);
    note_longrope(arch, notes);
    let family = arch.gguf_architecture();
    let mut metadata = vec![
        ("general.architecture".into(), Value::String(family.into())),
        ("general.type".into(), Value::String("model".into())),
        ("general.name".into(), Value::String(name.into())),
        ("general.file_type".into(), Value::U32(file_type(format))),
        (
            "general.quantization_version".into(),
            Value::U32(QUANTIZATION_VERSION),
        ),
    ];
    let keys = sizes(arch)
        .into_iter()
        .chain(attention_keys(arch))
        .chain(rope_keys(arch));
    metadata.extend(keys.map(|(key, value)| (format!("{family}.{key}"), value)));
    Ok(metadata)
}

type Keys = Vec<(&'static str, Value)>;

fn sizes(arch: &Arch) -> Keys {
    let mut keys = vec![
        ("vocab_size", count(arch.vocab_size)),
        ("context_length", count(context_length(arch))),
        ("embedding_length", count(arch.d_model)),
        ("block_count", count(arch.n_layers)),
        ("feed_forward_length", count(arch.d_ff)),
        ("attention.head_count", count(arch.n_heads)),
        ("attention.head_count_kv", count(arch.n_kv_heads)),
    ];
    let eps = match arch.norm.kind {
        NormKind::Rms => "attention.layer_norm_rms_epsilon",
        NormKind::Layer => "attention.layer_norm_epsilon",
    };
    keys.push((eps, float(arch.norm.eps)));
    if arch.head_dim * arch.n_heads != arch.d_model {
        keys.push(("attention.key_length", count(arch.head_dim)));
        keys.push(("attention.value_length", count(arch.head_dim)));
    }
    keys
}

/// How attention and logits are scaled, capped and cut, where that is said.
fn attention_keys(arch: &Arch) -> Keys {
    let mut keys = Vec::new();
    if arch.gguf_says_parallel() {
        let is_parallel = arch.block.shape != BlockShape::Sequential;
        keys.push(("use_parallel_residual", Value::Bool(is_parallel)));
    }
    if let Some(softcap) = arch.attention.softcap {
        keys.push(("attn_logit_softcapping", float(softcap)));
    }
    if let Some(softcap) = arch.logits.softcap {
        keys.push(("final_logit_softcapping", float(softcap)));
    }
    let window = arch.layers.iter().find_map(|layer| layer.window);
    if let Some(window) = window.filter(|_| arch.gguf_says_window()) {
        keys.push(("attention.sliding_window", count(window)));
    }
    if arch.gguf_says_multipliers() {
        keys.push(("attention.scale", float(arch.attention.scale)));
        keys.push(("embedding_scale", float(arch.embedding.scale)));
        keys.push(("residual_scale", float(arch.block.residual_scale)));
        keys.push(("logit_scale", float(arch.logits.divisor)));
    }
    keys
}

fn rope_keys(arch: &Arch) -> Keys {
    let Some(rope) = arch.ropes.first() else {
        return Vec::new();
    };
    let text = |text: &str| Value::String(text.into());
    let mut keys = vec![
        ("rope.dimension_count", count(rope.n_rotated)),
        ("rope.freq_base", float(rope.theta)),
    ];
    if let Some(local) = arch.ropes.get(1) {
        keys.push(("rope.freq_base_swa", float(local.theta)));
    }
    match rope.scaling {
        RopeScaling::Linear { factor } => {
            keys.push(("rope.scaling.type", text("linear")));
            keys.push(("rope.scaling.factor", float(factor)));
        }
        RopeScaling::Yarn {
            factor,
            beta_fast,
            beta_slow,
            original_max_positions,
            ..
        } => {
            let original = count(original_max_positions as usize);
            keys.push(("rope.scaling.type", text("yarn")));
            keys.push(("rope.scaling.factor", float(factor)));
            keys.push(("rope.scaling.original_context_length", original));
            keys.push(("rope.scaling.yarn_beta_fast", float(beta_fast)));
            keys.push(("rope.scaling.yarn_beta_slow", float(beta_slow)));
        }
        RopeScaling::LongRope {
            original_max_positions,
            ..
        } => {
            let original = count(original_max_positions);
            keys.push(("rope.scaling.original_context_length", original));
            keys.push(("rope.scaling.attn_factor", float(rope.attention_factor)));
        }
        RopeScaling::None
        | RopeScaling::Dynamic { .. }
        | RopeScaling::Llama3 { .. }
        | RopeScaling::Factors(_) => {}
    }
    keys
}

/// How far each frequency is slowed down, `[n_rotated / 2]`, by the names of the tensors that say
/// it; none where plain metadata say it all.
pub(super) fn rope_factors(arch: &Arch) -> Vec<(&'static str, Vec<f32>)> {
    let Some(rope) = arch.ropes.first() else {
        return Vec::new();
    };
    match &rope.scaling {
        RopeScaling::Factors(factors) => vec![(ROPE_FACTORS, factors.clone())],
        RopeScaling::Llama3 { .. } => {
            let plain = RopeSpec::plain(rope.theta, rope.n_rotated);
            let (scaled, plain) = (rope.frequencies(1), plain.frequencies(1));
            let factors = plain.iter().zip(&scaled);
            let factors = factors.map(|(plain, scaled)| plain / scaled).collect();
            vec![(ROPE_FACTORS, factors)]
        }
        RopeScaling::LongRope {
            short_factors,
            long_factors,
            ..
        } => vec![
            (ROPE_FACTORS_LONG, long_factors.clone()),
            (ROPE_FACTORS_SHORT, short_factors.clone()),
        ],
        _ => Vec::new(),
    }
}

/// A file without windows ends where windows would start to matter, and one without dynamic
/// rotation where that would.
pub(super) fn context_length(arch: &Arch) -> usize {
    let windows = arch.layers.iter().filter_map(|layer| layer.window);
    let windows = windows.filter(|_| !arch.gguf_has_windows());
    let dynamic = arch.ropes.iter().filter_map(|rope| match rope.scaling {
        RopeScaling::Dynamic {
            original_max_positions,
            ..
        } => Some(original_max_positions),
        _ => None,
    });
    windows.chain(dynamic).fold(arch.max_positions, usize::min)
}

fn note_context(arch: &Arch, notes: &mut Vec<String>) {
    let context_length = context_length(arch);
    if context_length < arch.max_positions {
        notes.push(format!(
            "the model attends to the last {context_length} tokens in some layers, or rotates \
             longer texts otherwise; llama.cpp does neither, so the file's context length is set \
             to {context_length} (instead of {})",
            arch.max_positions
        ));
    }
}

fn note_longrope(arch: &Arch, notes: &mut Vec<String>) {
    for rope in &arch.ropes {
        if let RopeScaling::LongRope {
            original_max_positions,
            ..
        } = rope.scaling
        {
            notes.push(format!(
                "the model rotates texts of more than {original_max_positions} tokens otherwise; \
                 llama.cpp goes by the context that it opens, not by the text: open one of at \
                 most {original_max_positions} for shorter texts"
            ));
        }
    }
}

/// `llama_ftype`: what most tensors of the file are.
fn file_type(format: Format) -> u32 {
    match format {
        Format::F32 => 0,
        Format::F16 => 1,
        Format::Q4_0 => 2,
        Format::Q8_0 => 7,
        // With matrices all of one kind: `Q4_K_S` and `Q6_K`.
        Format::Q4K => 14,
        Format::Q6K => 18,
        Format::Bf16 => 32,
    }
}

/// Counts of `Arch` are validated to be far below 2^32.
fn count(n: usize) -> Value {
    Value::U32(u32::try_from(n).unwrap_or(u32::MAX))
}

fn float(x: f64) -> Value {
    Value::F32(x as f32)
}
