//! The engine on a GPU against transformers and against the engine on the processor: every family,
//! prefill and decode, one turn and several.

use std::ops::ControlFlow;

use pollster::block_on;
use veneer_core::{
    gpu::Gpu,
    infer::{Engine, GenerateRequest, Generated, Place, Session},
};

use crate::{
    devices::devices,
    models::{Case, Model, assert_within, fixture, logits},
};

/// Between f32 sums in another order; a wrong norm epsilon is 5e-4 away.
const LOGITS: f32 = 2e-4;

/// The longest text in one piece, in odd pieces that take tiles, in pieces that take the product
/// of a few tokens, and token by token.
const CHUNKS: [usize; 4] = [64, 7, 3, 1];
/// With what an adapter has beyond core WebGPU: tiles for the prompt, and steps for the answer.
const OTHER_PROFILES: [usize; 1] = [7];

/// Tests of models that share a device and its compiled kernels, and the list of them all.
macro_rules! tests {
    ($($test:ident: $($model:literal),+;)+) => {
        $(#[test]
        fn $test() {
            for name in [$($model),+] {
                check(name);
            }
        })+

        const CHECKED: &[&str] = &[$($($model),+),+];
    };
}

tests! {
    falcon: "falcon-7b", "falcon-11b", "falcon-40b", "falcon-alibi";
    gemma: "gemma", "gemma2", "gemma2-2b", "gemma3", "gemma3-4b";
    gpt_neox_and_starcoder:
        "gpt-neox-parallel", "gpt-neox-sequential", "starcoder", "starcoder2";
    llama: "llama2", "llama31", "llama31-f16", "llama32", "llama-biases";
    llama_with_other_rotations: "llama-dynamic", "llama-linear", "llama-yarn";
    mistral_granite_olmo_and_smollm:
        "mistral", "mistral-nemo", "granite", "olmo2", "smollm3", "smollm3-3b";
    phi: "phi2", "phi3", "phi3-longrope", "phi4-mini";
    qwen: "qwen2", "qwen2-window", "qwen3", "qwen3-bf16";
    stablelm: "stablelm-1.6b", "stablelm-3b", "stablelm-12b";
}

#[test]
fn no_model_is_left_out() {
    let folders = std::fs::read_dir(fixture("models")).unwrap();
    let folders = folders.map(|entry| entry.unwrap().path());
    // One of them has its weights in parts, for the tests of reading.
    let whole = folders.filter(|path| path.join("model.safetensors").exists());
    let mut there: Vec<String> = whole
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut checked = CHECKED.to_vec();
    there.sort_unstable();
    checked.sort_unstable();
    assert_eq!(checked, there);
}

#[track_caller]
fn check(name: &str) {
    let model = Model::open(name);
    let cpu = model.engine(Place::Cpu, 64);
    // No kernel that a model runs needs more than subgroups.
    let gpus: Vec<Gpu> = devices().into_iter().take(2).collect();
    for (index, gpu) in gpus.iter().enumerate() {
        let chunks: &[usize] = if index == 0 { &CHUNKS } else { &OTHER_PROFILES };
        for (nth, &chunk) in chunks.iter().enumerate() {
            let engine = model.engine(Place::Gpu(gpu.clone()), chunk);
            let what = format!("{name} in chunks of {chunk}, {}", gpu.profile().name());
            // Short texts are cut no further than the first time.
            let mut cases = model.cases();
            let skipped = if nth == 0 { 0 } else { cases.len() - 1 };
            for case in cases.drain(skipped..) {
                check_case(&engine, &cpu, &case, &what);
            }
            if index + 1 == gpus.len() {
                check_turns(&engine, &model.longest().ids, &what);
            }
        }
    }
}

fn check_case(engine: &Engine, cpu: &Engine, case: &Case, what: &str) {
    let what = format!("{what}, {} tokens", case.ids.len());
    let got = logits(engine, &case.ids, None);
    assert_within(&got, &logits(cpu, &case.ids, None), LOGITS, &what);
    let got = &got[case.logits_from * engine.arch().vocab_size..];
    assert_within(got, &case.logits.concat(), LOGITS, &what);

    let mut session = engine.new_session().unwrap();
    let answer = answer(engine, &mut session, &case.ids, case.greedy.len());
    assert_eq!(answer.ids, case.greedy, "{what}");
    assert_within(&answer.logprobs, &case.logprobs, LOGITS, &what);
}

/// A conversation in one session answers as its texts do from their start; it grows beyond the
/// lengths at which the tiny models change their rotation.
fn check_turns(engine: &Engine, ids: &[u32], what: &str) {
    let mut session = engine.new_session().unwrap();
    let mut text = ids[..9].to_vec();
    for turn in 0..5 {
        let kept = answer(engine, &mut session, &text, 5);
        let fresh = answer(engine, &mut engine.new_session().unwrap(), &text, 5);
        let what = format!("{what}, turn {turn}");
        assert_eq!(
            kept.n_reused,
            if turn == 0 { 0 } else { text.len() - 3 },
            "{what}"
        );
        assert_eq!(kept.ids, fresh.ids, "{what}");
        assert_within(&kept.logprobs, &fresh.logprobs, LOGITS, &what);
        text.extend(&kept.ids);
        text.extend([3, 5 + turn]);
    }
}

fn answer(engine: &Engine, session: &mut Session, ids: &[u32], n_new: usize) -> Generated {
    let request = GenerateRequest::new(ids.to_vec(), n_new);
    let mut on_token = |_: &_| ControlFlow::Continue(());
    block_on(engine.generate(session, &request, &mut on_token)).unwrap()
}
