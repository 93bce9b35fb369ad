//! A GGUF file as a checkpoint: tensors under their checkpoint names and in checkpoint order.

use std::borrow::Cow;

use super::{ExportError, rows::split_halves};
use crate::{
    arch::{Arch, RopeScaling, RopeSpec, family_of_gguf},
    weights::{
        Dtype, LoadError, RawTensor, WeightSource,
        gguf::{GgufError, GgufSource, Value},
    },
};

/// A model read from a GGUF file.
#[derive(Debug)]
pub struct GgufModel<'a> {
    file: GgufSource<'a>,
    arch: Arch,
}

impl<'a> GgufModel<'a> {
    /// Reads the file's own description of the model.
    ///
    /// `scaling` is how the source stretches its rotary frequencies: where the file holds
    /// factors per frequency, they are compared with it, since a formula cannot be read off them.
    ///
    /// # Errors
    /// Damaged files, architectures that are not known, missing keys, other rotary factors.
    pub fn new(bytes: &'a [u8], scaling: &RopeScaling) -> Result<Self, ExportError> {
        let file = GgufSource::new(bytes)?;
        let arch = read_arch(&file, scaling)?;
        Ok(Self { file, arch })
    }

    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    pub fn file(&self) -> &GgufSource<'a> {
        &self.file
    }
}

impl WeightSource for GgufModel<'_> {
    fn names(&self) -> Vec<String> {
        let tensors = self.arch.tensors();
        tensors.into_iter().map(|tensor| tensor.name).collect()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        let gguf = Arch::gguf_tensor_name(name).ok_or_else(|| LoadError::MissingTensor {
            name: name.to_owned(),
        })?;
        let mut tensor = self.file.tensor(&gguf)?;
        if let Some(n_heads) = self.arch.gguf_interleaved_heads(name) {
            let n_rows = n_heads * self.arch.head_dim;
            if tensor.shape.first() != Some(&n_rows) {
                return Err(LoadError::Shape {
                    name: name.to_owned(),
                    expected: vec![n_rows],
                    found: tensor.shape,
                });
            }
            tensor.bytes = Cow::Owned(match tensor.dtype {
                Dtype::F32 => ordered::<4>(&tensor.bytes, n_heads, self.arch.head_dim),
                Dtype::F16 | Dtype::Bf16 => {
                    ordered::<2>(&tensor.bytes, n_heads, self.arch.head_dim)
                }
            });
        }
        Ok(tensor)
    }
}

fn ordered<const N: usize>(bytes: &[u8], n_heads: usize, head_dim: usize) -> Vec<u8> {
    let words = bytes.as_chunks::<N>().0;
    split_halves(words, n_heads, head_dim).into_flattened()
}

fn read_arch(file: &GgufSource<'_>, scaling: &RopeScaling) -> Result<Arch, ExportError> {
    let name = text(file, "general.architecture")?;
    let family = family_of_gguf(&name).ok_or(ExportError::Architecture {
        found: name.clone(),
    })?;
    let count = |key: &str| count(file, &format!("{name}.{key}"));
    let n_layers = count("block_count")?;
    let d_model = count("embedding_length")?;
    let n_heads = count("attention.head_count")?;
    let head_dim = match file.metadata().get(&format!("{name}.attention.key_length")) {
        Some(_) => count("attention.key_length")?,
        None => d_model / n_heads,
    };
    let has = |tensor: &str| file.tensors().contains_key(tensor);
    let arch = Arch {
        family,
        vocab_size: count("vocab_size")?,
        d_model,
        n_layers,
        n_heads,
        n_kv_heads: count("attention.head_count_kv")?,
        head_dim,
        d_ff: count("feed_forward_length")?,
        norm_eps: float(file, &format!("{name}.attention.layer_norm_rms_epsilon"))?,
        rope: RopeSpec {
            theta: float(file, &format!("{name}.rope.freq_base"))?,
            scaling: read_scaling(file, &name, scaling)?,
        },
        windows: vec![None; n_layers],
        qkv_bias: has("blk.0.attn_q.bias"),
        o_bias: has("blk.0.attn_output.bias"),
        mlp_bias: has("blk.0.ffn_up.bias"),
        qk_norm: has("blk.0.attn_q_norm.weight"),
        tie_embeddings: !has("output.weight"),
        max_positions: count("context_length")?,
        bos_token_id: token_id(file, "bos"),
        eos_token_ids: token_id(file, "eos").into_iter().collect(),
    };
    check_rope_factors(file, &arch)?;
    Ok(arch)
}

