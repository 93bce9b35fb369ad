//! The engine on a GPU against transformers and against the engine on the processor: every family,
//! prefill and decode, base and adapter.

use pollster::block_on;
use veneer_core::infer::{GenerateRequest, Place};

use crate::{
    devices::devices,
    models::{Model, assert_within, logits},
};

/// Between f32 sums in another order; a wrong norm epsilon is 5e-4 away.
const LOGITS: f32 = 2e-4;

/// The longest text in one piece, in odd pieces that take tiles, in pieces that take the product
/// of a few tokens, and token by token.
const CHUNKS: [usize; 4] = [64, 7, 3, 1];
/// With what an adapter has beyond core WebGPU: tiles for the prompt, and steps for the answer.
const OTHER_PROFILES: [usize; 1] = [7];

#[track_caller]
fn check(name: &str) {
    let model = Model::open(name);
    for (index, gpu) in devices().into_iter().enumerate() {
        let chunks: &[usize] = if index == 0 { &CHUNKS } else { &OTHER_PROFILES };
        for &chunk in chunks {
            let engine = model.engine(Place::Gpu(gpu.clone()), chunk);
            for case in model.cases() {
                let n_tokens = case.ids.len();
                let profile = gpu.profile().name();
                let what = format!("{name}, {n_tokens} tokens in chunks of {chunk}, {profile}");
                let vocab_size = engine.arch().vocab_size;
                let got = logits(&engine, &case.ids, None);
                let got = &got[case.logits_from * vocab_size..];
                assert_within(got, &case.logits.concat(), LOGITS, &what);

                let request = GenerateRequest::new(case.ids.clone(), case.greedy.len());
                let mut session = engine.new_session().unwrap();
                let mut on_token = |_: &_| std::ops::ControlFlow::Continue(());
                let answer = engine.generate(&mut session, &request, &mut on_token);
                let answer = block_on(answer).unwrap();
                assert_eq!(answer.ids, case.greedy, "{what}");
                assert_within(&answer.logprobs, &case.logprobs, LOGITS, &what);
            }
        }
    }
}

#[test]
fn llama2() {
    check("llama2");
}

#[test]
fn llama31_with_scaled_rotation() {
    check("llama31");
}

#[test]
fn llama31_stored_as_f16() {
    check("llama31-f16");
}

#[test]
fn llama32_with_a_tied_head() {
    check("llama32");
}

#[test]
fn mistral_with_a_window() {
    check("mistral");
}

#[test]
fn qwen2_with_biases() {
    check("qwen2");
}

#[test]
fn qwen2_with_windows_in_some_layers() {
    check("qwen2-window");
}

#[test]
fn qwen3_with_norms_of_queries_and_keys() {
    check("qwen3");
}

#[test]
fn qwen3_stored_as_bf16() {
    check("qwen3-bf16");
}
