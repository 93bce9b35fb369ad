//! The table of tensor names, used forwards (load) and backwards (export, adapters).
//!
//! Names are Hugging Face's; every family here shares them.

use super::Arch;

/// A tensor that a checkpoint of an [`Arch`] must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
}

/// A linear layer of a decoder block, by its path inside the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearModule {
    /// `self_attn.q_proj`
    pub path: &'static str,
}

/// All linear layers of a block, in the order in which transformers registers them.
pub const LINEAR_MODULES: [LinearModule; 7] = [
    LinearModule {
        path: "self_attn.q_proj",
    },
    LinearModule {
        path: "self_attn.k_proj",
    },
    LinearModule {
        path: "self_attn.v_proj",
    },
    LinearModule {
        path: "self_attn.o_proj",
    },
    LinearModule {
        path: "mlp.gate_proj",
    },
    LinearModule {
        path: "mlp.up_proj",
    },
    LinearModule {
        path: "mlp.down_proj",
    },
];

impl LinearModule {
    /// `(d_out, d_in)` of the weight.
    pub fn shape(self, arch: &Arch) -> (usize, usize) {
        match self.path {
            "self_attn.q_proj" => (arch.d_q(), arch.d_model),
            "self_attn.k_proj" | "self_attn.v_proj" => (arch.d_kv(), arch.d_model),
            "self_attn.o_proj" => (arch.d_model, arch.d_q()),
            "mlp.down_proj" => (arch.d_model, arch.d_ff),
            _ => (arch.d_ff, arch.d_model),
        }
    }

    pub fn has_bias(self, arch: &Arch) -> bool {
        match self.path {
            "self_attn.o_proj" => arch.o_bias,
            path if path.starts_with("self_attn.") => arch.qkv_bias,
            _ => arch.mlp_bias,
        }
    }
}

impl Arch {
    /// Path of a block, as in `model.layers.0`.
    pub fn layer_path(layer_idx: usize) -> String {
        format!("model.layers.{layer_idx}")
    }

    /// Every linear layer that may carry a low-rank pair: `(module path, d_out, d_in)`.
    pub fn linear_modules(&self) -> Vec<(String, usize, usize)> {
        (0..self.n_layers)
            .flat_map(|layer_idx| {
                LINEAR_MODULES.map(|module| {
                    let (d_out, d_in) = module.shape(self);
                    (
                        format!("{}.{}", Self::layer_path(layer_idx), module.path),
                        d_out,
                        d_in,
                    )
                })
            })
            .collect()
    }

    /// Every tensor of a checkpoint, in the order of the forward pass.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let mut tensors = Vec::new();
        let mut push = |name: String, shape: Vec<usize>| tensors.push(TensorSpec { name, shape });

        push(
            "model.embed_tokens.weight".into(),
            vec![self.vocab_size, self.d_model],
        );
        for layer_idx in 0..self.n_layers {
            let layer = Self::layer_path(layer_idx);
            push(
                format!("{layer}.input_layernorm.weight"),
                vec![self.d_model],
            );
            for module in LINEAR_MODULES {
                let (d_out, d_in) = module.shape(self);
                push(format!("{layer}.{}.weight", module.path), vec![d_out, d_in]);
                if module.has_bias(self) {
                    push(format!("{layer}.{}.bias", module.path), vec![d_out]);
                }
            }
            if self.qk_norm {
                push(
                    format!("{layer}.self_attn.q_norm.weight"),
                    vec![self.head_dim],
                );
                push(
                    format!("{layer}.self_attn.k_norm.weight"),
                    vec![self.head_dim],
                );
            }
            push(
                format!("{layer}.post_attention_layernorm.weight"),
                vec![self.d_model],
            );
        }
        push("model.norm.weight".into(), vec![self.d_model]);
        if !self.tie_embeddings {
            push("lm_head.weight".into(), vec![self.vocab_size, self.d_model]);
        }
        tensors
    }
}
