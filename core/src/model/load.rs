//! From a checkpoint to a decoder on a device.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{Block, Decoder};
use crate::{
    arch::{Arch, LinearRole},
    nn::{Attention, GatedMlp, Projection, RmsNorm, Weight},
    weights::{LoadError, LoadErrors, RawTensor, WeightSource},
};

impl Decoder {
    /// Reads every tensor that `arch` names; tensors it does not name are ignored.
    ///
    /// # Errors
    /// Parts of the model that are not computed here; all missing, misshapen, mistyped and
    /// non-finite tensors at once.
    pub fn load(
        arch: &Arch,
        source: &dyn WeightSource,
        device: &Device,
        dtype: DType,
    ) -> Result<Self, LoadErrors> {
        let parts = arch.parts_beyond_llama();
        if !parts.is_empty() {
            let model_type = arch.family.model_type();
            return Err(LoadError::NotTrained { model_type, parts }.into());
        }
        let errors: Vec<LoadError> = arch
            .tensors()
            .iter()
            .filter_map(|spec| checked(source, &spec.name, &spec.shape).err())
            .collect();
        if !errors.is_empty() {
            return Err(LoadErrors(errors));
        }
        Builder {
            arch,
            device,
            dtype,
            source,
        }
        .decoder()
        .map_err(LoadErrors::from)
    }
}

fn checked<'a>(
    source: &'a dyn WeightSource,
    name: &str,
    expected: &[usize],
) -> Result<RawTensor<'a>, LoadError> {
    let tensor = source.tensor(name)?;
    if tensor.shape == expected {
        Ok(tensor)
    } else {
        Err(LoadError::Shape {
            name: name.to_string(),
            expected: expected.to_vec(),
            found: tensor.shape,
        })
    }
}

struct Builder<'a> {
    arch: &'a Arch,
    device: &'a Device,
    dtype: DType,
    source: &'a dyn WeightSource,
}

impl Builder<'_> {
    fn decoder(&self) -> Result<Decoder, LoadError> {
        let arch = self.arch;
        let layers = (0..arch.n_layers).map(|layer_idx| self.block(layer_idx));
        Ok(Decoder {
            arch: arch.clone(),
            embed_tokens: self.weight("model.embed_tokens.weight")?,
            layers: layers.collect::<Result<_, _>>()?,
            norm: self.norm("model.norm")?,
            lm_head: (!arch.tie_embeddings)
                .then(|| self.weight("lm_head.weight"))
                .transpose()?,
            device: self.device.clone(),
        })
    }

    fn block(&self, layer_idx: usize) -> Result<Block, LoadError> {
        let arch = self.arch;
        let path = arch.layer_path(layer_idx);
        let head_norm = |name| {
            arch.attention
                .qk_norm
                .map(|_| self.norm(&format!("{path}.self_attn.{name}")))
                .transpose()
        };
        let [
            q_proj,
            k_proj,
            v_proj,
            o_proj,
            gate_proj,
            up_proj,
            down_proj,
        ] = [
            LinearRole::Query,
            LinearRole::Key,
            LinearRole::Value,
            LinearRole::AttentionOutput,
            LinearRole::Gate,
            LinearRole::Up,
            LinearRole::Down,
        ]
        .map(|role| {
            let path = arch.linear_path(layer_idx, role);
            self.projection(&path, arch.linear_has_bias(role))
        });
        Ok(Block {
            input_layernorm: self.norm(&format!("{path}.input_layernorm"))?,
            self_attn: Attention {
                q_proj: q_proj?,
                k_proj: k_proj?,
                v_proj: v_proj?,
                o_proj: o_proj?,
                q_norm: head_norm("q_norm")?,
                k_norm: head_norm("k_norm")?,
                n_heads: arch.n_heads,
                n_kv_heads: arch.n_kv_heads,
                head_dim: arch.head_dim,
                window: arch.layers[layer_idx].window,
            },
            post_attention_layernorm: self.norm(&format!("{path}.post_attention_layernorm"))?,
            mlp: GatedMlp {
                gate_proj: gate_proj?,
                up_proj: up_proj?,
                down_proj: down_proj?,
            },
        })
    }

    fn projection(&self, path: &str, has_bias: bool) -> Result<Projection, LoadError> {
        Ok(Projection {
            weight: self.weight(&format!("{path}.weight"))?,
            bias: has_bias
                .then(|| self.weight(&format!("{path}.bias")))
                .transpose()?,
            lora: None,
        })
    }

    fn norm(&self, path: &str) -> Result<RmsNorm, LoadError> {
        Ok(RmsNorm {
            weight: self.weight(&format!("{path}.weight"))?,
            eps: self.arch.norm.eps,
        })
    }

    /// A matrix as it is, a vector as one row.
    fn weight(&self, name: &str) -> Result<Weight, LoadError> {
        let raw = self.source.tensor(name)?;
        let shape = match raw.shape[..] {
            [rows, columns] => [rows, columns],
            _ => [1, raw.shape.iter().product()],
        };
        let values = raw.to_f32();
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            let (name, value) = (name.to_string(), values[index]);
            return Err(LoadError::NotFinite { name, index, value });
        }
        let data = TensorData::new(values, shape);
        Ok(Weight::frozen(Tensor::from_data(
            data,
            (self.device, self.dtype),
        )))
    }
}
