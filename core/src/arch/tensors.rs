//! Which tensors a checkpoint of a model holds, with their shapes.

use super::{
    Arch, BlockModule, LinearRole, MlpLayout, Module, NormPlace, NormSpec, Part, QkNormOver,
    QkvLayout,
};

/// A tensor that a checkpoint of an [`Arch`] must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
    pub module: Module,
    pub part: Part,
}

/// A linear layer of a block, which may carry a low-rank pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinearModule {
    /// As PEFT knows it, `model.layers.0.self_attn.q_proj`.
    pub path: String,
    pub layer_idx: usize,
    pub role: LinearRole,
    pub d_out: usize,
    pub d_in: usize,
    pub has_bias: bool,
}

impl TensorSpec {
    /// Whether it is the weight of a norm.
    pub fn is_norm_weight(&self) -> bool {
        self.part == Part::Weight && self.module.is_norm()
    }
}

impl Module {
    pub fn is_norm(self) -> bool {
        match self {
            Self::Embedding | Self::Positions | Self::Head => false,
            Self::FinalNorm => true,
            Self::Block(_, module) => !matches!(module, BlockModule::Linear(_)),
        }
    }
}

impl Arch {
    /// The linear layers of a block, in the order of the forward pass.
    pub fn block_linears(&self) -> Vec<LinearRole> {
        use LinearRole::{
            AttentionOutput, Down, Gate, GateUp, Key, Query, QueryKeyValue, Up, Value,
        };
        let qkv: &[LinearRole] = match self.attention.qkv {
            QkvLayout::Separate => &[Query, Key, Value],
            QkvLayout::Grouped | QkvLayout::Stacked => &[QueryKeyValue],
        };
        let mlp: &[LinearRole] = match self.mlp.layout {
            MlpLayout::Plain => &[Up, Down],
            MlpLayout::Gated => &[Gate, Up, Down],
            MlpLayout::FusedGated => &[GateUp, Down],
        };
        [qkv, &[AttentionOutput], mlp].concat()
    }

    /// `[d_out, d_in]` of a linear layer's weight.
    pub fn linear_shape(&self, role: LinearRole) -> [usize; 2] {
        match role {
            LinearRole::Query => [self.d_q(), self.d_model],
            LinearRole::Key | LinearRole::Value => [self.d_kv(), self.d_model],
            LinearRole::QueryKeyValue => [self.d_q() + 2 * self.d_kv(), self.d_model],
            LinearRole::AttentionOutput => [self.d_model, self.d_q()],
            LinearRole::Gate | LinearRole::Up => [self.d_ff, self.d_model],
            LinearRole::GateUp => [2 * self.d_ff, self.d_model],
            LinearRole::Down => [self.d_model, self.d_ff],
        }
    }

    pub fn linear_has_bias(&self, role: LinearRole) -> bool {
        match role {
            LinearRole::Query | LinearRole::Key | LinearRole::Value | LinearRole::QueryKeyValue => {
                self.attention.qkv_bias
            }
            LinearRole::AttentionOutput => self.attention.o_bias,
            LinearRole::Gate | LinearRole::Up | LinearRole::GateUp | LinearRole::Down => {
                self.mlp.has_bias
            }
        }
    }

    /// Every linear layer that may carry a low-rank pair, joint ones as one module.
    pub fn linear_modules(&self) -> Vec<LinearModule> {
        let roles = self.block_linears();
        let of_layer = |layer_idx: usize| {
            roles.iter().map(move |&role| {
                let [d_out, d_in] = self.linear_shape(role);
                LinearModule {
                    path: self.linear_path(layer_idx, role),
                    layer_idx,
                    role,
                    d_out,
                    d_in,
                    has_bias: self.linear_has_bias(role),
                }
            })
        };
        (0..self.n_layers).flat_map(of_layer).collect()
    }

