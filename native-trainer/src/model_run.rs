//! A model ready to run: its folder, its weights on a device, its adapter.

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use memmap2::Mmap;
use veneer_core::{
    arch::Arch,
    model::Decoder,
    protocol::LoadIn,
    weights::{
        ByteSource, SafetensorsSource,
        adapter::{Adapter, CONFIG_FILE, WEIGHTS_FILE, read_adapter},
    },
};

use crate::{allocator, device::Place, file_bytes::FileBytes, model_dir::ModelDir};

/// A checkpoint whose files are open but whose tensors may not have been read.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) dir: ModelDir,
    pub(crate) arch: Arch,
    files: Vec<(PathBuf, Mmap)>,
}

impl Checkpoint {
    /// Finds and opens a model by folder, Hub name or `demo`.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let dir = ModelDir::resolve(name)?;
        let config = dir
            .read("config.json")?
            .context("the model has no config.json")?;
        let arch = Arch::from_json(&config).with_context(|| format!("reading model `{name}`"))?;
        let files = dir
            .safetensors_files()?
            .into_iter()
            .map(|path| map(&path).map(|bytes| (path, bytes)))
            .collect::<Result<_>>()?;
        Ok(Self { dir, arch, files })
    }

    /// Its tensors, read in place.
    pub(crate) fn weights(&self) -> Result<SafetensorsSource<'_>> {
        let files: Vec<(String, &[u8])> = self
            .files
            .iter()
            .map(|(path, bytes)| (path.display().to_string(), &bytes[..]))
            .collect();
        let borrowed: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), *bytes))
            .collect();
        let source = SafetensorsSource::new(&borrowed);
        source.with_context(|| format!("reading the weights of model `{}`", self.dir.name()))
    }

    /// Loads every tensor onto the device.
    pub(crate) fn decoder(&self, place: &Place) -> Result<Decoder> {
        self.decoder_in(place, None)
    }

    /// Loads every tensor onto the device, linear layers packed.
    pub(crate) fn decoder_in(&self, place: &Place, load_in: Option<LoadIn>) -> Result<Decoder> {
        let loading = || format!("loading model `{}`", self.dir.name());
        let weights = self.weights_by_reading()?;
        let place = (&place.device, place.dtype);
        let model = Decoder::load_in(&self.arch, &weights, place, load_in).with_context(loading);
        allocator::give_back();
        model
    }

    /// Its tensors, each in memory of its own while it is used. What is mapped and looked at once
    /// counts as memory of the process until the map ends.
    pub(crate) fn weights_by_reading(&self) -> Result<SafetensorsSource<'static>> {
        let file = |(path, _): &(PathBuf, Mmap)| -> Result<(String, Box<dyn ByteSource>)> {
            let file = FileBytes::open(path)?;
            Ok((path.display().to_string(), Box::new(file)))
        };
        let files = self.files.iter().map(file).collect::<Result<_>>()?;
        let source = SafetensorsSource::open(files);
        source.with_context(|| format!("reading the weights of model `{}`", self.dir.name()))
    }
}

/// Maps a file. It must not change while the map lives; a model folder is not written to in place.
#[expect(
    unsafe_code,
    reason = "memory maps are how weights larger than memory are read"
)]
pub(crate) fn map(path: &Path) -> Result<Mmap> {
    let file = File::open(path).with_context(|| format!("opening `{}`", path.display()))?;
    // SAFETY: the map is only read, and Veneer replaces model files by renaming, never in place.
    unsafe { Mmap::map(&file) }.with_context(|| format!("mapping `{}`", path.display()))
}

/// Reads an adapter folder: PEFT's, or a run directory of `veneer train`.
pub(crate) fn open_adapter(dir: &Path) -> Result<Adapter> {
    let read = |file: &str| {
        let path = dir.join(file);
        std::fs::read(&path).with_context(|| format!("reading `{}`", path.display()))
    };
    if !dir.join(CONFIG_FILE).is_file() {
        bail!(
            "adapter folder `{}` has no {CONFIG_FILE}; expected a folder as PEFT or `veneer train` writes it",
            dir.display()
        );
    }
    read_adapter(&read(CONFIG_FILE)?, &read(WEIGHTS_FILE)?)
        .with_context(|| format!("reading adapter `{}`", dir.display()))
}

/// Whether a model's name is that of a GGUF file: by its ending, or by how it begins.
pub(crate) fn is_gguf(name: &str) -> bool {
    let path = Path::new(name);
    if !path.is_file() {
        return false;
    }
    let mut magic = [0; 4];
    let begins = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("gguf"))
        || (begins.is_ok() && magic == *b"GGUF")
}

/// Whether the engine can put an adapter beside a model.
///
/// # Errors
/// Every pair that has no place in the model, and adapters that are more than pairs.
pub(crate) fn check_fits(adapter: &Adapter, arch: &Arch, dir: &Path) -> Result<()> {
    let beside = adapter.only_pairs(arch);
    beside.with_context(|| format!("adapter `{}` cannot be offered", dir.display()))?;
    let fits = adapter.check_fits(|name| arch.tensor_shape(name));
    fits.with_context(|| format!("adapter `{}` does not fit the model", dir.display()))
}

/// Puts an adapter on a model.
pub(crate) fn attach(decoder: &mut Decoder, dir: &Path) -> Result<()> {
    let adapter = open_adapter(dir)?;
    decoder
        .attach(&adapter)
        .with_context(|| format!("putting adapter `{}` on the model", dir.display()))
}
