//! Adapters as training begins: the base answers as before, and nothing but the adapter is trained.

use burn::tensor::Device;
use veneer_core::{
    model::{Decoder, match_targets},
    protocol::{LoraBias, TargetModules},
    weights::adapter_config::AdapterConfig,
};
use veneer_tests::{assert_close, model};

/// DoRA adds the bias last.
const LOGITS: f64 = 2e-5;
const IDS: [u32; 6] = [5, 9, 3, 40, 17, 22];

#[track_caller]
fn check(name: &str, change: impl Fn(&mut AdapterConfig), trained_too: &[&str]) {
    let mut decoder = model(name, &Device::flex());
    let before = decoder.sequence_logits(&IDS);
    let targets = TargetModules::Pattern("all-linear".to_owned());
    let modules = match_targets(&decoder.arch, &targets, None).expect("there are linear layers");
    let mut config = AdapterConfig::new(3, 6.0, targets);
    change(&mut config);
    decoder
        .attach_fresh(&config, &modules, 7)
        .expect("it can be trained");

    let rows = decoder.sequence_logits(&IDS).into_iter().zip(before);
    for (got, want) in rows {
        let wide = |row: Vec<f32>| row.into_iter().map(f64::from).collect::<Vec<_>>();
        assert_close(&wide(got), &wide(want), LOGITS, name);
    }
    for (trained, _) in decoder.trained() {
        let is_adapter = trained.contains(".lora_");
        let is_wanted = trained_too.iter().any(|end| trained.ends_with(end));
        assert!(is_adapter || is_wanted, "{name}: `{trained}` is trained");
    }
    let n_pairs = decoder.adapter(&config).pairs.len();
    assert_eq!(n_pairs, decoder.arch.linear_modules().len(), "{name}");
}

#[test]
fn low_rank_pairs() {
    for name in [
        "gpt-neox-parallel",
        "phi4-mini",
        "gemma2",
        "falcon-40b",
        "starcoder",
    ] {
        check(name, |_| {}, &[]);
    }
}

#[test]
fn lengths_of_rows() {
    for name in ["llama-biases", "phi3", "falcon-alibi", "starcoder2"] {
        check(name, |config| config.use_dora = true, &[]);
    }
}

#[test]
fn biases_and_whole_modules() {
    let biases = |config: &mut AdapterConfig| config.bias = LoraBias::LoraOnly;
    check(
        "phi2",
        biases,
        &["_proj.bias", "dense.bias", "fc1.bias", "fc2.bias"],
    );
    let head = |config: &mut AdapterConfig| config.modules_to_save = vec!["lm_head".to_owned()];
    check("gemma3", head, &["lm_head.weight"]);
}

/// Gives one module a fresh pair.
fn attach_to(decoder: &mut Decoder, name: &str) -> (AdapterConfig, Vec<String>) {
    let targets = TargetModules::List(vec![name.to_owned()]);
    let modules = match_targets(&decoder.arch, &targets, None).expect("there is one");
    let config = AdapterConfig::new(3, 6.0, targets);
    decoder
        .attach_fresh(&config, &modules, 7)
        .expect("it can be trained");
    (config, modules)
}

#[test]
fn a_pair_on_the_embedding() {
    let mut decoder = model("llama31", &Device::flex());
    let before = decoder.sequence_logits(&IDS);
    let trained = |decoder: &Decoder| decoder.trained().len();
    let (config, modules) = attach_to(&mut decoder, "embed_tokens");
    assert_eq!(decoder.sequence_logits(&IDS), before);
    assert_eq!(decoder.adapter(&config).extras.embeddings.len(), 1);
    assert_eq!(trained(&decoder), 2);

    let dora = AdapterConfig {
        use_dora: true,
        ..config
    };
    decoder
        .attach_fresh(&dora, &modules, 7)
        .expect("it can be trained");
    let rows = decoder.sequence_logits(&IDS).into_iter().zip(before);
    for (got, want) in rows {
        let wide = |row: Vec<f32>| row.into_iter().map(f64::from).collect::<Vec<_>>();
        assert_close(&wide(got), &wide(want), LOGITS, "lengths of columns");
    }
    assert_eq!(trained(&decoder), 3);
    let lengths = &decoder.adapter(&dora).extras.magnitudes["model.embed_tokens"];
    assert_eq!(lengths.len(), decoder.arch.d_model);
}

#[test]
fn a_pair_on_a_tied_head() {
    let mut decoder = model("llama32", &Device::flex());
    let before = decoder.sequence_logits(&IDS);
    let all = TargetModules::Pattern("all-linear".to_owned());
    let modules = match_targets(&decoder.arch, &all, None).expect("there are linear layers");
    assert!(!modules.contains(&"lm_head".to_owned()));

    let (config, _) = attach_to(&mut decoder, "lm_head");
    assert_eq!(decoder.sequence_logits(&IDS), before);
    let trained: Vec<String> = decoder
        .trained()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(trained, ["lm_head.lora_A.weight", "lm_head.lora_B.weight"]);
    let adapter = decoder.adapter(&config);
    assert_eq!([adapter.pairs[0].d_out, adapter.pairs[0].d_in], [64, 32]);
}

#[test]
fn what_matches_nothing_is_an_error() {
    let mut decoder = model("gpt-neox-parallel", &Device::flex());
    let list = |name: &str| TargetModules::List(vec![name.to_owned()]);
    let error = match_targets(&decoder.arch, &list("q_proj"), None).expect_err("no such layer");
    let text = error.to_string();
    assert!(
        text.contains("query_key_value") && text.contains("dense_4h_to_h"),
        "{text}"
    );
    let dense = list("query_key_value");
    let error = match_targets(&decoder.arch, &dense, Some(&[1, 2])).expect_err("no such block");
    assert!(error.to_string().contains("layer 2"), "{error}");
    let config = AdapterConfig {
        modules_to_save: vec!["lm_head".to_owned()],
        ..AdapterConfig::new(3, 6.0, dense)
    };
    let error = decoder
        .attach_fresh(&config, &[], 7)
        .expect_err("it has another name");
    assert!(error.to_string().contains("`lm_head`"), "{error}");
}
