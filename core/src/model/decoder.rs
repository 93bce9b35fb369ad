//! One decoder for every family: embedding, blocks, final norm, head.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::{
    arch::Arch,
    nn::{Attention, GatedMlp, KeyPlace, LayerCache, Masks, Pass, RmsNorm, Rope, Weight},
};

/// Pre-norm block: attention, then gated feed-forward, both residual.
#[derive(Debug, Clone)]
pub struct Block {
    pub input_layernorm: RmsNorm,
    pub self_attn: Attention,
    pub post_attention_layernorm: RmsNorm,
    pub mlp: GatedMlp,
}

/// A whole model. Cloning shares the buffers.
#[derive(Debug, Clone)]
pub struct Decoder {
    pub arch: Arch,
    /// `[v, d]`
    pub embed_tokens: Weight,
    pub layers: Vec<Block>,
    pub norm: RmsNorm,
    /// `[v, d]`; `None` where the head is the embedding.
    pub lm_head: Option<Weight>,
    pub device: Device,
}

/// Keys and values of every layer, for token-by-token generation.
#[derive(Debug, Clone)]
pub struct DecoderCache {
    layers: Vec<LayerCache>,
    n_tokens: usize,
}

impl Block {
    /// `x: [b, t, d] -> [b, t, d]`
    pub fn forward(&self, x: Tensor<3>, pass: &Pass, cache: Option<&mut LayerCache>) -> Tensor<3> {
        let attended = self
            .self_attn
            .forward(self.input_layernorm.forward(x.clone()), pass, cache);
        let x = x + attended;
        x.clone()
            + self
                .mlp
                .forward(self.post_attention_layernorm.forward(x), pass)
    }

    /// Walks over every parameter by its Hugging Face name.
    pub fn visit(&mut self, path: &str, visit: &mut dyn FnMut(&str, &mut Weight)) {
        self.input_layernorm
            .visit(&format!("{path}.input_layernorm"), visit);
        self.visit_projections(path, &mut |name, projection| projection.visit(name, visit));
        for (name, norm) in [
            ("q_norm", &mut self.self_attn.q_norm),
            ("k_norm", &mut self.self_attn.k_norm),
        ] {
            if let Some(norm) = norm {
                norm.visit(&format!("{path}.self_attn.{name}"), visit);
            }
        }
        self.post_attention_layernorm
            .visit(&format!("{path}.post_attention_layernorm"), visit);
    }

    /// Walks over the linear layers by their module paths.
    pub fn visit_projections(
        &mut self,
        path: &str,
        visit: &mut dyn FnMut(&str, &mut crate::nn::Projection),
    ) {
        visit(
            &format!("{path}.self_attn.q_proj"),
            &mut self.self_attn.q_proj,
        );
        visit(
            &format!("{path}.self_attn.k_proj"),
            &mut self.self_attn.k_proj,
        );
        visit(
            &format!("{path}.self_attn.v_proj"),
            &mut self.self_attn.v_proj,
        );
        visit(
            &format!("{path}.self_attn.o_proj"),
            &mut self.self_attn.o_proj,
        );
        visit(&format!("{path}.mlp.gate_proj"), &mut self.mlp.gate_proj);
        visit(&format!("{path}.mlp.up_proj"), &mut self.mlp.up_proj);
        visit(&format!("{path}.mlp.down_proj"), &mut self.mlp.down_proj);
    }

    /// A view whose trained weights are leaves of a new graph.
    pub fn tracked(&self) -> Self {
        let mut view = self.clone();
        view.visit("", &mut |_, weight| weight.track());
        view
    }
}

