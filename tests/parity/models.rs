//! Logits, losses and greedy tokens of every family against transformers.

use burn::tensor::Device;
use serde_json::Value;
use veneer_core::{
    model::{Decoder, GenerateOptions, generate},
    text::Encoded,
    train::evaluate,
};
use veneer_tests::{assert_close, fixture, integers, json, model, numbers};

/// Between f32 sums in another order; a wrong norm epsilon is 5e-4 away, a wrong GELU 1e-3.
const LOGITS: f64 = 2e-4;
const LOSS: f64 = 1e-5;
const LOG_PROBABILITY: f64 = 2e-4;

#[track_caller]
fn check(name: &str) {
    let golden = json(&fixture("models").join(name).join("golden.json"));
    let decoder = model(name, &Device::flex());
    let cases = golden["cases"].as_array().expect("cases");
    assert!(!cases.is_empty());
    for case in cases {
        let ids: Vec<u32> = integers(&case["input_ids"])
            .iter()
            .map(|&id| id as u32)
            .collect();
        let what = format!("{name}, {} tokens", ids.len());
        check_logits(&decoder, case, &ids, &what);
        check_loss(&decoder, case, &ids, &what);
        check_greedy(&decoder, case, &ids, &what);
    }
}

fn check_logits(decoder: &Decoder, case: &Value, ids: &[u32], what: &str) {
    let logits = decoder.sequence_logits(ids);
    let from = case["logits_from"].as_u64().expect("logits_from") as usize;
    for (row, want) in case["logits"]
        .as_array()
        .expect("logits")
        .iter()
        .enumerate()
    {
        let got: Vec<f64> = logits[from + row].iter().map(|&x| f64::from(x)).collect();
        assert_close(
            &got,
            &numbers(want),
            LOGITS,
            &format!("{what}, position {}", from + row),
        );
    }
}

fn check_loss(decoder: &Decoder, case: &Value, ids: &[u32], what: &str) {
    let Some(want) = case["loss"].as_f64() else {
        return;
    };
    let labels = integers(&case["labels"])
        .iter()
        .map(|&label| label as i32)
        .collect();
    let example = Encoded {
        input_ids: ids.to_vec(),
        labels,
    };
    let result = evaluate(decoder, &[example], 1, &mut |_| true).expect("the fixture has targets");
    assert_eq!(Some(result.n_targets), case["n_targets"].as_u64(), "{what}");
    assert_close(&[result.loss], &[want], LOSS, &format!("{what}, loss"));
}

fn check_greedy(decoder: &Decoder, case: &Value, ids: &[u32], what: &str) {
    let want = integers(&case["greedy"]["ids"]);
    let options = GenerateOptions {
        max_new_tokens: want.len(),
        temperature: 0.0,
        top_k: 0,
        top_p: 1.0,
        seed: 0,
        end_token_ids: Vec::new(),
    };
    let generated = &generate(decoder, &[ids], &options, &|| false)[0];
    let got: Vec<i64> = generated.ids.iter().map(|&id| i64::from(id)).collect();
    assert_eq!(got, want, "{what}, greedy");
    let logprobs: Vec<f64> = generated.logprobs.iter().map(|&x| f64::from(x)).collect();
    assert_close(
        &logprobs,
        &numbers(&case["greedy"]["logprobs"]),
        LOG_PROBABILITY,
        what,
    );
}

#[test]
fn llama2() {
    check("llama2");
}

#[test]
fn llama2_in_two_files() {
    let [one, two] = ["llama2", "llama2-sharded"].map(|name| model(name, &Device::flex()));
    assert_eq!(
        one.sequence_logits(&[1, 2, 3]),
        two.sequence_logits(&[1, 2, 3])
    );
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
fn llama32_with_tied_embeddings() {
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
fn qwen2_with_a_window_on_some_layers() {
    check("qwen2-window");
}

#[test]
fn qwen3_with_normed_queries() {
    check("qwen3");
}

#[test]
fn qwen3_stored_as_bf16() {
    check("qwen3-bf16");
}

#[test]
fn gpt_neox_in_both_residual_forms() {
    check("gpt-neox-parallel");
    check("gpt-neox-sequential");
}

#[test]
fn phi2_with_a_biased_head() {
    check("phi2");
}

#[test]
fn phi3_with_joint_projections_and_a_window() {
    check("phi3");
}

#[test]
fn phi3_on_both_sides_of_its_original_length() {
    check("phi3-longrope");
}

#[test]
fn phi4_mini_rotates_a_part_of_its_heads() {
    check("phi4-mini");
}

#[test]
fn stablelm_of_three_sizes() {
    check("stablelm-3b");
    check("stablelm-1.6b");
    check("stablelm-12b");
}

#[test]
fn gemma_with_norms_around_one() {
    check("gemma");
}

#[test]
fn gemma2_with_soft_caps() {
    check("gemma2");
    check("gemma2-2b");
}

#[test]
fn gemma3_with_local_and_global_layers() {
    check("gemma3");
    check("gemma3-4b");
}

#[test]
fn falcon_of_three_sizes() {
    check("falcon-7b");
    check("falcon-40b");
    check("falcon-11b");
}

#[test]
fn falcon_with_alibi() {
    check("falcon-alibi");
}

#[test]
fn starcoder_with_learned_positions() {
    check("starcoder");
}

#[test]
fn starcoder2() {
    check("starcoder2");
}

#[test]
fn smollm3_with_an_unrotated_layer() {
    check("smollm3");
    check("smollm3-3b");
}

#[test]
fn olmo2_with_norms_after_its_layers() {
    check("olmo2");
}

#[test]
fn granite_with_multipliers() {
    check("granite");
}

#[test]
fn llama_with_scaled_rotations() {
    check("llama-linear");
    check("llama-dynamic");
    check("llama-yarn");
}

#[test]
fn llama_with_biases() {
    check("llama-biases");
}

#[test]
fn mistral_nemo_with_narrow_heads() {
    check("mistral-nemo");
}
