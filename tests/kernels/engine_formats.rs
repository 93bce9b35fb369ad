//! Quantized models on a GPU against the same weights on the processor.

use veneer_core::{
    arch::Arch,
    infer::{Engine, EngineOptions, KvFormat, Place},
    quant::Format,
    weights::{LoadError, PackedInfo, PackedSource, PackedTensor, Quantizing, RandomSource},
};

use crate::{
    devices::devices,
    models::{Model, assert_within, load, logits},
};

/// Between f32 sums in another order; logits are about 0.3.
const LOGITS: f32 = 2e-5;
/// The same for the tiny models of families, whose logits are up to 10.
const FAMILIES: f32 = 2e-4;

/// Wide enough for whole blocks of every format.
fn arch() -> Arch {
    let config = br#"{"model_type":"qwen3","vocab_size":300,"hidden_size":256,
        "intermediate_size":512,"num_hidden_layers":2,"num_attention_heads":4,
        "num_key_value_heads":2,"head_dim":64,"tie_word_embeddings":false,
        "max_position_embeddings":128}"#;
    Arch::from_json(config).unwrap()
}

fn source(format: Format) -> Quantizing<RandomSource> {
    Quantizing {
        source: RandomSource::new(arch(), 7),
        format,
    }
}

/// Values and feed-forward output with more bits, as published Q4_K_M files have them.
struct Mixed {
    most: Quantizing<RandomSource>,
    some: Quantizing<RandomSource>,
}

impl Mixed {
    fn of(&self, name: &str) -> &Quantizing<RandomSource> {
        if name.ends_with("v_proj.weight") || name.ends_with("down_proj.weight") {
            &self.some
        } else {
            &self.most
        }
    }
}

impl PackedSource for Mixed {
    fn info(&self, name: &str) -> Result<PackedInfo, LoadError> {
        self.of(name).info(name)
    }

    fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError> {
        self.of(name).packed(name)
    }
}

#[track_caller]
fn check(source: &dyn PackedSource, what: &str) {
    let ids: Vec<u32> = (0..37).map(|i| (i * 71 + 5) % 300).collect();
    let cpu = load(Place::Cpu, arch(), source, 16);
    let want = logits(&cpu, &ids, None);
    for gpu in devices() {
        for chunk in [16, 1] {
            let engine = load(Place::Gpu(gpu.clone()), arch(), source, chunk);
            let what = format!("{what}, chunks of {chunk}, {}", gpu.profile().name());
            assert_within(&logits(&engine, &ids, None), &want, LOGITS, &what);
        }
    }
}

#[test]
fn q8_0() {
    check(&source(Format::Q8_0), "Q8_0");
}

#[test]
fn q4_0() {
    check(&source(Format::Q4_0), "Q4_0");
}

#[test]
fn q4_k() {
    check(&source(Format::Q4K), "Q4_K");
}

#[test]
fn q6_k() {
    check(&source(Format::Q6K), "Q6_K");
}

#[test]
fn two_formats_in_one_projection() {
    let mixed = Mixed {
        most: source(Format::Q4K),
        some: source(Format::Q6K),
    };
    check(&mixed, "Q4_K and Q6_K");
}

/// Blocks of weights in models of another form than Llama's.
#[test]
fn other_families() {
    for name in ["gemma2", "phi2", "falcon-40b", "starcoder"] {
        let model = Model::open(name);
        let ids = model.longest().ids;
        for format in [Format::Q8_0, Format::Q4_0] {
            let source = Quantizing {
                source: model.source(),
                format,
            };
            let cpu = load(Place::Cpu, model.arch(), &source, 16);
            let want = logits(&cpu, &ids, None);
            for gpu in devices().into_iter().take(2) {
                let what = format!("{name}, {}, {}", format.name(), gpu.profile().name());
                let engine = load(Place::Gpu(gpu), model.arch(), &source, 16);
                assert_within(&logits(&engine, &ids, None), &want, FAMILIES, &what);
            }
        }
    }
}

#[test]
fn keys_and_values_in_halves_are_near() {
    let Some(gpu) = devices().into_iter().nth(1) else {
        return;
    };
    let ids: Vec<u32> = (0..37).map(|i| (i * 71 + 5) % 300).collect();
    let source = source(Format::F32);
    let exact = load(Place::Gpu(gpu.clone()), arch(), &source, 16);
    let want = logits(&exact, &ids, None);
    let options = EngineOptions {
        capacity: 96,
        prefill_chunk: 16,
        kv: KvFormat::F16,
        ..EngineOptions::default()
    };
    let mut progress = |_| ();
    let engine = Engine::load(Place::Gpu(gpu), arch(), &source, &options, &mut progress);
    let engine = pollster::block_on(engine).unwrap();
    let got = logits(&engine, &ids, None);
    assert_within(&got, &want, 2e-3, "f16");
    assert_ne!(got, want, "halves were used");
    assert!(engine.memory().per_session < exact.memory().per_session);
}
