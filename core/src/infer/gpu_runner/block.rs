//! The launches of a block, in the residual form that the model has: see
//! [`BlockShape`](crate::arch::BlockShape).
//!
//! A block of the Llama form is `x += output(attention(qkv(norm x)))`, then
//! `x += down(silu(gate) · up)` of the norm: ten launches for one token. A norm after attention or
//! feed-forward adds one, an adapter two for every group of projections that it touches.

use super::{
    adapter::GpuUpdate,
    graph::{GraphBuilder, count},
    weights::{GpuLayer, GpuNorm, GpuProjection},
};
use crate::{
    arch::{self, BlockShape, MlpLayout, NormKind, QkNormOver, QkvLayout},
    gpu::{
        Buffer, Dispatch, GpuError, Linear, Rows, linear,
        ops::{
            Activate, Activation, Attention, HeadSlopes, LoraUp, Norm, NormedHeads, QkNorm,
            RopeAppend, Rotation, activate, attention, lora_up, norm, rope_append,
        },
    },
    infer::plan::InputGroup,
};

/// A product of a group of projections.
struct Product<'a> {
    label: &'a str,
    projection: &'a GpuProjection,
    update: Option<&'a GpuUpdate>,
    x: &'a Buffer,
    y: &'a Buffer,
    scale: f32,
    /// Added to what `y` holds, instead of replacing it.
    accumulate: bool,
}

