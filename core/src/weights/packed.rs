//! Tensors as they go to the engine: in their block formats, under checkpoint names.
//!
//! A GGUF file has them so ([`super::gguf::GgufModel`]); a checkpoint of floats is taken as it is
//! ([`AsStored`]) or quantized on the way, one tensor at a time ([`Quantizing`]).

use std::{borrow::Cow, ops::Range};

use super::{Dtype, LoadError, RawTensor, WeightSource};
use crate::{
    arch::{gives_logits, is_position_table},
    quant::Format,
};

/// A tensor as a file stores it, block formats included.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedTensor<'a> {
    pub format: Format,
    /// Row major: `[rows, columns]` of a matrix, `[n]` of a vector.
    pub shape: Vec<usize>,
    /// Whole rows of blocks.
    pub bytes: Cow<'a, [u8]>,
}

/// A tensor before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedInfo {
    pub format: Format,
    pub shape: Vec<usize>,
}

/// A model's tensors in the formats in which the engine takes them.
pub trait PackedSource {
    /// Format and shape of a tensor, without reading it.
    ///
    /// # Errors
    /// [`LoadError::MissingTensor`] where the name is not there, [`LoadError::Dtype`] where its
    /// type cannot be read.
    fn info(&self, name: &str) -> Result<PackedInfo, LoadError>;

    /// The whole tensor.
    ///
    /// # Errors
    /// As [`Self::info`], and what reading the file returns.
    fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError>;

    /// Some rows of a matrix, for tensors that are better not in memory as a whole.
    ///
    /// # Errors
    /// As [`Self::packed`], and [`LoadError::Rows`] where the rows are not there.
    fn packed_rows(&self, name: &str, rows: Range<usize>) -> Result<PackedTensor<'_>, LoadError> {
        self.packed(name)?.rows(name, rows)
    }
}

impl PackedInfo {
    /// Bytes of the tensor; `None` where they overflow or rows are no whole blocks.
    pub fn n_bytes(&self) -> Option<u64> {
        u64::try_from(self.row_bytes()?)
            .ok()?
            .checked_mul(self.n_rows() as u64)
    }

    /// Rows of a matrix; a vector is one row.
    pub fn n_rows(&self) -> usize {
        let outer = self.shape.split_last().map_or(&[][..], |(_, outer)| outer);
        outer.iter().product()
    }

    /// Bytes of one row.
    pub fn row_bytes(&self) -> Option<usize> {
        self.format.n_bytes(*self.shape.last()?)
    }
}

impl<'a> PackedTensor<'a> {
    pub fn info(&self) -> PackedInfo {
        PackedInfo {
            format: self.format,
            shape: self.shape.clone(),
        }
    }

    /// Some of its rows; `name` is for the message.
    ///
    /// # Errors
    /// [`LoadError::Rows`] where the rows are not there.
    pub fn rows(self, name: &str, rows: Range<usize>) -> Result<Self, LoadError> {
        let whole = self.info();
        let (from, to) = whole.rows_at(name, &rows)?;
        let bytes = match self.bytes {
            Cow::Borrowed(bytes) => bytes.get(from..to).map(Cow::Borrowed),
            Cow::Owned(bytes) => bytes.get(from..to).map(|bytes| Cow::Owned(bytes.to_vec())),
        };
        Ok(Self {
            format: self.format,
            shape: whole.with_rows(rows.len()),
            bytes: bytes.ok_or_else(|| LoadError::Rows {
                name: name.to_owned(),
                rows,
                shape: whole.shape,
            })?,
        })
    }

    /// The values, as f32.
    ///
    /// # Errors
    /// [`LoadError::Quantize`] where the bytes end inside a block.
    pub fn to_f32(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        self.format
            .dequantize(&self.bytes)
            .map_err(|source| LoadError::Quantize {
                name: name.to_owned(),
                source,
            })
    }
}

