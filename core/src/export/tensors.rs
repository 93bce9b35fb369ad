//! A checkpoint as the tensors of a GGUF file, converted one at a time.
//!
//! Vectors (norms, biases) stay F32, stacked ones too. A head (or the embedding that serves as one) of a Q4_0 file
//! is kept at Q8_0: errors there go straight into the logits. Rows that are no whole blocks fall
//! back to F16, and a note says so.

use std::io::Write;

use super::{
    ExportError, TokenizerFiles,
    metadata::{self, arch_metadata, rope_factors},
    tokenizer::tokenizer_metadata,
};
use crate::{
    arch::{Arch, is_position_table},
    quant::Format,
    weights::{
        LoadError, WeightSource,
        gguf::{GgufModel, GgufPlan, TensorEntry, Value, to_gguf_order},
        quantized_format,
    },
};

/// What to write.
#[derive(Debug, Clone, Copy)]
pub struct GgufOptions<'a> {
    pub arch: &'a Arch,
    /// `general.name`.
    pub name: &'a str,
    /// Format of the matrices.
    pub format: Format,
    /// Without one the file only takes token ids.
    pub tokenizer: Option<TokenizerFiles<'a>>,
}

/// A GGUF file laid out, waiting for the weights.
#[derive(Debug, Clone)]
pub struct GgufExport {
    plan: GgufPlan,
    arch: Arch,
    /// Checkpoint tensors in the order of the plan; several are rows of one of the file.
    sources: Vec<Vec<String>>,
    metadata: Vec<(String, Value)>,
    notes: Vec<String>,
}

impl GgufExport {
    /// Lays out the file from shapes alone.
    ///
    /// # Errors
    /// Where the tokenizer has no GGUF form or does not fit the model.
    pub fn new(options: GgufOptions<'_>) -> Result<Self, ExportError> {
        let GgufOptions {
            arch,
            name,
            format,
            tokenizer,
        } = options;
        let mut notes = Vec::new();
        let mut metadata = arch_metadata(arch, name, format, &mut notes)?;
        metadata.extend(tokenizer_metadata(tokenizer, arch, &mut notes)?);

        let mut entries: Vec<TensorEntry> = Vec::new();
        let mut sources: Vec<Vec<String>> = Vec::new();
        for tensor in arch.tensors() {
            let gguf = arch.gguf_tensor_name(&tensor.name);
            let gguf = gguf.ok_or_else(|| ExportError::NoName {
                name: tensor.name.clone(),
            })?;
            let row = arch.gguf_row(&tensor.name);
            let known = row.and_then(|_| entries.iter().position(|entry| entry.name == gguf));
            if let Some(known) = known {
                sources[known].push(tensor.name);
                continue;
            }
            let shape = match row {
                Some((_, n_rows)) => [&[n_rows], &tensor.shape[..]].concat(),
                None => tensor.shape.clone(),
            };
            entries.push(TensorEntry {
                format: tensor_format(&tensor.name, &tensor.shape, arch, format),
                name: gguf,
                shape,
            });
            sources.push(vec![tensor.name]);
        }
        note_fallbacks(&entries, format, &mut notes);
        for (name, factors) in rope_factors(arch) {
            entries.push(TensorEntry {
                name: name.to_owned(),
                shape: vec![factors.len()],
                format: Format::F32,
            });
        }
        Ok(Self {
            plan: GgufPlan::new(&metadata, entries)?,
            arch: arch.clone(),
            sources,
            metadata,
            notes,
        })
    }

    /// What a user should know about the file: what was approximated, and why.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Metadata as they will be written.
    pub fn metadata(&self) -> &[(String, Value)] {
        &self.metadata
    }

    /// Tokens after which the file's context ends.
    pub fn context_length(&self) -> usize {
        metadata::context_length(&self.arch)
    }

    /// Whether engines put the first token before every text.
    pub fn adds_bos(&self) -> bool {
        let key = "tokenizer.ggml.add_bos_token";
        let found = self.metadata.iter().find(|(name, _)| name == key);
        found.is_some_and(|(_, value)| *value == Value::Bool(true))
    }

    pub fn n_tensors(&self) -> usize {
        self.plan.tensors().count()
    }

    /// Bytes of the finished file.
    pub fn n_bytes(&self) -> u64 {
        self.plan.n_bytes()
    }

