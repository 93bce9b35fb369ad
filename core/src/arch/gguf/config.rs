//! The metadata of a GGUF file as the config.json of its family.
//!
//! A file is read by the functions that read config.json, so that what a family is stands in one
//! place. Where a file says less than a config.json, its tensors tell the rest.

use serde_json::{Map, Value, json};

use super::{super::Family, obstacle::gemma_scalar};

/// What is asked of a file.
pub trait GgufFacts {
    /// A count or a number under the architecture, such as `attention.head_count`.
    fn number(&self, key: &str) -> Option<f64>;
    fn flag(&self, key: &str) -> Option<bool>;
    /// `none`, `linear`, `yarn` or what else `rope.scaling.type` is.
    fn rope_scaling(&self) -> Option<String>;
    fn has_tensor(&self, name: &str) -> bool;
    /// The values of a vector.
    fn vector(&self, name: &str) -> Option<Vec<f32>>;
    fn vocab_size(&self) -> usize;
}

/// The config.json that a file of a family stands for.
pub fn config_of_gguf(family: Family, file: &dyn GgufFacts) -> Value {
    let mut config = Reader {
        file,
        config: Map::new(),
    };
    config.sizes(family);
    config.rotation(family);
    config.of_family(family);
    Value::Object(config.config)
}

struct Reader<'f> {
    file: &'f dyn GgufFacts,
    config: Map<String, Value>,
}

