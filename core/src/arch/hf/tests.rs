//! What the families mean where config.json says little, and what is refused.

use serde_json::{Value, json};

use super::ArchError;
use crate::arch::{
    Activation, Arch, BlockShape, Family, MlpLayout, NormKind, QkNormOver, QkvLayout, RopeScaling,
};

/// A config with sizes, and what else is given.
fn config(model_type: &str, more: Value) -> Vec<u8> {
    let mut config = json!({
        "model_type": model_type, "vocab_size": 32, "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 8,
    });
    if let (Some(config), Value::Object(more)) = (config.as_object_mut(), more) {
        config.extend(more);
        config.retain(|_, value| *value != json!("none"));
    }
    config.to_string().into_bytes()
}

fn read(model_type: &str, more: Value) -> Result<Arch, ArchError> {
    Arch::from_json(&config(model_type, more))
}

#[track_caller]
fn arch(model_type: &str, more: Value) -> Arch {
    read(model_type, more).unwrap()
}

#[track_caller]
fn refused(model_type: &str, more: Value, named: &str) {
    let error = read(model_type, more.clone()).unwrap_err().to_string();
    assert!(error.contains(named), "{model_type} {more}: {error}");
}

/// Every family with the sizes that it needs.
fn all() -> Vec<Arch> {
    let names = Family::ALL.map(Family::model_type);
    names.iter().map(|name| arch(name, json!({}))).collect()
}

#[test]
fn missing_fields_take_transformers_defaults() {
    let more = json!({"num_key_value_heads": "none"});
    let llama = arch("llama", more.clone());
    assert_eq!((llama.n_kv_heads, llama.head_dim), (8, 8));
    assert_eq!((llama.max_positions, llama.norm.eps), (2048, 1e-6));
    assert_eq!(llama.ropes[0].theta, 10_000.0);
    for (family, n_kv_heads) in [
        ("mistral", 8),
        ("gemma2", 4),
        ("starcoder2", 2),
        ("smollm3", 4),
    ] {
        assert_eq!(
            arch(family, more.clone()).n_kv_heads,
            n_kv_heads,
            "{family}"
        );
    }
    for (family, head_dim) in [("qwen3", 128), ("gemma", 256), ("gemma2", 256), ("phi3", 8)] {
        assert_eq!(arch(family, json!({})).head_dim, head_dim, "{family}");
    }
    for (family, eps) in [
        ("phi3", 1e-5),
        ("olmo2", 1e-5),
        ("gpt_neox", 1e-5),
        ("granite", 1e-6),
    ] {
        assert_eq!(arch(family, json!({})).norm.eps, eps, "{family}");
    }
    assert_eq!(arch("smollm3", json!({})).ropes[0].theta, 2_000_000.0);
}

#[test]
fn heads_are_tied_where_the_family_says_so() {
    let tied = [
        "gemma",
        "gemma2",
        "gemma3_text",
        "falcon",
        "gpt_bigcode",
        "starcoder2",
        "smollm3",
    ];
    for arch in all() {
        let name = arch.family.model_type();
        assert_eq!(arch.tie_embeddings, tied.contains(&name), "{name}");
    }
    assert!(!arch("falcon", json!({"tie_word_embeddings": false})).tie_embeddings);
}