fn read_scaling(
    file: &GgufSource<'_>,
    name: &str,
    expected: &RopeScaling,
) -> Result<RopeScaling, ExportError> {
    if file.tensors().contains_key("rope_freqs.weight") {
        return Ok(expected.clone());
    }
    let key = format!("{name}.rope.scaling.type");
    match file.metadata().get(&key).and_then(Value::as_str) {
        None | Some("none") => Ok(RopeScaling::None),
        Some("linear") => Ok(RopeScaling::Linear {
            factor: float(file, &format!("{name}.rope.scaling.factor"))?,
        }),
        Some(other) => Err(wrong(
            &key,
            &Value::String(other.into()),
            "`none` or `linear`",
        )),
    }
}

fn check_rope_factors(file: &GgufSource<'_>, arch: &Arch) -> Result<(), ExportError> {
    let found = match file.tensors().contains_key("rope_freqs.weight") {
        true => Some(file.tensor("rope_freqs.weight")?.to_f32()),
        false => None,
    };
    let expected = super::metadata::rope_factors(arch);
    if found == expected {
        Ok(())
    } else {
        Err(ExportError::Gguf(GgufError::Tensor {
            name: "rope_freqs.weight".to_owned(),
            reason: format!("it holds {found:?}, expected {expected:?}"),
        }))
    }
}

fn token_id(file: &GgufSource<'_>, kind: &str) -> Option<u32> {
    let value = file
        .metadata()
        .get(&format!("tokenizer.ggml.{kind}_token_id"));
    value?.as_u64()?.try_into().ok()
}

fn text(file: &GgufSource<'_>, key: &str) -> Result<String, ExportError> {
    let value = file.value(key)?;
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| wrong(key, value, "a string"))
}

/// Largest count that any model has; keeps products of counts far from overflow.
const LARGEST_COUNT: u64 = 1 << 28;

fn count(file: &GgufSource<'_>, key: &str) -> Result<usize, ExportError> {
    let value = file.value(key)?;
    value
        .as_u64()
        .filter(|n| (1..=LARGEST_COUNT).contains(n))
        .and_then(|n| usize::try_from(n).ok())
        .ok_or_else(|| wrong(key, value, "a whole number from 1 to 2^28"))
}

fn float(file: &GgufSource<'_>, key: &str) -> Result<f64, ExportError> {
    let value = file.value(key)?;
    value
        .as_f64()
        .filter(|x| x.is_finite() && *x > 0.0)
        .ok_or_else(|| wrong(key, value, "a positive number"))
}

