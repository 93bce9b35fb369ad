//! The tiny models of `tests/fixtures/models` and adapters for them, loaded on a device.

use std::path::{Path, PathBuf};

use pollster::block_on;
use serde_json::Value;
use veneer_core::{
    arch::Arch,
    infer::{Engine, EngineOptions, KvFormat, Place},
    weights::{
        AsStored, PackedSource, SafetensorsSource,
        adapter::{Adapter, read_adapter},
    },
};

/// A model's files in memory.
pub(crate) struct Model {
    dir: PathBuf,
    tensors: Vec<u8>,
}

/// A text and what transformers says to it.
pub(crate) struct Case {
    pub(crate) ids: Vec<u32>,
    /// Position of the first of `logits`.
    pub(crate) logits_from: usize,
    pub(crate) logits: Vec<Vec<f32>>,
    pub(crate) greedy: Vec<u32>,
    pub(crate) logprobs: Vec<f32>,
}

/// A file or folder of the repository, or of `VENEER_FIXTURES` where that says where they lie.
pub(crate) fn fixture(path: &str) -> PathBuf {
    let built_from = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    std::env::var_os("VENEER_FIXTURES")
        .map_or_else(built_from, PathBuf::from)
        .join(path)
}

impl Model {
    pub(crate) fn open(name: &str) -> Self {
        let dir = fixture("models").join(name);
        let tensors = std::fs::read(dir.join("model.safetensors")).unwrap();
        Self { dir, tensors }
    }

    pub(crate) fn arch(&self) -> Arch {
        Arch::from_json(&std::fs::read(self.dir.join("config.json")).unwrap()).unwrap()
    }

    pub(crate) fn source(&self) -> SafetensorsSource<'_> {
        SafetensorsSource::new(&[("model.safetensors", &self.tensors)]).unwrap()
    }

    pub(crate) fn cases(&self) -> Vec<Case> {
        let golden = std::fs::read(self.dir.join("golden.json")).unwrap();
        let golden: Value = serde_json::from_slice(&golden).unwrap();
        let cases = golden["cases"].as_array().unwrap().iter().map(|case| Case {
            ids: read(&case["input_ids"]),
            logits_from: read(&case["logits_from"]),
            logits: read(&case["logits"]),
            greedy: read(&case["greedy"]["ids"]),
            logprobs: read(&case["greedy"]["logprobs"]),
        });
        cases.collect()
    }

    /// The longest of its texts.
    pub(crate) fn longest(&self) -> Case {
        self.cases().pop().unwrap()
    }

    /// With its weights as the file has them, and keys and values in f32.
    pub(crate) fn engine(&self, place: Place, prefill_chunk: usize) -> Engine {
        load(place, self.arch(), &AsStored(self.source()), prefill_chunk)
    }
}

/// An engine that keeps keys and values in f32.
pub(crate) fn load(
    place: Place,
    arch: Arch,
    source: &dyn PackedSource,
    prefill_chunk: usize,
) -> Engine {
    let options = EngineOptions {
        capacity: 96,
        prefill_chunk,
        kv: KvFormat::F32,
        ..EngineOptions::default()
    };
    let mut progress = |_| ();
    let engine = Engine::load(place, arch, source, &options, &mut progress);
    block_on(engine).unwrap()
}

/// Logits after every token, in one row.
pub(crate) fn logits(
    engine: &Engine,
    ids: &[u32],
    adapter: Option<veneer_core::infer::AdapterId>,
) -> Vec<f32> {
    let mut session = engine.new_session().unwrap();
    let rows = block_on(engine.logits_of(&mut session, ids, adapter)).unwrap();
    assert_eq!(rows.len(), ids.len());
    rows.concat()
}

/// Fails where a value is further away than `tolerance`.
#[track_caller]
pub(crate) fn assert_within(got: &[f32], want: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let distance = |i: &usize| (got[*i] - want[*i]).abs();
    let worst = (0..got.len()).max_by(|i, j| distance(i).total_cmp(&distance(j)));
    // NaN is the largest of all.
    if let Some(i) = worst.filter(|i| distance(i).is_nan() || distance(i) > tolerance) {
        panic!("{what}: {} instead of {} at {i}", got[i], want[i]);
    }
}

/// An adapter as PEFT wrote it.
pub(crate) fn adapter(path: &str) -> Adapter {
    let read = |name: &str| std::fs::read(fixture(path).join(name)).unwrap();
    let config = read("adapter_config.json");
    read_adapter(&config, &read("adapter_model.safetensors")).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}
