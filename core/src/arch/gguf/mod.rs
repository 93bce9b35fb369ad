//! What GGUF calls the families and their tensors, and which rows it stores in another order.
//!
//! llama.cpp rotates neighbouring values of a head under the architecture `llama` and halves
//! against each other under `qwen2` and `qwen3`. Checkpoints here always mean halves, so for
//! `llama` the rows of q and k are interleaved on the way out and put back on the way in:
//! GGUF row `2 i + j` of a head is checkpoint row `j k/2 + i`, k being the head's width.

use super::{Arch, BlockModule, Family, LinearRole, Module, NormPlace};

impl Arch {
    /// `general.architecture` of a GGUF file of this model; `None` where no mapping is known.
    pub fn gguf_architecture(&self) -> Option<&'static str> {
        match self.family {
            // Mistral's first models are Llama's computation; GGUF files of them say `llama`.
            Family::Llama | Family::Mistral => Some("llama"),
            Family::Qwen2 => Some("qwen2"),
            Family::Qwen3 => Some("qwen3"),
            _ => None,
        }
    }

    /// GGUF's name of a checkpoint tensor.
    pub fn gguf_tensor_name(&self, checkpoint_name: &str) -> Option<String> {
        self.gguf_architecture()?;
        let (module, part) = self.tensor_at(checkpoint_name)?;
        let path = match module {
            Module::Embedding => "token_embd".to_owned(),
            Module::FinalNorm => "output_norm".to_owned(),
            Module::Head => "output".to_owned(),
            Module::Positions => return None,
            Module::Block(layer_idx, module) => format!("blk.{layer_idx}.{}", inside(module)?),
        };
        Some(format!("{path}.{}", part.name()))
    }

    /// Heads whose rows a GGUF file of this model stores interleaved, where it does.
    pub fn gguf_interleaved_heads(&self, checkpoint_name: &str) -> Option<usize> {
        if self.gguf_architecture() != Some("llama") {
            return None;
        }
        match self.tensor_at(checkpoint_name)?.0 {
            Module::Block(_, BlockModule::Linear(LinearRole::Query)) => Some(self.n_heads),
            Module::Block(_, BlockModule::Linear(LinearRole::Key)) => Some(self.n_kv_heads),
            _ => None,
        }
    }
}

/// GGUF's name for a module of a block.
fn inside(module: BlockModule) -> Option<&'static str> {
    Some(match module {
        BlockModule::Norm(NormPlace::BeforeAttention) => "attn_norm",
        BlockModule::Norm(NormPlace::BeforeMlp) => "ffn_norm",
        BlockModule::Linear(LinearRole::Query) => "attn_q",
        BlockModule::Linear(LinearRole::Key) => "attn_k",
        BlockModule::Linear(LinearRole::Value) => "attn_v",
        BlockModule::Linear(LinearRole::AttentionOutput) => "attn_output",
        BlockModule::Linear(LinearRole::Gate) => "ffn_gate",
        BlockModule::Linear(LinearRole::Up) => "ffn_up",
        BlockModule::Linear(LinearRole::Down) => "ffn_down",
        BlockModule::QueryNorm { head: None } => "attn_q_norm",
        BlockModule::KeyNorm { head: None } => "attn_k_norm",
        _ => return None,
    })
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
            "num_attention_heads": 2, "num_key_value_heads": 2, "num_hidden_layers": 2,
            "intermediate_size": 8, "attention_bias": true}"#;
        let arch = Arch::from_json(config).unwrap();
        let names: Vec<_> = arch
            .tensors()
            .iter()
            .map(|tensor| arch.gguf_tensor_name(&tensor.name))
            .collect();
        assert!(names.iter().all(Option::is_some), "{names:?}");
        assert!(names.contains(&Some("blk.1.attn_q_norm.weight".into())));
        assert!(names.contains(&Some("blk.0.attn_output.bias".into())));
        assert_eq!(
            arch.gguf_tensor_name("model.layers.0.self_attn.rotary_emb.inv_freq"),
            None
        );
    }
}
