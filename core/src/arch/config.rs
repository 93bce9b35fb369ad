//! Reading Hugging Face's `config.json`, in transformers 4's and 5's spelling.

use serde::Deserialize;

use super::{Arch, Family, RopeScaling, RopeSpec};

/// Why a config.json does not describe a model that Veneer runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchError {
    #[error("config.json is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),

    #[error("config.json has no `{field}`; expected {expected}")]
    Missing {
        field: &'static str,
        expected: &'static str,
    },

    #[error("model type `{found}` is not supported (supported: {supported})")]
    Family { found: String, supported: String },

    #[error("config.json field `{field}` is {found}, expected {expected}")]
    Field {
        field: &'static str,
        found: String,
        expected: String,
    },
}

/// The fields that decide numbers. Everything else in config.json is left alone.
#[derive(Debug, Deserialize)]
struct HfConfig {
    model_type: Option<String>,
    vocab_size: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    num_attention_heads: Option<usize>,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: Option<String>,
    rms_norm_eps: Option<f64>,
    rope_theta: Option<f64>,
    rope_scaling: Option<RopeConfig>,
    rope_parameters: Option<RopeConfig>,
    max_position_embeddings: Option<usize>,
    /// Absent means transformers' default for the families that have windows; null means none.
    #[serde(default = "default_window")]
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    max_window_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    tie_word_embeddings: Option<bool>,
    bos_token_id: Option<OneOrMany>,
    eos_token_id: Option<OneOrMany>,
    quantization_config: Option<serde_json::Value>,
}

fn default_window() -> Option<usize> {
    Some(4096)
}

#[derive(Debug, Default, Deserialize)]
struct RopeConfig {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
    /// The older spelling of `rope_type`.
    #[serde(rename = "type")]
    kind: Option<String>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

impl OneOrMany {
    fn ids(self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![id],
            Self::Many(ids) => ids,
        }
    }
}

/// More layers, heads or columns than any model has: refuse before anything is allocated.
const MAX_COUNT: usize = 1 << 24;

impl Arch {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// Unknown families (the supported ones are listed), missing fields, and values that cannot
    /// describe a model.
    pub fn from_json(config_json: &[u8]) -> Result<Self, ArchError> {
        Self::from_hf(serde_json::from_slice(config_json)?)
    }

    fn from_hf(config: HfConfig) -> Result<Self, ArchError> {
        let family = family(config.model_type.as_deref())?;
        let need = |value: Option<usize>, field| count(value, field);
        let d_model = need(config.hidden_size, "hidden_size")?;
        let n_heads = need(config.num_attention_heads, "num_attention_heads")?;
        let n_layers = need(config.num_hidden_layers, "num_hidden_layers")?;
        let rope = rope(
            config.rope_parameters.or(config.rope_scaling),
            config.rope_theta,
        )?;
        if let Some(quantization) = &config.quantization_config {
            return Err(field(
                "quantization_config",
                quantization.to_string(),
                "no quantization: train on the F16, BF16 or F32 checkpoint",
            ));
        }
        if let Some(act) = config
            .hidden_act
            .filter(|act| act != "silu" && act != "swish")
        {
            return Err(field("hidden_act", format!("`{act}`"), "`silu`"));
        }

        let window = match family {
            Family::Llama => None,
            Family::Mistral => config.sliding_window,
            Family::Qwen2 | Family::Qwen3 => config
                .sliding_window
                .filter(|_| config.use_sliding_window == Some(true)),
        };
        // A window of Qwen's starts at `max_window_layers`; transformers 5 spells it per layer.
        let first_windowed = match family {
            Family::Llama | Family::Mistral => 0,
            Family::Qwen2 | Family::Qwen3 => config.max_window_layers.unwrap_or(28),
        };
        let windows = (0..n_layers)
            .map(
                |layer_idx| match config.layer_types.as_ref().and_then(|t| t.get(layer_idx)) {
                    Some(kind) => window.filter(|_| kind == "sliding_attention"),
                    None => window.filter(|_| layer_idx >= first_windowed),
                },
            )
            .collect();
        let attention_bias = config.attention_bias.unwrap_or(false);

        let arch = Self {
            family,
            vocab_size: need(config.vocab_size, "vocab_size")?,
            d_model,
            n_layers,
            n_heads,
            n_kv_heads: config.num_key_value_heads.unwrap_or(n_heads),
            head_dim: match config.head_dim {
                Some(head_dim) => head_dim,
                // Qwen3's default is a constant, whatever the width.
                None if family == Family::Qwen3 => 128,
                None => d_model / n_heads,
            },
            d_ff: need(config.intermediate_size, "intermediate_size")?,
            norm_eps: config.rms_norm_eps.unwrap_or(1e-6),
            rope,
            windows,
            qkv_bias: family == Family::Qwen2 || attention_bias,
            o_bias: family != Family::Qwen2 && attention_bias,
            mlp_bias: family == Family::Llama && config.mlp_bias.unwrap_or(false),
            qk_norm: family == Family::Qwen3,
            tie_embeddings: config.tie_word_embeddings.unwrap_or(false),
            max_positions: config.max_position_embeddings.unwrap_or(2048),
            bos_token_id: config
                .bos_token_id
                .and_then(|ids| ids.ids().first().copied()),
            eos_token_ids: config.eos_token_id.map(OneOrMany::ids).unwrap_or_default(),
        };
        arch.validated()
    }

