//! Adapters beside the base against what PEFT merged.

use pollster::block_on;

use super::fixtures::{self, Model};
use crate::{
    infer::{Engine, GenerateRequest, InferError},
    weights::{
        AsStored, LoadError, RawTensor, SafetensorsSource, WeightSource,
        adapter::{Adapter, AdapterError, read_adapter},
    },
};

/// Merged weights are rounded once more than a product beside them.
const MERGED: f32 = 2e-4;
/// bf16 keeps 8 bits of a merged weight.
const MERGED_BF16: f32 = 0.2;

/// A base with the weights that PEFT changed.
struct Merged {
    base: SafetensorsSource<'static>,
    changed: SafetensorsSource<'static>,
}

impl WeightSource for Merged {
    fn names(&self) -> Vec<String> {
        self.base.names()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        self.changed
            .tensor(name)
            .or_else(|_| self.base.tensor(name))
    }
}

fn llama32() -> (Adapter, &'static [u8]) {
    let adapter = read_adapter(
        include_bytes!("../../../../tests/fixtures/merge/llama32/adapter_config.json"),
        include_bytes!("../../../../tests/fixtures/merge/llama32/adapter_model.safetensors"),
    );
    let merged = include_bytes!("../../../../tests/fixtures/merge/llama32/merged.safetensors");
    (adapter.unwrap(), merged)
}

fn qwen3() -> (Adapter, &'static [u8]) {
    let adapter = read_adapter(
        include_bytes!("../../../../tests/fixtures/merge/qwen3-bf16/adapter_config.json"),
        include_bytes!("../../../../tests/fixtures/merge/qwen3-bf16/adapter_model.safetensors"),
    );
    let merged = include_bytes!("../../../../tests/fixtures/merge/qwen3-bf16/merged.safetensors");
    (adapter.unwrap(), merged)
}

/// Logits of the model's longest text, all positions in one row.
fn logits(engine: &Engine, model: &Model, adapter: Option<crate::infer::AdapterId>) -> Vec<f32> {
    let mut session = engine.new_session().unwrap();
    let rows = block_on(engine.logits_of(&mut session, &model.longest().ids, adapter));
    rows.unwrap().concat()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[track_caller]
fn check(model: &Model, (adapter, merged): (Adapter, &'static [u8]), tolerance: f32) {
    let source = Merged {
        base: model.source(),
        changed: SafetensorsSource::new(&[("merged.safetensors", merged)]).unwrap(),
    };
    let merged = model.engine_of(&AsStored(source), 16).unwrap();
    let mut engine = model.engine(16);
    let base = logits(&engine, model, None);
    let id = engine.add_adapter(&adapter).unwrap();
    let beside = logits(&engine, model, Some(id));
    let want = logits(&merged, model, None);
    let apart = largest_difference(&beside, &want);
    assert!(apart < tolerance, "{}: {apart}", model.name);
    let moved = largest_difference(&base, &want);
    assert!(
        moved > 10.0 * tolerance,
        "the adapter moves logits by {moved} only"
    );
    assert_eq!(logits(&engine, model, None), base, "the base is as it was");
}

#[test]
fn beside_a_base_in_f32() {
    check(&fixtures::LLAMA32, llama32(), MERGED);
}

#[test]
fn beside_a_base_in_bf16() {
    check(&fixtures::QWEN3_BF16, qwen3(), MERGED_BF16);
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let mut engine = fixtures::LLAMA2.engine(16);
    let error = engine.add_adapter(&qwen3().0).unwrap_err();
    let mismatch = matches!(error, InferError::Adapter(AdapterError::OtherModel { .. }));
    assert!(mismatch, "{error}");
}

#[test]
fn a_removed_adapter_is_unknown_and_its_memory_is_free() {
    let mut engine = fixtures::LLAMA32.engine(16);
    let empty = engine.memory();
    let id = engine.add_adapter(&llama32().0).unwrap();
    assert!(engine.memory().adapters > 0);
    engine.remove_adapter(id);
    assert_eq!(engine.memory(), empty);
    let mut request = GenerateRequest::new(vec![1, 2], 1);
    request.adapter = Some(id);
    let mut session = engine.new_session().unwrap();
    let error = fixtures::answer(&engine, &mut session, &request).unwrap_err();
    assert!(matches!(error, InferError::UnknownAdapter { .. }));
    // Ids are never used again.
    assert_ne!(engine.add_adapter(&llama32().0).unwrap(), id);
}

#[test]
fn turns_under_another_adapter_start_anew() {
    let mut engine = fixtures::LLAMA32.engine(16);
    let id = engine.add_adapter(&llama32().0).unwrap();
    let prompt = fixtures::LLAMA32.longest().ids;
    let mut request = GenerateRequest::new(prompt, 8);
    let mut session = engine.new_session().unwrap();
    let (base, _) = fixtures::answer(&engine, &mut session, &request).unwrap();
    request.adapter = Some(id);
    let (switched, _) = fixtures::answer(&engine, &mut session, &request).unwrap();
    let mut fresh = engine.new_session().unwrap();
    let (alone, _) = fixtures::answer(&engine, &mut fresh, &request).unwrap();
    assert_eq!(switched.n_reused, 0);
    assert_eq!(switched, alone);
    assert_ne!(switched.ids, base.ids);
}
