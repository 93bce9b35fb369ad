//! Files as others write them, and files that are not what they seem.

use std::{borrow::Cow, cell::Cell};

use super::{GgufError, GgufModel, GgufPlan, TensorEntry, Value, ValueType};
use crate::{
    arch::{Arch, RopeScaling},
    quant::Format,
    weights::{ByteSource, LoadError, PackedSource},
};

const CONFIG: &[u8] = br#"{"model_type": "llama", "vocab_size": 5, "hidden_size": 8,
    "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 12}"#;

/// The least that a file of [`CONFIG`] says.
fn metadata() -> Vec<(String, Value)> {
    [
        ("general.architecture", Value::String("llama".into())),
        ("llama.block_count", Value::U32(2)),
        ("llama.context_length", Value::U32(64)),
        ("llama.embedding_length", Value::U32(8)),
        ("llama.feed_forward_length", Value::U32(12)),
        ("llama.attention.head_count", Value::U32(2)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec()
}

fn tensors() -> Vec<TensorEntry> {
    let arch = Arch::from_json(CONFIG).unwrap();
    let entry = |spec: crate::arch::TensorSpec| TensorEntry {
        name: arch.gguf_tensor_name(&spec.name).unwrap(),
        shape: spec.shape,
        format: Format::F32,
    };
    arch.tensors().into_iter().map(entry).collect()
}

fn file(metadata: &[(String, Value)], tensors: Vec<TensorEntry>) -> Vec<u8> {
    let plan = GgufPlan::new(metadata, tensors).unwrap();
    let mut file = Vec::new();
    let data = |entry: &TensorEntry| {
        let n_values: usize = entry.shape.iter().product();
        let values: Vec<f32> = (0..n_values).map(|i| 1.0 + i as f32).collect();
        Ok::<_, Box<dyn std::error::Error>>(entry.format.quantize(&values).unwrap())
    };
    plan.write(&mut file, data).unwrap();
    file
}

fn with(key: &str, value: Value) -> Result<Arch, GgufError> {
    let mut metadata = metadata();
    metadata.retain(|(name, _)| name != key);
    metadata.push((key.to_owned(), value));
    let file = file(&metadata, tensors());
    GgufModel::new(&file).map(|model| model.arch().clone())
}

fn with_tensor(name: &str, shape: &[usize]) -> Result<Arch, GgufError> {
    let mut tensors = tensors();
    tensors.push(TensorEntry {
        name: name.to_owned(),
        shape: shape.to_vec(),
        format: Format::F32,
    });
    let file = file(&metadata(), tensors);
    GgufModel::new(&file).map(|model| model.arch().clone())
}

#[test]
fn missing_keys_take_llama_cpps_defaults() {
    let file = file(&metadata(), tensors());
    let model = GgufModel::new(&file).unwrap();
    let arch = model.arch();
    assert_eq!((arch.vocab_size, arch.n_kv_heads, arch.head_dim), (5, 2, 4));
    assert_eq!(arch.ropes[0].theta, 10_000.0);
    assert_eq!(arch.ropes[0].scaling, RopeScaling::None);
    assert_eq!(arch.windows(), [None, None]);
    assert!(!arch.tie_embeddings && !arch.attention.qkv_bias);
}

#[test]
fn keys_that_are_there_count() {
    let window = with("llama.attention.sliding_window", Value::U32(9)).unwrap();
    assert_eq!(window.windows(), [Some(9), Some(9)]);
    let linear = with("llama.rope.scaling.factor", Value::F32(4.0)).unwrap();
    assert_eq!(linear.ropes[0].scaling, RopeScaling::Linear { factor: 4.0 });
    let old = with("llama.rope.scale_linear", Value::F32(2.0)).unwrap();
    assert_eq!(old.ropes[0].scaling, RopeScaling::Linear { factor: 2.0 });
    let ends = with("tokenizer.ggml.eot_token_id", Value::U32(3)).unwrap();
    assert_eq!(ends.eos_token_ids, [3]);
}

#[test]
fn factors_of_frequencies_are_taken_as_they_are() {
    let arch = with_tensor("rope_freqs.weight", &[2]).unwrap();
    assert_eq!(arch.ropes[0].scaling, RopeScaling::Factors(vec![1.0, 2.0]));
    assert_eq!(arch.ropes[0].frequencies(1), [1.0, 0.01 / 2.0]);
    let error = with_tensor("rope_freqs.weight", &[3]).unwrap_err();
    assert!(error.to_string().contains("expected 2"), "{error}");
}

#[test]
fn what_is_not_computed_here_is_refused() {
    for (key, value) in [
        ("general.architecture", Value::String("mamba".into())),
        ("llama.expert_count", Value::U32(8)),
        ("llama.rope.scaling.type", Value::String("longrope".into())),
        ("llama.rope.dimension_count", Value::U32(2)),
        ("llama.attention.value_length", Value::U32(2)),
        (
            "llama.attention.head_count_kv",
            Value::Array(ValueType::U32, vec![Value::U32(2)]),
        ),
        ("llama.attention.head_count_kv", Value::U32(3)),
        ("llama.attention.head_count", Value::U32(0)),
        ("llama.embedding_length", Value::U64(u64::MAX)),
        ("llama.vocab_size", Value::U32(6)),
        ("llama.block_count", Value::U32(1 << 24)),
        ("split.count", Value::U16(3)),
    ] {
        let error = with(key, value).unwrap_err().to_string();
        let named = key.strip_prefix("general.").unwrap_or(key);
        assert!(error.contains(named), "{key}: {error}");
    }
    let error = with_tensor("blk.0.attn_sub_norm.weight", &[8]).unwrap_err();
    assert!(error.to_string().contains("no place"), "{error}");
}

#[test]
fn tensors_of_another_shape_are_named() {
    let error = with("llama.feed_forward_length", Value::U32(16)).unwrap_err();
    let GgufError::Load(LoadError::Shape { name, .. }) = &error else {
        panic!("{error}");
    };
    assert!(name.contains("ffn_"), "{name}");
}

#[test]
fn formats_that_cannot_be_read_are_named_with_those_that_can() {
    let mut file = file(&metadata(), tensors());
    let name = b"blk.1.ffn_up.weight";
    let at = file
        .windows(name.len())
        .position(|word| word == name)
        .unwrap();
    // Behind the name: the number of dimensions, two dimensions, the type.
    file[at + name.len() + 4 + 16] = 22;
    let error = GgufModel::new(&file).unwrap_err().to_string();
    assert!(error.contains("blk.1.ffn_up.weight"), "{error}");
    assert!(error.contains("IQ2_S") && error.contains("Q5_K"), "{error}");
}

#[test]
fn tensors_inside_each_other_are_refused() {
    let mut file = file(&metadata(), tensors());
    let name = b"blk.1.ffn_up.weight";
    let at = file
        .windows(name.len())
        .position(|word| word == name)
        .unwrap();
    let offset = at + name.len() + 4 + 16 + 4;
    file[offset..offset + 8].copy_from_slice(&32u64.to_le_bytes());
    let error = GgufModel::new(&file).unwrap_err().to_string();
    assert!(error.contains("inside those of"), "{error}");
}

/// Counts what is read of it, and never lends.
struct Counting {
    bytes: Vec<u8>,
    n_read: Cell<usize>,
}

impl ByteSource for &Counting {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, at: u64, n_bytes: usize) -> Result<Cow<'_, [u8]>, LoadError> {
        self.n_read.set(self.n_read.get() + n_bytes);
        let bytes = self.bytes.read(at, n_bytes)?;
        Ok(Cow::Owned(bytes.into_owned()))
    }
}

