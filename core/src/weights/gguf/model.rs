//! A GGUF file as a checkpoint: tensors under their checkpoint names and in checkpoint order.

use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use super::{GgufError, GgufSource, arch::read_arch, rows::to_checkpoint_order};
use crate::{
    arch::Arch,
    quant::Format,
    weights::{
        ByteSource, Dtype, LoadError, PackedInfo, PackedSource, PackedTensor, RawInfo, RawTensor,
        WeightSource,
    },
};

/// Factors of rotary frequencies; not a checkpoint's tensor but part of [`Arch`] here.
pub const ROPE_FACTORS: &str = "rope_freqs.weight";
/// The same for texts up to the length of the training, and for longer ones.
pub const ROPE_FACTORS_SHORT: &str = "rope_factors_short.weight";
pub const ROPE_FACTORS_LONG: &str = "rope_factors_long.weight";

/// A model read from a GGUF file.
#[derive(Debug)]
pub struct GgufModel<'a> {
    file: GgufSource<'a>,
    arch: Arch,
}

impl<'a> GgufModel<'a> {
    /// A file in memory (usually a memory map), borrowed.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, GgufError> {
        Self::open(Box::new(bytes))
    }

    /// Reads the file's own description of the model, and compares its tensors with it.
    ///
    /// # Errors
    /// Damaged files, architectures and formats that are not known, missing keys, tensors that
    /// are missing, misshapen or have no place in the model.
    pub fn open(file: Box<dyn ByteSource + 'a>) -> Result<Self, GgufError> {
        let file = GgufSource::open(file)?;
        let arch = read_arch(&file)?;
        check_tensors(&file, &arch)?;
        Ok(Self { file, arch })
    }

    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    pub fn file(&self) -> &GgufSource<'a> {
        &self.file
    }

    fn gguf_name(&self, name: &str) -> Result<String, LoadError> {
        gguf_name(&self.arch, name)
    }

    /// The order of rows in the file, where it is another than the checkpoint's.
    fn rows(&self, name: &str, shape: &[usize]) -> Result<Option<Vec<usize>>, LoadError> {
        let Some(rows) = self.arch.gguf_rows(name) else {
            return Ok(None);
        };
        if shape.first() == Some(&rows.len()) {
            return Ok(Some(rows));
        }
        Err(LoadError::Shape {
            name: name.to_owned(),
            expected: vec![rows.len()],
            found: shape.to_vec(),
        })
    }
}

impl WeightSource for GgufModel<'_> {
    fn names(&self) -> Vec<String> {
        let tensors = self.arch.tensors();
        tensors.into_iter().map(|tensor| tensor.name).collect()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        if let Some((row, _)) = self.arch.gguf_row(name) {
            let mut vector = self
                .file
                .tensor_rows(&self.gguf_name(name)?, row..row + 1)?;
            vector.shape.remove(0);
            return Ok(vector);
        }
        let mut tensor = self.file.tensor(&self.gguf_name(name)?)?;
        if let Some(rows) = self.rows(name, &tensor.shape)? {
            tensor.bytes = Cow::Owned(to_checkpoint_order(&tensor.bytes, &rows));
        }
        Ok(tensor)
    }

    fn info(&self, name: &str) -> Result<RawInfo, LoadError> {
        let mut info = WeightSource::info(&self.file, &self.gguf_name(name)?)?;
        if self.arch.gguf_row(name).is_some() {
            info.shape.remove(0);
        }
        Ok(info)
    }
}

impl PackedSource for GgufModel<'_> {
    fn info(&self, name: &str) -> Result<PackedInfo, LoadError> {
        let mut info = PackedSource::info(&self.file, &self.gguf_name(name)?)?;
        if self.arch.gguf_row(name).is_some() {
            info.shape.remove(0);
        }
        if info.shape.len() < 2 {
            info.format = Format::F32;
        }
        Ok(info)
    }

    /// Rows are moved whole, blocks and all; vectors are given as f32 whatever the file has.
    fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError> {
        if PackedSource::info(self, name)?.shape.len() < 2 {
            let vector = self.tensor(name)?;
            let vector = RawTensor::from_f32(&vector.to_f32(), vector.shape, Dtype::F32);
            return Ok(PackedTensor {
                format: Format::F32,
                shape: vector.shape,
                bytes: vector.bytes,
            });
        }
        let mut tensor = self.file.packed(&self.gguf_name(name)?)?;
        if let Some(rows) = self.rows(name, &tensor.shape)? {
            tensor.bytes = Cow::Owned(to_checkpoint_order(&tensor.bytes, &rows));
        }
        Ok(tensor)
    }

    fn packed_rows(&self, name: &str, rows: Range<usize>) -> Result<PackedTensor<'_>, LoadError> {
        if self.arch.gguf_rows(name).is_some() {
            self.packed(name)?.rows(name, rows)
        } else {
            self.file.packed_rows(&self.gguf_name(name)?, rows)
        }
    }
}

fn gguf_name(arch: &Arch, name: &str) -> Result<String, LoadError> {
    let missing = || LoadError::MissingTensor {
        name: name.to_owned(),
    };
    arch.gguf_tensor_name(name).ok_or_else(missing)
}

/// Every tensor of the model is in the file in a format that can be read, and nothing else is: a
/// tensor without a place here would be computed with elsewhere.
fn check_tensors(file: &GgufSource<'_>, arch: &Arch) -> Result<(), GgufError> {
    let factors = [ROPE_FACTORS, ROPE_FACTORS_SHORT, ROPE_FACTORS_LONG];
    let mut placed = BTreeSet::from(factors.map(str::to_owned));
    for spec in arch.tensors() {
        let name = gguf_name(arch, &spec.name)?;
        let found = PackedSource::info(file, &name)?.shape;
        let expected = match arch.gguf_row(&spec.name) {
            Some((_, n_rows)) => [&[n_rows], &spec.shape[..]].concat(),
            None => spec.shape,
        };
        if found != expected {
            return Err(GgufError::Load(LoadError::Shape {
                name,
                expected,
                found,
            }));
        }
        placed.insert(name);
    }
    match file.tensors().keys().find(|name| !placed.contains(*name)) {
        None => Ok(()),
        Some(name) => Err(GgufError::Tensor {
            name: name.clone(),
            reason: "it has no place in a model of this architecture; the file is of a variant \
                     that is not supported"
                .to_owned(),
        }),
    }
}
