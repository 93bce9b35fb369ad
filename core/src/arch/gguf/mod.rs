//! What GGUF calls the families and their tensors, and which rows it stores in another order.
//!
//! llama.cpp rotates neighbouring values of a head under some architectures (`llama`) and halves
//! against each other under the others. Checkpoints here always mean halves, so for the former the
//! rows of q and k are interleaved on the way out and put back on the way in: GGUF row `2 i + j` of
//! a head is checkpoint row `j k/2 + i`, k being the head's width. A joint module of queries, keys
//! and values always has all queries first in GGUF, then all keys, then all values.
//! Norms of single heads, a vector each in a checkpoint, are the rows of one matrix there.

mod config;
mod obstacle;
#[cfg(test)]
mod tests;

pub use config::{GgufFacts, config_of_gguf};
pub use obstacle::yarn_magnitude;

use super::{
    Arch, BlockModule, BlockShape, Family, LinearRole, Module, NormPlace, Part, QkvLayout,
};

/// GGUF's names of families that llama.cpp's converter knows by one name each.
const ARCHITECTURES: [(&str, Family); 16] = [
    // Mistral's first models are Llama's computation; GGUF files of them say `llama`.
    ("llama", Family::Llama),
    ("qwen2", Family::Qwen2),
    ("qwen3", Family::Qwen3),
    ("gptneox", Family::GptNeox),
    ("phi2", Family::Phi),
    ("phi3", Family::Phi3),
    ("stablelm", Family::StableLm),
    ("gemma", Family::Gemma),
    ("gemma2", Family::Gemma2),
    ("gemma3", Family::Gemma3Text),
    ("falcon", Family::Falcon),
    ("starcoder", Family::GptBigCode),
    ("starcoder2", Family::Starcoder2),
    ("smollm3", Family::SmolLm3),
    ("olmo2", Family::Olmo2),
    ("granite", Family::Granite),
];

/// What `general.architecture` may be.
pub fn gguf_architectures() -> Vec<&'static str> {
    ARCHITECTURES.map(|(name, _)| name).to_vec()
}

/// The family whose computation `general.architecture` names.
pub fn family_of_gguf(architecture: &str) -> Option<Family> {
    let mut known = ARCHITECTURES.into_iter();
    let (_, family) = known.find(|(name, _)| *name == architecture)?;
    Some(family)
}