impl GraphBuilder<'_> {
    pub(super) fn push_block(
        &self,
        layer_idx: usize,
        layer: &GpuLayer,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let scratch = self.scratch;
        let shape = self.arch.block.shape;
        // Side by side, both halves read the residual stream before either is added to it.
        let is_parallel = matches!(shape, BlockShape::Parallel | BlockShape::ParallelOneNorm);

        let input = match &layer.before_attention {
            Some(norm) => self.push_norm("norm before attention", norm, launches)?,
            None => &scratch.x,
        };
        self.push_attention(layer_idx, layer, input, launches)?;
        if !is_parallel {
            self.push_output(layer_idx, layer, launches)?;
        }
        let input = match &layer.before_mlp {
            Some(norm) => self.push_norm("norm before feed-forward", norm, launches)?,
            None if shape == BlockShape::ParallelOneNorm => input,
            None => &scratch.x,
        };
        self.push_feed_forward(layer_idx, layer, input, launches)?;
        if is_parallel {
            self.push_output(layer_idx, layer, launches)?;
        }
        let down = Product {
            label: "down",
            projection: &layer.down,
            update: self.update(layer_idx, InputGroup::Down),
            x: &scratch.gated,
            y: &scratch.x,
            scale: 1.0,
            accumulate: true,
        };
        self.push_residual(down, layer.after_mlp.as_ref(), launches)
    }

    /// `input: [t, d]` to `scratch.attended: [t, h k]`
    fn push_attention(
        &self,
        layer_idx: usize,
        layer: &GpuLayer,
        input: &Buffer,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let Self {
            gpu,
            arch,
            scratch,
            context,
            ..
        } = *self;
        let qkv = Product {
            label: "q, k, v",
            projection: &layer.qkv,
            update: self.update(layer_idx, InputGroup::Qkv),
            x: input,
            y: &scratch.qkv,
            scale: 1.0,
            accumulate: false,
        };
        self.push_product(&qkv, launches)?;
        let cache = &context.kv[layer_idx];
        let rotation = RopeAppend {
            qkv: &scratch.qkv,
            is_grouped: arch.attention.qkv == QkvLayout::Grouped,
            rotation: self.rotation(layer_idx),
            state: &context.state,
            norm: layer.qk_norm.as_ref().and_then(|norms| self.qk_norm(norms)),
            q: &scratch.q,
            cache,
            n_heads: arch.n_heads,
            n_tokens: self.n_tokens,
        };
        launches.push(rope_append(gpu, "rotate and append", &rotation)?);
        let slopes = self.weights.slopes.as_ref().zip(arch.alibi());
        let attended = Attention {
            q: &scratch.q,
            cache,
            state: &context.state,
            scratch: &scratch.splits,
            out: &scratch.attended,
            n_heads: arch.n_heads,
            n_tokens: self.n_tokens,
            window: arch.layers.get(layer_idx).and_then(|layer| layer.window),
            scale: arch.attention.scale as f32,
            cap: arch.attention.softcap.map(|cap| cap as f32),
            slopes: slopes.map(|(slopes, alibi)| HeadSlopes {
                slopes,
                scale: alibi.scale(),
            }),
        };
        launches.extend(attention(gpu, "attention", &attended)?);
        Ok(())
    }

    /// How a layer turns queries and keys; `None` where it does not.
    fn rotation(&self, layer_idx: usize) -> Option<Rotation<'_>> {
        let rope = self.arch.layers.get(layer_idx)?.rope?;
        let spec = self.arch.ropes.get(rope)?;
        Some(Rotation {
            frequencies: self.context.frequencies.get(rope)?,
            n_rotated: spec.n_rotated,
            factor: spec.attention_factor as f32,
        })
    }

    fn qk_norm<'n>(&self, weights: &'n Buffer) -> Option<QkNorm<'n>> {
        let spec = self.arch.attention.qk_norm?;
        Some(QkNorm {
            weights,
            heads: match spec.over {
                QkNormOver::Head => NormedHeads::OneWeight,
                QkNormOver::OwnHead => NormedHeads::OwnWeight,
                QkNormOver::AllHeads => NormedHeads::Together,
            },
            is_centred: spec.norm.kind == NormKind::Layer,
            has_bias: spec.norm.has_bias,
            eps: spec.norm.eps as f32,
        })
    }

    fn push_output(
        &self,
        layer_idx: usize,
        layer: &GpuLayer,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let output = Product {
            label: "output",
            projection: &layer.output,
            update: self.update(layer_idx, InputGroup::Output),
            x: &self.scratch.attended,
            y: &self.scratch.x,
            scale: 1.0,
            accumulate: true,
        };
        self.push_residual(output, layer.after_attention.as_ref(), launches)
    }

    /// `input: [t, d]` to `scratch.gated: [t, f]`
    fn push_feed_forward(
        &self,
        layer_idx: usize,
        layer: &GpuLayer,
        input: &Buffer,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let Self { arch, scratch, .. } = *self;
        let gate_up = Product {
            label: "gate, up",
            projection: &layer.gate_up,
            update: self.update(layer_idx, InputGroup::GateUp),
            x: input,
            y: &scratch.gate_up,
            scale: 1.0,
            accumulate: false,
        };
        self.push_product(&gate_up, launches)?;
        let activated = Activate {
            activation: match arch.mlp.activation {
                arch::Activation::Silu => Activation::Silu,
                arch::Activation::Gelu => Activation::Gelu,
                arch::Activation::GeluTanh => Activation::GeluTanh,
                arch::Activation::Relu => Activation::Relu,
            },
            is_gated: arch.mlp.layout != MlpLayout::Plain,
            x: &scratch.gate_up,
            a: &scratch.gated,
            n_tokens: self.n_tokens,
            f: arch.d_ff,
        };
        launches.push(activate(self.gpu, "activation", &activated)?);
        Ok(())
    }

    /// The residual stream, normalized: the buffer that holds it.
    fn push_norm(
        &self,
        label: &str,
        weights: &GpuNorm,
        launches: &mut Vec<Dispatch>,
    ) -> Result<&Buffer, GpuError> {
        let out = &self.scratch.normed;
        let op = Norm {
            x: &self.scratch.x,
            weights: self.norm_weights(weights),
            out,
            added: None,
            d: self.arch.d_model,
            first_row: 0,
            n_rows: self.n_tokens,
        };
        launches.push(norm(self.gpu, label, &op)?);
        Ok(out)
    }

    /// A product on its way into the residual stream, through the norm behind it where there is
    /// one.
    fn push_residual(
        &self,
        product: Product<'_>,
        after: Option<&GpuNorm>,
        launches: &mut Vec<Dispatch>,
    ) -> Result<(), GpuError> {
        let residual_scale = self.arch.block.residual_scale as f32;
        let Some(after) = after else {
            let scaled = Product {
                scale: residual_scale,
                ..product
            };
            return self.push_product(&scaled, launches);
        };
        // What stood there was read by this half of the block, which is done with it.
        let between = &self.scratch.normed;
        let apart = Product {
            y: between,
            accumulate: false,
            ..product
        };
        self.push_product(&apart, launches)?;
        let label = format!("norm after {}", product.label);
        let op = Norm {
            x: between,
            weights: self.norm_weights(after),
            out: product.y,
            added: Some(residual_scale),
            d: self.arch.d_model,
            first_row: 0,
            n_rows: self.n_tokens,
        };
        launches.push(norm(self.gpu, &label, &op)?);
        Ok(())
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
                scale: product.scale,
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
            scale: 1.0,
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
            scale: product.scale,
            n_tokens: self.n_tokens,
        };
        let label = format!("{}, adapter up", product.label);
        launches.push(lora_up(self.gpu, &label, &up)?);
        Ok(())
    }
}
