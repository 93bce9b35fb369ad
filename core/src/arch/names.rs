//! One table of names a family: what a module is for, and what checkpoints call it. Used forwards
//! (load, export) and backwards (adapters, GGUF).

use super::{Arch, Family, NormPlace};

/// A module that holds tensors, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Module {
    /// The embedding of tokens.
    Embedding,
    /// The table of learned positions.
    Positions,
    FinalNorm,
    Head,
    /// Of the block with this index.
    Block(usize, BlockModule),
}

/// A module of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockModule {
    Norm(NormPlace),
    Linear(LinearRole),
    /// The norm of queries; of one head where each has a weight of its own.
    QueryNorm {
        head: Option<usize>,
    },
    KeyNorm {
        head: Option<usize>,
    },
}

/// What a linear layer of a block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinearRole {
    Query,
    Key,
    Value,
    /// Queries, keys and values in one.
    QueryKeyValue,
    AttentionOutput,
    Gate,
    Up,
    /// Gate and up in one.
    GateUp,
    Down,
}

/// Which tensor of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Weight,
    Bias,
}

impl LinearRole {
    /// Whether its output is added to the residual stream.
    pub fn writes_residual(self) -> bool {
        matches!(self, Self::AttentionOutput | Self::Down)
    }
}

impl Part {
    /// `weight` or `bias`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Bias => "bias",
        }
    }
}

/// What a family calls its modules. Names of what it does not have are never asked for.
struct Names {
    embedding: &'static str,
    positions: &'static str,
    layers: &'static str,
    final_norm: &'static str,
    head: &'static str,
    /// By [`NormPlace`], in its order.
    norms: [&'static str; 4],
    /// Query, key, value, and all three in one.
    qkv: [&'static str; 4],
    attention_output: &'static str,
    /// Gate, up, and both in one.
    gate_up: [&'static str; 3],
    down: &'static str,
    qk_norms: [&'static str; 2],
}

const LLAMA: Names = Names {
    embedding: "model.embed_tokens",
    positions: "",
    layers: "model.layers",
    final_norm: "model.norm",
    head: "lm_head",
    norms: ["input_layernorm", "", "post_attention_layernorm", ""],
    qkv: [
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn.qkv_proj",
    ],
    attention_output: "self_attn.o_proj",
    gate_up: ["mlp.gate_proj", "mlp.up_proj", "mlp.gate_up_proj"],
    down: "mlp.down_proj",
    qk_norms: ["self_attn.q_norm", "self_attn.k_norm"],
};

/// Gemma 2 and 3: four norms. The third is what others call `post_attention_layernorm`.
const GEMMA2: Names = Names {
    norms: [
        "input_layernorm",
        "post_attention_layernorm",
        "pre_feedforward_layernorm",
        "post_feedforward_layernorm",
    ],
    ..LLAMA
};

const OLMO2: Names = Names {
    norms: [
        "",
        "post_attention_layernorm",
        "",
        "post_feedforward_layernorm",
    ],
    ..LLAMA
};

const STABLE_LM: Names = Names {
    qk_norms: ["self_attn.q_layernorm", "self_attn.k_layernorm"],
    ..LLAMA
};

const PHI: Names = Names {
    final_norm: "model.final_layernorm",
    attention_output: "self_attn.dense",
    gate_up: ["", "mlp.fc1", ""],
    down: "mlp.fc2",
    qk_norms: ["self_attn.q_layernorm", "self_attn.k_layernorm"],
    ..LLAMA
};

const STARCODER2: Names = Names {
    gate_up: ["", "mlp.c_fc", ""],
    down: "mlp.c_proj",
    ..LLAMA
};

const GPT_NEOX: Names = Names {
    embedding: "gpt_neox.embed_in",
    layers: "gpt_neox.layers",
    final_norm: "gpt_neox.final_layer_norm",
    head: "embed_out",
    qkv: ["", "", "", "attention.query_key_value"],
    attention_output: "attention.dense",
    gate_up: ["", "mlp.dense_h_to_4h", ""],
    down: "mlp.dense_4h_to_h",
    ..LLAMA
};

const FALCON: Names = Names {
    embedding: "transformer.word_embeddings",
    layers: "transformer.h",
    final_norm: "transformer.ln_f",
    qkv: ["", "", "", "self_attention.query_key_value"],
    attention_output: "self_attention.dense",
    gate_up: ["", "mlp.dense_h_to_4h", ""],
    down: "mlp.dense_4h_to_h",
    ..LLAMA
};

/// Falcon with a norm each for attention and feed-forward, side by side.
const FALCON_TWO_NORMS: Names = Names {
    norms: ["ln_attn", "", "ln_mlp", ""],
    ..FALCON
};

const GPT_BIG_CODE: Names = Names {
    embedding: "transformer.wte",
    positions: "transformer.wpe",
    layers: "transformer.h",
    final_norm: "transformer.ln_f",
    norms: ["ln_1", "", "ln_2", ""],
    qkv: ["", "", "", "attn.c_attn"],
    attention_output: "attn.c_proj",
    gate_up: ["", "mlp.c_fc", ""],
    down: "mlp.c_proj",
    ..LLAMA
};

const ALL: [&Names; 10] = [
    &LLAMA,
    &GEMMA2,
    &OLMO2,
    &STABLE_LM,
    &PHI,
    &STARCODER2,
    &GPT_NEOX,
    &FALCON,
    &FALCON_TWO_NORMS,
    &GPT_BIG_CODE,
];

/// Whether a tensor gives the logits of a checkpoint, whatever its family: a head, or the embedding
/// where there is none.
pub fn gives_logits(name: &str, has_tensor: impl Fn(&str) -> bool) -> bool {
    let Some(path) = name.strip_suffix(".weight") else {
        return false;
    };
    ALL.iter().any(|names| path == names.head)
        || ALL
            .iter()
            .any(|names| path == names.embedding && !has_tensor(&format!("{}.weight", names.head)))
}

/// Whether a tensor is a table of learned positions, which is never quantized.
pub fn is_position_table(name: &str) -> bool {
    let path = name.strip_suffix(".weight").unwrap_or_default();
    !path.is_empty() && ALL.iter().any(|names| path == names.positions)
}

impl Names {
    fn of(arch: &Arch) -> &'static Self {
        match arch.family {
            Family::Llama
            | Family::Mistral
            | Family::Qwen2
            | Family::Qwen3
            | Family::Phi3
            | Family::Gemma
            | Family::SmolLm3
            | Family::Granite => &LLAMA,
            Family::Gemma2 | Family::Gemma3Text => &GEMMA2,
            Family::Olmo2 => &OLMO2,
            Family::StableLm => &STABLE_LM,
            Family::Phi => &PHI,
            Family::Starcoder2 => &STARCODER2,
            Family::GptNeox => &GPT_NEOX,
            Family::Falcon if arch.block.shape == super::BlockShape::Parallel => &FALCON_TWO_NORMS,
            Family::Falcon => &FALCON,
            Family::GptBigCode => &GPT_BIG_CODE,
        }
    }

    fn of_linear(&self, role: LinearRole) -> &'static str {
        match role {
            LinearRole::Query => self.qkv[0],
            LinearRole::Key => self.qkv[1],
            LinearRole::Value => self.qkv[2],
            LinearRole::QueryKeyValue => self.qkv[3],
            LinearRole::AttentionOutput => self.attention_output,
            LinearRole::Gate => self.gate_up[0],
            LinearRole::Up => self.gate_up[1],
            LinearRole::GateUp => self.gate_up[2],
            LinearRole::Down => self.down,
        }
    }

    fn of_norm(&self, place: NormPlace) -> &'static str {
        match place {
            NormPlace::BeforeAttention => self.norms[0],
            NormPlace::AfterAttention => self.norms[1],
            NormPlace::BeforeMlp => self.norms[2],
            NormPlace::AfterMlp => self.norms[3],
        }
    }

    fn of_block_module(&self, module: BlockModule) -> String {
        let of_head = |name: &str, head: Option<usize>| match head {
            Some(head) => format!("{name}.norms.{head}"),
            None => name.to_owned(),
        };
        match module {
            BlockModule::Norm(place) => self.of_norm(place).to_owned(),
            BlockModule::Linear(role) => self.of_linear(role).to_owned(),
            BlockModule::QueryNorm { head } => of_head(self.qk_norms[0], head),
            BlockModule::KeyNorm { head } => of_head(self.qk_norms[1], head),
        }
    }
}

impl Arch {
    /// Path of a block, as in `model.layers.0`.
    pub fn layer_path(&self, layer_idx: usize) -> String {
        format!("{}.{layer_idx}", Names::of(self).layers)
    }

