//! Model families by the name that config.json gives them.

/// Families whose quirks this crate knows. What follows from them are fields of
/// [`Arch`](super::Arch).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    GptNeox,
    Phi,
    Phi3,
    StableLm,
    Gemma,
    Gemma2,
    Gemma3Text,
    Falcon,
    GptBigCode,
    Starcoder2,
    SmolLm3,
    Olmo2,
    Granite,
}

impl Family {
    pub const ALL: [Self; 17] = [
        Self::Llama,
        Self::Mistral,
        Self::Qwen2,
        Self::Qwen3,
        Self::GptNeox,
        Self::Phi,
        Self::Phi3,
        Self::StableLm,
        Self::Gemma,
        Self::Gemma2,
        Self::Gemma3Text,
        Self::Falcon,
        Self::GptBigCode,
        Self::Starcoder2,
        Self::SmolLm3,
        Self::Olmo2,
        Self::Granite,
    ];

    /// `model_type` of config.json.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::GptNeox => "gpt_neox",
            Self::Phi => "phi",
            Self::Phi3 => "phi3",
            Self::StableLm => "stablelm",
            Self::Gemma => "gemma",
            Self::Gemma2 => "gemma2",
            Self::Gemma3Text => "gemma3_text",
            Self::Falcon => "falcon",
            Self::GptBigCode => "gpt_bigcode",
            Self::Starcoder2 => "starcoder2",
            Self::SmolLm3 => "smollm3",
            Self::Olmo2 => "olmo2",
            Self::Granite => "granite",
        }
    }
}
