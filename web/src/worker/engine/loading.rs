//! From the files of a model to a model on the device.

use std::rc::Rc;

use veneer_core::{
    arch::Arch,
    checkpoint::{Checkpoint, FolderFiles},
    infer::{Engine, EngineOptions, InferError, LoadProgress, Place},
    protocol::tab::{Fault, FaultKind, ModelKey, ModelView, QuantizeTo, Stage},
    quant::Format,
    text::TextFiles,
    weights::{ByteSource, PackedSource},
};

use super::{
    super::{faults, opening::Opened, voice::Voice},
    Model, OpenModel,
};
use crate::{
    browser::{self, blob::BlobSource},
    state::files::{Chosen, Directory},
    texts::faults::Sentence,
};

/// Tokens of a conversation where the user does not say and the model allows more.
const USUAL_CONTEXT: usize = 4096;

pub(super) async fn load(
    key: ModelKey,
    place: Place,
    opened: Opened,
    options: &OpenModel,
    voice: &Voice,
) -> Result<Model, Fault> {
    match &opened.chosen {
        Chosen::Gguf(index) => {
            let file = Box::new(source(&opened, *index)?);
            let checkpoint = Checkpoint::from_gguf(file, None);
            let checkpoint = checkpoint.map_err(|error| faults::of_checkpoint(&error))?;
            put(key, place, checkpoint, (&opened, options, voice)).await
        }
        Chosen::Directory(directory) => {
            load_directory(key, place, directory, (&opened, options, voice)).await
        }
        Chosen::Adapter { .. } => Err(Fault::new(
            FaultKind::NotAModel,
            Sentence::AdapterAlone.with(&[]),
        )),
    }
}

async fn load_directory(
    key: ModelKey,
    place: Place,
    directory: &Directory,
    (opened, options, voice): (&Opened, &OpenModel, &Voice),
) -> Result<Model, Fault> {
    let config = whole(opened, directory.config)?;
    let mut text = Vec::new();
    for &index in &directory.text {
        text.push((opened.files[index].0.as_str(), whole(opened, index)?));
    }
    let mut weights = Vec::new();
    for &index in &directory.weights {
        let file: Box<dyn ByteSource> = Box::new(source(opened, index)?);
        weights.push((opened.files[index].0.clone(), file));
    }
    let find = |wanted: &str| {
        let found = text.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, bytes)| bytes.as_slice())
    };
    let files = FolderFiles {
        config_json: &config,
        text: TextFiles {
            config: Some(&config),
            ..TextFiles::found(find)
        },
        template: None,
        weights,
        format: match options.quantize {
            QuantizeTo::AsStored => None,
            QuantizeTo::Q8_0 => Some(Format::Q8_0),
            QuantizeTo::Q4_0 => Some(Format::Q4_0),
        },
    };
    let checkpoint = Checkpoint::from_folder(files);
    let checkpoint = checkpoint.map_err(|error| faults::of_checkpoint(&error))?;
    put(key, place, checkpoint, (opened, options, voice)).await
}

/// Puts the tensors on the device.
async fn put(
    key: ModelKey,
    place: Place,
    checkpoint: Checkpoint<'_>,
    (opened, options, voice): (&Opened, &OpenModel, &Voice),
) -> Result<Model, Fault> {
    let Checkpoint {
        arch,
        weights,
        text,
    } = checkpoint;
    let format = main_format(&arch, &*weights);
    let engine_options = EngineOptions {
        capacity: options
            .context
            .unwrap_or(USUAL_CONTEXT)
            .min(arch.max_positions),
        pause: Rc::new(|| Box::pin(browser::breathe())),
        ..EngineOptions::default()
    };
    let what = opened.name.clone();
    let mut progress = |progress: LoadProgress| {
        let (done, total) = (progress.n_tensors_done as u64, progress.n_tensors as u64);
        voice.progress(Stage::Loading, &what, done, total);
    };
    let (family, n_parameters) = (arch.gguf_architecture(), arch.n_parameters());
    let mut notes = opened.notes.clone();
    let on_device = Engine::load(
        place,
        arch.clone(),
        &*weights,
        &engine_options,
        &mut progress,
    );
    let engine = match on_device.await {
        Err(InferError::Plan(error)) if error.is_for_want_of_kernels() => {
            notes.push(Fault::new(FaultKind::OnProcessor, error.to_string()));
            let place = Place::Cpu;
            Engine::load(place, arch, &*weights, &engine_options, &mut progress).await
        }
        loaded => loaded,
    };
    let engine = engine.map_err(|error| faults::of_infer(&error))?;
    voice.go_on()?;
    let memory = engine.memory();
    let view = ModelView {
        key,
        name: opened.name.clone(),
        family: family.to_owned(),
        n_parameters,
        format: format.to_owned(),
        context: engine.capacity(),
        memory_bytes: memory.weights + memory.activations + memory.per_session,
        file_bytes: opened.n_bytes(),
        source: opened.source.clone(),
        entry: opened.entry.clone(),
        has_template: text.template.is_some(),
        notes,
    };
    Ok(Model {
        view,
        engine,
        text,
        adapters: Vec::new(),
        sessions: Vec::new(),
    })
}

/// The format that most bytes have.
fn main_format(arch: &Arch, source: &dyn PackedSource) -> &'static str {
    let mut bytes: Vec<(Format, u64)> = Vec::new();
    for tensor in arch.tensors() {
        let Ok(info) = source.info(&tensor.name) else {
            continue;
        };
        let n = info.n_bytes().unwrap_or(0);
        match bytes.iter_mut().find(|(format, _)| *format == info.format) {
            Some((_, sum)) => *sum += n,
            None => bytes.push((info.format, n)),
        }
    }
    let most = bytes.iter().max_by_key(|(_, n)| *n);
    most.map_or("", |(format, _)| format.name())
}

fn source(opened: &Opened, index: usize) -> Result<BlobSource, Fault> {
    let blob = opened.files[index].1.clone();
    BlobSource::new(blob).map_err(|error| faults::of_load(&error))
}

fn whole(opened: &Opened, index: usize) -> Result<Vec<u8>, Fault> {
    let bytes = source(opened, index)?.whole();
    bytes.map_err(|error| faults::of_load(&error))
}