    /// Path of a module, as in `model.layers.0.self_attn.q_proj`.
    pub fn path(&self, module: Module) -> String {
        let names = Names::of(self);
        match module {
            Module::Embedding => names.embedding.to_owned(),
            Module::Positions => names.positions.to_owned(),
            Module::FinalNorm => names.final_norm.to_owned(),
            Module::Head => names.head.to_owned(),
            Module::Block(layer_idx, module) => {
                let name = names.of_block_module(module);
                format!("{}.{layer_idx}.{name}", names.layers)
            }
        }
    }

    /// Path of a linear layer of a block.
    pub fn linear_path(&self, layer_idx: usize, role: LinearRole) -> String {
        self.path(Module::Block(layer_idx, BlockModule::Linear(role)))
    }

    /// Name of a tensor, as in `model.norm.weight`.
    pub fn tensor_name(&self, module: Module, part: Part) -> String {
        format!("{}.{}", self.path(module), part.name())
    }

    /// Name of the matrix that turns a hidden state into logits.
    pub fn logits_tensor(&self) -> String {
        let module = match self.tie_embeddings {
            true => Module::Embedding,
            false => Module::Head,
        };
        self.tensor_name(module, Part::Weight)
    }

    /// The module of this model that has a path.
    pub fn module_at(&self, path: &str) -> Option<Module> {
        let mut outside = [Module::Embedding, Module::FinalNorm, Module::Head].into_iter();
        if let Some(module) = outside.find(|module| self.path(*module) == path) {
            return Some(module);
        }
        let names = Names::of(self);
        if self.embedding.n_positions.is_some() && names.positions == path {
            return Some(Module::Positions);
        }
        let (layer_idx, rest) = path
            .strip_prefix(names.layers)?
            .strip_prefix('.')?
            .split_once('.')?;
        let layer_idx = layer_idx.parse().ok().filter(|idx| *idx < self.n_layers)?;
        let mut modules = self.block_modules().into_iter();
        let module = modules.find(|module| names.of_block_module(*module) == rest)?;
        Some(Module::Block(layer_idx, module))
    }

    /// The module and the part that a tensor's name means.
    pub fn tensor_at(&self, name: &str) -> Option<(Module, Part)> {
        let (path, part) = name.rsplit_once('.')?;
        let mut parts = [Part::Weight, Part::Bias].into_iter();
        let part = parts.find(|known| known.name() == part)?;
        Some((self.module_at(path)?, part))
    }
}
