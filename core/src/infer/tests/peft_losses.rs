//! Losses of every family with an adapter beside it, as PEFT has them: pairs on split and on joint
//! modules, with patterns of ranks and on chosen layers.

use pollster::block_on;
use serde_json::Value;

use super::fixtures::{self, Model};
use crate::{
    infer::{AdapterId, Engine},
    sampling::log_sum_exp,
    weights::adapter::{Adapter, read_adapter},
};

/// Mean over a few hundred targets; another layout of a joint module is 1e-2 away.
const LOSS: f64 = 1e-5;

const ROWS: &str = include_str!("../../../../tests/fixtures/train/families/data.jsonl");

/// An adapter that PEFT trained, and its losses.
struct Trained {
    name: &'static str,
    config: &'static [u8],
    tensors: &'static [u8],
    trace: &'static str,
}

macro_rules! trained {
    ($name:literal) => {
        Trained {
            name: $name,
            config: include_bytes!(concat!(
                "../../../../tests/fixtures/train/families/",
                $name,
                "/final_adapter/adapter_config.json"
            )),
            tensors: include_bytes!(concat!(
                "../../../../tests/fixtures/train/families/",
                $name,
                "/final_adapter/adapter_model.safetensors"
            )),
            trace: include_str!(concat!(
                "../../../../tests/fixtures/train/families/",
                $name,
                "/trace.json"
            )),
        }
    };
}

impl Trained {
    fn adapter(&self) -> Adapter {
        read_adapter(self.config, self.tensors).unwrap()
    }

    fn loss(&self, which: &str) -> f64 {
        let trace: Value = serde_json::from_str(self.trace).unwrap();
        trace["eval"][which]["loss"].as_f64().unwrap()
    }
}

/// Mean cross-entropy over all targets, each row as a text of its own.
fn loss(engine: &Engine, adapter: Option<AdapterId>) -> f64 {
    let (mut sum, mut n_targets) = (0.0, 0);
    for row in ROWS.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let ids: Vec<u32> = serde_json::from_value(row["input_ids"].clone()).unwrap();
        let labels: Vec<i64> = serde_json::from_value(row["labels"].clone()).unwrap();
        let mut session = engine.new_session().unwrap();
        let logits = block_on(engine.logits_of(&mut session, &ids, adapter)).unwrap();
        for (logits, label) in logits.iter().zip(&labels[1..]) {
            if let Ok(label) = usize::try_from(*label) {
                sum += log_sum_exp(logits) - f64::from(logits[label]);
                n_targets += 1;
            }
        }
    }
    sum / f64::from(n_targets)
}

#[track_caller]
fn check(model: &Model, trained: &Trained) {
    let mut engine = model.engine(16);
    let id = engine.add_adapter(&trained.adapter()).unwrap();
    for (which, adapter) in [("base", None), ("final_adapter", Some(id))] {
        let (found, expected) = (loss(&engine, adapter), trained.loss(which));
        let name = trained.name;
        assert!(
            (found - expected).abs() < LOSS,
            "{name}, {which}: {found}, expected {expected}"
        );
    }
    let moved = (trained.loss("base") - trained.loss("final_adapter")).abs();
    assert!(
        moved > 100.0 * LOSS,
        "the adapter moves the loss by {moved} only"
    );
}

macro_rules! families {
    ($($test:ident: $model:ident, $name:literal;)*) => {
        $(
            #[test]
            fn $test() {
                check(&fixtures::$model, &trained!($name));
            }
        )*
    };
}

families! {
    falcon_7b: FALCON_7B, "falcon-7b";
    falcon_11b: FALCON_11B, "falcon-11b";
    falcon_40b: FALCON_40B, "falcon-40b";
    falcon_alibi: FALCON_ALIBI, "falcon-alibi";
    gemma: GEMMA, "gemma";
    gemma2: GEMMA2, "gemma2";
    gemma3: GEMMA3, "gemma3";
    gpt_neox_parallel: GPT_NEOX_PARALLEL, "gpt-neox-parallel";
    gpt_neox_sequential: GPT_NEOX_SEQUENTIAL, "gpt-neox-sequential";
    granite: GRANITE, "granite";
    llama_biases: LLAMA_BIASES, "llama-biases";
    llama_yarn: LLAMA_YARN, "llama-yarn";
    mistral_nemo: MISTRAL_NEMO, "mistral-nemo";
    olmo2: OLMO2, "olmo2";
    patterns_of_ranks: QWEN3, "patterns";
    chosen_layers: LLAMA32, "some-layers";
    phi2: PHI2, "phi2";
    phi3: PHI3, "phi3";
    phi3_longrope: PHI3_LONGROPE, "phi3-longrope";
    phi4_mini: PHI4_MINI, "phi4-mini";
    smollm3: SMOLLM3, "smollm3";
    stablelm_3b: STABLELM_3B, "stablelm-3b";
    stablelm_12b: STABLELM_12B, "stablelm-12b";
    starcoder: STARCODER, "starcoder";
    starcoder2: STARCODER2, "starcoder2";
}
