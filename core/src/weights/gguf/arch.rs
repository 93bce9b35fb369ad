//! Metadata as an [`Arch`], with llama.cpp's defaults for the keys that may be missing.

use super::{GgufError, GgufSource, Value, model::ROPE_FACTORS};
use crate::{
    arch::{
        Activation, Arch, AttentionSpec, BlockShape, BlockSpec, EmbeddingSpec, Family, GgufFacts,
        LayerSpec, LogitsSpec, MlpLayout, MlpSpec, NormKind, NormSpec, QkNormOver, QkNormSpec,
        QkvLayout, RopeScaling, RopeSpec, config_of_gguf, family_of_gguf, gguf_architectures,
        yarn_magnitude,
    },
    weights::WeightSource,
};

/// Largest count that any model has; keeps products of counts far from overflow.
const LARGEST_COUNT: u64 = 1 << 24;
/// Architectures that are read key by key, for files from before 2024 that have fewer.
const LLAMA_KEYS: [&str; 3] = ["llama", "qwen2", "qwen3"];
/// llama.cpp's where a file has no `rope.freq_base`.
const DEFAULT_THETA: f64 = 10_000.0;

pub(super) fn read_arch(file: &GgufSource<'_>) -> Result<Arch, GgufError> {
    let name = text(file, "general.architecture")?;
    let family = family_of_gguf(name).ok_or_else(|| GgufError::Architecture {
        found: name.to_owned(),
        supported: gguf_architectures().join(", "),
    })?;
    let keys = Keys { file, name };
    keys.refuse_experts()?;
    refuse_parts(file)?;
    let vocab_size = vocab_size(&keys)?;
    if !LLAMA_KEYS.contains(&name) {
        return of_config(&keys, family, vocab_size);
    }
    let d_model = keys.count("embedding_length")?;
    let n_layers = n_layers(&keys)?;
    let n_heads = keys.count("attention.head_count")?;
    let head_dim = match keys.optional_count("attention.key_length")? {
        Some(head_dim) => head_dim,
        None => d_model / n_heads,
    };
    let window = keys.optional_count("attention.sliding_window")?;
    let theta = keys.optional_float("rope.freq_base")?;
    let (scaling, attention_factor) = match read_yarn(&keys)? {
        Some(yarn) => yarn,
        None => (read_scaling(&keys, head_dim)?, 1.0),
    };
    let norm = NormSpec {
        kind: NormKind::Rms,
        eps: keys.float("attention.layer_norm_rms_epsilon")?,
        plus_one: false,
        has_bias: false,
    };
    let has = |tensor: &str| file.tensors().contains_key(tensor);
    let has_row = |id: &u32| (*id as usize) < vocab_size;
    let arch = Arch {
        family,
        vocab_size,
        d_model,
        n_layers,
        n_heads,
        n_kv_heads: keys
            .optional_count("attention.head_count_kv")?
            .unwrap_or(n_heads),
        head_dim,
        d_ff: keys.count("feed_forward_length")?,
        embedding: EmbeddingSpec {
            scale: 1.0,
            n_positions: None,
        },
        norm,
        block: BlockSpec {
            shape: BlockShape::Sequential,
            residual_scale: 1.0,
        },
        attention: AttentionSpec {
            qkv: QkvLayout::Separate,
            qkv_bias: has("blk.0.attn_q.bias"),
            o_bias: has("blk.0.attn_output.bias"),
            qk_norm: has("blk.0.attn_q_norm.weight").then_some(QkNormSpec {
                norm,
                over: QkNormOver::Head,
            }),
            scale: (head_dim as f64).powf(-0.5),
            softcap: None,
            has_alibi: false,
        },
        mlp: MlpSpec {
            layout: MlpLayout::Gated,
            activation: Activation::Silu,
            has_bias: has("blk.0.ffn_up.bias"),
        },
        logits: LogitsSpec {
            has_bias: false,
            divisor: 1.0,
            softcap: None,
        },
        ropes: vec![RopeSpec {
            scaling,
            attention_factor,
            ..RopeSpec::plain(theta.unwrap_or(DEFAULT_THETA), head_dim)
        }],
        layers: vec![
            LayerSpec {
                window,
                rope: Some(0)
            };
            n_layers
        ],
        tie_embeddings: !has("output.weight"),
        max_positions: keys.count("context_length")?,
        bos_token_id: token_id(file, "bos").filter(has_row),
        eos_token_ids: end_ids(file).into_iter().filter(has_row).collect(),
    };
    check_heads(&keys, &arch)?;
    Ok(arch)
}

/// The other families, by the config.json that the file stands for.
fn of_config(keys: &Keys<'_, '_>, family: Family, vocab_size: usize) -> Result<Arch, GgufError> {
    n_layers(keys)?;
    let facts = Facts { keys, vocab_size };
    let settings = config_of_gguf(family, &facts);
    let arch = Arch::from_settings(settings).map_err(|error| GgufError::Arch {
        reason: error.to_string(),
    });
    let mut arch = arch?;
    // The file has the one in the weights.
    arch.norm.plus_one = false;
    if let Some(qk_norm) = &mut arch.attention.qk_norm {
        qk_norm.norm.plus_one = false;
    }
    let has_row = |id: &u32| (*id as usize) < vocab_size;
    arch.bos_token_id = token_id(keys.file, "bos").filter(has_row);
    arch.eos_token_ids = end_ids(keys.file).into_iter().filter(has_row).collect();
    Ok(arch)
}

