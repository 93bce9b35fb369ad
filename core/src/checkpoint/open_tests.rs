//! The same model from a folder and from the file exported from it, and damaged files.

use super::{Checkpoint, CheckpointError, FolderFiles};
use crate::{
    arch::Arch,
    quant::Format,
    text::TextFiles,
    weights::{ByteSource, SafetensorsSource, WeightSource},
};

const CONFIG: &[u8] = include_bytes!("../../../tests/fixtures/models/llama2-sharded/config.json");
const WHOLE: &[u8] = include_bytes!("../../../tests/fixtures/models/llama2/model.safetensors");
const SHARDS: [(&str, &[u8]); 2] = [
    (
        "model-00001-of-00002.safetensors",
        include_bytes!(
            "../../../tests/fixtures/models/llama2-sharded/model-00001-of-00002.safetensors"
        ),
    ),
    (
        "model-00002-of-00002.safetensors",
        include_bytes!(
            "../../../tests/fixtures/models/llama2-sharded/model-00002-of-00002.safetensors"
        ),
    ),
];
const SENTENCE_PIECE: &[u8] =
    include_bytes!("../../../tests/fixtures/gguf_text/sentence_piece.gguf");

fn folder(format: Option<Format>) -> FolderFiles<'static> {
    let boxed = |(name, bytes): (&str, &'static [u8])| -> (String, Box<dyn ByteSource>) {
        (name.to_owned(), Box::new(bytes))
    };
    FolderFiles {
        config_json: CONFIG,
        text: TextFiles {
            config: Some(CONFIG),
            ..TextFiles::default()
        },
        template: Some("chatml"),
        weights: SHARDS.into_iter().map(boxed).collect(),
        format,
    }
}

#[test]
fn a_folder_in_shards_is_opened() {
    let checkpoint = Checkpoint::from_folder(folder(None)).unwrap();
    let whole = SafetensorsSource::new(&[("model.safetensors", WHOLE)]).unwrap();
    assert_eq!(checkpoint.arch, Arch::from_json(CONFIG).unwrap());
    for spec in checkpoint.arch.tensors() {
        let name = spec.name;
        let found = checkpoint.weights.packed(&name).unwrap();
        assert_eq!(found.bytes, whole.tensor(&name).unwrap().bytes, "{name}");
    }
    assert!(checkpoint.text.template.is_some() && checkpoint.text.tokenizer.is_none());
}

#[test]
fn a_folder_is_quantized_on_the_way() {
    let checkpoint = Checkpoint::from_folder(folder(Some(Format::Q8_0))).unwrap();
    let info = checkpoint
        .weights
        .info("model.embed_tokens.weight")
        .unwrap();
    assert_eq!(info.format, Format::Q8_0);
}

#[test]
fn a_missing_shard_shows_when_a_tensor_is_asked_for() {
    let mut files = folder(None);
    files.weights.truncate(1);
    let checkpoint = Checkpoint::from_folder(files).unwrap();
    let missing = |spec: &crate::arch::TensorSpec| checkpoint.weights.info(&spec.name).is_err();
    assert!(checkpoint.arch.tensors().iter().any(missing));
}

#[test]
fn a_vocabulary_alone_is_no_model() {
    let file: Box<dyn ByteSource> = Box::new(SENTENCE_PIECE);
    let error = Checkpoint::from_gguf(file, None).err().unwrap();
    assert!(matches!(error, CheckpointError::Gguf(_)));
    assert!(error.to_string().contains("token_embd.weight"), "{error}");
}
