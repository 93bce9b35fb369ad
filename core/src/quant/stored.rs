//! What a tensor of a GGUF file may be stored as, and what it becomes for the engine.
//!
//! The engine has kernels for the formats of [`Format`]. The others become Q8_0 while they are
//! loaded ([`ReadOnlyFormat`]).

use std::borrow::Cow;

use super::{Format, QuantError, ReadOnlyFormat};

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredFormat {
    Engine(Format),
    ReadOnly(ReadOnlyFormat),
}

impl StoredFormat {
    /// The format of a `ggml_type`, where it can be read.
    pub fn from_ggml_type(number: u32) -> Option<Self> {
        Format::from_ggml_type(number)
            .map(Self::Engine)
            .or_else(|| ReadOnlyFormat::from_ggml_type(number).map(Self::ReadOnly))
    }

    /// Names of all formats that can be read, for messages.
    pub fn names() -> String {
        let engine = Format::ALL.iter().map(|format| format.name());
        let read_only = ReadOnlyFormat::ALL.iter().map(|format| format.name());
        engine.chain(read_only).collect::<Vec<_>>().join(", ")
    }

    /// Name as llama.cpp prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine(format) => format.name(),
            Self::ReadOnly(format) => format.name(),
        }
    }

    /// Values that share a block.
    pub fn block_len(self) -> usize {
        match self {
            Self::Engine(format) => format.block_len(),
            Self::ReadOnly(format) => format.block_len(),
        }
    }

    /// Bytes of `n_values` in whole blocks; `None` where they do not fill blocks or overflow.
    pub fn n_bytes(self, n_values: u64) -> Option<u64> {
        let (block_len, block_bytes) = match self {
            Self::Engine(format) => (format.block_len(), format.block_bytes()),
            Self::ReadOnly(format) => (format.block_len(), format.block_bytes()),
        };
        if n_values.is_multiple_of(block_len as u64) {
            (n_values / block_len as u64).checked_mul(block_bytes as u64)
        } else {
            None
        }
    }

    /// The values that bytes of this format stand for.
    ///
    /// # Errors
    /// [`QuantError::ByteLength`] where the bytes end inside a block.
    pub fn dequantize(self, bytes: &[u8]) -> Result<Vec<f32>, QuantError> {
        match self {
            Self::Engine(format) => format.dequantize(bytes),
            Self::ReadOnly(format) => format.dequantize(bytes),
        }
    }

    /// What the engine takes instead of this format.
    pub fn in_engine(self) -> Format {
        match self {
            Self::Engine(format) => format,
            Self::ReadOnly(_) => Format::Q8_0,
        }
    }

    /// Bytes of this format as bytes of [`Self::in_engine`].
    ///
    /// # Errors
    /// Where the bytes end inside a block or hold numbers that are not finite.
    pub fn to_engine(self, bytes: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, QuantError> {
        match self {
            Self::Engine(_) => Ok(bytes),
            Self::ReadOnly(format) => format.to_q8_0(&bytes).map(Cow::Owned),
        }
    }
}

/// What llama.cpp calls a `ggml_type`, also where it cannot be read here.
pub fn ggml_type_name(number: u32) -> Option<&'static str> {
    if let Some(format) = StoredFormat::from_ggml_type(number) {
        return Some(format.name());
    }
    Some(match number {
        9 => "Q8_1",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        21 => "IQ3_S",
        22 => "IQ2_S",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        40 => "NVFP4",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_not_shared() {
        let numbers: Vec<u32> = (0..64)
            .filter(|number| StoredFormat::from_ggml_type(*number).is_some())
            .collect();
        let n_formats = Format::ALL.len() + ReadOnlyFormat::ALL.len();
        assert_eq!(numbers.len(), n_formats);
        assert_eq!(ggml_type_name(22), Some("IQ2_S"));
        assert_eq!(ggml_type_name(13), Some("Q5_K"));
        assert_eq!(ggml_type_name(63), None);
    }

    #[test]
    fn sizes_that_overflow_are_none() {
        for number in 0..64 {
            if let Some(format) = StoredFormat::from_ggml_type(number) {
                assert_eq!(format.n_bytes(u64::MAX / 256 * 256).is_some(), {
                    let bits = format.n_bytes(256).unwrap() * 8;
                    bits <= 256 * 8
                });
                let len = format.block_len() as u64;
                assert!(len == 1 || format.n_bytes(len + 1).is_none());
            }
        }
    }
}
