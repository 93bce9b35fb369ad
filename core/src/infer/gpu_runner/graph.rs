//! The launches of a forward pass, built once and replayed for every token.
//!
//! A layer is `x += output(attention(qkv(norm x)))`, then `x += down(silu(gate) · up)` of the
//! norm: ten launches for one token. An adapter adds two for every group of projections that it
//! touches.

use super::{
    adapter::{GpuAdapter, GpuUpdate},
    context::ContextBuffers,
    scratch::Scratch,
    weights::{GpuLayer, GpuProjection, GpuWeights},
};
use crate::{
    arch::Arch,
    gpu::{
        Buffer, Dispatch, Gpu, GpuError, Linear, Rows, linear,
        ops::{
            Attention, Embed, LoraUp, QkNorm, RmsNorm, RopeAppend, SiluMul, attention, embed,
            lora_up, rms_norm, rope_append, silu_mul,
        },
    },
    infer::plan::InputGroup,
};

/// Launches for a fixed number of tokens.
pub(super) struct Graph {
    /// From ids to the residual stream behind the last layer.
    pub(super) body: Vec<Dispatch>,
    /// From there to the logits of the last token.
    pub(super) head: Vec<Dispatch>,
    pub(super) n_tokens: usize,
}

/// What launches read and write.
pub(super) struct GraphBuilder<'a> {
    pub(super) gpu: &'a Gpu,
    pub(super) arch: &'a Arch,
    pub(super) weights: &'a GpuWeights,
    pub(super) scratch: &'a Scratch,
    pub(super) context: &'a ContextBuffers,
    pub(super) adapter: Option<&'a GpuAdapter>,
    pub(super) n_tokens: usize,
}

/// A product of a group of projections.
struct Product<'a> {
    label: &'a str,
    projection: &'a GpuProjection,
    update: Option<&'a GpuUpdate>,
    x: &'a Buffer,
    y: &'a Buffer,
    /// Added to what `y` holds, instead of replacing it.
    accumulate: bool,
}

