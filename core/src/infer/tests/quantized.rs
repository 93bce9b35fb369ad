//! Quantized models stay near the floats that they were made from.

use pollster::block_on;

use super::fixtures::{self, Model};
use crate::{
    infer::Engine,
    quant::{DriftMeter, Format},
    weights::Quantizing,
};

fn logits(engine: &Engine, ids: &[u32]) -> Vec<Vec<f32>> {
    let mut session = engine.new_session().unwrap();
    block_on(engine.logits_of(&mut session, ids, None)).unwrap()
}

/// Rows of 32 are whole blocks of these formats; the K formats need 256.
const FORMATS: [Format; 4] = [Format::F16, Format::Bf16, Format::Q8_0, Format::Q4_0];

#[track_caller]
fn check(model: &Model) {
    let ids = model.longest().ids;
    let floats = logits(&model.engine(16), &ids);
    let mut weights = Vec::new();
    for format in FORMATS {
        let source = Quantizing {
            source: model.source(),
            format,
        };
        let engine = model.engine_of(&source, 16).unwrap();
        weights.push(engine.memory().weights);
        let mut meter = DriftMeter::default();
        for (source, quantized) in floats.iter().zip(logits(&engine, &ids)) {
            meter.add(source, &quantized).unwrap();
        }
        let drift = meter.finish().unwrap();
        drift.check(format).unwrap();
        assert!(
            drift.max_abs_diff > 0.0,
            "{}: nothing was rounded",
            format.name()
        );
    }
    let [f16, bf16, q8_0, q4_0] = weights[..] else {
        panic!("one size a format");
    };
    assert!(
        f16 == bf16 && bf16 > q8_0 && q8_0 > q4_0,
        "weights stay packed"
    );
}

#[test]
fn llama_with_a_head_of_its_own() {
    check(&fixtures::LLAMA2);
}

#[test]
fn qwen_with_a_tied_head() {
    check(&fixtures::QWEN2);
}