#[test]
fn only_what_is_asked_for_is_read() {
    let mut tensors = tensors();
    let d_model = 1 << 19;
    let mut metadata = metadata();
    metadata.retain(|(name, _)| name != "llama.embedding_length");
    metadata.push(("llama.embedding_length".into(), Value::U32(d_model as u32)));
    metadata.push(("llama.attention.key_length".into(), Value::U32(4)));
    for size in tensors.iter_mut().flat_map(|tensor| &mut tensor.shape) {
        if *size == 8 {
            *size = d_model;
        }
    }
    for tensor in &mut tensors {
        let attends = [".attn_q.", ".attn_k.", ".attn_v."];
        if attends.iter().any(|part| tensor.name.contains(part)) {
            tensor.shape = vec![8, d_model];
        } else if tensor.name.contains(".attn_output.") {
            tensor.shape = vec![d_model, 8];
        }
    }
    let source = Counting {
        bytes: file(&metadata, tensors),
        n_read: Cell::new(0),
    };
    let model = GgufModel::open(Box::new(&source)).unwrap();
    assert!(source.n_read.get() <= 1 << 20, "{}", source.n_read.get());
    source.n_read.set(0);
    let rows = model.packed_rows("lm_head.weight", 1..3).unwrap();
    assert_eq!(rows.to_f32("").unwrap()[0], 1.0 + d_model as f32);
    assert_eq!(source.n_read.get(), 2 * 4 * d_model);
}
