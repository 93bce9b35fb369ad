//! PEFT's runs on every family and with every setting: the trace, the adapter there and back, and
//! what is left when it is merged.

use burn::tensor::{DType, Device};
use veneer_core::{
    model::{ByBlocks, Decoder, match_targets},
    train::evaluate,
    weights::{
        WeightSource,
        adapter::{AdapterFiles, WEIGHTS_FILE, read_adapter, write_adapter},
        merge::{MergedSource, Rounding, merged_arch},
    },
};
use veneer_tests::{adapter, arch, assert_close, read, with_weights};

use crate::training::{Case, check, check_packing, check_same_trace};

/// The merged weight is rounded once more than the sum of both products.
const MERGED_LOSS: f64 = 2e-5;

#[track_caller]
fn check_all(name: &str) {
    let name = format!("families/{name}");
    check(&name);
    let case = Case::open(&name);
    check_targets(&name, &case);
    check_files(&name, &case);
    check_merged(&name, &case);
}

/// The trace with one graph a block, and with rows packed.
#[track_caller]
fn check_other_ways(name: &str) {
    let name = format!("families/{name}");
    check_same_trace(&name, |job| job.gradient_checkpointing = true);
    check_packing(&name);
}

/// The modules that PEFT chose.
#[track_caller]
fn check_targets(name: &str, case: &Case) {
    let adapter = adapter(&case.dir.join("final_adapter"));
    let layers = adapter.config.rest.get("layers_to_transform");
    let layers: Option<Vec<usize>> =
        layers.and_then(|layers| serde_json::from_value(layers.clone()).ok());
    let targets = &case.job.target_modules;
    let mut got =
        match_targets(&arch(case.model_name()), targets, layers.as_deref()).expect("it matches");
    got.sort();
    let pairs = adapter.pairs.iter().chain(&adapter.extras.embeddings);
    let mut want: Vec<String> = pairs.map(|pair| pair.module.clone()).collect();
    want.sort();
    assert_eq!(got, want, "{name}");
}

/// What we write is what PEFT wrote, tensor by tensor.
#[track_caller]
fn check_files(name: &str, case: &Case) {
    let dir = case.dir.join("final_adapter");
    let adapter = adapter(&dir);
    let AdapterFiles {
        config_json,
        safetensors,
    } = write_adapter(&adapter).expect("it can be written");
    assert_eq!(
        read_adapter(&config_json, &safetensors).expect("it reads"),
        adapter,
        "{name}"
    );
    assert!(
        safetensors == read(&dir.join(WEIGHTS_FILE)),
        "{name}: other bytes than PEFT's"
    );
}

/// The merged model has the loss of the adapted one, by PEFT's count.
#[track_caller]
fn check_merged(name: &str, case: &Case) {
    let adapter = adapter(&case.dir.join("final_adapter"));
    let want = case.trace["eval"]["final_adapter"]["loss"]
        .as_f64()
        .expect("a loss");
    let device = Device::flex();
    let check = |decoder: &Decoder, what: &str| {
        let got = evaluate(decoder, &case.examples, 4, &mut |_| true).expect("the rows are sound");
        assert_close(
            &[got.loss],
            &[want],
            MERGED_LOSS,
            &format!("{name}, {what}"),
        );
    };
    with_weights(case.model_name(), |arch, base: &dyn WeightSource| {
        let merged = MergedSource::new(arch, base, &adapter, Rounding::ToBase).expect("it fits");
        let merged_arch = merged_arch(arch, &adapter);
        let merged = Decoder::load(&merged_arch, &merged, &device, DType::F32);
        check(&merged.expect("it is whole"), "merged");
        let mut beside = Decoder::load(arch, base, &device, DType::F32).expect("it is whole");
        let before = beside.sequence_logits(&[3, 4, 5]);
        beside.attach(&adapter).expect("it fits");
        check(&beside, "attached");
        let texts = [vec![3, 4, 5], vec![6, 2, 9, 1, 7]];
        let mut n_blocks = 0;
        let by_blocks = ByBlocks {
            arch,
            source: base,
            adapter: Some(&adapter),
            device: &device,
            dtype: DType::F32,
        };
        let by_blocks = by_blocks.sequence_logits(&texts, &mut || n_blocks += 1);
        let whole = texts.each_ref().map(|ids| beside.sequence_logits(ids));
        assert_eq!(by_blocks.expect("it fits"), whole, "{name}: by blocks");
        assert_eq!(n_blocks, arch.n_layers);
        beside.detach_adapter();
        assert_eq!(
            beside.sequence_logits(&[3, 4, 5]),
            before,
            "{name}: taken off"
        );
    });
}

#[test]
fn gpt_neox() {
    check_all("gpt-neox-parallel");
    check_all("gpt-neox-sequential");
}

#[test]
fn phi() {
    check_all("phi2");
    check_all("phi3");
    check_all("phi4-mini");
}

#[test]
fn batches_on_both_sides_of_the_original_length() {
    check_all("phi3-longrope");
}

#[test]
fn stablelm() {
    check_all("stablelm-3b");
    check_all("stablelm-12b");
}

#[test]
fn gemma() {
    check_all("gemma");
    check_all("gemma2");
    check_all("gemma3");
}

#[test]
fn falcon() {
    check_all("falcon-7b");
    check_all("falcon-40b");
    check_all("falcon-11b");
    check_all("falcon-alibi");
}

#[test]
fn starcoder() {
    check_all("starcoder");
    check_all("starcoder2");
}

#[test]
fn smollm3() {
    check_all("smollm3");
}

#[test]
fn olmo2() {
    check_all("olmo2");
}

#[test]
fn granite() {
    check_all("granite");
}

#[test]
fn llama_and_mistral_forms() {
    check_all("llama-yarn");
    check_all("llama-biases");
    check_all("mistral-nemo");
}

#[test]
fn ranks_and_alphas_by_pattern() {
    check_all("patterns");
}

#[test]
fn some_layers_only() {
    check_all("some-layers");
}

#[test]
fn modules_that_are_trained_whole() {
    check_all("saved-head");
    check_all("saved-head-bias");
    check_all("saved-tied-head");
    check_all("saved-norms");
    check_all("saved-embedding");
}

#[test]
fn recompute_and_packing_change_nothing_in_any_form() {
    for name in [
        "dora-fused",
        "embedding",
        "tied-embedding-dora",
        "saved-embedding",
        "saved-head-bias",
        "tied-head",
        "head-dora",
        "bias-all",
        "falcon-alibi",
        "starcoder",
        "gemma3",
    ] {
        check_other_ways(name);
    }
}

#[test]
fn a_pair_on_the_embedding() {
    check_all("embedding");
    check_all("embedding-dora");
    check_all("tied-embedding-dora");
}

#[test]
fn a_pair_on_the_head() {
    check_all("tied-head");
    check_all("head-bias");
    check_all("head-dora");
}

#[test]
fn biases() {
    check_all("bias");
    check_all("bias-all");
}

#[test]
fn dora() {
    check_all("dora");
    check_all("dora-fused");
}
