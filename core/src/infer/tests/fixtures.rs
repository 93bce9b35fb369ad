//! The tiny models of `tests/fixtures/models`, and engines of them.

use pollster::block_on;
use serde_json::Value;

use crate::{
    arch::Arch,
    infer::{
        Engine, EngineOptions, GenerateRequest, Generated, InferError, NewToken, Place, Session,
    },
    weights::{AsStored, PackedSource, SafetensorsSource},
};

/// A model's files and what transformers computes for it.
pub(super) struct Model {
    pub(super) name: &'static str,
    config: &'static [u8],
    pub(super) tensors: &'static [u8],
    golden: &'static str,
}

macro_rules! model {
    ($name:literal) => {
        Model {
            name: $name,
            config: include_bytes!(concat!(
                "../../../../tests/fixtures/models/",
                $name,
                "/config.json"
            )),
            tensors: include_bytes!(concat!(
                "../../../../tests/fixtures/models/",
                $name,
                "/model.safetensors"
            )),
            golden: include_str!(concat!(
                "../../../../tests/fixtures/models/",
                $name,
                "/golden.json"
            )),
        }
    };
}

pub(super) const LLAMA2: Model = model!("llama2");
pub(super) const LLAMA31: Model = model!("llama31");
pub(super) const LLAMA31_F16: Model = model!("llama31-f16");
pub(super) const LLAMA32: Model = model!("llama32");
pub(super) const MISTRAL: Model = model!("mistral");
pub(super) const QWEN2: Model = model!("qwen2");
pub(super) const QWEN2_WINDOW: Model = model!("qwen2-window");
pub(super) const QWEN3: Model = model!("qwen3");
pub(super) const QWEN3_BF16: Model = model!("qwen3-bf16");
pub(super) const FALCON_11B: Model = model!("falcon-11b");
pub(super) const FALCON_40B: Model = model!("falcon-40b");
pub(super) const FALCON_7B: Model = model!("falcon-7b");
pub(super) const FALCON_ALIBI: Model = model!("falcon-alibi");
pub(super) const GEMMA: Model = model!("gemma");
pub(super) const GEMMA2: Model = model!("gemma2");
pub(super) const GEMMA3: Model = model!("gemma3");
pub(super) const GPT_NEOX_PARALLEL: Model = model!("gpt-neox-parallel");
pub(super) const GPT_NEOX_SEQUENTIAL: Model = model!("gpt-neox-sequential");
pub(super) const GRANITE: Model = model!("granite");
pub(super) const LLAMA_BIASES: Model = model!("llama-biases");
pub(super) const LLAMA_DYNAMIC: Model = model!("llama-dynamic");
pub(super) const LLAMA_LINEAR: Model = model!("llama-linear");
pub(super) const LLAMA_YARN: Model = model!("llama-yarn");
pub(super) const MISTRAL_NEMO: Model = model!("mistral-nemo");
pub(super) const OLMO2: Model = model!("olmo2");
pub(super) const PHI2: Model = model!("phi2");
pub(super) const PHI3: Model = model!("phi3");
pub(super) const PHI3_LONGROPE: Model = model!("phi3-longrope");
pub(super) const PHI4_MINI: Model = model!("phi4-mini");
pub(super) const SMOLLM3: Model = model!("smollm3");
pub(super) const STABLELM_1_6B: Model = model!("stablelm-1.6b");
pub(super) const STABLELM_12B: Model = model!("stablelm-12b");
pub(super) const STABLELM_3B: Model = model!("stablelm-3b");
pub(super) const STARCODER: Model = model!("starcoder");
pub(super) const STARCODER2: Model = model!("starcoder2");

/// A text and what transformers says to it.
pub(super) struct Case {
    pub(super) ids: Vec<u32>,
    /// Position of the first of `logits`.
    pub(super) logits_from: usize,
    pub(super) logits: Vec<Vec<f64>>,
    pub(super) greedy: Vec<u32>,
    pub(super) logprobs: Vec<f64>,
}

impl Model {
    pub(super) fn arch(&self) -> Arch {
        Arch::from_json(self.config).unwrap()
    }

    pub(super) fn source(&self) -> SafetensorsSource<'static> {
        SafetensorsSource::new(&[("model.safetensors", self.tensors)]).unwrap()
    }

    pub(super) fn cases(&self) -> Vec<Case> {
        let golden: Value = serde_json::from_str(self.golden).unwrap();
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
    pub(super) fn longest(&self) -> Case {
        self.cases().pop().unwrap()
    }

    /// On the processor, with its weights as the file has them.
    pub(super) fn engine(&self, prefill_chunk: usize) -> Engine {
        self.engine_of(&AsStored(self.source()), prefill_chunk)
            .unwrap()
    }

    pub(super) fn engine_of(
        &self,
        source: &dyn PackedSource,
        prefill_chunk: usize,
    ) -> Result<Engine, InferError> {
        let options = EngineOptions {
            capacity: 96,
            prefill_chunk,
            ..EngineOptions::default()
        };
        let mut progress = |_| ();
        let load = Engine::load(Place::Cpu, self.arch(), source, &options, &mut progress);
        block_on(load)
    }
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// An answer and every token as it was told.
pub(super) fn answer(
    engine: &Engine,
    session: &mut Session,
    request: &GenerateRequest,
) -> Result<(Generated, Vec<NewToken>), InferError> {
    let mut tokens = Vec::new();
    let generated = block_on(engine.generate(session, request, &mut |token| {
        tokens.push(token.clone());
        std::ops::ControlFlow::Continue(())
    }))?;
    Ok((generated, tokens))
}

#[track_caller]
pub(super) fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        let difference = (f64::from(*got) - want).abs();
        assert!(
            difference <= tolerance,
            "{what}, {index}: {got}, expected {want}"
        );
    }
}
