//! Sessions and adapters of one engine on a GPU, and the memory that they take.

use std::ops::ControlFlow;

use pollster::block_on;
use veneer_core::{
    gpu::Gpu,
    infer::{
        AdapterId, Engine, EngineOptions, GenerateRequest, InferError, KvFormat, Place, Session,
    },
    sampling::Sampling,
    weights::{
        AsStored,
        merge::{MergedSource, Rounding},
    },
};

use crate::{
    devices::devices,
    models::{Model, adapter, assert_within, load, logits},
};

/// Merged weights are rounded once more than a product beside them.
const MERGED: f32 = 2e-4;

/// The device with everything that it can do.
fn device() -> Option<Gpu> {
    devices().into_iter().nth(1)
}

fn answer(
    engine: &Engine,
    session: &mut Session,
    request: &GenerateRequest,
) -> Result<Vec<u32>, InferError> {
    let mut on_token = |_: &_| ControlFlow::Continue(());
    let generated = block_on(engine.generate(session, request, &mut on_token))?;
    Ok(generated.ids)
}

#[track_caller]
fn check_adapter(model: &str, path: &str) {
    let (model, adapter) = (Model::open(model), adapter(path));
    let ids = model.longest().ids;
    for gpu in devices() {
        let source = model.source();
        let merged = MergedSource::new(&model.arch(), &source, &adapter, Rounding::Keep).unwrap();
        let merged = load(Place::Gpu(gpu.clone()), model.arch(), &AsStored(merged), 16);
        let want = logits(&merged, &ids, None);

        for chunk in [16, 3] {
            let mut engine = model.engine(Place::Gpu(gpu.clone()), chunk);
            let base = logits(&engine, &ids, None);
            let id = engine.add_adapter(&adapter).unwrap();
            let beside = logits(&engine, &ids, Some(id));
            assert_within(&beside, &want, MERGED, path);
            let moved = base.iter().zip(&want).map(|(a, b)| (a - b).abs());
            assert!(
                moved.fold(0.0, f32::max) > 100.0 * MERGED,
                "{path} moves nothing"
            );
            assert_eq!(logits(&engine, &ids, None), base, "the base is as it was");
        }
    }
}

#[test]
fn an_adapter_on_attention_equals_what_is_merged() {
    check_adapter("llama31", "train/lora/final_adapter");
}

#[test]
fn an_adapter_on_every_layer_equals_what_is_merged() {
    check_adapter("qwen3", "train/rslora-all-linear/final_adapter");
}

#[test]
fn an_adapter_on_modules_that_join_several() {
    // Queries, keys and values by groups; the same stacked, and gate and up in one.
    check_adapter("falcon-40b", "train/families/falcon-40b/final_adapter");
    check_adapter("phi3", "train/families/phi3/final_adapter");
}

#[test]
fn an_adapter_before_scaled_residuals_and_before_norms() {
    check_adapter("granite", "train/families/granite/final_adapter");
    check_adapter("gemma2", "train/families/gemma2/final_adapter");
}

#[test]
fn running_ahead_chooses_what_waiting_chooses() {
    let model = Model::open("llama31");
    let Some(gpu) = device() else { return };
    let engine = model.engine(Place::Gpu(gpu), 16);
    let ahead = GenerateRequest::new(model.longest().ids, 24);
    // One candidate: drawn by us from what was read, and fed back.
    let waiting = GenerateRequest {
        sampling: Sampling {
            temperature: 1.0,
            top_k: 1,
            ..Sampling::default()
        },
        ..ahead.clone()
    };
    // All logits are read.
    let reading = GenerateRequest {
        sampling: Sampling {
            repetition_penalty: 1.0 + 1e-9,
            ..Sampling::default()
        },
        ..ahead.clone()
    };
    let mut session = engine.new_session().unwrap();
    let want = model.longest().greedy;
    for request in [&ahead, &waiting, &reading, &ahead] {
        let got = answer(&engine, &mut session, request).unwrap();
        assert_eq!(got, want[..24.min(want.len())]);
    }
}

#[test]
fn sessions_in_turn_do_not_disturb_each_other() {
    let model = Model::open("qwen3");
    let Some(gpu) = device() else { return };
    let mut engine = model.engine(Place::Gpu(gpu), 5);
    let id = engine
        .add_adapter(&adapter("train/rslora-all-linear/final_adapter"))
        .unwrap();
    let prompts: Vec<Vec<u32>> = model.cases().into_iter().map(|case| case.ids).collect();
    let turns = [(0, None), (1, Some(id)), (2, None), (2, Some(id))];
    let request = |ids: &[u32], adapter: Option<AdapterId>, n: usize| GenerateRequest {
        adapter,
        ..GenerateRequest::new(ids.to_vec(), n)
    };

    let alone = turns.map(|(prompt, adapter)| {
        let mut session = engine.new_session().unwrap();
        let request = request(&prompts[prompt], adapter, 12);
        answer(&engine, &mut session, &request).unwrap()
    });
    assert_ne!(alone[2], alone[3], "the adapter changes the answer");

    // The same answers three tokens at a time, every session going on where it was.
    let mut sessions = turns.map(|_| engine.new_session().unwrap());
    let mut texts = turns.map(|(prompt, _)| prompts[prompt].clone());
    for _ in 0..4 {
        for (turn, (_, adapter)) in turns.into_iter().enumerate() {
            let request = request(&texts[turn], adapter, 3);
            let ids = answer(&engine, &mut sessions[turn], &request).unwrap();
            texts[turn].extend(ids);
        }
    }
    for ((text, alone), (prompt, _)) in texts.iter().zip(&alone).zip(turns) {
        assert_eq!(text[prompts[prompt].len()..], *alone);
    }
}