    fn validated(self) -> Result<Self, ArchError> {
        if self.n_kv_heads == 0 || !self.n_heads.is_multiple_of(self.n_kv_heads) {
            let expected = format!("a divisor of num_attention_heads ({})", self.n_heads);
            return Err(field(
                "num_key_value_heads",
                self.n_kv_heads.to_string(),
                &expected,
            ));
        }
        if self.head_dim == 0 || !self.head_dim.is_multiple_of(2) || self.head_dim > MAX_COUNT {
            return Err(field(
                "head_dim",
                self.head_dim.to_string(),
                "a positive even number",
            ));
        }
        if !(self.norm_eps.is_finite() && self.norm_eps > 0.0) {
            return Err(field(
                "rms_norm_eps",
                self.norm_eps.to_string(),
                "a small positive number",
            ));
        }
        if self.windows.iter().flatten().any(|&window| window == 0) {
            return Err(field("sliding_window", "0".into(), "at least 1"));
        }
        Ok(self)
    }
}

fn family(model_type: Option<&str>) -> Result<Family, ArchError> {
    let expected = "the model's family, such as `llama`";
    let found = model_type.ok_or(ArchError::Missing {
        field: "model_type",
        expected,
    })?;
    Family::ALL
        .into_iter()
        .find(|family| family.model_type() == found)
        .ok_or_else(|| ArchError::Family {
            found: found.to_string(),
            supported: Family::ALL.map(Family::model_type).join(", "),
        })
}

fn count(value: Option<usize>, name: &'static str) -> Result<usize, ArchError> {
    match value {
        None => Err(ArchError::Missing {
            field: name,
            expected: "a positive number",
        }),
        Some(n) if n == 0 || n > MAX_COUNT => {
            Err(field(name, n.to_string(), &format!("1 to {MAX_COUNT}")))
        }
        Some(n) => Ok(n),
    }
}

fn rope(config: Option<RopeConfig>, theta: Option<f64>) -> Result<RopeSpec, ArchError> {
    let config = config.unwrap_or_default();
    let theta = config.rope_theta.or(theta).unwrap_or(10_000.0);
    if !(theta.is_finite() && theta > 0.0) {
        return Err(field("rope_theta", theta.to_string(), "a positive number"));
    }
    let positive = |value: Option<f64>, name| match value {
        Some(x) if x.is_finite() && x > 0.0 => Ok(x),
        Some(x) => Err(field(name, x.to_string(), "a positive number")),
        None => Err(ArchError::Missing {
            field: name,
            expected: "a positive number",
        }),
    };
    let kind = config
        .rope_type
        .or(config.kind)
        .unwrap_or_else(|| "default".into());
    let scaling = match kind.as_str() {
        "default" => RopeScaling::None,
        "linear" => RopeScaling::Linear {
            factor: positive(config.factor, "rope_scaling.factor")?,
        },
        "llama3" => RopeScaling::Llama3 {
            factor: positive(config.factor, "rope_scaling.factor")?,
            low_freq_factor: positive(config.low_freq_factor, "rope_scaling.low_freq_factor")?,
            high_freq_factor: positive(config.high_freq_factor, "rope_scaling.high_freq_factor")?,
            original_max_positions: positive(
                config.original_max_position_embeddings,
                "rope_scaling.original_max_position_embeddings",
            )?,
        },
        other => {
            return Err(field(
                "rope_scaling.rope_type",
                format!("`{other}`"),
                "default, linear or llama3",
            ));
        }
    };
    Ok(RopeSpec { theta, scaling })
}

fn field(field: &'static str, found: String, expected: &str) -> ArchError {
    ArchError::Field {
        field,
        found,
        expected: expected.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLAMA: &str = r#"{"model_type":"llama","vocab_size":32,"hidden_size":16,
        "intermediate_size":24,"num_hidden_layers":2,"num_attention_heads":4"#;

    fn arch(rest: &str) -> Result<Arch, ArchError> {
        Arch::from_json(format!("{LLAMA}{rest}}}").as_bytes())
    }

    #[test]
    fn missing_fields_take_transformers_defaults() {
        let arch = arch("").unwrap();
        assert_eq!(
            (arch.n_kv_heads, arch.head_dim, arch.rope.theta),
            (4, 4, 10_000.0)
        );
        assert!(!arch.tie_embeddings);
    }

    #[test]
    fn both_spellings_of_rope_agree() {
        let old = arch(r#","rope_theta":5e5,"rope_scaling":{"type":"linear","factor":2.0}"#);
        let new =
            arch(r#","rope_parameters":{"rope_theta":5e5,"rope_type":"linear","factor":2.0}"#);
        assert_eq!(old.unwrap().rope, new.unwrap().rope);
    }

    #[test]
    fn qwen2_windows_only_when_asked_and_from_their_layer_on() {
        let qwen = LLAMA.replace("llama", "qwen2");
        let with = |rest: &str| Arch::from_json(format!("{qwen}{rest}}}").as_bytes()).unwrap();
        assert_eq!(with(r#","sliding_window":8"#).windows, [None, None]);
        let on = r#","sliding_window":8,"use_sliding_window":true,"max_window_layers":1"#;
        assert_eq!(with(on).windows, [None, Some(8)]);
    }

    #[test]
    fn says_which_families_are_known() {
        let error = Arch::from_json(br#"{"model_type":"mamba"}"#).unwrap_err();
        assert!(
            error.to_string().contains("llama, mistral, qwen2, qwen3"),
            "{error}"
        );
    }

    #[test]
    fn refuses_heads_that_cannot_be_shared() {
        let error = arch(r#","num_key_value_heads":3"#).unwrap_err();
        assert!(error.to_string().contains("num_key_value_heads"), "{error}");
    }
}