    /// Converts and writes tensor by tensor; `progress` hears of each one's parameters.
    ///
    /// # Errors
    /// Tensors that are missing, misshapen or hold numbers that are not finite; a sink that is
    /// full.
    pub fn write(
        &self,
        weights: &dyn WeightSource,
        sink: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ExportError> {
        let mut sources = self.sources.iter();
        let mut factors = rope_factors(&self.arch).into_iter();
        self.plan.write(sink, |entry| {
            let bytes = match sources.next() {
                Some(sources) => self.convert_all(weights, sources, entry)?,
                None => quantize(entry, &factors.next().unwrap_or_default().1)?,
            };
            progress(entry.shape.iter().product::<usize>() as u64);
            Ok(bytes)
        })
    }

    /// Compares every tensor of the file, read back in checkpoint order, with the source's own
    /// numbers in the file's formats. Blocks never cross rows, so the order of rows has no part
    /// in what is expected, and a mistake in it shows.
    ///
    /// # Errors
    /// [`ExportError::Differs`] names the first tensor that is not bit for bit what it should be.
    pub fn verify(
        &self,
        weights: &dyn WeightSource,
        file: &GgufModel<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ExportError> {
        for (sources, entry) in self.sources.iter().zip(self.plan.tensors()) {
            for source in sources {
                let bytes = quantize(
                    entry,
                    &self.shifted(source, weights.tensor(source)?.to_f32()),
                )?;
                let expected = entry.format.dequantize(&bytes).unwrap_or_default();
                let found = file.tensor(source)?.to_f32();
                same(source, &found, &expected)?;
                progress(found.len() as u64);
            }
        }
        for (name, expected) in rope_factors(&self.arch) {
            same(name, &file.file().tensor(name)?.to_f32(), &expected)?;
        }
        Ok(())
    }

    /// The values that the file has, in checkpoint order.
    fn shifted(&self, source: &str, mut values: Vec<f32>) -> Vec<f32> {
        if self.arch.gguf_adds_one(source) {
            values.iter_mut().for_each(|value| *value += 1.0);
        }
        values
    }

    fn convert_all(
        &self,
        weights: &dyn WeightSource,
        sources: &[String],
        entry: &TensorEntry,
    ) -> Result<Vec<u8>, ExportError> {
        let mut bytes = Vec::new();
        for source in sources {
            bytes.extend(self.convert(weights, source, entry)?);
        }
        Ok(bytes)
    }

    fn convert(
        &self,
        weights: &dyn WeightSource,
        source: &str,
        entry: &TensorEntry,
    ) -> Result<Vec<u8>, ExportError> {
        let tensor = weights.tensor(source)?;
        let expected = match self.arch.gguf_row(source) {
            Some(_) => &entry.shape[1..],
            None => &entry.shape[..],
        };
        if tensor.shape != expected {
            return Err(ExportError::Load(LoadError::Shape {
                name: source.to_owned(),
                expected: expected.to_vec(),
                found: tensor.shape,
            }));
        }
        let mut values = self.shifted(source, tensor.to_f32());
        if let Some(rows) = self.arch.gguf_rows(source) {
            values = to_gguf_order(&values, &rows);
        }
        quantize(entry, &values).map_err(|error| match error {
            ExportError::Quantize { source: why, .. } => ExportError::Quantize {
                name: source.to_owned(),
                source: why,
            },
            other => other,
        })
    }
}

/// Bit for bit, to the last value of either.
fn same(name: &str, found: &[f32], expected: &[f32]) -> Result<(), ExportError> {
    let differs = |index: &usize| {
        let bits = |values: &[f32]| values.get(*index).map(|x| x.to_bits());
        bits(expected) != bits(found)
    };
    match (0..expected.len().max(found.len())).find(differs) {
        None => Ok(()),
        Some(index) => {
            let at = |values: &[f32]| values.get(index).copied().unwrap_or(f32::NAN);
            Err(ExportError::Differs {
                name: name.to_owned(),
                index,
                found: at(found),
                expected: at(expected),
            })
        }
    }
}

fn quantize(entry: &TensorEntry, values: &[f32]) -> Result<Vec<u8>, ExportError> {
    entry
        .format
        .quantize(values)
        .map_err(|source| ExportError::Quantize {
            name: entry.name.clone(),
            source,
        })
}

fn tensor_format(name: &str, shape: &[usize], arch: &Arch, wanted: Format) -> Format {
    if is_position_table(name) {
        return Format::F32;
    }
    quantized_format(shape, name == arch.logits_tensor(), wanted)
}

fn note_fallbacks(entries: &[TensorEntry], wanted: Format, notes: &mut Vec<String>) {
    let fallen: Vec<&TensorEntry> = entries
        .iter()
        .filter(|entry| wanted.block_len() > 1 && entry.format == Format::F16)
        .collect();
    if let Some(first) = fallen.first() {
        notes.push(format!(
            "{} of {} tensors stay F16: their rows (`{}`: {:?}) are no whole blocks of {}",
            fallen.len(),
            entries.len(),
            first.name,
            first.shape,
            wanted.block_len()
        ));
    }
    if wanted == Format::Q4_0 && entries.iter().any(|entry| entry.format == Format::Q8_0) {
        notes.push("the tensor that gives the logits is kept at Q8_0".to_owned());
    }
}
