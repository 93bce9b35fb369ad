//! Logits and greedy tokens of every family, however the prompt is cut.

use pollster::block_on;

use super::fixtures::{self, Model, answer, assert_close};
use crate::infer::{GenerateRequest, StopReason};

/// Between f32 sums in another order; a wrong norm epsilon is 5e-4 away.
const LOGITS: f64 = 2e-4;

/// The longest text in one piece, in odd pieces, and token by token.
const CHUNKS: [usize; 3] = [64, 7, 1];

#[track_caller]
fn check(model: &Model) {
    for chunk in CHUNKS {
        let engine = model.engine(chunk);
        for case in model.cases() {
            let what = format!(
                "{}, {} tokens in chunks of {chunk}",
                model.name,
                case.ids.len()
            );
            let mut session = engine.new_session().unwrap();
            let logits = block_on(engine.logits_of(&mut session, &case.ids, None)).unwrap();
            assert_eq!(logits.len(), case.ids.len());
            for (row, want) in logits[case.logits_from..].iter().zip(&case.logits) {
                assert_close(row, want, LOGITS, &what);
            }

            let request = GenerateRequest::new(case.ids.clone(), case.greedy.len());
            let mut session = engine.new_session().unwrap();
            let (generated, tokens) = answer(&engine, &mut session, &request).unwrap();
            assert_eq!(generated.ids, case.greedy, "{what}");
            assert_eq!(generated.stop, StopReason::Length);
            assert_eq!(tokens.len(), case.greedy.len());
            assert_close(&generated.logprobs, &case.logprobs, LOGITS, &what);
        }
    }
}

#[test]
fn llama2() {
    check(&fixtures::LLAMA2);
}

#[test]
fn llama31_with_scaled_rotation() {
    check(&fixtures::LLAMA31);
}

#[test]
fn llama31_stored_as_f16() {
    check(&fixtures::LLAMA31_F16);
}

#[test]
fn llama32_with_a_tied_head() {
    check(&fixtures::LLAMA32);
}

#[test]
fn mistral_with_a_window() {
    check(&fixtures::MISTRAL);
}

#[test]
fn qwen2_with_biases() {
    check(&fixtures::QWEN2);
}

#[test]
fn qwen2_with_windows_in_some_layers() {
    check(&fixtures::QWEN2_WINDOW);
}

#[test]
fn qwen3_with_norms_of_queries_and_keys() {
    check(&fixtures::QWEN3);
}

#[test]
fn qwen3_stored_as_bf16() {
    check(&fixtures::QWEN3_BF16);
}

#[test]
fn falcon_11b() {
    check(&fixtures::FALCON_11B);
}

#[test]
fn falcon_40b() {
    check(&fixtures::FALCON_40B);
}

#[test]
fn falcon_7b() {
    check(&fixtures::FALCON_7B);
}

#[test]
fn falcon_alibi() {
    check(&fixtures::FALCON_ALIBI);
}

#[test]
fn gemma() {
    check(&fixtures::GEMMA);
}

#[test]
fn gemma2() {
    check(&fixtures::GEMMA2);
}

#[test]
fn gemma3() {
    check(&fixtures::GEMMA3);
}

#[test]
fn gpt_neox_parallel() {
    check(&fixtures::GPT_NEOX_PARALLEL);
}

#[test]
fn gpt_neox_sequential() {
    check(&fixtures::GPT_NEOX_SEQUENTIAL);
}

#[test]
fn granite() {
    check(&fixtures::GRANITE);
}

#[test]
fn llama_biases() {
    check(&fixtures::LLAMA_BIASES);
}

#[test]
fn llama_dynamic() {
    check(&fixtures::LLAMA_DYNAMIC);
}

#[test]
fn llama_linear() {
    check(&fixtures::LLAMA_LINEAR);
}

#[test]
fn llama_yarn() {
    check(&fixtures::LLAMA_YARN);
}

#[test]
fn mistral_nemo() {
    check(&fixtures::MISTRAL_NEMO);
}

#[test]
fn olmo2() {
    check(&fixtures::OLMO2);
}

#[test]
fn phi2() {
    check(&fixtures::PHI2);
}

#[test]
fn phi3() {
    check(&fixtures::PHI3);
}

#[test]
fn phi3_longrope() {
    check(&fixtures::PHI3_LONGROPE);
}

#[test]
fn phi4_mini() {
    check(&fixtures::PHI4_MINI);
}

#[test]
fn smollm3() {
    check(&fixtures::SMOLLM3);
}

#[test]
fn stablelm_1_6b() {
    check(&fixtures::STABLELM_1_6B);
}

#[test]
fn stablelm_12b() {
    check(&fixtures::STABLELM_12B);
}

#[test]
fn stablelm_3b() {
    check(&fixtures::STABLELM_3B);
}

#[test]
fn starcoder() {
    check(&fixtures::STARCODER);
}

#[test]
fn starcoder2() {
    check(&fixtures::STARCODER2);
}