fn wrong(key: &str, found: &Value, expected: &'static str) -> ExportError {
    ExportError::Gguf(GgufError::WrongValue {
        key: key.to_owned(),
        found: format!("{found:?}"),
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{GgufExport, GgufOptions},
        *,
    };
    use crate::{quant::Format, weights::SafetensorsSource};

    const MISTRAL: &[u8] = include_bytes!("../../../tests/fixtures/models/mistral/config.json");
    const QWEN2: &[u8] = include_bytes!("../../../tests/fixtures/models/qwen2/config.json");
    const QWEN2_WEIGHTS: &[u8] =
        include_bytes!("../../../tests/fixtures/models/qwen2/model.safetensors");

    fn layout(arch: &Arch, format: Format) -> GgufExport {
        let options = GgufOptions {
            arch,
            name: "tiny",
            format,
            tokenizer: None,
        };
        GgufExport::new(options).unwrap()
    }

    fn export(arch: &Arch, weights: &dyn WeightSource, format: Format) -> Vec<u8> {
        let export = layout(arch, format);
        let mut file = Vec::new();
        let mut n_parameters = 0;
        export
            .write(weights, &mut file, &mut |n| n_parameters += n)
            .unwrap();
        assert_eq!(file.len() as u64, export.n_bytes());
        assert!(n_parameters >= arch.n_parameters());
        file
    }

    #[track_caller]
    fn check(config: &[u8], safetensors: &[u8]) {
        let arch = Arch::from_json(config).unwrap();
        let weights = SafetensorsSource::new(&[("model.safetensors", safetensors)]).unwrap();
        for format in [Format::F32, Format::F16, Format::Q8_0, Format::Q4_0] {
            let file = export(&arch, &weights, format);
            let model = GgufModel::new(&file, &arch.rope.scaling).unwrap();
            let read = model.arch();
            assert_eq!(read.tensors(), arch.tensors());
            assert_eq!(read.rope, arch.rope);
            assert!((read.norm_eps / arch.norm_eps - 1.0).abs() < 1e-6);
            let mut n_parameters = 0;
            layout(&arch, format)
                .verify(&weights, &model, &mut |n| n_parameters += n)
                .unwrap();
            assert_eq!(n_parameters, arch.n_parameters());
        }
    }

    #[test]
    fn rows_in_another_order_are_found() {
        let config = include_bytes!("../../../tests/fixtures/models/llama31/config.json");
        let bytes = include_bytes!("../../../tests/fixtures/models/llama31/model.safetensors");
        let weights = SafetensorsSource::new(&[("model.safetensors", bytes)]).unwrap();
        let arch = Arch::from_json(config).unwrap();
        let mut file = export(&arch, &weights, Format::F32);
        let start = {
            let model = GgufModel::new(&file, &arch.rope.scaling).unwrap();
            let tensor = model.file().tensor("blk.0.attn_q.weight").unwrap();
            let row = &tensor.bytes[..4 * arch.d_model];
            file.windows(row.len()).position(|w| w == row).unwrap()
        };
        let row_bytes = 4 * arch.d_model;
        let (first, second) = file[start..].split_at_mut(row_bytes);
        first.swap_with_slice(&mut second[..row_bytes]);
        let model = GgufModel::new(&file, &arch.rope.scaling).unwrap();
        let result = layout(&arch, Format::F32).verify(&weights, &model, &mut |_| ());
        assert!(matches!(result, Err(ExportError::Differs { index: 0, .. })));
    }

    macro_rules! model {
        ($folder:literal) => {
            check(
                include_bytes!(concat!($folder, "/config.json")),
                include_bytes!(concat!($folder, "/model.safetensors")),
            )
        };
    }

    #[test]
    fn llama_with_scaled_frequencies() {
        model!("../../../tests/fixtures/models/llama31");
    }

    #[test]
    fn llama_with_tied_embeddings() {
        model!("../../../tests/fixtures/models/llama32");
    }

    #[test]
    fn mistral_with_wide_heads() {
        model!("../../../tests/fixtures/models/mistral");
    }

    #[test]
    fn qwen2_with_biases() {
        model!("../../../tests/fixtures/models/qwen2");
    }

    #[test]
    fn qwen3_in_bf16() {
        model!("../../../tests/fixtures/models/qwen3-bf16");
    }

    #[test]
    fn a_window_ends_the_context() {
        let export = layout(&Arch::from_json(MISTRAL).unwrap(), Format::F16);
        let context = ("llama.context_length".to_owned(), Value::U32(8));
        assert!(export.metadata().contains(&context));
        let told = |note: &String| note.contains("last 8 tokens");
        assert!(export.notes().iter().any(told));
    }

    #[test]
    fn damaged_tensors_are_named_as_in_the_checkpoint() {
        let mut bytes = QWEN2_WEIGHTS.to_vec();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        let weights = SafetensorsSource::new(&[("model.safetensors", &bytes)]).unwrap();
        let export = layout(&Arch::from_json(QWEN2).unwrap(), Format::Q8_0);
        let error = export.write(&weights, &mut Vec::new(), &mut |_| ());
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("tensor `model.") && text.contains("NaN"),
            "{text}"
        );
    }

    #[test]
    fn a_file_of_another_architecture_is_refused() {
        let weights = SafetensorsSource::new(&[("model.safetensors", QWEN2_WEIGHTS)]).unwrap();
        let arch = Arch::from_json(QWEN2).unwrap();
        let mut file = export(&arch, &weights, Format::F16);
        let at = file.windows(5).position(|word| word == b"qwen2").unwrap();
        file[at..at + 5].copy_from_slice(b"bloom");
        let error = GgufModel::new(&file, &arch.rope.scaling).unwrap_err();
        assert!(matches!(error, ExportError::Architecture { .. }));
    }
}
