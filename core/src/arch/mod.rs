//! What a model is: `config.json` → [`Arch`]. The only place that knows model families.
//!
//! One definition drives training, export and the in-browser engine; what differs between
//! families is a field here, not a file elsewhere.

mod config;
mod gguf;
mod names;

pub use config::ArchError;
pub use gguf::{GGUF_ARCHITECTURES, family_of_gguf};
pub use names::{LINEAR_MODULES, LinearModule, TensorSpec};

/// Families whose quirks this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
}

impl Family {
    pub const ALL: [Self; 4] = [Self::Llama, Self::Mistral, Self::Qwen2, Self::Qwen3];

    /// `model_type` of config.json, which is also `general.architecture` of GGUF where that
    /// format knows the family by the same name.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
        }
    }
}

/// A decoder-only transformer. Counts and widths, all validated: no field is zero where a
/// model needs one, `n_heads` is a multiple of `n_kv_heads`, `head_dim` is even.
#[derive(Debug, Clone, PartialEq)]
pub struct Arch {
    pub family: Family,
    pub vocab_size: usize,
    pub d_model: usize,
    pub n_layers: usize,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    pub d_ff: usize,
    pub norm_eps: f64,
    pub rope: RopeSpec,
    /// Per layer: how many tokens back a query sees, itself included; `None` sees all.
    pub windows: Vec<Option<usize>>,
    pub qkv_bias: bool,
    pub o_bias: bool,
    pub mlp_bias: bool,
    /// Queries and keys are RMS-normalized per head before rotation.
    pub qk_norm: bool,
    /// The head is the transposed embedding.
    pub tie_embeddings: bool,
    pub max_positions: usize,
    pub bos_token_id: Option<u32>,
    /// Ids that end generation according to config.json.
    pub eos_token_ids: Vec<u32>,
}

/// Rotary position embedding, halves rotated against each other (GPT-NeoX pairing).
#[derive(Debug, Clone, PartialEq)]
pub struct RopeSpec {
    pub theta: f64,
    pub scaling: RopeScaling,
}

/// How frequencies are stretched for longer contexts.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    None,
    /// All frequencies divided by the factor.
    Linear {
        factor: f64,
    },
    /// Llama 3.1's: low frequencies divided, high ones kept, a smooth band between.
    Llama3 {
        factor: f64,
        low_freq_factor: f64,
        high_freq_factor: f64,
        original_max_positions: f64,
    },
    /// Each frequency divided by a factor of its own, `[head_dim / 2]`: what a GGUF file keeps of
    /// a formula.
    Factors(Vec<f32>),
}

impl RopeSpec {
    /// Angular frequency of each rotated pair, `[head_dim / 2]`, computed in f32 as
    /// transformers does (`modeling_rope_utils.py`).
    pub fn frequencies(&self, head_dim: usize) -> Vec<f32> {
        (0..head_dim / 2)
            .map(|pair| {
                let exponent = (2 * pair) as f32 / head_dim as f32;
                let frequency = 1.0 / (self.theta as f32).powf(exponent);
                self.scaling.stretch(frequency, pair)
            })
            .collect()
    }
}

impl RopeScaling {
    fn stretch(&self, frequency: f32, pair: usize) -> f32 {
        match *self {
            Self::None => frequency,
            Self::Linear { factor } => frequency / factor as f32,
            Self::Factors(ref factors) => factors
                .get(pair)
                .map_or(frequency, |factor| frequency / factor),
            Self::Llama3 {
                factor,
                low_freq_factor,
                high_freq_factor,
                original_max_positions,
            } => {
                let frequency = f64::from(frequency);
                let wavelength = std::f64::consts::TAU / frequency;
                let low_wavelength = original_max_positions / low_freq_factor;
                let high_wavelength = original_max_positions / high_freq_factor;
                let stretched = if wavelength > low_wavelength {
                    frequency / factor
                } else if wavelength < high_wavelength {
                    frequency
                } else {
                    let smooth = (original_max_positions / wavelength - low_freq_factor)
                        / (high_freq_factor - low_freq_factor);
                    (1.0 - smooth) * frequency / factor + smooth * frequency
                };
                stretched as f32
            }
        }
    }
}

impl Arch {
    /// Query heads that share one key/value head.
    pub fn heads_per_kv(&self) -> usize {
        self.n_heads / self.n_kv_heads
    }

    /// Width of all query heads together.
    pub fn d_q(&self) -> usize {
        self.n_heads * self.head_dim
    }

    /// Width of all key (or value) heads together.
    pub fn d_kv(&self) -> usize {
        self.n_kv_heads * self.head_dim
    }

    /// Parameters of the base model.
    pub fn n_parameters(&self) -> u64 {
        self.tensors()
            .iter()
            .map(|t| t.shape.iter().product::<usize>() as u64)
            .sum()
    }
}