#[test]
fn rotated_widths_are_the_familys() {
    for (family, n_rotated) in [("gpt_neox", 4), ("phi", 8), ("stablelm", 4), ("phi3", 16)] {
        let arch = arch(family, json!({"hidden_size": 128}));
        assert_eq!(arch.ropes[0].n_rotated, n_rotated, "{family}");
    }
    let share = json!({"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}});
    assert_eq!(arch("gpt_neox", share).ropes[0].n_rotated, 4);
    refused(
        "phi",
        json!({"partial_rotary_factor": 0.4}),
        "partial_rotary_factor",
    );
    refused(
        "llama",
        json!({"partial_rotary_factor": 0.5}),
        "partial_rotary_factor",
    );
}

#[test]
fn both_spellings_of_rope_agree() {
    let old = json!({"rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2.0}});
    let new = json!({"rope_parameters":
        {"rope_theta": 5e5, "rope_type": "linear", "factor": 2.0}});
    assert_eq!(arch("llama", old).ropes, arch("llama", new).ropes);
    let both = json!({"rope_scaling": {"type": "linear", "rope_type": "yarn", "factor": 2.0}});
    refused("llama", both, "rope_scaling.type");
    refused("llama", json!({"rope_scaling": {"type": "mrope"}}), "mrope");
    refused(
        "llama",
        json!({"rope_scaling": {"type": "yarn"}}),
        "rope_scaling.factor",
    );
}

#[test]
fn longrope_switches_at_its_length() {
    let scaling = json!({"type": "su", "short_factor": [1, 1, 1, 1], "long_factor": [2, 2, 2, 4]});
    let more = json!({"rope_scaling": scaling, "max_position_embeddings": 131_072,
        "original_max_position_embeddings": 4096});
    let phi3 = arch("phi3", more);
    let rope = &phi3.ropes[0];
    assert_eq!(rope.frequencies(4096)[1], 2.0 * rope.frequencies(4097)[1]);
    assert!(phi3.rotates_alike(1, 4096) && !phi3.rotates_alike(4096, 4097));
    // sqrt(1 + ln 32 / ln 4096)
    assert!((rope.attention_factor - 1.190_238_1).abs() < 1e-6);
    let short = json!({"rope_scaling":
        {"type": "longrope", "short_factor": [1], "long_factor": [1, 1, 1, 1]}});
    refused("phi3", short, "rope_scaling.short_factor");
}

#[test]
fn dynamic_scaling_reaches_beyond_the_training() {
    let more = json!({"rope_scaling": {"type": "dynamic", "factor": 4.0}});
    let llama = arch("llama", more);
    assert_eq!(llama.max_positions, 8192);
    assert!(llama.rotates_alike(7, 2048) && !llama.rotates_alike(2049, 2050));
    let plain = arch("llama", json!({}));
    assert_eq!(
        llama.ropes[0].frequencies(2048),
        plain.ropes[0].frequencies(2048)
    );
}

#[test]
fn yarn_keeps_high_frequencies_and_divides_low_ones() {
    let scaling = json!({"rope_type": "yarn", "factor": 4.0,
        "original_max_position_embeddings": 2048});
    let yarn = arch(
        "qwen2",
        json!({"hidden_size": 512, "rope_scaling": scaling}),
    );
    let plain = arch("qwen2", json!({"hidden_size": 512}));
    let (stretched, kept) = (&yarn.ropes[0], &plain.ropes[0]);
    let last = kept.n_rotated / 2 - 1;
    assert_eq!(stretched.frequencies(1)[0], kept.frequencies(1)[0]);
    assert_eq!(
        stretched.frequencies(1)[last],
        kept.frequencies(1)[last] / 4.0
    );
    assert!((stretched.attention_factor - (0.1 * 4f64.ln() + 1.0)).abs() < 1e-12);
}

#[test]
fn qwen2_windows_only_when_asked_and_from_their_layer_on() {
    assert_eq!(
        arch("qwen2", json!({"sliding_window": 8})).windows(),
        [None; 4]
    );
    let on = json!({"sliding_window": 8, "use_sliding_window": true, "max_window_layers": 1});
    let wanted = [None, Some(8), Some(8), Some(8)];
    assert_eq!(arch("qwen2", on).windows(), wanted);
}

#[test]
fn windows_are_the_familys() {
    assert_eq!(arch("mistral", json!({})).windows(), [Some(4096); 4]);
    let none = json!({"sliding_window": null});
    assert_eq!(arch("mistral", none).windows(), [None; 4]);
    let two = [Some(4096), None, Some(4096), None];
    assert_eq!(arch("gemma2", json!({})).windows(), two);
    let types = json!([
        "full_attention",
        "sliding_attention",
        "full_attention",
        "full_attention"
    ]);
    let typed = arch("gemma2", json!({"layer_types": types, "sliding_window": 8}));
    assert_eq!(typed.windows(), [None, Some(8), None, None]);
    refused(
        "gemma2",
        json!({"layer_types": ["full_attention"]}),
        "layer_types",
    );
    refused("mistral", json!({"layer_types": types}), "layer_types");
    refused("mistral", json!({"sliding_window": 0}), "sliding_window");
}

#[test]
fn gemmas_are_scaled_and_capped() {
    let gemma = arch("gemma", json!({"hidden_act": "gelu"}));
    assert_eq!(gemma.mlp.activation, Activation::GeluTanh);
    assert_eq!(gemma.embedding.scale, 8.0);
    assert!(gemma.norm.plus_one);
    let gemma2 = arch("gemma2", json!({"final_logit_softcapping": null}));
    assert_eq!(
        (gemma2.attention.softcap, gemma2.logits.softcap),
        (Some(50.0), None)
    );
    assert_eq!(gemma2.attention.scale, 1.0 / 16.0);
    assert_eq!(gemma2.block.shape, BlockShape::Sandwich);
    refused(
        "gemma3_text",
        json!({"attn_logit_softcapping": 50.0}),
        "attn_logit_softcapping",
    );
}

#[test]
fn gemma3_rotates_windows_by_another_base() {
    let more = json!({"sliding_window_pattern": 2,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0}});
    let old = arch("gemma3_text", more);
    let rope = |arch: &Arch, layer_idx| arch.rope_of(layer_idx).cloned().unwrap();
    assert_eq!((rope(&old, 0).theta, rope(&old, 1).theta), (1e4, 1e6));
    assert_eq!(rope(&old, 0).scaling, RopeScaling::None);
    assert_eq!(rope(&old, 1).scaling, RopeScaling::Linear { factor: 8.0 });
    let types: Vec<_> = (0..4)
        .map(|i| ["sliding_attention", "full_attention"][i % 2])
        .collect();
    let new = json!({"layer_types": types, "rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}});
    assert_eq!(arch("gemma3_text", new), old);
}

#[test]
fn falcon_has_four_forms() {
    let falcon = |more| arch("falcon", more);
    let seven = falcon(json!({}));
    assert_eq!(seven.block.shape, BlockShape::ParallelOneNorm);
    assert_eq!(
        (seven.attention.qkv, seven.n_kv_heads),
        (QkvLayout::Stacked, 1)
    );
    assert_eq!(seven.d_ff, 96);
    let forty = falcon(json!({"new_decoder_architecture": true, "num_kv_heads": 2}));
    assert_eq!(forty.block.shape, BlockShape::Parallel);
    assert_eq!(
        (forty.attention.qkv, forty.n_kv_heads),
        (QkvLayout::Grouped, 2)
    );
    assert_eq!(forty.fused_heads().q, [0, 1, 2, 3, 6, 7, 8, 9]);
    assert_eq!(
        (forty.fused_heads().k, forty.fused_heads().v),
        (vec![4, 10], vec![5, 11])
    );
    let eleven = json!({"new_decoder_architecture": true, "num_ln_in_parallel_attn": 1});
    assert_eq!(falcon(eleven).block.shape, BlockShape::ParallelOneNorm);
    let rw = json!({"alibi": true, "parallel_attn": false, "multi_query": false, "bias": true,
        "intermediate_size": "none"});
    let rw = falcon(rw);
    assert_eq!((rw.block.shape, rw.d_ff), (BlockShape::Sequential, 256));
    assert!(rw.alibi().is_some() && rw.ropes.is_empty() && rw.attention.o_bias);
    let odd = json!({"new_decoder_architecture": true, "parallel_attn": false});
    refused("falcon", odd, "parallel_attn");
}

#[test]
fn older_families_have_their_forms() {
    let neox = arch("gpt_neox", json!({}));
    assert_eq!(neox.block.shape, BlockShape::Parallel);
    assert_eq!(neox.norm.kind, NormKind::Layer);
    assert_eq!(
        (neox.mlp.layout, neox.mlp.activation),
        (MlpLayout::Plain, Activation::Gelu)
    );
    let sequential = arch("gpt_neox", json!({"use_parallel_residual": false}));
    assert_eq!(sequential.block.shape, BlockShape::Sequential);
    let stablelm = arch(
        "stablelm",
        json!({"qk_layernorm": true, "use_parallel_residual": true}),
    );
    assert_eq!(
        stablelm.attention.qk_norm.unwrap().over,
        QkNormOver::OwnHead
    );
    assert_eq!(stablelm.block.shape, BlockShape::ParallelOneNorm);
    let bigcode = json!({"model_type": "gpt_bigcode", "vocab_size": 32, "n_embd": 16, "n_head": 2,
        "n_layer": 1, "n_positions": 40});
    let bigcode = Arch::from_json(bigcode.to_string().as_bytes()).unwrap();
    assert_eq!(
        (bigcode.d_ff, bigcode.embedding.n_positions),
        (64, Some(40))
    );
    assert_eq!((bigcode.n_kv_heads, bigcode.ropes.len()), (1, 0));
    let smollm3 = arch("smollm3", json!({}));
    assert_eq!(
        smollm3
            .layers
            .iter()
            .filter(|layer| layer.rope.is_none())
            .count(),
        1
    );
    assert!(smollm3.rope_of(3).is_none());
}

#[test]
fn what_would_change_results_is_refused() {
    for (family, key, value) in [
        ("llama", "num_local_experts", json!(8)),
        ("llama", "clip_qkv", json!(8.0)),
        ("llama", "qk_layernorm", json!(true)),
        ("llama", "hidden_act", json!("quick_gelu")),
        ("llama", "quantization_config", json!({"bits": 4})),
        ("mistral", "attention_bias", json!(true)),
        ("qwen2", "final_logit_softcapping", json!(30.0)),
        ("gpt_bigcode", "scale_attn_weights", json!(false)),
        ("gemma3_text", "use_bidirectional_attention", json!(true)),
        ("phi", "head_dim", json!(16)),
        ("olmo2", "mlp_bias", json!(true)),
        ("granite", "rms_norm_eps", json!("1e-5")),
        ("falcon", "num_ln_in_parallel_attn", json!(2)),
        (
            "falcon",
            "apply_residual_connection_post_layernorm",
            json!(true),
        ),
    ] {
        refused(family, json!({key: value}), key);
    }
    let harmless = json!({"num_experts": 0, "clip_qkv": null, "scale_attn_weights": true,
        "mlp_bias": false, "attention_multiplier": 1.0});
    assert_eq!(arch("mistral", harmless), arch("mistral", json!({})));
}

#[test]
fn says_which_families_are_known() {
    let error = read("mamba", json!({})).unwrap_err().to_string();
    assert!(
        error.contains("`mamba`") && error.contains("llama, mistral, qwen2"),
        "{error}"
    );
    assert!(matches!(
        Arch::from_json(b"[]"),
        Err(ArchError::NotAnObject)
    ));
    refused("none", json!({}), "model_type");
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    refused(
        "llama",
        json!({"num_key_value_heads": 3}),
        "num_key_value_heads",
    );
    refused("llama", json!({"hidden_size": "none"}), "hidden_size");
    refused(
        "llama",
        json!({"num_hidden_layers": 1 << 30}),
        "num_hidden_layers",
    );
    refused("llama", json!({"head_dim": 7}), "head_dim");
    refused("llama", json!({"hidden_size": 4}), "head_dim");
}

#[test]
fn every_module_has_a_name_of_its_own() {
    for arch in all() {
        let tensors = arch.tensors();
        for tensor in &tensors {
            let at = Some((tensor.module, tensor.part));
            assert_eq!(arch.tensor_at(&tensor.name), at, "{}", tensor.name);
            assert!(!tensor.name.contains("..") && !tensor.name.starts_with('.'));
            assert_eq!(tensors.iter().filter(|t| t.name == tensor.name).count(), 1);
        }
        assert_eq!(arch.linear_modules().len(), 4 * arch.block_linears().len());
    }
}
