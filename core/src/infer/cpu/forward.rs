//! The forward pass of a block, in the residual form that the model has: see
//! [`BlockShape`](crate::arch::BlockShape).

use super::{
    activation::activate,
    adapter::CpuAdapter,
    attention::{Heads, LayerCache},
    model::{Layer, Linear, Mlp, Model, Qkv},
    norm::Norm,
    rope::Rope,
};
use crate::arch::{Alibi, Arch, BlockShape, FusedHeads};

/// What all layers of one call share.
pub(super) struct Pass<'a> {
    pub(super) arch: &'a Arch,
    pub(super) model: &'a Model,
    pub(super) adapter: Option<&'a CpuAdapter>,
    /// One for each of [`Arch::ropes`].
    pub(super) ropes: Vec<Rope>,
    pub(super) alibi: Option<Alibi>,
    /// Position of the first token.
    pub(super) first: usize,
}

impl Pass<'_> {
    /// Hidden states after the last layer; the cache has one entry a layer. `-> [t, d]`
    pub(super) fn hidden(&self, ids: &[u32], cache: &mut [LayerCache]) -> Vec<f32> {
        let mut x = self.embedded(ids);
        for (layer_idx, (layer, cache)) in self.model.layers.iter().zip(cache).enumerate() {
            self.block(layer_idx, layer, &mut x, cache);
        }
        x
    }

    /// Logits after hidden states. `[t, d] -> [t, v]`
    pub(super) fn logits(&self, x: &[f32]) -> Vec<f32> {
        let normed = self.model.norm.apply(x);
        let mut logits = self.model.head().product(&normed);
        if let Some(bias) = &self.model.head_bias {
            add_to_rows(&mut logits, bias);
        }
        let spec = self.arch.logits;
        if spec.divisor != 1.0 {
            let divisor = spec.divisor as f32;
            logits.iter_mut().for_each(|logit| *logit /= divisor);
        }
        if let Some(softcap) = spec.softcap {
            let softcap = softcap as f32;
            let capped = |logit: &mut f32| *logit = softcap * (*logit / softcap).tanh();
            logits.iter_mut().for_each(capped);
        }
        logits
    }

    fn embedded(&self, ids: &[u32]) -> Vec<f32> {
        let table = &self.model.embed_tokens;
        let scale = self.arch.embedding.scale as f32;
        let mut x = Vec::with_capacity(ids.len() * self.arch.d_model);
        for (i, id) in ids.iter().enumerate() {
            let row = table.row_values(*id as usize);
            let start = x.len();
            x.extend(row.iter().map(|value| value * scale));
            if let Some(positions) = &self.model.positions {
                add(&mut x[start..], &positions.row_values(self.first + i));
            }
        }
        x
    }

    fn block(&self, layer_idx: usize, layer: &Layer, x: &mut [f32], cache: &mut LayerCache) {
        let normed = apply(layer.before_attention.as_ref(), x);
        let attended = self.attention(layer_idx, layer, &normed, cache);
        let attended = apply(layer.after_attention.as_ref(), &attended);
        let mlp_input = match self.arch.block.shape {
            BlockShape::Sequential | BlockShape::PostNorm | BlockShape::Sandwich => {
                self.add_scaled(x, &attended);
                apply(layer.before_mlp.as_ref(), x)
            }
            BlockShape::Parallel => {
                let mlp_input = apply(layer.before_mlp.as_ref(), x);
                self.add_scaled(x, &attended);
                mlp_input
            }
            BlockShape::ParallelOneNorm => {
                self.add_scaled(x, &attended);
                normed
            }
        };
        let fed = self.mlp(&layer.mlp, &mlp_input);
        self.add_scaled(x, &apply(layer.after_mlp.as_ref(), &fed));
    }

    /// `x: [t, d] -> [t, d]`
    fn attention(
        &self,
        layer_idx: usize,
        layer: &Layer,
        x: &[f32],
        cache: &mut LayerCache,
    ) -> Vec<f32> {
        let arch = self.arch;
        let [q, k, v] = match &layer.qkv {
            Qkv::Separate { q, k, v } => [q, k, v].map(|linear| self.linear(linear, x)),
            Qkv::Joint(linear) => split_heads(&self.linear(linear, x), arch),
        };
        let mut q = normed_heads(&layer.query_norms, q);
        let mut k = normed_heads(&layer.key_norms, k);
        let spec = arch.layers[layer_idx];
        if let Some(rope) = spec.rope.and_then(|rope| self.ropes.get(rope)) {
            rope.rotate(&mut q, arch.d_q(), arch.head_dim);
            rope.rotate(&mut k, arch.d_kv(), arch.head_dim);
        }
        cache.append(&k, &v);
        let heads = Heads {
            n_heads: arch.n_heads,
            n_kv_heads: arch.n_kv_heads,
            head_dim: arch.head_dim,
            window: spec.window,
            scale: arch.attention.scale as f32,
            softcap: arch.attention.softcap.map(|softcap| softcap as f32),
            alibi: self.alibi.as_ref(),
        };
        self.linear(&layer.output, &cache.attend(&q, &heads))
    }

    /// `x: [t, d] -> [t, d]`
    fn mlp(&self, mlp: &Mlp, x: &[f32]) -> Vec<f32> {
        let activation = self.arch.mlp.activation;
        let (hidden, down) = match mlp {
            Mlp::Plain { up, down } => {
                let mut hidden = self.linear(up, x);
                activate(activation, &mut hidden);
                (hidden, down)
            }
            Mlp::Gated { gate, up, down } => {
                let mut gate = self.linear(gate, x);
                activate(activation, &mut gate);
                multiply(&mut gate, &self.linear(up, x));
                (gate, down)
            }
            Mlp::JointGated { gate_up, down } => {
                let both = self.linear(gate_up, x);
                let mut hidden = Vec::with_capacity(both.len() / 2);
                for both in both.chunks(2 * self.arch.d_ff) {
                    let (gate, up) = both.split_at(self.arch.d_ff);
                    let mut gate = gate.to_vec();
                    activate(activation, &mut gate);
                    multiply(&mut gate, up);
                    hidden.extend(gate);
                }
                (hidden, down)
            }
        };
        self.linear(down, &hidden)
    }

    /// `x: [t, d_in] -> [t, d_out]`
    fn linear(&self, linear: &Linear, x: &[f32]) -> Vec<f32> {
        let mut y = linear.weight.product(x);
        if let Some(bias) = &linear.bias {
            add_to_rows(&mut y, bias);
        }
        if let Some(adapter) = self.adapter {
            adapter.add(linear.module_idx, x, &mut y);
        }
        y
    }

    fn add_scaled(&self, x: &mut [f32], y: &[f32]) {
        let scale = self.arch.block.residual_scale as f32;
        x.iter_mut().zip(y).for_each(|(x, y)| *x += y * scale);
    }
}

