//! Adapters there and back, PEFT's own among them.

use half::bf16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::*;
use crate::{arch::Arch, protocol::TargetModules};

fn pair(module: &str) -> AdapterPair {
    AdapterPair {
        module: module.to_owned(),
        a: vec![0.5, -1.0, 0.25, 3.0, 1e-8, 2.0],
        b: vec![1.0, 2.0, -3.0, 4.0, 5.0, 6.0, 7.0, -8.0],
        r: 2,
        d_in: 3,
        d_out: 4,
    }
}

fn adapter() -> Adapter {
    let targets = TargetModules::List(vec!["q_proj".into(), "v_proj".into()]);
    Adapter {
        config: AdapterConfig::new(2, 4.0, targets),
        pairs: vec![pair("model.layers.0.q_proj"), pair("model.layers.0.v_proj")],
        extras: AdapterExtras::default(),
    }
}

fn read(files: &AdapterFiles) -> Result<Adapter, AdapterError> {
    read_adapter(&files.config_json, &files.safetensors)
}

fn file(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        let view = TensorView::new(*dtype, shape.clone(), bytes).unwrap();
        ((*name).to_owned(), view)
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn saving_and_reading_is_the_identity() {
    let files = write_adapter(&adapter()).unwrap();
    let again = read(&files).unwrap();
    assert_eq!(again.pairs, adapter().pairs);
    assert_eq!(write_adapter(&again).unwrap(), files);
    assert_eq!(again.pair("model.layers.0.v_proj"), Some(&again.pairs[1]));
    assert_eq!(again.scaling(&again.pairs[0]), 2.0);
}

#[test]
fn names_and_metadata_are_pefts() {
    let files = write_adapter(&adapter()).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&files.safetensors).unwrap();
    let format = metadata.metadata().as_ref().unwrap().get("format");
    assert_eq!(format.map(String::as_str), Some("pt"));
    let name = "base_model.model.model.layers.0.q_proj.lora_A.weight";
    assert_eq!(metadata.info(name).unwrap().shape, [2, 3]);
}

#[test]
fn half_precision_adapters_are_read() {
    let bytes: Vec<u8> = [1.5f32, -2.0]
        .iter()
        .flat_map(|x| bf16::from_f32(*x).to_le_bytes())
        .collect();
    let a = ("base_model.model.m.lora_A.weight", Dtype::BF16, vec![1, 2]);
    let b = ("base_model.model.m.lora_B.weight", Dtype::BF16, vec![2, 1]);
    let tensors = file(&[(a.0, a.1, a.2, bytes.clone()), (b.0, b.1, b.2, bytes)]);
    let adapter = read_adapter(br#"{"r": 1}"#, &tensors).unwrap();
    assert_eq!(adapter.pairs[0].a, [1.5, -2.0]);
}

#[test]
fn every_unusable_tensor_is_listed() {
    let zeros = |n: usize| vec![0u8; n * 4];
    let nan = f32::NAN.to_le_bytes().repeat(4);
    let tensors = file(&[
        (
            "base_model.model.m.lora_A.weight",
            Dtype::F32,
            vec![3, 2],
            zeros(6),
        ),
        (
            "base_model.model.m.lora_B.weight",
            Dtype::F32,
            vec![2, 3],
            zeros(6),
        ),
        (
            "base_model.model.lone.lora_A.weight",
            Dtype::F32,
            vec![2, 2],
            zeros(4),
        ),
        (
            "base_model.model.nan.lora_A.weight",
            Dtype::F32,
            vec![2, 2],
            nan,
        ),
        (
            "base_model.model.int.lora_A.weight",
            Dtype::I32,
            vec![2, 2],
            zeros(4),
        ),
        (
            "base_model.model.flat.lora_A.weight",
            Dtype::F32,
            vec![4],
            zeros(4),
        ),
        (
            "base_model.model.m.lora_A.bias",
            Dtype::F32,
            vec![2, 2],
            zeros(4),
        ),
        ("other.lora_A.weight", Dtype::F32, vec![2, 2], zeros(4)),
    ]);
    let Err(AdapterError::Tensors { problems }) = read_adapter(br#"{"r": 2}"#, &tensors) else {
        panic!("such a file must be refused");
    };
    let text = problems.join("\n");
    for part in [
        "expected rank 2",
        "lone.lora_B.weight` is missing",
        "holds NaN",
        "I32",
        "two dimensions",
        "m.lora_A.bias` is no part of a low-rank pair",
        "does not start with",
    ] {
        assert!(text.contains(part), "`{part}` missing in:\n{text}");
    }
}

#[test]
fn an_adapter_for_another_model_lists_every_mismatch() {
    let error = adapter()
        .check_fits(|name| name.ends_with("q_proj.weight").then(|| vec![4, 5]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("[4, 5] in the model, [4, 3] in the adapter"));
    assert!(error.contains("no layer `model.layers.0.v_proj`"));
    assert!(adapter().check_fits(|_| Some(vec![4, 3])).is_ok());
}

#[test]
fn every_truncation_is_an_error() {
    let files = write_adapter(&adapter()).unwrap();
    for length in 0..files.safetensors.len() {
        let cut = &files.safetensors[..length];
        let error = read_adapter(&files.config_json, cut).unwrap_err();
        assert!(matches!(error, AdapterError::Damaged { .. }), "{length}");
    }
}

#[test]
fn a_header_of_terabytes_is_an_error() {
    let mut bytes = (1u64 << 42).to_le_bytes().to_vec();
    bytes.extend(b"{}");
    assert!(read_adapter(b"{}", &bytes).is_err());
}

#[test]
fn pefts_own_files_come_back_byte_for_byte() {
    let config = include_bytes!("../../../../tests/fixtures/merge/llama32/adapter_config.json");
    let tensors =
        include_bytes!("../../../../tests/fixtures/merge/llama32/adapter_model.safetensors");
    let adapter = read_adapter(config, tensors).unwrap();
    assert_eq!(adapter.pairs.len(), 9);
    let files = write_adapter(&adapter).unwrap();
    assert_eq!(
        String::from_utf8(files.config_json).unwrap(),
        String::from_utf8_lossy(config)
    );
    assert!(files.safetensors == tensors);
}

#[test]
fn a_pair_on_the_head_is_not_put_beside_a_base() {
    let config = include_bytes!("../../../../tests/fixtures/models/llama32/config.json");
    let tied = Arch::from_json(config).unwrap();
    let mut adapter = adapter();
    assert!(adapter.only_pairs(&tied).is_ok());
    assert!(!adapter.unties(&tied));

    let table = WholeTensor {
        shape: vec![64, 32],
        values: vec![0.0; 64 * 32],
    };
    let name = "model.embed_tokens.weight".to_owned();
    adapter.extras.replaced.insert(name.clone(), table);
    assert!(!adapter.unties(&tied));
    adapter.config.modules_to_save = vec!["embed_tokens".to_owned()];
    assert!(adapter.unties(&tied));
    adapter.config.modules_to_save.clear();
    adapter.extras.replaced.remove(&name);

    adapter.pairs.insert(0, pair("lm_head"));
    let error = adapter.only_pairs(&tied).unwrap_err().to_string();
    assert!(error.contains("a pair on the head `lm_head`"), "{error}");
    assert!(error.contains("veneer merge"), "{error}");
    assert!(adapter.unties(&tied));
    let untied = Arch {
        tie_embeddings: false,
        ..tied
    };
    assert!(!adapter.unties(&untied));
}
