use super::*;

const MIB: u64 = 1 << 20;

const QWEN25_05B: &str = r#"{"model_type":"qwen2","vocab_size":151936,"hidden_size":896,
    "intermediate_size":4864,"num_hidden_layers":24,"num_attention_heads":14,
    "num_key_value_heads":2,"tie_word_embeddings":true,"max_position_embeddings":32768}"#;
const LLAMA32_1B: &str = r#"{"model_type":"llama","vocab_size":128256,"hidden_size":2048,
    "intermediate_size":8192,"num_hidden_layers":16,"num_attention_heads":32,
    "num_key_value_heads":8,"head_dim":64,"tie_word_embeddings":true,
    "max_position_embeddings":131072}"#;
const LLAMA31_8B: &str = r#"{"model_type":"llama","vocab_size":128256,"hidden_size":4096,
    "intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,
    "num_key_value_heads":8,"tie_word_embeddings":false,"max_position_embeddings":131072}"#;

/// What core WebGPU promises.
const CORE_WEBGPU: MemoryLimits = MemoryLimits {
    gpu: Some(GpuLimits {
        max_buffer_bytes: 256 * MIB,
        max_binding_bytes: 128 * MIB,
        binding_alignment: 256,
        max_workgroups: 65_535,
        max_invocations: 256,
        max_workgroup_bytes: 16_384,
        max_storage_buffers: 8,
        min_subgroup_size: 0,
        max_subgroup_size: 0,
    }),
    total_bytes: None,
};

fn arch(config: &str) -> Arch {
    Arch::from_json(config.as_bytes()).unwrap()
}

fn context(capacity: usize) -> ContextShape {
    ContextShape {
        capacity,
        prefill_chunk: 128,
        kv: KvFormat::F16,
    }
}

fn stored_as(format: Format) -> impl Fn(&TensorSpec) -> Result<Format, LoadError> {
    move |_| Ok(format)
}

fn plan(
    config: &str,
    format: Format,
    capacity: usize,
    limits: &MemoryLimits,
) -> Result<Plan, PlanError> {
    Plan::new(&arch(config), &stored_as(format), context(capacity), limits)
}

#[test]
fn weights_take_what_the_parameters_take() {
    // Published parameter counts, in blocks of 32 values; vectors stay f32.
    for (config, n_parameters) in [
        (QWEN25_05B, 494_032_768),
        (LLAMA32_1B, 1_235_814_400),
        (LLAMA31_8B, 8_030_261_248),
    ] {
        let arch = arch(config);
        assert_eq!(arch.n_parameters(), n_parameters);
        let plan = plan(config, Format::Q4_0, 4096, &CORE_WEBGPU).unwrap();
        let n_vectors = plan.n_bytes_of(BufferClass::Vectors) / 4;
        let weights: u64 = [
            BufferClass::Embedding,
            BufferClass::Projections,
            BufferClass::Head,
        ]
        .map(|class| plan.n_bytes_of(class))
        .iter()
        .sum();
        assert_eq!(weights, (n_parameters - n_vectors) / 32 * 18);
    }
}

#[test]
fn vocabularies_are_cut_under_the_binding_limit() {
    // Quants and scales are buffers of their own; floats have no scales.
    for (config, format, n_buffers) in [
        (QWEN25_05B, Format::Q4_0, 2),
        (QWEN25_05B, Format::Q8_0, 2 * 2),
        (QWEN25_05B, Format::F16, 3),
        // 125 MiB of quants just fit.
        (LLAMA32_1B, Format::Q4_0, 2),
        (LLAMA31_8B, Format::Q4_0, 2 * 2),
        (LLAMA31_8B, Format::F16, 8),
    ] {
        let plan = plan(config, format, 4096, &CORE_WEBGPU).unwrap();
        let tables = plan
            .buffers
            .iter()
            .filter(|b| b.class == BufferClass::Embedding);
        assert_eq!(tables.count(), n_buffers, "{config} {}", format.name());
        let largest = plan.buffers.iter().map(|b| b.n_bytes).max().unwrap();
        assert!(largest <= 128 * MIB, "{config}: {largest}");
    }
}

