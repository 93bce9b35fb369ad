//! From a checkpoint to a decoder on a device.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{Decoder, load_in::packed_format};
use crate::{
    arch::{
        Arch, BlockModule, EmbeddingSpec, LinearRole, MlpLayout, Module, NormSpec, Part,
        QkNormOver, QkvLayout,
    },
    cores,
    nn::{
        Attention, Block, Embedding, Head, HeadNorm, HeadSizes, Mlp, MlpInput, Norm, Packing,
        Positions, Projection, QkvInput, Weight,
    },
    protocol::LoadIn,
    quant::{PackedBlocks, PackedFormat, QuantError},
    weights::{LoadError, LoadErrors, RawTensor, WeightSource},
};

/// Whole blocks of every format.
const VALUES_A_PIECE: usize = 1 << 16;

impl Decoder {
    /// Reads every tensor that `arch` names; tensors it does not name are ignored.
    ///
    /// # Errors
    /// All missing, misshapen, mistyped and non-finite tensors at once.
    pub fn load(
        arch: &Arch,
        source: &dyn WeightSource,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, LoadErrors> {
        Self::load_in(arch, source, (device, dtype), None)
    }

    /// As [`Self::load`], with the linear layers of the blocks packed one after the other: nothing
    /// holds more than the packed model and one tensor.
    ///
    /// # Errors
    /// Those of [`Self::load`], and values that the packed format cannot hold.
    pub fn load_in(
        arch: &Arch,
        source: &dyn WeightSource,
        (device, dtype): (&Device, DType),
        load_in: Option<LoadIn>,
    ) -> Result<Self, LoadErrors> {
        check_shapes(arch, source)?;
        Builder {
            arch,
            device,
            dtype,
            source,
            packing: load_in.map(|load_in| Packing::new(packed_format(load_in), device)),
        }
        .decoder()
        .map_err(LoadErrors::from)
    }
}

/// Looks at every tensor that `arch` names without reading one.
pub(super) fn check_shapes(arch: &Arch, source: &dyn WeightSource) -> Result<(), LoadErrors> {
    let errors: Vec<LoadError> = arch
        .tensors()
        .iter()
        .filter_map(|spec| check_shape(source, &spec.name, &spec.shape).err())
        .collect();
    match errors.is_empty() {
        true => Ok(()),
        false => Err(LoadErrors(errors)),
    }
}

fn check_shape(source: &dyn WeightSource, name: &str, expected: &[usize]) -> Result<(), LoadError> {
    let found = source.info(name)?.shape;
    if found == expected {
        return Ok(());
    }
    Err(LoadError::Shape {
        name: name.to_string(),
        expected: expected.to_vec(),
        found,
    })
}

pub(super) struct Builder<'a> {
    pub(super) arch: &'a Arch,
    pub(super) device: &'a Device,
    pub(super) dtype: DType,
    pub(super) source: &'a dyn WeightSource,
    /// Of linear layers, where they are packed.
    pub(super) packing: Option<Packing>,
}