impl Arch {
    /// `general.architecture` of a GGUF file of this model.
    pub fn gguf_architecture(&self) -> &'static str {
        let mut known = ARCHITECTURES.into_iter();
        let found = known.find(|(_, family)| *family == self.family);
        found.map_or("llama", |(name, _)| name)
    }

    /// Whether a file of this architecture says whether attention and feed-forward stand side by
    /// side.
    pub fn gguf_says_parallel(&self) -> bool {
        matches!(self.family, Family::GptNeox | Family::StableLm)
    }

    /// Whether llama.cpp has windows under this architecture. Phi 3's it reads and switches off.
    pub fn gguf_has_windows(&self) -> bool {
        matches!(self.family, Family::Gemma2 | Family::Gemma3Text)
    }

    /// Whether a file of this architecture says how wide its windows are.
    pub fn gguf_says_window(&self) -> bool {
        self.gguf_has_windows() || self.family == Family::Phi3
    }

    /// Whether a file of this architecture says by what embeddings, scores, residuals and logits
    /// are multiplied.
    pub fn gguf_says_multipliers(&self) -> bool {
        self.family == Family::Granite
    }

    /// GGUF's name of a checkpoint tensor; that of a head is a row of it ([`Self::gguf_row`]).
    pub fn gguf_tensor_name(&self, checkpoint_name: &str) -> Option<String> {
        let (module, part) = self.tensor_at(checkpoint_name)?;
        let path = match module {
            Module::Embedding => "token_embd".to_owned(),
            Module::Positions => "position_embd".to_owned(),
            Module::FinalNorm => "output_norm".to_owned(),
            Module::Head => "output".to_owned(),
            Module::Block(layer_idx, module) => {
                format!("blk.{layer_idx}.{}", self.gguf_module(module))
            }
        };
        Some(format!("{path}.{}", part.name()))
    }

    /// Which row of the GGUF tensor a checkpoint tensor is, and of how many; `None` where it is the
    /// whole.
    pub fn gguf_row(&self, checkpoint_name: &str) -> Option<(usize, usize)> {
        match self.tensor_at(checkpoint_name)?.0 {
            Module::Block(_, BlockModule::QueryNorm { head }) => Some((head?, self.n_heads)),
            Module::Block(_, BlockModule::KeyNorm { head }) => Some((head?, self.n_kv_heads)),
            _ => None,
        }
    }

    /// GGUF's name for a module of a block.
    fn gguf_module(&self, module: BlockModule) -> &'static str {
        // Falcon with two norms: the second one of the file is the one before attention.
        let two_norms = self.family == Family::Falcon && self.block.shape == BlockShape::Parallel;
        match module {
            BlockModule::Norm(NormPlace::BeforeAttention) if two_norms => "attn_norm_2",
            BlockModule::Norm(NormPlace::BeforeMlp) if two_norms => "attn_norm",
            BlockModule::Norm(NormPlace::BeforeAttention) => "attn_norm",
            BlockModule::Norm(NormPlace::AfterAttention) => "post_attention_norm",
            BlockModule::Norm(NormPlace::BeforeMlp) => "ffn_norm",
            BlockModule::Norm(NormPlace::AfterMlp) => "post_ffw_norm",
            BlockModule::Linear(LinearRole::Query) => "attn_q",
            BlockModule::Linear(LinearRole::Key) => "attn_k",
            BlockModule::Linear(LinearRole::Value) => "attn_v",
            BlockModule::Linear(LinearRole::QueryKeyValue) => "attn_qkv",
            BlockModule::Linear(LinearRole::AttentionOutput) => "attn_output",
            BlockModule::Linear(LinearRole::Gate) => "ffn_gate",
            BlockModule::Linear(LinearRole::Up | LinearRole::GateUp) => "ffn_up",
            BlockModule::Linear(LinearRole::Down) => "ffn_down",
            BlockModule::QueryNorm { .. } => "attn_q_norm",
            BlockModule::KeyNorm { .. } => "attn_k_norm",
        }
    }

    /// Which checkpoint row each row of the GGUF tensor is; `None` where the order is the same.
    pub fn gguf_rows(&self, checkpoint_name: &str) -> Option<Vec<usize>> {
        let Module::Block(_, BlockModule::Linear(role)) = self.tensor_at(checkpoint_name)?.0 else {
            return None;
        };
        let k = self.head_dim;
        let interleaved = |n_heads: usize| {
            let row = move |row: usize| row / k * k + row % 2 * (k / 2) + row % k / 2;
            (0..n_heads * k).map(row).collect()
        };
        match role {
            LinearRole::Query if self.gguf_interleaves() => Some(interleaved(self.n_heads)),
            LinearRole::Key if self.gguf_interleaves() => Some(interleaved(self.n_kv_heads)),
            LinearRole::QueryKeyValue if self.attention.qkv == QkvLayout::Grouped => {
                let heads = self.fused_heads();
                let heads = [heads.q, heads.k, heads.v].concat();
                let rows = heads.iter().flat_map(|head| head * k..(head + 1) * k);
                Some(rows.collect())
            }
            _ => None,
        }
    }

    /// Whether the GGUF tensor is the weight of a norm to which the one was added that a checkpoint
    /// leaves out.
    pub fn gguf_adds_one(&self, checkpoint_name: &str) -> bool {
        match self.tensor_at(checkpoint_name) {
            Some((module, Part::Weight)) => self.norm.plus_one && module.is_norm(),
            _ => false,
        }
    }

    fn gguf_interleaves(&self) -> bool {
        matches!(
            self.family,
            Family::Llama | Family::Mistral | Family::SmolLm3 | Family::Granite
        )
    }
}