#[test]
fn a_context_takes_what_others_report() {
    // Keys and values of 4096 tokens in f16.
    for (config, mib) in [(QWEN25_05B, 48), (LLAMA32_1B, 128), (LLAMA31_8B, 512)] {
        let plan = plan(config, Format::Q4_0, 4096, &CORE_WEBGPU).unwrap();
        assert_eq!(plan.n_bytes_of(BufferClass::KvCache), mib * MIB);
    }
}

#[test]
fn a_cache_beyond_the_binding_limit_is_refused_with_what_fits() {
    let error = plan(LLAMA31_8B, Format::Q4_0, 100_000, &CORE_WEBGPU).unwrap_err();
    let PlanError::Buffer {
        label,
        needed,
        allowed,
        alternatives,
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(label, "keys of layer 0");
    assert_eq!((*needed, *allowed), (100_000 * 2048, 128 * MIB));
    assert_eq!(alternatives.len(), 1);
    assert_eq!(alternatives[0].capacity, Some(65_536));
    let fitting = plan(LLAMA31_8B, Format::Q4_0, 65_536, &CORE_WEBGPU).unwrap();
    assert_eq!(fitting.n_bytes(), alternatives[0].n_bytes);
    let text = error.to_string();
    assert!(
        text.contains("195 MiB") && text.contains("65536 tokens"),
        "{text}"
    );
}

#[test]
fn too_little_memory_is_said_with_what_fits() {
    let limits = MemoryLimits {
        total_bytes: Some(4 << 30),
        ..CORE_WEBGPU
    };
    let error = plan(LLAMA32_1B, Format::F16, 65_536, &limits).unwrap_err();
    let PlanError::Total {
        alternatives,
        weights,
        kv_cache,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(*kv_cache, 2048 * MIB);
    assert!((*weights as f64 / (1_235_814_400.0 * 2.0) - 1.0).abs() < 1e-3);
    assert_eq!(alternatives[0].format, None);
    assert_eq!(alternatives[1].format, Some(Format::Q8_0));
    assert_eq!(alternatives[1].capacity, None);
    let shorter = alternatives[0].capacity.unwrap();
    assert!(plan(LLAMA32_1B, Format::F16, shorter, &limits).is_ok());
    assert!(plan(LLAMA32_1B, Format::F16, shorter + 256, &limits).is_err());
    assert!(plan(LLAMA32_1B, Format::Q8_0, 65_536, &limits).is_ok());
}

#[test]
fn smaller_weights_and_a_shorter_context_are_proposed_together() {
    let limits = MemoryLimits {
        total_bytes: Some(5 << 30),
        ..CORE_WEBGPU
    };
    let error = plan(LLAMA31_8B, Format::F16, 16_384, &limits).unwrap_err();
    let PlanError::Total { alternatives, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(alternatives.len(), 1);
    assert_eq!(alternatives[0].format, Some(Format::Q4_0));
    assert!(
        alternatives[0]
            .capacity
            .is_some_and(|tokens| (2048..16_384).contains(&tokens))
    );
}

#[test]
fn what_never_fits_is_said_so() {
    let limits = MemoryLimits {
        total_bytes: Some(1 << 30),
        ..CORE_WEBGPU
    };
    let text = plan(LLAMA31_8B, Format::Q4_0, 4096, &limits)
        .unwrap_err()
        .to_string();
    assert!(text.contains("use a smaller model"), "{text}");
}

#[test]
fn an_empty_context_is_refused() {
    for (capacity, prefill_chunk) in [(0, 64), (64, 0)] {
        let shape = ContextShape {
            capacity,
            prefill_chunk,
            kv: KvFormat::F16,
        };
        let arch = arch(QWEN25_05B);
        let result = Plan::new(&arch, &stored_as(Format::Q4_0), shape, &CORE_WEBGPU);
        assert!(matches!(result, Err(PlanError::NoContext { .. })));
    }
}

#[test]
fn formats_that_differ_stay_separate_matrices() {
    let mixed = |spec: &TensorSpec| {
        let is_value = spec.name.ends_with("v_proj.weight");
        Ok(if is_value { Format::Q8_0 } else { Format::Q4_0 })
    };
    let plan = Plan::new(&arch(LLAMA32_1B), &mixed, context(512), &CORE_WEBGPU).unwrap();
    let qkv = &plan.layout.layers[0].qkv;
    let of = |m: &PlannedMatrix| (m.format, m.n_rows, m.column, m.tensors.len());
    assert_eq!(
        qkv.matrices.iter().map(of).collect::<Vec<_>>(),
        [(Format::Q4_0, 2560, 0, 2), (Format::Q8_0, 512, 2560, 1)]
    );
    assert_eq!((qkv.n_in, qkv.n_out), (2048, 3072));
    let columns: Vec<_> = qkv
        .segments
        .iter()
        .map(|s| (s.column, s.n_columns))
        .collect();
    assert_eq!(columns, [(0, 2048), (2048, 512), (2560, 512)]);
    let gate_up = &plan.layout.layers[0].gate_up;
    assert_eq!(gate_up.matrices.len(), 1);
    assert_eq!(gate_up.matrices[0].n_rows, 2 * 8192);
}

#[test]
fn rows_are_found_in_the_tensors_that_were_joined() {
    let plan = plan(LLAMA32_1B, Format::Q4_0, 512, &CORE_WEBGPU).unwrap();
    let matrix = &plan.layout.layers[1].qkv.matrices[0];
    let parts = |rows| -> Vec<(String, std::ops::Range<usize>)> {
        let short = |name: &str| name.replace("model.layers.1.self_attn.", "");
        matrix
            .parts(rows)
            .map(|(name, rows)| (short(name), rows))
            .collect()
    };
    let q = |rows| ("q_proj.weight".to_owned(), rows);
    let k = |rows| ("k_proj.weight".to_owned(), rows);
    let v = |rows| ("v_proj.weight".to_owned(), rows);
    assert_eq!(parts(0..3072), [q(0..2048), k(0..512), v(0..512)]);
    assert_eq!(parts(2000..2100), [q(2000..2048), k(0..52)]);
    assert_eq!(parts(2048..2560), [k(0..512)]);
    assert_eq!(parts(3071..3072), [v(511..512)]);
    assert_eq!(parts(5..5), []);
}

#[test]
fn heads_without_kernels_are_named_before_anything_is_loaded() {
    for (width, is_taken) in [
        (2, true),
        (80, true),
        (256, true),
        (258, false),
        (512, false),
    ] {
        let config = QWEN25_05B.replace("14", "2").replace(
            "\"vocab_size\"",
            &format!("\"head_dim\":{width},\"vocab_size\""),
        );
        let config = config.replace("qwen2", "qwen3");
        let planned = plan(&config, Format::F16, 512, &CORE_WEBGPU);
        assert_eq!(planned.is_ok(), is_taken, "{width}");
        if let Err(error) = planned {
            assert!(error.is_for_want_of_kernels());
            let text = error.to_string();
            for part in ["`qwen3`", &width.to_string(), "256", "processor"] {
                assert!(text.contains(part), "{text}");
            }
        }
        // The processor has them all.
        plan(&config, Format::F16, 512, &MemoryLimits::default()).unwrap();
    }
}

#[test]
fn a_family_of_another_form_takes_what_its_parameters_take() {
    let phi2 = r#"{"model_type":"phi","vocab_size":51200,"hidden_size":2560,
        "intermediate_size":10240,"num_hidden_layers":32,"num_attention_heads":32,
        "partial_rotary_factor":0.4}"#;
    let n_parameters = arch(phi2).n_parameters();
    assert_eq!(n_parameters, 2_779_683_840);
    let plan = plan(phi2, Format::F16, 512, &CORE_WEBGPU).unwrap();
    let weights = plan.weight_bytes_per_token() + plan.n_bytes_of(BufferClass::Embedding);
    let n_vectors = plan.n_bytes_of(BufferClass::Vectors) / 4;
    assert_eq!(weights, 2 * n_parameters + 2 * n_vectors);
}

#[test]
fn a_missing_tensor_is_reported() {
    let missing = |spec: &TensorSpec| {
        Err(LoadError::MissingTensor {
            name: spec.name.clone(),
        })
    };
    let error = Plan::new(&arch(QWEN25_05B), &missing, context(64), &CORE_WEBGPU).unwrap_err();
    assert!(matches!(error, PlanError::Load(LoadErrors(_))));
}