impl Builder<'_> {
    fn decoder(&self) -> Result<Decoder, LoadError> {
        let layers = (0..self.arch.n_layers).map(|layer_idx| self.block(layer_idx));
        let layers = layers.collect::<Result<_, _>>()?;
        Ok(Decoder {
            layers,
            ..self.without_blocks()?
        })
    }

    /// Embedding, final norm and head.
    pub(super) fn without_blocks(&self) -> Result<Decoder, LoadError> {
        let arch = self.arch;
        Ok(Decoder {
            arch: arch.clone(),
            embedding: self.embedding()?,
            layers: Vec::new(),
            norm: self.norm(Module::FinalNorm, arch.norm)?,
            head: Head {
                path: arch.path(Module::Head),
                weight: self.part_if(!arch.tie_embeddings, Module::Head, Part::Weight)?,
                bias: self.part_if(arch.logits.has_bias, Module::Head, Part::Bias)?,
                lora: None,
                spec: arch.logits,
            },
            set_aside: BTreeMap::new(),
            device: self.device.clone(),
        })
    }

    fn embedding(&self) -> Result<Embedding, LoadError> {
        let EmbeddingSpec { scale, n_positions } = self.arch.embedding;
        let positions = n_positions.map(|_| {
            Ok(Positions {
                path: self.arch.path(Module::Positions),
                table: self.part(Module::Positions, Part::Weight)?,
            })
        });
        Ok(Embedding {
            path: self.arch.path(Module::Embedding),
            table: self.part(Module::Embedding, Part::Weight)?,
            positions: positions.transpose()?,
            lora: None,
            scale,
            dtype: self.dtype,
        })
    }

    pub(super) fn block(&self, layer_idx: usize) -> Result<Block, LoadError> {
        let arch = self.arch;
        let norm = |&place| {
            let module = Module::Block(layer_idx, BlockModule::Norm(place));
            Ok((place, self.norm(module, arch.norm)?))
        };
        Ok(Block {
            spec: arch.block,
            norms: arch
                .block
                .shape
                .norms()
                .iter()
                .map(norm)
                .collect::<Result<_, _>>()?,
            attention: self.attention(layer_idx)?,
            mlp: self.mlp(layer_idx)?,
        })
    }

    fn attention(&self, layer_idx: usize) -> Result<Attention, LoadError> {
        let arch = self.arch;
        let linear = |role| self.projection(layer_idx, role);
        let input = match arch.attention.qkv {
            QkvLayout::Separate => QkvInput::Separate(Box::new([
                linear(LinearRole::Query)?,
                linear(LinearRole::Key)?,
                linear(LinearRole::Value)?,
            ])),
            layout => QkvInput::Fused {
                qkv: Box::new(linear(LinearRole::QueryKeyValue)?),
                layout,
            },
        };
        let layer = arch.layers[layer_idx];
        Ok(Attention {
            input,
            output: linear(LinearRole::AttentionOutput)?,
            q_norm: self.head_norm(layer_idx, arch.n_heads, |head| BlockModule::QueryNorm {
                head,
            })?,
            k_norm: self.head_norm(layer_idx, arch.n_kv_heads, |head| BlockModule::KeyNorm {
                head,
            })?,
            sizes: HeadSizes {
                n_heads: arch.n_heads,
                n_kv_heads: arch.n_kv_heads,
                head_dim: arch.head_dim,
            },
            window: layer.window,
            rope: layer.rope,
            scale: arch.attention.scale,
            softcap: arch.attention.softcap,
        })
    }

    fn head_norm(
        &self,
        layer_idx: usize,
        n_heads: usize,
        module: impl Fn(Option<usize>) -> BlockModule,
    ) -> Result<Option<HeadNorm>, LoadError> {
        let Some(spec) = self.arch.attention.qk_norm else {
            return Ok(None);
        };
        let norm = |head| self.norm(Module::Block(layer_idx, module(head)), spec.norm);
        Ok(Some(match spec.over {
            QkNormOver::Head => HeadNorm::Shared(norm(None)?),
            QkNormOver::AllHeads => HeadNorm::Joint(norm(None)?),
            QkNormOver::OwnHead => {
                let norms = (0..n_heads).map(|head| norm(Some(head)));
                HeadNorm::Own(norms.collect::<Result<_, _>>()?)
            }
        }))
    }

    fn mlp(&self, layer_idx: usize) -> Result<Mlp, LoadError> {
        let linear = |role| self.projection(layer_idx, role);
        let spec = self.arch.mlp;
        Ok(Mlp {
            input: match spec.layout {
                MlpLayout::Plain => MlpInput::Plain(linear(LinearRole::Up)?),
                MlpLayout::Gated => MlpInput::Gated(Box::new([
                    linear(LinearRole::Gate)?,
                    linear(LinearRole::Up)?,
                ])),
                MlpLayout::FusedGated => MlpInput::FusedGated(linear(LinearRole::GateUp)?),
            },
            down: linear(LinearRole::Down)?,
            activation: spec.activation,
        })
    }

    fn projection(&self, layer_idx: usize, role: LinearRole) -> Result<Projection, LoadError> {
        let module = Module::Block(layer_idx, BlockModule::Linear(role));
        Ok(Projection {
            path: self.arch.path(module),
            weight: self.linear(&self.arch.tensor_name(module, Part::Weight))?,
            bias: self.part_if(self.arch.linear_has_bias(role), module, Part::Bias)?,
            lora: None,
        })
    }

    fn norm(&self, module: Module, spec: NormSpec) -> Result<Norm, LoadError> {
        Ok(Norm {
            path: self.arch.path(module),
            weight: self.part(module, Part::Weight)?,
            bias: self.part_if(spec.has_bias, module, Part::Bias)?,
            spec,
        })
    }

    fn part_if(&self, has: bool, module: Module, part: Part) -> Result<Option<Weight>, LoadError> {
        has.then(|| self.part(module, part)).transpose()
    }

    fn part(&self, module: Module, part: Part) -> Result<Weight, LoadError> {
        self.weight(&self.arch.tensor_name(module, part))
    }

    /// The matrix of a linear layer, packed where the model is.
    fn linear(&self, name: &str) -> Result<Weight, LoadError> {
        let Some(packing) = &self.packing else {
            return self.weight(name);
        };
        let raw = self.source.tensor(name)?;
        let blocks = packed(packing.format(), name, &raw)?;
        Ok(Weight::packed(packing.matrix(blocks, rows_columns(&raw))))
    }

    fn weight(&self, name: &str) -> Result<Weight, LoadError> {
        let raw = self.source.tensor(name)?;
        let values = raw.to_f32();
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(not_finite(name, index, values[index]));
        }
        let data = TensorData::new(values, rows_columns(&raw));
        let place = (self.device, self.dtype);
        Ok(Weight::frozen(Tensor::from_data(data, place)))
    }
}

/// A matrix as it is, a vector as one row.
fn rows_columns(raw: &RawTensor<'_>) -> [usize; 2] {
    match raw.shape[..] {
        [rows, columns] => [rows, columns],
        _ => [1, raw.shape.iter().product()],
    }
}

/// Packs a tensor in pieces on all cores: its values in f32 are never there at once.
fn packed(
    format: PackedFormat,
    name: &str,
    raw: &RawTensor<'_>,
) -> Result<PackedBlocks, LoadError> {
    let n_values = raw.n_values();
    let pieces = cores::parts(n_values.div_ceil(VALUES_A_PIECE), 1, |piece| {
        let from = piece * VALUES_A_PIECE;
        let values = raw.range_to_f32(from..n_values.min(from + VALUES_A_PIECE));
        format.quantize(&values).map_err(|source| match source {
            QuantError::NotFinite { index, value } => not_finite(name, from + index, value),
            source => LoadError::Quantize {
                name: name.to_owned(),
                source,
            },
        })
    });
    let pieces = pieces.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(PackedBlocks::join(format, pieces))
}

fn not_finite(name: &str, index: usize, value: f32) -> LoadError {
    LoadError::NotFinite {
        name: name.to_owned(),
        index,
        value,
    }
}
