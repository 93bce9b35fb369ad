//! A model as the engine takes it: a GGUF file, or a checkpoint, quantized on the way where asked.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use burn::tensor::{DType, Device};
use memmap2::Mmap;
use veneer_core::{
    arch::Arch,
    checkpoint::{self, CheckpointError},
    infer::{AdapterId, Engine, EngineOptions, LoadProgress, Place},
    model::Decoder,
    quant::Format,
    text::ModelText,
    weights::{AsStored, PackedSource, Quantizing, WeightSource, gguf::GgufModel},
};

use crate::{
    gguf_file::model_name,
    model_run::{Checkpoint, is_gguf, map, open_adapter},
    progress,
    text_files::model_text,
};

/// A model whose files are open but whose tensors may not have been read.
pub(crate) struct EngineModel {
    pub(crate) arch: Arch,
    pub(crate) text: ModelText,
    name: String,
    weights: Weights,
}

enum Weights {
    Gguf(Mmap),
    Checkpoint {
        checkpoint: Box<Checkpoint>,
        format: Option<Format>,
    },
}

impl EngineModel {
    /// Finds a GGUF file, a folder, a Hub name or `demo`. `format` is for weights that are not
    /// quantized yet; `template` takes a built-in chat template instead of the model's own.
    pub(crate) fn open(name: &str, format: Option<Format>, template: Option<&str>) -> Result<Self> {
        if !is_gguf(name) {
            let checkpoint = Checkpoint::open(name)?;
            return Ok(Self {
                arch: checkpoint.arch.clone(),
                text: model_text(&checkpoint.dir, template)?,
                name: name.to_owned(),
                weights: Weights::Checkpoint {
                    checkpoint: Box::new(checkpoint),
                    format,
                },
            });
        }
        if format.is_some() {
            bail!("--quant is for model folders; `{name}` is quantized already, so leave it out");
        }
        let bytes = map_gguf(Path::new(name))?;
        let (arch, text) = gguf_parts(name, &bytes, template)?;
        Ok(Self {
            arch,
            text,
            name: name.to_owned(),
            weights: Weights::Gguf(bytes),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its tensors, in the formats in which they go to the device.
    pub(crate) fn with_source<T>(
        &self,
        look: impl FnOnce(&dyn PackedSource) -> Result<T>,
    ) -> Result<T> {
        match &self.weights {
            Weights::Gguf(bytes) => look(&open_gguf(&self.name, bytes)?),
            Weights::Checkpoint { checkpoint, format } => {
                let source = checkpoint.weights()?;
                match *format {
                    Some(format) => look(&Quantizing { source, format }),
                    None => look(&AsStored(source)),
                }
            }
        }
    }

    /// What the training code computes from the same weights; `None` where they are quantized on
    /// the way to the engine.
    pub(crate) fn decoder_logits(&self, ids: &[u32]) -> Result<Option<Vec<Vec<f32>>>> {
        let load = |weights: &dyn WeightSource| {
            Decoder::load(&self.arch, weights, &Device::flex(), DType::F32)
                .with_context(|| format!("loading model `{}`", self.name))
        };
        let decoder = match &self.weights {
            Weights::Gguf(bytes) => load(&open_gguf(&self.name, bytes)?)?,
            Weights::Checkpoint {
                checkpoint,
                format: None,
            } => load(&checkpoint.weights()?)?,
            Weights::Checkpoint { .. } => return Ok(None),
        };
        Ok(Some(decoder.sequence_logits(ids)))
    }

    /// Puts the model on a device.
    pub(crate) fn load(&self, place: Place, options: &EngineOptions) -> Result<Engine> {
        let engine = self.with_source(|source| load_source(place, &self.arch, source, options));
        engine.with_context(|| format!("loading model `{}`", self.name))
    }
}

/// Puts tensors on a device.
pub(crate) fn load_source(
    place: Place,
    arch: &Arch,
    source: &dyn PackedSource,
    options: &EngineOptions,
) -> Result<Engine> {
    let bar = progress::bar(arch.tensors().len() as u64, "loading tensors");
    let mut show = |progress: LoadProgress| {
        bar.set_position(progress.n_tensors_done as u64);
    };
    let engine = Engine::load(place, arch.clone(), source, options, &mut show);
    let engine = pollster::block_on(engine);
    bar.finish_and_clear();
    Ok(engine?)
}

/// An adapter on an engine, with the name that a user knows it by.
#[derive(Debug, Clone)]
pub(crate) struct NamedAdapter {
    pub(crate) name: String,
    pub(crate) id: AdapterId,
}

/// Puts adapters beside the base. They are named by their folders.
pub(crate) fn add_adapters(engine: &mut Engine, dirs: &[PathBuf]) -> Result<Vec<NamedAdapter>> {
    let mut named: Vec<NamedAdapter> = Vec::new();
    for dir in dirs {
        let id = engine
            .add_adapter(&open_adapter(dir)?)
            .with_context(|| format!("putting adapter `{}` on the model", dir.display()))?;
        let folder = model_name(&dir.to_string_lossy());
        let same = |n: &NamedAdapter| n.name == folder || n.name.starts_with(&format!("{folder}-"));
        let n_same = named.iter().filter(|named| same(named)).count();
        let name = match n_same {
            0 => folder,
            n => format!("{folder}-{}", n + 1),
        };
        named.push(NamedAdapter { name, id });
    }
    Ok(named)
}

/// What a GGUF file says about its model.
pub(crate) fn gguf_arch(path: &Path) -> Result<Arch> {
    let bytes = map_gguf(path)?;
    let name = path.display().to_string();
    Ok(open_gguf(&name, &bytes)?.arch().clone())
}

/// Empty files cannot be mapped.
pub(crate) fn map_gguf(path: &Path) -> Result<Mmap> {
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0) {
        bail!("`{}` is empty, expected a GGUF file", path.display());
    }
    map(path)
}

/// What the model is, and its text. A file whose tokenizer is not understood still takes ids.
fn gguf_parts(name: &str, bytes: &[u8], template: Option<&str>) -> Result<(Arch, ModelText)> {
    match checkpoint::Checkpoint::from_gguf(Box::new(bytes), template) {
        Ok(opened) => Ok((opened.arch, opened.text)),
        Err(CheckpointError::Text(error)) if template.is_none() => {
            eprintln!("note: `{name}` takes token ids only: {error}");
            let arch = open_gguf(name, bytes)?.arch().clone();
            let text = ModelText {
                end_token_ids: arch.eos_token_ids.clone(),
                ..ModelText::default()
            };
            Ok((arch, text))
        }
        Err(error) => Err(error).with_context(|| format!("reading `{name}`")),
    }
}

fn open_gguf<'a>(name: &str, bytes: &'a [u8]) -> Result<GgufModel<'a>> {
    GgufModel::new(bytes).with_context(|| format!("reading `{name}`"))
}
