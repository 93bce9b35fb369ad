//! What GGUF calls the families and their tensors, and which rows it stores in another order.
//!
//! llama.cpp rotates neighbouring values of a head under the architecture `llama` and halves
//! against each other under `qwen2` and `qwen3`. Checkpoints here always mean halves, so for
//! `llama` the rows of q and k are interleaved on the way out and put back on the way in:
//! GGUF row `2 i + j` of a head is checkpoint row `j k/2 + i`, k being the head's width.

use super::{Arch, Family};

/// GGUF's name for each tensor outside the blocks.
const OUTSIDE: [(&str, &str); 3] = [
    ("model.embed_tokens.weight", "token_embd.weight"),
    ("model.norm.weight", "output_norm.weight"),
    ("lm_head.weight", "output.weight"),
];

/// GGUF's name for each module of a block.
const INSIDE: [(&str, &str); 11] = [
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

impl Arch {
    /// `general.architecture` of a GGUF file of this model.
    pub fn gguf_architecture(&self) -> &'static str {
        match self.family {
            // Mistral's first models are Llama's computation; GGUF files of them say `llama`.
            Family::Llama | Family::Mistral => "llama",
            Family::Qwen2 => "qwen2",
            Family::Qwen3 => "qwen3",
        }
    }

    /// GGUF's name of a checkpoint tensor.
    pub fn gguf_tensor_name(checkpoint_name: &str) -> Option<String> {
        let outside = OUTSIDE.iter().find(|(name, _)| *name == checkpoint_name);
        if let Some((_, gguf)) = outside {
            return Some((*gguf).to_owned());
        }
        let rest = checkpoint_name.strip_prefix("model.layers.")?;
        let (layer, rest) = rest.split_once('.')?;
        let (module, kind) = rest.rsplit_once('.')?;
        let (_, gguf) = INSIDE.iter().find(|(name, _)| *name == module)?;
        Some(format!("blk.{layer}.{gguf}.{kind}"))
    }

    /// Heads whose rows a GGUF file of this model stores interleaved, where it does.
    pub fn gguf_interleaved_heads(&self, checkpoint_name: &str) -> Option<usize> {
        let (module, _) = checkpoint_name.rsplit_once('.')?;
        let interleaves = match self.family {
            Family::Llama | Family::Mistral => true,
            Family::Qwen2 | Family::Qwen3 => false,
        };
        if !interleaves {
            None
        } else if module.ends_with("self_attn.q_proj") {
            Some(self.n_heads)
        } else if module.ends_with("self_attn.k_proj") {
            Some(self.n_kv_heads)
        } else {
            None
        }
    }
}

/// What `general.architecture` may be.
pub const GGUF_ARCHITECTURES: [&str; 3] = ["llama", "qwen2", "qwen3"];

/// The family whose computation `general.architecture` names.
pub fn family_of_gguf(architecture: &str) -> Option<Family> {
    match architecture {
        "llama" => Some(Family::Llama),
        "qwen2" => Some(Family::Qwen2),
        "qwen3" => Some(Family::Qwen3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_architecture_has_a_family() {
        for name in GGUF_ARCHITECTURES {
            assert!(family_of_gguf(name).is_some(), "{name}");
        }
    }

    #[test]
    fn every_tensor_of_a_checkpoint_has_a_name() {
        let config = br#"{"model_type": "qwen3", "vocab_size": 8, "hidden_size": 8,
            "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 8,
            "attention_bias": true}"#;
        let arch = Arch::from_json(config).unwrap();
        let names: Vec<_> = arch
            .tensors()
            .iter()
            .map(|tensor| Arch::gguf_tensor_name(&tensor.name))
            .collect();
        assert!(names.iter().all(Option::is_some), "{names:?}");
        assert!(names.contains(&Some("blk.1.attn_q_norm.weight".into())));
        assert!(names.contains(&Some("blk.0.attn_output.bias".into())));
        assert_eq!(
            Arch::gguf_tensor_name("model.layers.0.self_attn.rotary_emb.inv_freq"),
            None
        );
    }
}
