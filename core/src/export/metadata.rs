//! `Arch` as GGUF metadata.
//!
//! Key names are those of llama.cpp's `gguf-py/gguf/constants.py`.

use super::ExportError;
use crate::{
    arch::{Arch, RopeScaling, RopeSpec},
    quant::Format,
    weights::gguf::Value,
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
    let no_mapping = || ExportError::NoMapping {
        model_type: arch.family.model_type(),
    };
    let family = arch.gguf_architecture().ok_or_else(no_mapping)?;
    let rope = arch.ropes.first().ok_or_else(no_mapping)?;
    note_window(arch, notes);
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
    let mut push = |key: &str, value: Value| metadata.push((format!("{family}.{key}"), value));
    push("vocab_size", count(arch.vocab_size));
    push("context_length", count(context_length(arch)));
    push("embedding_length", count(arch.d_model));
    push("block_count", count(arch.n_layers));
    push("feed_forward_length", count(arch.d_ff));
    push("attention.head_count", count(arch.n_heads));
    push("attention.head_count_kv", count(arch.n_kv_heads));
    push(
        "attention.layer_norm_rms_epsilon",
        Value::F32(arch.norm.eps as f32),
    );
    if arch.head_dim * arch.n_heads != arch.d_model {
        push("attention.key_length", count(arch.head_dim));
        push("attention.value_length", count(arch.head_dim));
    }
    push("rope.dimension_count", count(arch.head_dim));
    push("rope.freq_base", Value::F32(rope.theta as f32));
    if let RopeScaling::Linear { factor } = rope.scaling {
        push("rope.scaling.type", Value::String("linear".into()));
        push("rope.scaling.factor", Value::F32(factor as f32));
    }
    Ok(metadata)
}

/// How far each frequency is slowed down, `[head_dim / 2]`, for the tensor `rope_freqs.weight`;
/// `None` where plain metadata say it all.
pub(super) fn rope_factors(arch: &Arch) -> Option<Vec<f32>> {
    let rope = arch.ropes.first()?;
    match &rope.scaling {
        RopeScaling::Factors(factors) => Some(factors.clone()),
        RopeScaling::Llama3 { .. } => {
            let plain = RopeSpec::plain(rope.theta, rope.n_rotated);
            let (scaled, plain) = (rope.frequencies(1), plain.frequencies(1));
            let factors = plain.iter().zip(&scaled);
            Some(factors.map(|(plain, scaled)| plain / scaled).collect())
        }
        _ => None,
    }
}

/// The file has no window, so its context ends where windows would start to matter.
pub(super) fn context_length(arch: &Arch) -> usize {
    let windows = arch.layers.iter().filter_map(|layer| layer.window);
    windows.fold(arch.max_positions, usize::min)
}

fn note_window(arch: &Arch, notes: &mut Vec<String>) {
    let context_length = context_length(arch);
    if context_length < arch.max_positions {
        notes.push(format!(
            "the model attends to the last {context_length} tokens in some layers; llama.cpp \
             attends to all of them, so the file's context length is set to {context_length} \
             (instead of {})",
            arch.max_positions
        ));
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
