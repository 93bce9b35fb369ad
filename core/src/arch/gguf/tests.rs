use super::*;

#[test]
fn every_architecture_has_a_family() {
    for name in gguf_architectures() {
        assert!(family_of_gguf(name).is_some(), "{name}");
    }
}

#[test]
fn every_tensor_of_a_checkpoint_has_a_name_of_its_own() {
    for family in Family::ALL {
        let config = format!(
            r#"{{"model_type": "{}", "vocab_size": 8, "hidden_size": 64, "num_attention_heads": 4,
                "num_key_value_heads": 4, "num_hidden_layers": 2, "intermediate_size": 8}}"#,
            family.model_type()
        );
        let arch = Arch::from_json(config.as_bytes()).unwrap();
        let name = |tensor: &crate::arch::TensorSpec| arch.gguf_tensor_name(&tensor.name);
        let mut names: Vec<_> = arch.tensors().iter().map(name).collect();
        assert!(names.iter().all(Option::is_some), "{names:?}");
        let n_names = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n_names, "{names:?}");
        let junk = format!("{}.attention.bias", arch.layer_path(0));
        assert_eq!(arch.gguf_tensor_name(&junk), None);
    }
}

#[test]
fn rows_of_heads_are_interleaved_and_groups_taken_apart() {
    let config = |model_type: &str| {
        let config = format!(
            r#"{{"model_type": "{model_type}", "vocab_size": 8, "hidden_size": 8,
                "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8,
                "rotary_pct": 0.5}}"#
        );
        config.replace(
            r#""rotary_pct": 0.5"#,
            match model_type {
                "gpt_neox" => r#""rotary_pct": 0.5"#,
                _ => r#""rope_theta": 1e4"#,
            },
        )
    };
    let llama = Arch::from_json(config("llama").as_bytes()).unwrap();
    let rows = llama.gguf_rows("model.layers.0.self_attn.q_proj.weight");
    assert_eq!(rows.unwrap(), [0, 2, 1, 3, 4, 6, 5, 7]);
    assert_eq!(
        llama.gguf_rows("model.layers.0.self_attn.v_proj.weight"),
        None
    );
    let neox = Arch::from_json(config("gpt_neox").as_bytes()).unwrap();
    let rows = neox.gguf_rows("gpt_neox.layers.0.attention.query_key_value.bias");
    assert_eq!(
        rows.unwrap()[..12],
        [0, 1, 2, 3, 12, 13, 14, 15, 4, 5, 6, 7]
    );
}