impl GraphBuilder<'_> {
    pub(super) fn build(&self) -> Result<Graph, GpuError> {
        Ok(Graph {
            body: self.body()?,
            head: self.head(self.n_tokens - 1, 1, &self.context.logits)?,
            n_tokens: self.n_tokens,
        })
    }

    pub(super) fn body(&self) -> Result<Vec<Dispatch>, GpuError> {
        let mut launches = embed(
            self.gpu,
            "embedding",
            &Embed {
                ids: &self.context.ids,
                table: &self.weights.embedding,
                x: &self.scratch.x,
                n_tokens: self.n_tokens,
            },
        )?;
        for (layer_idx, layer) in self.weights.layers.iter().enumerate() {
            self.push_attention(layer_idx, layer, &mut launches)?;
            self.push_feed_forward(layer_idx, layer, &mut launches)?;
        }
        Ok(launches)
    }

    /// Logits of some of the rows behind the last layer. `logits: [n_rows, v]`
    pub(super) fn head(
        &self,
        first_row: usize,
        n_rows: usize,
        logits: &Buffer,
    ) -> Result<Vec<Dispatch>, GpuError> {
        let normed = RmsNorm {
            x: &self.scratch.x,
            weight: &self.weights.norm,
            out: &self.scratch.normed,
            d: self.arch.d_model,
            first_row,
            n_rows,
            eps: self.arch.norm.eps as f32,
        };
        let mut launches = vec![rms_norm(self.gpu, "final norm", &normed)?];
        let op = Linear {
            weight: self.weights.head(),
            x: Rows::packed(&self.scratch.normed, count(self.arch.d_model)),
            y: Rows::packed(logits, count(self.arch.vocab_size)),
            bias: None,
            accumulate: false,
            n_tokens: count(n_rows),
        };
        launches.extend(linear(self.gpu, "head", &op)?);
        Ok(launches)
    }

    fn push_attention(
        &self,
        layer_idx: usize,
        layer: &GpuLayer,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let Self {
            gpu,
            arch,
            scratch,
            context,
            ..
        } = self;
        let eps = arch.norm.eps as f32;
        launches.push(self.norm("input norm", &layer.input_layernorm)?);
        self.push_product(
            &Product {
                label: "q, k, v",
                projection: &layer.qkv,
                update: self.update(layer_idx, InputGroup::Qkv),
                x: &scratch.normed,
                y: &scratch.qkv,
                accumulate: false,
            },
            launches,
        )?;
        let cache = &context.kv[layer_idx];
        let rotation = RopeAppend {
            qkv: &scratch.qkv,
            frequencies: &self.weights.frequencies,
            state: &context.state,
            norm: layer.qk_norm.as_ref().map(|[q, k]| QkNorm { q, k, eps }),
            q: &scratch.q,
            cache,
            n_heads: arch.n_heads,
            n_tokens: self.n_tokens,
        };
        launches.push(rope_append(gpu, "rotate and append", &rotation)?);
        let attended = Attention {
            q: &scratch.q,
            cache,
            state: &context.state,
            scratch: &scratch.splits,
            out: &scratch.attended,
            n_heads: arch.n_heads,
            n_tokens: self.n_tokens,
            window: arch.layers.get(layer_idx).and_then(|layer| layer.window),
            scale: 1.0 / (arch.head_dim as f32).sqrt(),
            cap: None,
        };
        launches.extend(attention(gpu, "attention", &attended)?);
        self.push_product(
            &Product {
                label: "output",
                projection: &layer.output,
                update: self.update(layer_idx, InputGroup::Output),
                x: &scratch.attended,
                y: &scratch.x,
                accumulate: true,
            },
            launches,
        )
    }

    fn push_feed_forward(
        &self,
        layer_idx: usize,
        layer: &GpuLayer,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let scratch = self.scratch;
        launches.push(self.norm("post-attention norm", &layer.post_attention_layernorm)?);
        self.push_product(
            &Product {
                label: "gate, up",
                projection: &layer.gate_up,
                update: self.update(layer_idx, InputGroup::GateUp),
                x: &scratch.normed,
                y: &scratch.gate_up,
                accumulate: false,
            },
            launches,
        )?;
        let gated = SiluMul {
            gate_up: &scratch.gate_up,
            a: &scratch.gated,
            n_tokens: self.n_tokens,
            f: self.arch.d_ff,
        };
        launches.push(silu_mul(self.gpu, "gate", &gated)?);
        self.push_product(
            &Product {
                label: "down",
                projection: &layer.down,
                update: self.update(layer_idx, InputGroup::Down),
                x: &scratch.gated,
                y: &scratch.x,
                accumulate: true,
            },
            launches,
        )
    }

    /// The residual stream, normalized.
    fn norm(&self, label: &str, weight: &Buffer) -> Result<Dispatch, GpuError> {
        let norm = RmsNorm {
            x: &self.scratch.x,
            weight,
            out: &self.scratch.normed,
            d: self.arch.d_model,
            first_row: 0,
            n_rows: self.n_tokens,
            eps: self.arch.norm.eps as f32,
        };
        rms_norm(self.gpu, label, &norm)
    }

    fn update(&self, layer_idx: usize, group: InputGroup) -> Option<&GpuUpdate> {
        self.adapter?.update(layer_idx, group)
    }

    fn push_product(
        &self,
        product: &Product<'_>,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let projection = product.projection;
        for matrix in &projection.matrices {
            let y = Rows::packed(product.y, count(projection.n_out));
            let op = Linear {
                weight: &matrix.weight,
                x: Rows::packed(product.x, matrix.weight.n_cols()),
                y: y.from_column(count(matrix.column)),
                bias: matrix.bias.as_ref(),
                accumulate: product.accumulate,
                n_tokens: count(self.n_tokens),
            };
            launches.extend(linear(self.gpu, product.label, &op)?);
        }
        let (Some(update), Some(adapter)) = (product.update, self.adapter) else {
            return Ok(());
        };
        let down = Linear {
            weight: &update.a,
            x: Rows::packed(product.x, update.a.n_cols()),
            y: Rows::packed(&adapter.u, count(update.rank)),
            bias: None,
            accumulate: false,
            n_tokens: count(self.n_tokens),
        };
        let label = format!("{}, adapter down", product.label);
        launches.extend(linear(self.gpu, &label, &down)?);
        let up = LoraUp {
            u: &adapter.u,
            u_stride: update.rank,
            weights: &update.b,
            y: product.y,
            y_stride: projection.n_out,
            n_tokens: self.n_tokens,
        };
        let label = format!("{}, adapter up", product.label);
        launches.push(lora_up(self.gpu, &label, &up)?);
        Ok(())
    }
}

/// A size that the plan has compared with what the device can count.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