/// Some rows of a tensor that is there as a whole.
pub(super) fn rows_of<'a>(
    tensor: RawTensor<'a>,
    name: &str,
    rows: Range<usize>,
) -> Result<RawTensor<'a>, LoadError> {
    let dtype = tensor.dtype;
    let PackedTensor { shape, bytes, .. } = as_stored(tensor).rows(name, rows)?;
    Ok(RawTensor {
        dtype,
        shape,
        bytes,
    })
}

impl PackedInfo {
    /// The shape with another number of rows.
    pub(super) fn with_rows(&self, n_rows: usize) -> Vec<usize> {
        [&[n_rows], self.shape.get(1..).unwrap_or_default()].concat()
    }

    /// From which byte to which some rows of a matrix reach.
    pub(super) fn rows_at(
        &self,
        name: &str,
        rows: &Range<usize>,
    ) -> Result<(usize, usize), LoadError> {
        let bounds = || {
            let row_bytes = self.row_bytes().filter(|_| self.shape.len() > 1)?;
            if rows.start > rows.end || rows.end > self.n_rows() {
                return None;
            }
            let at = |row: usize| row.checked_mul(row_bytes);
            Some((at(rows.start)?, at(rows.end)?))
        };
        bounds().ok_or_else(|| LoadError::Rows {
            name: name.to_owned(),
            rows: rows.clone(),
            shape: self.shape.clone(),
        })
    }
}

/// A checkpoint's floats as they are.
pub struct AsStored<S>(pub S);

impl<S: WeightSource> PackedSource for AsStored<S> {
    fn info(&self, name: &str) -> Result<PackedInfo, LoadError> {
        let info = self.0.info(name)?;
        Ok(PackedInfo {
            format: format_of(info.dtype),
            shape: info.shape,
        })
    }

    fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError> {
        Ok(as_stored(self.0.tensor(name)?))
    }

    fn packed_rows(&self, name: &str, rows: Range<usize>) -> Result<PackedTensor<'_>, LoadError> {
        Ok(as_stored(self.0.tensor_rows(name, rows)?))
    }
}

fn as_stored(tensor: RawTensor<'_>) -> PackedTensor<'_> {
    PackedTensor {
        format: format_of(tensor.dtype),
        shape: tensor.shape,
        bytes: tensor.bytes,
    }
}

/// The format of plain floats.
pub(super) fn format_of(dtype: Dtype) -> Format {
    match dtype {
        Dtype::F32 => Format::F32,
        Dtype::F16 => Format::F16,
        Dtype::Bf16 => Format::Bf16,
    }
}

/// A checkpoint's floats, quantized tensor by tensor as they are asked for, into the formats that
/// an exported file of `format` has.
pub struct Quantizing<S> {
    pub source: S,
    pub format: Format,
}

impl<S: WeightSource> Quantizing<S> {
    fn format_of(&self, name: &str, shape: &[usize]) -> Format {
        if is_position_table(name) {
            return Format::F32;
        }
        let is_head = gives_logits(name, |other| self.source.info(other).is_ok());
        quantized_format(shape, is_head, self.format)
    }
}

impl<S: WeightSource> PackedSource for Quantizing<S> {
    fn info(&self, name: &str) -> Result<PackedInfo, LoadError> {
        let shape = self.source.info(name)?.shape;
        Ok(PackedInfo {
            format: self.format_of(name, &shape),
            shape,
        })
    }

    fn packed(&self, name: &str) -> Result<PackedTensor<'_>, LoadError> {
        let tensor = self.source.tensor(name)?;
        let format = self.format_of(name, &tensor.shape);
        quantized(tensor, name, format)
    }

    fn packed_rows(&self, name: &str, rows: Range<usize>) -> Result<PackedTensor<'_>, LoadError> {
        let format = PackedSource::info(self, name)?.format;
        quantized(self.source.tensor_rows(name, rows)?, name, format)
    }
}

