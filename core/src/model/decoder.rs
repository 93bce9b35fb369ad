//! One decoder for every family: embedding, blocks, final norm, head.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::{
    arch::Arch,
    nn::{
        Block, Embedding, Head, HeadMatrix, KeyPlace, LayerCache, Norm, Pass, Projection, Weight,
    },
};

/// A whole model. Cloning shares the buffers.
#[derive(Debug, Clone)]
pub struct Decoder {
    pub arch: Arch,
    pub embedding: Embedding,
    pub layers: Vec<Block>,
    pub norm: Norm,
    pub head: Head,
    /// Tensors of the base that an adapter replaces or trains whole, as they were.
    pub(super) set_aside: BTreeMap<String, Weight>,
    pub device: Device,
}

/// Keys and values of every layer, for token-by-token generation, and the tokens they are of.
#[derive(Debug, Clone)]
pub struct DecoderCache {
    layers: Vec<LayerCache>,
    rows: Vec<Vec<u32>>,
}

impl DecoderCache {
    /// Tokens that each row has seen.
    pub fn n_tokens(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }
}

impl Decoder {
    /// Walks over every parameter by its name in a checkpoint, in the order of the forward pass.
    pub fn visit(&mut self, visit: &mut dyn FnMut(&str, &mut Weight)) {
        self.embedding.visit(visit);
        for layer in &mut self.layers {
            layer.visit(visit);
        }
        self.norm.visit(visit);
        self.head.visit(visit);
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

    /// Bytes of all parameters while nothing computes.
    pub fn weight_bytes(&self) -> u64 {
        let mut n_bytes = 0;
        self.clone()
            .visit(&mut |_, weight| n_bytes += weight.n_bytes());
        n_bytes
    }

    /// The matrix that turns a hidden state into logits, `[v, d]`.
    pub fn head_weight(&self) -> &Weight {
        self.head.weight.as_ref().unwrap_or(&self.embedding.table)
    }

    /// The head as it computes.
    pub fn head_matrix(&self) -> HeadMatrix {
        let dtype = self.embedding.dtype;
        HeadMatrix {
            weight: self.head_weight().value_as(dtype),
            bias: self.head.bias.as_ref().map(|bias| bias.value_as(dtype)),
            adapted: self
                .head
                .lora
                .is_some()
                .then(|| Box::new(self.head_projection())),
            spec: self.head.spec,
        }
    }

    /// The head as a linear layer; its matrix is the embedding's where the two are tied.
    pub(super) fn head_projection(&self) -> Projection {
        let Head {
            path, bias, lora, ..
        } = &self.head;
        Projection {
            path: path.clone(),
            weight: self.head_weight().clone(),
            bias: bias.clone(),
            lora: lora.clone(),
        }
    }

    /// Rotations and masks for `places: [b, s]`, of which the last `t` are queries.
    pub fn pass(&self, places: &[KeyPlace], shape: [usize; 3]) -> Pass {
        Pass::new(&self.arch, places, shape, &self.device)
    }

    /// For `t` tokens of one text after the `n_seen` before.
    pub(super) fn pass_after(&self, n_seen: usize, t: usize) -> Pass {
        let s = n_seen + t;
        let places: Vec<KeyPlace> = (0..s as u32)
            .map(|position| KeyPlace {
                segment: 0,
                position,
            })
            .collect();
        self.pass(&places, [1, t, s])
    }

    /// Hidden states after the last block, before the final norm. `ids: [b, t] -> [b, t, d]`
    pub fn hidden(&self, ids: Tensor<2, Int>, pass: &Pass) -> Tensor<3> {
        let x = self.embedding.forward(ids, pass);
        self.layers
            .iter()
            .fold(x, |x, layer| layer.forward(x, pass, None))
    }

    /// Logits in f32 of rows of hidden states. `x: [n, d] -> [n, v]`
    pub fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        self.head_matrix().logits(self.norm.forward(x))
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
            layers: self.new_layer_caches(),
            rows: Vec::new(),
        }
    }

    fn new_layer_caches(&self) -> Vec<LayerCache> {
        vec![LayerCache::default(); self.layers.len()]
    }

    /// Runs new tokens of every row (all rows of one length) after what the cache has seen.
    /// Returns their hidden states `[b, t, d]`.
    ///
    /// Where a longer text rotates all of its positions otherwise, keys of the shorter one are of
    /// no use, and everything is computed again.
    pub fn extend(&self, rows: &[&[u32]], cache: &mut DecoderCache) -> Tensor<3> {
        let t = rows.first().map_or(0, |row| row.len());
        let n_seen = cache.n_tokens();
        cache.rows.resize(rows.len(), Vec::new());
        for (seen, row) in cache.rows.iter_mut().zip(rows) {
            seen.extend_from_slice(row);
        }
        if n_seen == 0 || self.arch.rotates_alike(n_seen, n_seen + t) {
            return self.run(rows, n_seen, &mut cache.layers);
        }
        cache.layers = self.new_layer_caches();
        let whole: Vec<&[u32]> = cache.rows.iter().map(Vec::as_slice).collect();
        let hidden = self.run(&whole, 0, &mut cache.layers);
        hidden.narrow(1, n_seen, t)
    }

    fn run(&self, rows: &[&[u32]], n_seen: usize, caches: &mut [LayerCache]) -> Tensor<3> {
        let t = rows.first().map_or(0, |row| row.len());
        let pass = self.pass_after(n_seen, t);
        let mut x = self.embedding.forward(self.ids(rows, t), &pass);
        for (layer, cache) in self.layers.iter().zip(caches) {
            x = layer.forward(x, &pass, Some(cache));
        }
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
