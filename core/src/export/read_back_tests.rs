//! What was exported, read back: tensors, order of rows, description of the model.

use super::{ExportError, GgufExport, GgufOptions};
use crate::{
    arch::Arch,
    quant::Format,
    weights::{
        AsStored, PackedSource, Quantizing, SafetensorsSource, WeightSource,
        gguf::{GgufError, GgufModel, Value},
    },
};

const MISTRAL: &[u8] = include_bytes!("../../../tests/fixtures/models/mistral/config.json");
const QWEN2: &[u8] = include_bytes!("../../../tests/fixtures/models/qwen2/config.json");
const QWEN2_WEIGHTS: &[u8] =
    include_bytes!("../../../tests/fixtures/models/qwen2/model.safetensors");

fn layout(arch: &Arch, format: Format) -> GgufExport {
    let options = GgufOptions {
        arch,
        name: "tiny",
        format,
        tokenizer: None,
    };
    GgufExport::new(options).unwrap()
}

fn export(arch: &Arch, weights: &dyn WeightSource, format: Format) -> Vec<u8> {
    let export = layout(arch, format);
    let mut file = Vec::new();
    let mut n_parameters = 0;
    export
        .write(weights, &mut file, &mut |n| n_parameters += n)
        .unwrap();
    assert_eq!(file.len() as u64, export.n_bytes());
    assert!(n_parameters >= arch.n_parameters());
    file
}

#[track_caller]
fn check(config: &[u8], safetensors: &[u8]) {
    let arch = Arch::from_json(config).unwrap();
    let weights = SafetensorsSource::new(&[("model.safetensors", safetensors)]).unwrap();
    for format in [Format::F32, Format::F16, Format::Q8_0, Format::Q4_0] {
        let file = export(&arch, &weights, format);
        let model = GgufModel::new(&file).unwrap();
        let read = model.arch();
        assert_eq!(read.tensors(), arch.tensors());
        let frequencies = |arch: &Arch| arch.ropes[0].frequencies(1);
        for (found, expected) in frequencies(read).iter().zip(frequencies(&arch)) {
            assert!((found / expected - 1.0).abs() < 1e-6);
        }
        assert!((read.norm.eps / arch.norm.eps - 1.0).abs() < 1e-6);
        let mut n_parameters = 0;
        layout(&arch, format)
            .verify(&weights, &model, &mut |n| n_parameters += n)
            .unwrap();
        assert_eq!(n_parameters, arch.n_parameters());
    }
}

/// What the engine gets from the file is what it gets from the checkpoint quantized on the way.
#[track_caller]
fn check_packed(config: &[u8], safetensors: &[u8]) {
    let arch = Arch::from_json(config).unwrap();
    let weights = SafetensorsSource::new(&[("model.safetensors", safetensors)]).unwrap();
    for format in Format::ALL {
        let file = export(&arch, &weights, format);
        let model = GgufModel::new(&file).unwrap();
        let quantizing = Quantizing {
            source: &weights,
            format,
        };
        for name in weights.names() {
            let found = model.packed(&name).unwrap();
            assert_eq!(found, quantizing.packed(&name).unwrap(), "{name}");
            assert_eq!(PackedSource::info(&model, &name).unwrap(), found.info());
            if let [n_rows, _] = found.shape[..] {
                let rows = n_rows / 2..n_rows;
                let part = model.packed_rows(&name, rows.clone()).unwrap();
                assert_eq!(part, found.rows(&name, rows).unwrap(), "{name}");
            }
        }
    }
    let file = export(&arch, &weights, Format::F32);
    let model = GgufModel::new(&file).unwrap();
    let as_stored = AsStored(&weights);
    for name in weights.names() {
        let found = model.packed(&name).unwrap().to_f32(&name).unwrap();
        let stored = as_stored.packed(&name).unwrap();
        assert_eq!(found, stored.to_f32(&name).unwrap());
    }
}

#[test]
fn packed_rows_are_those_of_the_checkpoint() {
    check_packed(
        include_bytes!("../../../tests/fixtures/models/llama31/config.json"),
        include_bytes!("../../../tests/fixtures/models/llama31/model.safetensors"),
    );
    check_packed(QWEN2, QWEN2_WEIGHTS);
}

#[test]
fn rows_in_another_order_are_found() {
    let config = include_bytes!("../../../tests/fixtures/models/llama31/config.json");
    let bytes = include_bytes!("../../../tests/fixtures/models/llama31/model.safetensors");
    let weights = SafetensorsSource::new(&[("model.safetensors", bytes)]).unwrap();
    let arch = Arch::from_json(config).unwrap();
    let mut file = export(&arch, &weights, Format::F32);
    let start = {
        let model = GgufModel::new(&file).unwrap();
        let tensor = model.file().tensor("blk.0.attn_q.weight").unwrap();
        let row = &tensor.bytes[..4 * arch.d_model];
        file.windows(row.len()).position(|w| w == row).unwrap()
    };
    let row_bytes = 4 * arch.d_model;
    let (first, second) = file[start..].split_at_mut(row_bytes);
    first.swap_with_slice(&mut second[..row_bytes]);
    let model = GgufModel::new(&file).unwrap();
    let result = layout(&arch, Format::F32).verify(&weights, &model, &mut |_| ());
    assert!(matches!(result, Err(ExportError::Differs { index: 0, .. })));
}

macro_rules! model {
    ($folder:literal) => {
        check(
            include_bytes!(concat!($folder, "/config.json")),
            include_bytes!(concat!($folder, "/model.safetensors")),
        )
    };
}

#[test]
fn llama_with_scaled_frequencies() {
    model!("../../../tests/fixtures/models/llama31");
}

#[test]
fn llama_with_tied_embeddings() {
    model!("../../../tests/fixtures/models/llama32");
}

#[test]
fn mistral_with_wide_heads() {
    model!("../../../tests/fixtures/models/mistral");
}

#[test]
fn qwen2_with_biases() {
    model!("../../../tests/fixtures/models/qwen2");
}

#[test]
fn qwen3_in_bf16() {
    model!("../../../tests/fixtures/models/qwen3-bf16");
}

#[test]
fn a_window_ends_the_context() {
    let export = layout(&Arch::from_json(MISTRAL).unwrap(), Format::F16);
    let context = ("llama.context_length".to_owned(), Value::U32(8));
    assert!(export.metadata().contains(&context));
    let told = |note: &String| note.contains("last 8 tokens");
    assert!(export.notes().iter().any(told));
}

#[test]
fn damaged_tensors_are_named_as_in_the_checkpoint() {
    let mut bytes = QWEN2_WEIGHTS.to_vec();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let weights = SafetensorsSource::new(&[("model.safetensors", &bytes)]).unwrap();
    let export = layout(&Arch::from_json(QWEN2).unwrap(), Format::Q8_0);
    let error = export.write(&weights, &mut Vec::new(), &mut |_| ());
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("tensor `model.") && text.contains("NaN"),
        "{text}"
    );
}

#[test]
fn a_file_of_another_architecture_is_refused() {
    let weights = SafetensorsSource::new(&[("model.safetensors", QWEN2_WEIGHTS)]).unwrap();
    let arch = Arch::from_json(QWEN2).unwrap();
    let mut file = export(&arch, &weights, Format::F16);
    let at = file.windows(5).position(|word| word == b"qwen2").unwrap();
    file[at..at + 5].copy_from_slice(b"bloom");
    let error = GgufModel::new(&file).unwrap_err();
    assert!(matches!(error, GgufError::Architecture { .. }));
}
