//! Causal grouped-query attention.

use burn::tensor::{DType, Tensor, activation::softmax};

use super::{Pass, Projection, RmsNorm};

#[derive(Debug, Clone)]
pub struct Attention {
    pub q_proj: Projection,
    pub k_proj: Projection,
    pub v_proj: Projection,
    pub o_proj: Projection,
    /// Qwen3 normalizes queries and keys per head before rotation.
    pub q_norm: Option<RmsNorm>,
    pub k_norm: Option<RmsNorm>,
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
    /// How many tokens back a query sees, itself included.
    pub window: Option<usize>,
}

/// Keys (rotated) and values of the tokens that one layer has seen, `[b, g, s, k]`.
#[derive(Debug, Clone, Default)]
pub struct LayerCache(Option<(Tensor<4>, Tensor<4>)>);

impl LayerCache {
    /// Appends and returns all keys and values.
    fn extend(&mut self, keys: Tensor<4>, values: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let whole = match self.0.take() {
            None => (keys, values),
            Some((old_keys, old_values)) => (
                Tensor::cat(vec![old_keys, keys], 2),
                Tensor::cat(vec![old_values, values], 2),
            ),
        };
        self.0 = Some(whole.clone());
        whole
    }
}

impl Attention {
    /// `x: [b, t, d] -> [b, t, d]`. With a cache, `x` continues what the cache has seen.
    pub fn forward(&self, x: Tensor<3>, pass: &Pass, cache: Option<&mut LayerCache>) -> Tensor<3> {
        let [b, t, _] = x.dims();
        let heads = |y: Tensor<3>, n_heads| y.reshape([b, t, n_heads, self.head_dim]);

        let q = heads(self.q_proj.forward(x.clone(), pass), self.n_heads);
        let k = heads(self.k_proj.forward(x.clone(), pass), self.n_kv_heads);
        let v = heads(self.v_proj.forward(x, pass), self.n_kv_heads);

        let q = pass
            .rope
            .rotate(normed(self.q_norm.as_ref(), q).swap_dims(1, 2));
        let k = pass
            .rope
            .rotate(normed(self.k_norm.as_ref(), k).swap_dims(1, 2));
        let v = v.swap_dims(1, 2);
        let (k, v) = match cache {
            Some(cache) => cache.extend(k, v),
            None => (k, v),
        };

        let y = attend(q, k, v, pass.masks.get(self.window));
        self.o_proj.forward(
            y.swap_dims(1, 2)
                .reshape([b, t, self.n_heads * self.head_dim]),
            pass,
        )
    }
}

fn normed(norm: Option<&RmsNorm>, x: Tensor<4>) -> Tensor<4> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}

/// `softmax(q kᵀ / sqrt(k) + mask) v`, softmax in f32.
///
/// # Shapes
/// `q: [b, h, t, k]`, `k, v: [b, g, s, k]`, `mask: [b or 1, 1, t, s]` → `[b, h, t, k]`.
/// Query heads that share a key/value head are stacked along `t`, so keys and values are never
/// repeated.
pub fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, mask: Option<Tensor<4>>) -> Tensor<4> {
    let [b, h, t, head_dim] = q.dims();
    let [_, g, s, _] = k.dims();
    let r = h / g;
    let dtype = q.dtype();

    let q = q.mul_scalar(1.0 / (head_dim as f64).sqrt());
    let scores = q.reshape([b, g, r * t, head_dim]).matmul(k.swap_dims(2, 3));
    let scores = scores.reshape([b, h, t, s]).cast(DType::F32);
    let scores = match mask {
        Some(mask) => scores + mask,
        None => scores,
    };
    let weights = softmax(scores, 3).cast(dtype).reshape([b, g, r * t, s]);
    weights.matmul(v).reshape([b, h, t, head_dim])
}