fn quantized<'a>(
    tensor: RawTensor<'a>,
    name: &str,
    format: Format,
) -> Result<PackedTensor<'a>, LoadError> {
    let bytes = if format_of(tensor.dtype) == format {
        tensor.bytes
    } else {
        let quantized = format.quantize(&tensor.to_f32());
        Cow::Owned(quantized.map_err(|source| LoadError::Quantize {
            name: name.to_owned(),
            source,
        })?)
    };
    Ok(PackedTensor {
        format,
        shape: tensor.shape,
        bytes,
    })
}

/// What a tensor becomes in a model of `wanted`: vectors F32, matrices `wanted`, those whose rows
/// are no whole blocks F16. A head in 4 bits is kept at Q8_0: errors there go straight into the
/// logits.
pub fn quantized_format(shape: &[usize], is_head: bool, wanted: Format) -> Format {
    let [_, row_len] = shape else {
        return Format::F32;
    };
    let format = match wanted {
        Format::Q4_0 if is_head => Format::Q8_0,
        Format::Q4K if is_head => Format::Q6K,
        other => other,
    };
    if row_len.is_multiple_of(format.block_len()) {
        format
    } else {
        Format::F16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::SafetensorsSource;

    const TIED: &[u8] = include_bytes!("../../../tests/fixtures/models/llama32/model.safetensors");
    const UNTIED: &[u8] =
        include_bytes!("../../../tests/fixtures/models/mistral/model.safetensors");

    fn source(bytes: &[u8]) -> SafetensorsSource<'_> {
        SafetensorsSource::new(&[("model.safetensors", bytes)]).unwrap()
    }

    #[test]
    fn info_is_what_the_tensor_is() {
        for bytes in [TIED, UNTIED] {
            let source = source(bytes);
            for format in Format::ALL {
                let quantizing = Quantizing {
                    source: &source,
                    format,
                };
                for name in source.names() {
                    let tensor = quantizing.packed(&name).unwrap();
                    assert_eq!(tensor.info(), quantizing.info(&name).unwrap());
                    let n_bytes = tensor.info().n_bytes().unwrap();
                    assert_eq!(tensor.bytes.len() as u64, n_bytes, "{name}");
                }
            }
        }
    }

    #[test]
    fn a_head_keeps_more_bits() {
        let format = |bytes, name: &str| {
            let source = source(bytes);
            let quantizing = Quantizing {
                source: &source,
                format: Format::Q4_0,
            };
            quantizing.info(name).unwrap().format
        };
        assert_eq!(format(TIED, "model.embed_tokens.weight"), Format::Q8_0);
        assert_eq!(format(UNTIED, "model.embed_tokens.weight"), Format::Q4_0);
        assert_eq!(format(UNTIED, "lm_head.weight"), Format::Q8_0);
        assert_eq!(format(UNTIED, "model.norm.weight"), Format::F32);
    }

    #[test]
    fn floats_pass_unchanged() {
        let source = source(TIED);
        let stored = AsStored(&source);
        for name in source.names() {
            let tensor = source.tensor(&name).unwrap();
            let packed = stored.packed(&name).unwrap();
            assert_eq!(stored.info(&name).unwrap(), packed.info());
            assert_eq!(packed.bytes, tensor.bytes);
            assert_eq!(packed.to_f32(&name).unwrap(), tensor.to_f32());
        }
    }

    #[test]
    fn rows_are_a_part_of_the_whole() {
        let source = source(UNTIED);
        let quantizing = Quantizing {
            source: &source,
            format: Format::Q8_0,
        };
        let name = "lm_head.weight";
        let whole = quantizing.packed(name).unwrap();
        let part = quantizing.packed_rows(name, 2..5).unwrap();
        let row_bytes = whole.info().row_bytes().unwrap();
        assert_eq!(part.shape, [3, whole.shape[1]]);
        assert_eq!(*part.bytes, whole.bytes[2 * row_bytes..5 * row_bytes]);
        let beyond = 0..whole.shape[0] + 1;
        let error = quantizing.packed_rows(name, beyond).unwrap_err();
        assert!(matches!(error, LoadError::Rows { .. }), "{error}");
        let vector = quantizing.packed_rows("model.norm.weight", 0..1);
        assert!(vector.is_err());
    }
}