/// A norm where there is one.
fn apply(norm: Option<&Norm>, x: &[f32]) -> Vec<f32> {
    norm.map_or_else(|| x.to_vec(), |norm| norm.apply(x))
}

/// Norms of heads in turn: one for all of them, one a head, or one over their whole width.
fn normed_heads(norms: &[Norm], x: Vec<f32>) -> Vec<f32> {
    let Some(len) = norms.first().map(Norm::len) else {
        return x;
    };
    let mut normed = Vec::with_capacity(x.len());
    for (x, norm) in x.chunks(len).zip(norms.iter().cycle()) {
        norm.push(x, &mut normed);
    }
    normed
}

/// Queries, keys and values of a joint output. `[t, (h + 2 g) k] -> [t, h k], [t, g k], [t, g k]`
fn split_heads(joint: &[f32], arch: &Arch) -> [Vec<f32>; 3] {
    let width = arch.d_q() + 2 * arch.d_kv();
    let FusedHeads { q, k, v } = arch.fused_heads();
    [q, k, v].map(|places| {
        let heads = joint.chunks(width).flat_map(|row| {
            let head = |place: &usize| &row[place * arch.head_dim..(place + 1) * arch.head_dim];
            places.iter().flat_map(head).copied()
        });
        heads.collect()
    })
}

fn multiply(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x *= y);
}

fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

fn add_to_rows(rows: &mut [f32], y: &[f32]) {
    rows.chunks_mut(y.len()).for_each(|row| add(row, y));
}
