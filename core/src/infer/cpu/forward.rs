//! The forward pass: `x + attention(norm(x))`, then `x + down(silu(gate(norm x)) · up(norm x))`.

use super::{
    adapter::CpuAdapter,
    attention::{Heads, LayerCache},
    matrix::dot,
    model::{Layer, Linear, Model},
};
use crate::arch::Arch;

/// What all layers of one call share.
pub(super) struct Pass<'a> {
    pub(super) arch: &'a Arch,
    pub(super) model: &'a Model,
    pub(super) adapter: Option<&'a CpuAdapter>,
    pub(super) rope: Rope,
}

/// Cosines and sines of the call's positions, `[t, k / 2]`.
pub(super) struct Rope {
    cos: Vec<f32>,
    sin: Vec<f32>,
    n_pairs: usize,
}

impl Rope {
    /// Angles of `t` positions from `first` on, in f32 as transformers computes them.
    pub(super) fn new(frequencies: &[f32], first: usize, t: usize) -> Self {
        let angles = (first..first + t).flat_map(|position| {
            let angle = move |frequency| position as f32 * frequency;
            frequencies.iter().map(angle)
        });
        let (sin, cos) = angles.map(f32::sin_cos).unzip();
        Self {
            cos,
            sin,
            n_pairs: frequencies.len(),
        }
    }

    /// Turns the halves of every head against each other. `x: [t, heads, k]`, `width = heads k`
    fn rotate(&self, x: &mut [f32], width: usize) {
        let cos = self.cos.chunks(self.n_pairs);
        let angles = cos.zip(self.sin.chunks(self.n_pairs));
        for (x, (cos, sin)) in x.chunks_mut(width).zip(angles) {
            for head in x.chunks_mut(2 * self.n_pairs) {
                let (first, second) = head.split_at_mut(self.n_pairs);
                for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
    }
}

impl Pass<'_> {
    /// Hidden states after the last layer; the cache has one entry a layer. `-> [t, d]`
    pub(super) fn hidden(&self, ids: &[u32], cache: &mut [LayerCache]) -> Vec<f32> {
        let embedding = &self.model.embed_tokens;
        let rows = ids.iter().map(|id| embedding.row_values(*id as usize));
        let mut x: Vec<f32> = rows.flatten().collect();
        for (layer_idx, (layer, cache)) in self.model.layers.iter().zip(cache).enumerate() {
            self.layer(layer, self.heads(layer_idx), &mut x, cache);
        }
        x
    }

    /// Logits after hidden states. `[t, d] -> [t, v]`
    pub(super) fn logits(&self, x: &[f32]) -> Vec<f32> {
        let normed = self.norm(&self.model.norm, x);
        self.model.head().product(&normed)
    }

    fn heads(&self, layer_idx: usize) -> Heads {
        Heads {
            n_heads: self.arch.n_heads,
            n_kv_heads: self.arch.n_kv_heads,
            head_dim: self.arch.head_dim,
            window: self.arch.windows.get(layer_idx).copied().flatten(),
        }
    }

    fn layer(&self, layer: &Layer, heads: Heads, x: &mut [f32], cache: &mut LayerCache) {
        let normed = self.norm(&layer.input_layernorm, x);
        let mut q = self.linear(&layer.q_proj, &normed);
        let mut k = self.linear(&layer.k_proj, &normed);
        let v = self.linear(&layer.v_proj, &normed);
        for (x, weight, width) in [
            (&mut q, &layer.q_norm, self.arch.d_q()),
            (&mut k, &layer.k_norm, self.arch.d_kv()),
        ] {
            if let Some(weight) = weight {
                *x = self.norm(weight, x);
            }
            self.rope.rotate(x, width);
        }
        cache.append(&k, &v);
        let attended = cache.attend(&q, heads);
        add(x, &self.linear(&layer.o_proj, &attended));

        let normed = self.norm(&layer.post_attention_layernorm, x);
        let mut gate = self.linear(&layer.gate_proj, &normed);
        let up = self.linear(&layer.up_proj, &normed);
        for (gate, up) in gate.iter_mut().zip(&up) {
            *gate = *gate / (1.0 + (-*gate).exp()) * up;
        }
        add(x, &self.linear(&layer.down_proj, &gate));
    }

    /// `x: [t, d_in] -> [t, d_out]`
    fn linear(&self, linear: &Linear, x: &[f32]) -> Vec<f32> {
        let mut y = linear.weight.product(x);
        if let Some(bias) = &linear.bias {
            for y in y.chunks_mut(bias.len()) {
                add(y, bias);
            }
        }
        if let Some(adapter) = self.adapter {
            adapter.add(linear.module_idx, x, &mut y);
        }
        y
    }

    /// `x / sqrt(mean(x²) + eps) · w` over the length of `w`.
    fn norm(&self, weight: &[f32], x: &[f32]) -> Vec<f32> {
        let mut normed = Vec::with_capacity(x.len());
        for x in x.chunks(weight.len()) {
            let mean_square = dot(x, x) / weight.len() as f32;
            let scale = 1.0 / (mean_square + self.arch.norm_eps as f32).sqrt();
            normed.extend(x.iter().zip(weight).map(|(x, w)| x * scale * w));
        }
        normed
    }
}

fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}