impl Decoder {
    /// Walks over every parameter by its Hugging Face name, in the order of the forward pass.
    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        visit("model.embed_tokens.weight", &mut self.embed_tokens);
        for (layer_idx, layer) in self.layers.iter_mut().enumerate() {
            layer.visit(&self.arch.layer_path(layer_idx), visit);
        }
        self.norm.visit("model.norm", visit);
        if let Some(head) = &mut self.lm_head {
            visit("lm_head.weight", head);
        }
    }

    /// Names and values of the trained parameters, in the order of the forward pass.
    pub fn trained(&self) -> Vec<(String, Tensor<2>)> {
        let mut trained = Vec::new();
        self.clone().visit(&mut |name, weight| {
            if weight.is_trained() {
                trained.push((name.to_string(), weight.value()));
            }
        });
        trained
    }

    /// The matrix that turns a hidden state into logits, `[v, d]`.
    pub fn head(&self) -> &Weight {
        self.lm_head.as_ref().unwrap_or(&self.embed_tokens)
    }

    /// `ids: [b, t] -> [b, t, d]`. Ids must be below the vocabulary size.
    pub fn embed(&self, table: &Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
        let [b, t] = ids.dims();
        table
            .clone()
            .select(0, ids.reshape([b * t]))
            .reshape([b, t, self.arch.d_model])
    }

    /// Rotations and masks for `places: [b, s]`, of which the last `t` are queries.
    pub fn pass(&self, places: &[KeyPlace], [b, t, s]: [usize; 3]) -> Pass {
        let positions: Vec<u32> = places
            .chunks(s)
            .flat_map(|row| row[s - t..].iter().map(|place| place.position))
            .collect();
        let rope = self.arch.ropes.first();
        let frequencies = rope.map_or_else(Vec::new, |rope| rope.frequencies(s));
        Pass {
            rope: Rope::new(&frequencies, &positions, [b, t], &self.device),
            masks: Masks::new(&self.arch.windows(), places, [b, t, s], &self.device),
            dropout: None,
        }
    }

    /// Hidden states after the last block, before the final norm. `ids: [b, t] -> [b, t, d]`
    pub fn hidden(&self, ids: Tensor<2, Int>, pass: &Pass) -> Tensor<3> {
        let x = self.embed(&self.embed_tokens.value(), ids);
        self.layers
            .iter()
            .fold(x, |x, layer| layer.forward(x, pass, None))
    }

    /// Logits in f32 of rows of hidden states. `x: [n, d] -> [n, v]`
    pub fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        let normed = self.norm.forward(x);
        normed
            .matmul(self.head().value().transpose())
            .cast(DType::F32)
    }

    /// Logits of every position of one sequence, `[t, v]` row major.
    pub fn sequence_logits(&self, ids: &[u32]) -> Vec<Vec<f32>> {
        let mut cache = self.new_cache();
        let hidden = self.extend(&[ids], &mut cache);
        let [_, t, d] = hidden.dims();
        let logits = self.logits(hidden.reshape([t, d]));
        rows_of(logits)
    }

    pub fn new_cache(&self) -> DecoderCache {
        DecoderCache {
            layers: vec![LayerCache::default(); self.layers.len()],
            n_tokens: 0,
        }
    }

    /// Runs new tokens of every row (all rows of one length) after what the cache has seen.
    /// Returns their hidden states `[b, t, d]`.
    pub fn extend(&self, rows: &[&[u32]], cache: &mut DecoderCache) -> Tensor<3> {
        let t = rows.first().map_or(0, |row| row.len());
        let s = cache.n_tokens + t;
        let places: Vec<KeyPlace> = (0..s as u32)
            .map(|position| KeyPlace {
                segment: 0,
                position,
            })
            .collect();
        let pass = self.pass(&places, [1, t, s]);
        let mut x = self.embed(&self.embed_tokens.value(), self.ids(rows, t));
        for (layer, layer_cache) in self.layers.iter().zip(&mut cache.layers) {
            x = layer.forward(x, &pass, Some(layer_cache));
        }
        cache.n_tokens = s;
        x
    }

    /// `[b, t]`, rows shorter than `t` padded on the right with id 0 (nothing looks at it).
    pub fn ids(&self, rows: &[&[u32]], t: usize) -> Tensor<2, Int> {
        let padded = rows.iter().flat_map(|row| {
            let ids = row.iter().map(|&id| id as i32);
            ids.chain(std::iter::repeat_n(0, t - row.len()))
        });
        let data = TensorData::new(padded.collect::<Vec<i32>>(), [rows.len(), t]);
        Tensor::from_data(data, (&self.device, DType::I32))
    }
}

/// The rows of a matrix on the host.
pub(crate) fn rows_of(matrix: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, n_columns] = matrix.dims();
    let values = host_f32(matrix);
    values
        .chunks(n_columns.max(1))
        .map(<[f32]>::to_vec)
        .collect()
}

/// A tensor's elements on the host, as f32.
pub(crate) fn host_f32<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .cast(DType::F32)
        .into_data()
        .try_into_vec_as::<f32>()
        .expect("a tensor cast to f32 holds f32")
}