    /// The norms of queries and keys of a block with the length of their weights.
    fn qk_norm_modules(&self) -> Vec<(BlockModule, usize)> {
        let query = |head| BlockModule::QueryNorm { head };
        let key = |head| BlockModule::KeyNorm { head };
        let k = self.head_dim;
        match self.attention.qk_norm.map(|norm| norm.over) {
            None => Vec::new(),
            Some(QkNormOver::Head) => vec![(query(None), k), (key(None), k)],
            Some(QkNormOver::AllHeads) => {
                vec![(query(None), self.d_q()), (key(None), self.d_kv())]
            }
            Some(QkNormOver::OwnHead) => {
                let queries = (0..self.n_heads).map(|head| (query(Some(head)), k));
                let keys = (0..self.n_kv_heads).map(|head| (key(Some(head)), k));
                queries.chain(keys).collect()
            }
        }
    }

    /// The modules of a block.
    pub fn block_modules(&self) -> Vec<BlockModule> {
        let norms = self.block.shape.norms().iter();
        let linears = self.block_linears().into_iter().map(BlockModule::Linear);
        let qk_norms = self.qk_norm_modules().into_iter();
        norms
            .map(|place| BlockModule::Norm(*place))
            .chain(linears)
            .chain(qk_norms.map(|(module, _)| module))
            .collect()
    }

    /// Every tensor of a checkpoint: the embedding, blocks, the final norm, the head.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let mut list = TensorList {
            arch: self,
            tensors: Vec::new(),
        };
        let table = vec![self.vocab_size, self.d_model];
        list.push(Module::Embedding, Part::Weight, table.clone());
        if let Some(n_positions) = self.embedding.n_positions {
            list.push(
                Module::Positions,
                Part::Weight,
                vec![n_positions, self.d_model],
            );
        }
        for layer_idx in 0..self.n_layers {
            list.push_block(layer_idx);
        }
        list.push_norm(Module::FinalNorm, self.norm, self.d_model);
        if !self.tie_embeddings {
            list.push(Module::Head, Part::Weight, table);
        }
        if self.logits.has_bias {
            list.push(Module::Head, Part::Bias, vec![self.vocab_size]);
        }
        list.tensors
    }

    /// Shape of a tensor of the checkpoint, by its name.
    pub fn tensor_shape(&self, name: &str) -> Option<Vec<usize>> {
        let mut tensors = self.tensors().into_iter();
        tensors
            .find(|spec| spec.name == name)
            .map(|spec| spec.shape)
    }

    /// Parameters of the base model.
    pub fn n_parameters(&self) -> u64 {
        self.tensors()
            .iter()
            .map(|t| t.shape.iter().product::<usize>() as u64)
            .sum()
    }
}

struct TensorList<'a> {
    arch: &'a Arch,
    tensors: Vec<TensorSpec>,
}

impl TensorList<'_> {
    fn push(&mut self, module: Module, part: Part, shape: Vec<usize>) {
        self.tensors.push(TensorSpec {
            name: self.arch.tensor_name(module, part),
            shape,
            module,
            part,
        });
    }

    fn push_norm(&mut self, module: Module, norm: NormSpec, len: usize) {
        self.push(module, Part::Weight, vec![len]);
        if norm.has_bias {
            self.push(module, Part::Bias, vec![len]);
        }
    }

    fn push_block(&mut self, layer_idx: usize) {
        let arch = self.arch;
        let block = |module| Module::Block(layer_idx, module);
        // Norms of the feed-forward layer come after the linear layers: fresh weights are drawn
        // in this order, and a seed means the same weights from one release to the next.
        let places = arch.block.shape.norms();
        let (first, last): (Vec<NormPlace>, Vec<NormPlace>) = places
            .iter()
            .partition(|p| **p == NormPlace::BeforeAttention);
        for place in first {
            self.push_norm(block(BlockModule::Norm(place)), arch.norm, arch.d_model);
        }
        for role in arch.block_linears() {
            let module = block(BlockModule::Linear(role));
            let [d_out, d_in] = arch.linear_shape(role);
            self.push(module, Part::Weight, vec![d_out, d_in]);
            if arch.linear_has_bias(role) {
                self.push(module, Part::Bias, vec![d_out]);
            }
        }
        if let Some(qk_norm) = arch.attention.qk_norm {
            for (module, len) in arch.qk_norm_modules() {
                self.push_norm(block(module), qk_norm.norm, len);
            }
        }
        for place in last {
            self.push_norm(block(BlockModule::Norm(place)), arch.norm, arch.d_model);
        }
    }
}
