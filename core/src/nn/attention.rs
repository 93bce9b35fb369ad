//! Causal grouped-query attention.

use burn::tensor::{DType, Tensor, activation::softmax};

use super::{HeadNorm, Pass, Projection, soft_cap};
use crate::arch::QkvLayout;

#[derive(Debug, Clone)]
pub struct Attention {
    pub input: QkvInput,
    pub output: Projection,
    pub q_norm: Option<HeadNorm>,
    pub k_norm: Option<HeadNorm>,
    pub sizes: HeadSizes,
    /// How many tokens back a query sees, itself included.
    pub window: Option<usize>,
    /// Place in [`Pass::ropes`]; `None` rotates nothing.
    pub rope: Option<usize>,
    pub scale: f64,
    pub softcap: Option<f64>,
}

/// What leads from a hidden state to queries, keys and values.
#[derive(Debug, Clone)]
pub enum QkvInput {
    /// Queries, keys, values.
    Separate(Box<[Projection; 3]>),
    /// One module, whose output is cut by the layout.
    Fused {
        qkv: Box<Projection>,
        layout: QkvLayout,
    },
}

/// `h`, `g` and `k`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSizes {
    pub n_heads: usize,
    pub n_kv_heads: usize,
    pub head_dim: usize,
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
        let HeadSizes {
            n_heads, head_dim, ..
        } = self.sizes;
        let rope = self.rope.and_then(|rope_idx| pass.ropes.get(rope_idx));
        let placed = |heads: Tensor<4>, norm: Option<&HeadNorm>| {
            let normed = match norm {
                Some(norm) => norm.forward(heads),
                None => heads,
            };
            let heads = normed.swap_dims(1, 2);
            match rope {
                Some(rope) => rope.rotate(heads),
                None => heads,
            }
        };

        let [q, k, v] = self.input.forward(x, pass, self.sizes);
        let q = placed(q, self.q_norm.as_ref());
        let k = placed(k, self.k_norm.as_ref());
        let v = v.swap_dims(1, 2);
        let (k, v) = match cache {
            Some(cache) => cache.extend(k, v),
            None => (k, v),
        };

        let scoring = Scoring {
            scale: self.scale,
            softcap: self.softcap,
            bias: pass.alibi.clone(),
            mask: pass.masks.get(self.window),
        };
        let y = attend(q, k, v, scoring);
        self.output
            .forward(y.swap_dims(1, 2).reshape([b, t, n_heads * head_dim]), pass)
    }

    /// The linear layers in the order of the forward pass.
    pub fn projections_mut(&mut self) -> Vec<&mut Projection> {
        let mut projections = match &mut self.input {
            QkvInput::Separate(three) => three.iter_mut().collect(),
            QkvInput::Fused { qkv, .. } => vec![qkv.as_mut()],
        };
        projections.push(&mut self.output);
        projections
    }
}

impl QkvInput {
    /// Heads of queries `[b, t, h, k]`, keys and values `[b, t, g, k]`.
    fn forward(&self, x: Tensor<3>, pass: &Pass, sizes: HeadSizes) -> [Tensor<4>; 3] {
        let [b, t, _] = x.dims();
        let HeadSizes {
            n_heads: h,
            n_kv_heads: g,
            head_dim: k,
        } = sizes;
        match self {
            Self::Separate(three) => {
                let [q, key, v] = three.as_ref();
                [(q, h), (key, g), (v, g)].map(|(projection, heads)| {
                    let y = projection.forward(x.clone(), pass);
                    y.reshape([b, t, heads, k])
                })
            }
            Self::Fused { qkv, layout } => {
                let y = qkv.forward(x, pass);
                match layout {
                    QkvLayout::Grouped => {
                        let r = h / g;
                        let groups = y.reshape([b, t, g, r + 2, k]);
                        [(0, r), (r, 1), (r + 1, 1)].map(|(from, n)| {
                            let heads = groups.clone().narrow(3, from, n);
                            heads.reshape([b, t, g * n, k])
                        })
                    }
                    QkvLayout::Stacked | QkvLayout::Separate => {
                        let heads = y.reshape([b, t, h + 2 * g, k]);
                        [(0, h), (h, g), (h + g, g)]
                            .map(|(from, n)| heads.clone().narrow(2, from, n))
                    }
                }
            }
        }
    }
}

/// How products of queries and keys become scores.
#[derive(Debug, Clone)]
pub struct Scoring {
    pub scale: f64,
    /// Scaled scores become `softcap · tanh(score / softcap)`.
    pub softcap: Option<f64>,
    /// Added after that, `[b or 1, h, 1, s]`.
    pub bias: Option<Tensor<4>>,
    /// Added last, `[b or 1, 1, t, s]`.
    pub mask: Option<Tensor<4>>,
}

/// `softmax(cap(scale · q kᵀ) + bias + mask) v`, softmax in f32.
///
/// # Shapes
/// `q: [b, h, t, k]`, `k, v: [b, g, s, k]` → `[b, h, t, k]`.
/// Query heads that share a key/value head are stacked along `t`, so keys and values are never
/// repeated.
pub fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, scoring: Scoring) -> Tensor<4> {
    let [b, h, t, head_dim] = q.dims();
    let [_, g, s, _] = k.dims();
    let r = h / g;
    let dtype = q.dtype();

    let q = q.mul_scalar(scoring.scale);
    let scores = q.reshape([b, g, r * t, head_dim]).matmul(k.swap_dims(2, 3));
    let scores = scores.reshape([b, h, t, s]).cast(DType::F32);
    let scores = match scoring.softcap {
        Some(cap) => soft_cap(scores, cap),
        None => scores,
    };
    let scores = [scoring.bias, scoring.mask]
        .into_iter()
        .flatten()
        .fold(scores, |scores, added| scores + added);
    let weights = softmax(scores, 3).cast(dtype).reshape([b, g, r * t, s]);
    weights.matmul(v).reshape([b, h, t, head_dim])
}
