//! What a decoder computes, as data: sizes, and the switches in which families differ.

use super::{Alibi, Family, RopeSpec};

/// A decoder-only transformer. Counts and widths, all validated: no field is zero where a
/// model needs one, `n_heads` is a multiple of `n_kv_heads`, rotated widths are even and no wider
/// than a head, `layers` has `n_layers` entries whose `rope` is a place in `ropes`.
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
    pub embedding: EmbeddingSpec,
    /// Of every norm but those of queries and keys.
    pub norm: NormSpec,
    pub block: BlockSpec,
    pub attention: AttentionSpec,
    pub mlp: MlpSpec,
    pub logits: LogitsSpec,
    /// The rotations that layers choose from; empty where none rotates.
    pub ropes: Vec<RopeSpec>,
    pub layers: Vec<LayerSpec>,
    /// The head is the transposed embedding.
    pub tie_embeddings: bool,
    /// The longest text that the model can be given.
    pub max_positions: usize,
    pub bos_token_id: Option<u32>,
    /// Ids that end generation according to config.json.
    pub eos_token_ids: Vec<u32>,
}

/// From ids to the first hidden state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmbeddingSpec {
    /// Embeddings are multiplied by this, rounded to the type of the activations first.
    pub scale: f64,
    /// Rows of a table of learned positions, of which each token's is added to its embedding.
    pub n_positions: Option<usize>,
}

/// How a norm computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormSpec {
    pub kind: NormKind,
    pub eps: f64,
    /// The stored weight is the distance from one.
    pub plus_one: bool,
    pub has_bias: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// `x / sqrt(mean(x²) + eps)`
    Rms,
    /// `(x - mean(x)) / sqrt(variance(x) + eps)`
    Layer,
}

/// How attention and feed-forward are put together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockSpec {
    pub shape: BlockShape,
    /// What is added to the residual stream is multiplied by this first.
    pub residual_scale: f64,
}

/// The residual form of a block; `n₁` to `n₄` are norms of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockShape {
    /// `x + attention(n₁ x)`, then `x + mlp(n₂ x)`
    Sequential,
    /// `x + n₁ attention(x)`, then `x + n₂ mlp(x)`
    PostNorm,
    /// `x + n₂ attention(n₁ x)`, then `x + n₄ mlp(n₃ x)`
    Sandwich,
    /// `x + attention(n₁ x) + mlp(n₂ x)`
    Parallel,
    /// `x + attention(n₁ x) + mlp(n₁ x)`
    ParallelOneNorm,
}

/// Where a norm of a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NormPlace {
    BeforeAttention,
    AfterAttention,
    BeforeMlp,
    AfterMlp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionSpec {
    pub qkv: QkvLayout,
    pub qkv_bias: bool,
    pub o_bias: bool,
    /// Queries and keys are normalized before they are rotated.
    pub qk_norm: Option<QkNormSpec>,
    /// Products of queries and keys are multiplied by this.
    pub scale: f64,
    /// Scaled scores become `softcap · tanh(score / softcap)`.
    pub softcap: Option<f64>,
    /// A slope a head times the key's position is added to the scores: [`Arch::alibi`].
    pub has_alibi: bool,
}

/// Which modules project to queries, keys and values, and in which order of heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkvLayout {
    /// A module each.
    Separate,
    /// One module: a group's query heads, its key head, its value head; then the next group.
    Grouped,
    /// One module: all query heads, all key heads, all value heads.
    Stacked,
}

/// Norms of queries and keys; [`NormSpec::eps`] of the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QkNormSpec {
    pub norm: NormSpec,
    pub over: QkNormOver,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkNormOver {
    /// Each head alone, all with one weight `[head_dim]`.
    Head,
    /// Each head alone, with a weight of its own `[head_dim]`.
    OwnHead,
    /// All heads together, one weight over their whole width.
    AllHeads,
}

/// The feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MlpSpec {
    pub layout: MlpLayout,
    pub activation: Activation,
    pub has_bias: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MlpLayout {
    /// `down(activation(up x))`
    Plain,
    /// `down(activation(gate x) · up x)`
    Gated,
    /// The same with one module for both: all of gate, then all of up.
    FusedGated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Silu,
    /// `x Φ(x)` with the error function.
    Gelu,
    /// `x Φ(x)` by the approximation with tanh.
    GeluTanh,
    Relu,
}

/// From the last hidden state to logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogitsSpec {
    pub has_bias: bool,
    /// Logits are divided by this.
    pub divisor: f64,
    /// Logits become `softcap · tanh(logit / softcap)`.
    pub softcap: Option<f64>,
}

/// What a block has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerSpec {
    /// How many tokens back a query sees, itself included; `None` sees all.
    pub window: Option<usize>,
    /// Place in [`Arch::ropes`]; `None` rotates nothing.
    pub rope: Option<usize>,
}

impl BlockShape {
    /// The norms of a block, in the order in which they are computed.
    pub fn norms(self) -> &'static [NormPlace] {
        use NormPlace::{AfterAttention, AfterMlp, BeforeAttention, BeforeMlp};
        match self {
            Self::Sequential | Self::Parallel => &[BeforeAttention, BeforeMlp],
            Self::PostNorm => &[AfterAttention, AfterMlp],
            Self::Sandwich => &[BeforeAttention, AfterAttention, BeforeMlp, AfterMlp],
            Self::ParallelOneNorm => &[BeforeAttention],
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

    /// The rotation of a layer.
    pub fn rope_of(&self, layer_idx: usize) -> Option<&RopeSpec> {
        self.ropes.get(self.layers.get(layer_idx)?.rope?)
    }

    /// The window of every layer.
    pub fn windows(&self) -> Vec<Option<usize>> {
        self.layers.iter().map(|layer| layer.window).collect()
    }

    /// Whether positions are rotated alike in texts of these two lengths. Where they are not, keys
    /// and values of the shorter text are of no use for the longer one.
    pub fn rotates_alike(&self, n_positions: usize, other: usize) -> bool {
        let alike = |rope: &RopeSpec| rope.stretch_of(n_positions) == rope.stretch_of(other);
        self.ropes.iter().all(alike)
    }

    /// The biases that stand in for positions, where the model has them.
    pub fn alibi(&self) -> Option<Alibi> {
        let attention = &self.attention;
        let alibi = || Alibi::new(self.n_heads, self.head_dim);
        attention.has_alibi.then(alibi)
    }

    /// Where the heads of queries, keys and values stand in the output of a module that gives all
    /// three, counted in heads.
    pub fn fused_heads(&self) -> FusedHeads {
        let (h, g, r) = (self.n_heads, self.n_kv_heads, self.heads_per_kv());
        match self.attention.qkv {
            QkvLayout::Grouped => FusedHeads {
                q: (0..h).map(|head| head / r * (r + 2) + head % r).collect(),
                k: (0..g).map(|head| head * (r + 2) + r).collect(),
                v: (0..g).map(|head| head * (r + 2) + r + 1).collect(),
            },
            QkvLayout::Stacked | QkvLayout::Separate => FusedHeads {
                q: (0..h).collect(),
                k: (h..h + g).collect(),
                v: (h + g..h + 2 * g).collect(),
            },
        }
    }
}

/// Places of heads in a joint output, in the order of the heads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FusedHeads {
    pub q: Vec<usize>,
    pub k: Vec<usize>,
    pub v: Vec<usize>,
}