impl Reader<'_> {
    fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.config.insert(field.to_owned(), value.into());
    }

    fn count(&self, key: &str) -> Option<usize> {
        let number = self.file.number(key)?;
        (number >= 1.0 && number.fract() == 0.0).then_some(number as usize)
    }

    fn copy_count(&mut self, field: &str, key: &str) {
        if let Some(count) = self.count(key) {
            self.set(field, count);
        }
    }

    /// Null where the file does not have it.
    fn copy_number(&mut self, field: &str, key: &str) {
        self.set(
            field,
            self.file.number(key).map_or(Value::Null, Value::from),
        );
    }

    fn has_first(&self, tensor: &str) -> bool {
        self.file.has_tensor(&format!("blk.0.{tensor}"))
    }

    fn sizes(&mut self, family: Family) {
        self.set("model_type", family.model_type());
        self.set("vocab_size", self.file.vocab_size());
        self.copy_count("hidden_size", "embedding_length");
        self.copy_count("num_hidden_layers", "block_count");
        self.copy_count("num_attention_heads", "attention.head_count");
        self.copy_count("num_key_value_heads", "attention.head_count");
        self.copy_count("num_key_value_heads", "attention.head_count_kv");
        self.copy_count("intermediate_size", "feed_forward_length");
        self.copy_count("max_position_embeddings", "context_length");
        let tied = !self.file.has_tensor("output.weight");
        self.set("tie_word_embeddings", tied);
        self.set("head_dim", self.head_dim());
        for field in ["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"] {
            self.copy_number(field, "attention.layer_norm_epsilon");
        }
        self.copy_number("rms_norm_eps", "attention.layer_norm_rms_epsilon");
        for (field, tensor) in [
            ("attention_bias", "attn_output.bias"),
            ("mlp_bias", "ffn_up.bias"),
            ("use_qkv_bias", "attn_q.bias"),
            ("use_bias", "attn_q.bias"),
        ] {
            let has = self.has_first(tensor);
            self.set(field, has);
        }
    }

    fn head_dim(&self) -> usize {
        let d_model = self.count("embedding_length").unwrap_or_default();
        let divided = d_model / self.count("attention.head_count").unwrap_or(1);
        self.count("attention.key_length").unwrap_or(divided)
    }

    fn rotation(&mut self, family: Family) {
        let head_dim = self.head_dim();
        if let Some(n_rotated) = self.count("rope.dimension_count") {
            // The share is multiplied with the width and cut: half a value more is safe.
            let share = (n_rotated as f64 + 0.5) / head_dim as f64;
            let partial = [Family::GptNeox, Family::Phi, Family::Phi3, Family::StableLm];
            if partial.contains(&family) {
                let share = if n_rotated == head_dim { 1.0 } else { share };
                self.set("partial_rotary_factor", share);
            }
        }
        let theta = self.file.number("rope.freq_base").unwrap_or(10_000.0);
        self.set("rope_theta", theta);
        self.set("rotary_emb_base", theta);
        let factor = self.file.number("rope.scaling.factor");
        let original = self.file.number("rope.scaling.original_context_length");
        let scaling = match self.file.rope_scaling().as_deref() {
            None | Some("none") => return,
            Some("longrope") if family == Family::Phi3 => return,
            Some(kind) => {
                let mut scaling = json!({ "rope_type": kind, "factor": factor });
                for (field, value) in [
                    ("original_max_position_embeddings", original),
                    ("beta_fast", self.file.number("rope.scaling.yarn_beta_fast")),
                    ("beta_slow", self.file.number("rope.scaling.yarn_beta_slow")),
                ] {
                    scaling[field] = json!(value);
                }
                scaling
            }
        };
        self.set("rope_scaling", scaling);
    }

    fn of_family(&mut self, family: Family) {
        match family {
            Family::GptNeox => {
                let parallel = self.file.flag("use_parallel_residual").unwrap_or(true);
                self.set("use_parallel_residual", parallel);
            }
            Family::StableLm => {
                let parallel = !self.has_first("ffn_norm.weight");
                self.set("use_parallel_residual", parallel);
                let has_norms = self.has_first("attn_q_norm.weight");
                self.set("qk_layernorm", has_norms);
            }
            Family::Phi3 => self.phi3(),
            Family::Gemma2 | Family::Gemma3Text => self.gemma(),
            Family::Falcon => self.falcon(),
            Family::GptBigCode => {
                let multi_query = self.count("attention.head_count_kv") == Some(1);
                self.set("multi_query", multi_query);
            }
            Family::Granite => {
                for (field, key) in [
                    ("embedding_multiplier", "embedding_scale"),
                    ("attention_multiplier", "attention.scale"),
                    ("residual_multiplier", "residual_scale"),
                    ("logits_scaling", "logit_scale"),
                ] {
                    self.copy_number(field, key);
                }
            }
            _ => {}
        }
        let llama_biases = [Family::Llama, Family::SmolLm3, Family::Granite];
        if !llama_biases.contains(&family) {
            self.config.remove("mlp_bias");
        }
        let own_biases = [Family::GptNeox, Family::Phi, Family::Starcoder2];
        if own_biases.contains(&family) || family == Family::GptBigCode {
            self.config.remove("attention_bias");
        }
        for (field, of) in [
            ("use_bias", Family::Starcoder2),
            ("use_qkv_bias", Family::StableLm),
        ] {
            if family != of {
                self.config.remove(field);
            }
        }
    }

    fn phi3(&mut self) {
        self.copy_count("sliding_window", "attention.sliding_window");
        let original = "rope.scaling.original_context_length";
        self.copy_count("original_max_position_embeddings", original);
        let factors = |name: &str| self.file.vector(&format!("rope_factors_{name}.weight"));
        if let (Some(short), Some(long)) = (factors("short"), factors("long")) {
            let mut scaling = json!({
                "rope_type": "longrope", "short_factor": short, "long_factor": long,
            });
            if let Some(factor) = self.file.number("rope.scaling.attn_factor") {
                scaling["attention_factor"] = json!(factor);
            }
            self.set("rope_scaling", scaling);
        }
    }

    fn gemma(&mut self) {
        self.copy_number("attn_logit_softcapping", "attn_logit_softcapping");
        self.copy_number("final_logit_softcapping", "final_logit_softcapping");
        self.copy_count("sliding_window", "attention.sliding_window");
        if let Some(theta) = self.file.number("rope.freq_base_swa") {
            self.set("rope_local_base_freq", theta);
        }
        let d_model = self.count("embedding_length").unwrap_or_default();
        let divided = d_model / self.count("attention.head_count").unwrap_or(1);
        let n_layers = self.count("block_count").unwrap_or_default();
        let scalar = gemma_scalar(n_layers, divided, self.head_dim());
        self.set("query_pre_attn_scalar", scalar);
    }

    fn falcon(&mut self) {
        let two_norms = self.has_first("attn_norm_2.weight");
        let n_kv_heads = self.count("attention.head_count_kv").unwrap_or(1);
        self.set("new_decoder_architecture", two_norms || n_kv_heads > 1);
        self.set("num_ln_in_parallel_attn", if two_norms { 2 } else { 1 });
        self.set("num_kv_heads", n_kv_heads);
    }
}