#[test]
fn memory_is_what_was_planned_and_is_given_back() {
    let model = Model::open("qwen2");
    let Some(gpu) = device() else { return };
    let before = gpu.n_bytes_in_use();
    let lora = adapter("train/lora/final_adapter");
    let llama = Model::open("llama31");
    for _ in 0..3 {
        let options = EngineOptions {
            capacity: 96,
            prefill_chunk: 16,
            kv: KvFormat::F32,
            ..EngineOptions::default()
        };
        let source = AsStored(model.source());
        let arch = model.arch();
        let plan = Engine::plan(&arch, &source, &options, Some(gpu.limits())).unwrap();
        let engine = model.engine(Place::Gpu(gpu.clone()), 16);
        let memory = engine.memory();
        assert_eq!(
            gpu.n_bytes_in_use() - before,
            memory.weights + memory.activations
        );
        let planned = memory.weights + memory.activations + memory.per_session;
        assert_eq!(plan.n_bytes(), planned, "{plan}");
        logits(&engine, &model.longest().ids, None);
        drop(engine);
        assert_eq!(gpu.n_bytes_in_use(), before);

        let mut engine = llama.engine(Place::Gpu(gpu.clone()), 16);
        let mut session = engine.new_session().unwrap();
        let ids = llama.longest().ids;
        answer(&engine, &mut session, &GenerateRequest::new(ids.clone(), 4)).unwrap();
        let without = gpu.n_bytes_in_use();
        for _ in 0..2 {
            let id = engine.add_adapter(&lora).unwrap();
            assert!(engine.memory().adapters > 0);
            let request = GenerateRequest {
                adapter: Some(id),
                ..GenerateRequest::new(ids.clone(), 4)
            };
            answer(&engine, &mut session, &request).unwrap();
            engine.remove_adapter(id);
            assert_eq!(engine.memory().adapters, 0);
            assert_eq!(gpu.n_bytes_in_use(), without, "an adapter stays behind");
            let refused = answer(&engine, &mut session, &request);
            assert!(matches!(refused, Err(InferError::UnknownAdapter { .. })));
        }
    }
    assert_eq!(gpu.n_bytes_in_use(), before);
}

#[test]
fn the_cost_of_a_token_is_counted() {
    let model = Model::open("llama31");
    let Some(gpu) = device() else { return };
    let mut engine = model.engine(Place::Gpu(gpu), 16);
    let mut session = engine.new_session().unwrap();
    let base = engine.decode_cost(&mut session, None).unwrap().unwrap();
    // Embedding, ten a layer, final norm and head, two for the best token.
    assert_eq!(base.n_launches, 1 + 10 * 2 + 2 + 2);
    let arch = engine.arch();
    let embedding = arch.vocab_size * arch.d_model;
    let n_read = arch.n_parameters() - embedding as u64;
    assert_eq!(base.weight_bytes, 4 * n_read);
    let kv_values = 2 * arch.n_layers * arch.d_kv();
    assert_eq!(base.kv_bytes_per_position, 4 * kv_values as u64);
    let id = engine
        .add_adapter(&adapter("train/lora/final_adapter"))
        .unwrap();
    let beside = engine.decode_cost(&mut session, Some(id)).unwrap().unwrap();
    // Two for each of two groups of two layers.
    assert_eq!(beside.n_launches - base.n_launches, 8);
}

#[test]
fn a_device_that_is_lost_fails_the_answer() {
    let model = Model::open("llama31");
    let Some(gpu) = device() else { return };
    let engine = model.engine(Place::Gpu(gpu.clone()), 16);
    for sampling in [
        Sampling::default(),
        Sampling {
            temperature: 1.0,
            ..Sampling::default()
        },
    ] {
        let mut session = engine.new_session();
        let request = GenerateRequest {
            sampling,
            ..GenerateRequest::new(model.longest().ids, 24)
        };
        let mut n_tokens = 0;
        let mut on_token = |_: &_| {
            n_tokens += 1;
            if n_tokens == 3 {
                gpu.close();
            }
            ControlFlow::Continue(())
        };
        // The second time it is gone already.
        let error = match &mut session {
            Ok(session) => block_on(engine.generate(session, &request, &mut on_token)).err(),
            Err(_) => session.err(),
        };
        assert!(
            matches!(&error, Some(InferError::Gpu(error)) if error.is_lost()),
            "{error:?}"
        );
        assert!(n_tokens < 6);
    }
}
