//! Files of the further families: what was exported, read back.

use super::{ExportError, GgufExport, GgufOptions};
use crate::{
    arch::{Arch, RopeScaling},
    quant::Format,
    weights::{
        AsStored, PackedSource, RandomSource, SafetensorsSource, WeightSource, gguf::GgufModel,
    },
};

fn layout(arch: &Arch, format: Format) -> Result<GgufExport, ExportError> {
    GgufExport::new(GgufOptions {
        arch,
        name: "tiny",
        format,
        tokenizer: None,
    })
}

/// f32 metadata keep seven digits.
#[track_caller]
fn near(found: f64, expected: f64) {
    let largest = found.abs().max(expected.abs());
    assert!(
        (found - expected).abs() <= 1e-6 * largest,
        "{found} {expected}"
    );
}

/// The file describes the same computation, with the one of norms in their weights.
#[track_caller]
fn same_model(found: &Arch, expected: &Arch) {
    assert_eq!(found.tensors(), expected.tensors());
    assert_eq!(found.block.shape, expected.block.shape);
    assert_eq!(found.mlp, expected.mlp);
    assert_eq!(found.norm.kind, expected.norm.kind);
    assert!(!found.norm.plus_one);
    assert_eq!(found.attention.qkv, expected.attention.qkv);
    assert_eq!(found.attention.softcap, expected.attention.softcap);
    assert_eq!(found.logits.softcap, expected.logits.softcap);
    let over = |arch: &Arch| arch.attention.qk_norm.map(|qk_norm| qk_norm.over);
    assert_eq!(over(found), over(expected));
    for (found, expected) in [
        (found.norm.eps, expected.norm.eps),
        (found.attention.scale, expected.attention.scale),
        (found.embedding.scale, expected.embedding.scale),
        (found.block.residual_scale, expected.block.residual_scale),
        (found.logits.divisor, expected.logits.divisor),
    ] {
        near(found, expected);
    }
    if expected.gguf_says_window() {
        assert_eq!(found.windows(), expected.windows());
    }
    for layer_idx in 0..expected.n_layers {
        let (found, expected) = (found.rope_of(layer_idx), expected.rope_of(layer_idx));
        assert_eq!(found.is_some(), expected.is_some(), "layer {layer_idx}");
        let (Some(found), Some(expected)) = (found, expected) else {
            continue;
        };
        near(found.attention_factor, expected.attention_factor);
        for n_positions in [1, 30, 100_000] {
            if matches!(expected.scaling, RopeScaling::Dynamic { .. }) && n_positions > 30 {
                continue;
            }
            let [found, expected] = [found, expected].map(|rope| rope.frequencies(n_positions));
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                near(f64::from(*found), f64::from(expected));
            }
        }
    }
}

#[track_caller]
fn check_source(arch: &Arch, weights: &dyn WeightSource) {
    for format in [Format::F32, Format::Q8_0] {
        let export = layout(arch, format).unwrap();
        let mut file = Vec::new();
        export.write(weights, &mut file, &mut |_| ()).unwrap();
        let model = GgufModel::new(&file).unwrap();
        same_model(model.arch(), arch);
        export.verify(weights, &model, &mut |_| ()).unwrap();
        for spec in arch.tensors() {
            let packed = model.packed(&spec.name).unwrap();
            assert_eq!(packed.shape, spec.shape, "{}", spec.name);
            if format == Format::F32 && !arch.gguf_adds_one(&spec.name) {
                let stored = AsStored(weights);
                let stored = stored.packed(&spec.name).unwrap();
                let values = |packed: &crate::weights::PackedTensor<'_>| packed.to_f32("").unwrap();
                assert_eq!(values(&packed), values(&stored), "{}", spec.name);
            }
        }
    }
}

macro_rules! families {
    ($($test:ident: $folder:literal;)*) => {
        $(
            #[test]
            fn $test() {
                const CONFIG: &[u8] = include_bytes!(concat!(
                    "../../../tests/fixtures/models/", $folder, "/config.json"
                ));
                const TENSORS: &[u8] = include_bytes!(concat!(
                    "../../../tests/fixtures/models/", $folder, "/model.safetensors"
                ));
                let weights = SafetensorsSource::new(&[("model.safetensors", TENSORS)]).unwrap();
                check_source(&Arch::from_json(CONFIG).unwrap(), &weights);
            }
        )*
    };
}

families! {
    falcon_7b: "falcon-7b";
    falcon_11b: "falcon-11b";
    falcon_40b: "falcon-40b";
    gemma: "gemma";
    gemma2: "gemma2-2b";
    gemma3: "gemma3-4b";
    gpt_neox_parallel: "gpt-neox-parallel";
    gpt_neox_sequential: "gpt-neox-sequential";
    granite: "granite";
    llama_biases: "llama-biases";
    llama_dynamic: "llama-dynamic";
    llama_yarn: "llama-yarn";
    olmo2: "olmo2";
    phi2: "phi2";
    phi3: "phi3";
    phi3_longrope: "phi3-longrope";
    phi4_mini: "phi4-mini";
    smollm3: "smollm3-3b";
    stablelm_biases: "stablelm-1.6b";
    stablelm_3b: "stablelm-3b";
    stablelm_norms_of_heads: "stablelm-12b";
    starcoder: "starcoder";
    starcoder2: "starcoder2";
}

fn config(model_type: &str, n_layers: usize, more: &str) -> Arch {
    let config = format!(
        r#"{{"model_type": "{model_type}", "vocab_size": 32, "hidden_size": 32,
            "intermediate_size": 32, "num_hidden_layers": {n_layers}, "num_attention_heads": 4,
            "num_key_value_heads": 2, "head_dim": 16{more}}}"#
    );
    Arch::from_json(config.as_bytes()).unwrap()
}

#[test]
fn what_a_file_cannot_say_is_refused() {
    for (arch, part) in [
        (config("gemma2", 2, ""), "scale of attention"),
        (
            config("gemma3_text", 6, r#", "sliding_window_pattern": 2"#),
            "layers with a window",
        ),
        (
            config("smollm3", 4, r#", "no_rope_layer_interval": 2"#),
            "layers that rotate",
        ),
        (
            config("phi", 1, r#", "qk_layernorm": true, "hidden_size": 64"#),
            "norms of queries",
        ),
        (
            config("gemma", 1, r#", "tie_word_embeddings": false"#),
            "a head of its own",
        ),
        (
            config("falcon", 1, r#", "alibi": true, "hidden_size": 64"#),
            "ALiBi",
        ),
    ] {
        let error = layout(&arch, Format::F16).unwrap_err().to_string();
        assert!(
            error.contains(part) && error.contains(arch.family.model_type()),
            "{error}"
        );
    }
}

#[test]
fn norms_of_heads_are_rows_of_one_tensor() {
    const CONFIG: &[u8] = include_bytes!("../../../tests/fixtures/models/stablelm-12b/config.json");
    let arch = Arch::from_json(CONFIG).unwrap();
    let weights = RandomSource::new(arch.clone(), 1);
    let export = layout(&arch, Format::Q8_0).unwrap();
    let mut bytes = Vec::new();
    export.write(&weights, &mut bytes, &mut |_| ()).unwrap();
    let model = GgufModel::new(&bytes).unwrap();
    for (tensor, n_heads) in [
        ("blk.0.attn_q_norm.weight", arch.n_heads),
        ("blk.0.attn_k_norm.weight", arch.n_kv_heads),
    ] {
        let info = PackedSource::info(model.file(), tensor).unwrap();
        assert_eq!(
            (info.format, info.shape),
            (Format::F32, vec![n_heads, arch.head_dim])
        );
    }
}