struct Facts<'k> {
    keys: &'k Keys<'k, 'k>,
    vocab_size: usize,
}

impl GgufFacts for Facts<'_> {
    fn number(&self, key: &str) -> Option<f64> {
        let (_, value) = self.keys.optional(key)?;
        value.as_f64().or_else(|| Some(value.as_u64()? as f64))
    }

    fn flag(&self, key: &str) -> Option<bool> {
        match self.keys.optional(key)?.1 {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    fn rope_scaling(&self) -> Option<String> {
        let (_, value) = self.keys.optional("rope.scaling.type")?;
        Some(value.as_str()?.to_owned())
    }

    fn has_tensor(&self, name: &str) -> bool {
        self.keys.file.tensors().contains_key(name)
    }

    fn vector(&self, name: &str) -> Option<Vec<f32>> {
        // One that cannot be read is found again, and named, when all tensors are looked at.
        Some(self.keys.file.tensor(name).ok()?.to_f32())
    }

    fn vocab_size(&self) -> usize {
        self.vocab_size
    }
}

/// The keys of one architecture.
struct Keys<'f, 'a> {
    file: &'f GgufSource<'a>,
    name: &'f str,
}

impl Keys<'_, '_> {
    fn optional(&self, key: &str) -> Option<(String, &Value)> {
        let key = format!("{}.{key}", self.name);
        let value = self.file.metadata().get(&key)?;
        Some((key, value))
    }

    fn count(&self, key: &str) -> Result<usize, GgufError> {
        let missing = || GgufError::MissingKey {
            key: format!("{}.{key}", self.name),
        };
        self.optional_count(key)?.ok_or_else(missing)
    }

    fn optional_count(&self, key: &str) -> Result<Option<usize>, GgufError> {
        let Some((key, value)) = self.optional(key) else {
            return Ok(None);
        };
        value
            .as_u64()
            .filter(|n| (1..=LARGEST_COUNT).contains(n))
            .and_then(|n| usize::try_from(n).ok())
            .map(Some)
            .ok_or_else(|| wrong(&key, value, "a whole number from 1 to 2^24"))
    }

    fn float(&self, key: &str) -> Result<f64, GgufError> {
        let missing = || GgufError::MissingKey {
            key: format!("{}.{key}", self.name),
        };
        self.optional_float(key)?.ok_or_else(missing)
    }

    fn optional_float(&self, key: &str) -> Result<Option<f64>, GgufError> {
        let Some((key, value)) = self.optional(key) else {
            return Ok(None);
        };
        value
            .as_f64()
            .filter(|x| x.is_finite() && *x > 0.0)
            .map(Some)
            .ok_or_else(|| wrong(&key, value, "a positive number"))
    }

    fn refuse_experts(&self) -> Result<(), GgufError> {
        match self.optional("expert_count") {
            Some((key, value)) if value.as_u64() != Some(0) => Err(wrong(
                &key,
                value,
                "no experts: only dense models are supported",
            )),
            _ => Ok(()),
        }
    }
}

/// Files of more than some gigabytes are cut in parts; the others would have to be asked for.
fn refuse_parts(file: &GgufSource<'_>) -> Result<(), GgufError> {
    const KEY: &str = "split.count";
    match file.metadata().get(KEY) {
        Some(value) if value.as_u64() > Some(1) => Err(wrong(
            KEY,
            value,
            "one whole file: join the parts with `llama-gguf-split --merge`",
        )),
        _ => Ok(()),
    }
}

/// A layer has tensors, so that no count makes work without bound.
fn n_layers(keys: &Keys<'_, '_>) -> Result<usize, GgufError> {
    let n_layers = keys.count("block_count")?;
    if n_layers <= keys.file.tensors().len() {
        return Ok(n_layers);
    }
    Err(GgufError::WrongValue {
        key: format!("{}.block_count", keys.name),
        found: n_layers.to_string(),
        expected: "fewer layers than the file has tensors",
    })
}

/// The rows of the embedding say it; published files often have no key for it.
fn vocab_size(keys: &Keys<'_, '_>) -> Result<usize, GgufError> {
    const EMBEDDING: &str = "token_embd.weight";
    let rows = keys.file.tensors().get(EMBEDDING);
    let rows = rows.and_then(|tensor| tensor.shape.first()).copied();
    let n_rows = rows.ok_or_else(|| GgufError::Tensor {
        name: EMBEDDING.to_owned(),
        reason: "it is not in the file; the file is no model, or not its first part".to_owned(),
    })?;
    match keys.optional_count("vocab_size")? {
        Some(n) if n != n_rows => Err(GgufError::Tensor {
            name: EMBEDDING.to_owned(),
            reason: format!("it has {n_rows} rows, `{}.vocab_size` is {n}", keys.name),
        }),
        _ => Ok(n_rows),
    }
}

/// YaRN, and what it scales cosines and sines by.
fn read_yarn(keys: &Keys<'_, '_>) -> Result<Option<(RopeScaling, f64)>, GgufError> {
    let kind = keys.optional("rope.scaling.type");
    if kind.is_none_or(|(_, value)| value.as_str() != Some("yarn")) {
        return Ok(None);
    }
    let factor = keys.float("rope.scaling.factor")?;
    let original = match keys.optional_count("rope.scaling.original_context_length")? {
        Some(original) => original,
        None => keys.count("context_length")?,
    };
    let beta = |key: &str| keys.optional_float(&format!("rope.scaling.yarn_beta_{key}"));
    let scaling = RopeScaling::Yarn {
        factor,
        beta_fast: beta("fast")?.unwrap_or(32.0),
        beta_slow: beta("slow")?.unwrap_or(1.0),
        original_max_positions: original as f64,
        truncate: true,
    };
    Ok(Some((scaling, yarn_magnitude(factor))))
}

/// Factors per frequency stand in a tensor, a factor for all in the metadata; both may be there.
fn read_scaling(keys: &Keys<'_, '_>, head_dim: usize) -> Result<RopeScaling, GgufError> {
    let linear = linear_factor(keys)?;
    if !keys.file.tensors().contains_key(ROPE_FACTORS) {
        return Ok(match linear {
            1.0 => RopeScaling::None,
            factor => RopeScaling::Linear { factor },
        });
    }
    let factors = keys.file.tensor(ROPE_FACTORS)?.to_f32();
    let usable = |factor: &f32| factor.is_finite() && *factor > 0.0;
    if factors.len() != head_dim / 2 || !factors.iter().all(usable) {
        return Err(GgufError::Tensor {
            name: ROPE_FACTORS.to_owned(),
            reason: format!(
                "it holds {} factors, expected {} positive ones",
                factors.len(),
                head_dim / 2
            ),
        });
    }
    let factors = factors.iter().map(|factor| factor * linear as f32);
    Ok(RopeScaling::Factors(factors.collect()))
}

fn linear_factor(keys: &Keys<'_, '_>) -> Result<f64, GgufError> {
    if let Some((key, value)) = keys.optional("rope.scaling.type") {
        match value.as_str() {
            Some("none") => return Ok(1.0),
            Some("linear") => {}
            _ => return Err(wrong(&key, value, "`none` or `linear`")),
        }
    }
    // Files before 2023-10 have the second spelling.
    let factor = match keys.optional("rope.scaling.factor") {
        Some((_, Value::F32(0.0))) => None,
        Some(_) => keys.optional_float("rope.scaling.factor")?,
        None => keys.optional_float("rope.scale_linear")?,
    };
    Ok(factor.unwrap_or(1.0))
}

fn check_heads(keys: &Keys<'_, '_>, arch: &Arch) -> Result<(), GgufError> {
    let wrong_count = |key: &str, found: usize, expected: &'static str| GgufError::WrongValue {
        key: format!("{}.{key}", keys.name),
        found: found.to_string(),
        expected,
    };
    if !arch.n_heads.is_multiple_of(arch.n_kv_heads) {
        let expected = "a divisor of the number of heads";
        return Err(wrong_count(
            "attention.head_count_kv",
            arch.n_kv_heads,
            expected,
        ));
    }
    if arch.head_dim == 0 || !arch.head_dim.is_multiple_of(2) {
        let expected = "a positive even width of heads";
        return Err(wrong_count("attention.key_length", arch.head_dim, expected));
    }
    for key in ["attention.value_length", "rope.dimension_count"] {
        match keys.optional_count(key)? {
            Some(n) if n != arch.head_dim => {
                return Err(wrong_count(key, n, "the width of a key"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Ids after which an answer is complete, the most usual first.
fn end_ids(file: &GgufSource<'_>) -> Vec<u32> {
    let mut ids = Vec::new();
    for kind in ["eos", "eot", "eom"] {
        if let Some(id) = token_id(file, kind).filter(|id| !ids.contains(id)) {
            ids.push(id);
        }
    }
    ids
}

fn token_id(file: &GgufSource<'_>, kind: &str) -> Option<u32> {
    let key = format!("tokenizer.ggml.{kind}_token_id");
    file.metadata().get(&key)?.as_u64()?.try_into().ok()
}

fn text<'f>(file: &'f GgufSource<'_>, key: &str) -> Result<&'f str, GgufError> {
    let value = file.value(key)?;
    value.as_str().ok_or_else(|| wrong(key, value, "a string"))
}

/// Long values (arrays) are cut to what fits a line.
fn wrong(key: &str, found: &Value, expected: &'static str) -> GgufError {
    let mut found = format!("{found:?}");
    if let Some((cut, _)) = found.char_indices().nth(60) {
        found.truncate(cut);
        found.push('…');
    }
    GgufError::WrongValue {
        key: key.to_owned(),
        found,
        expected,
    }
}
