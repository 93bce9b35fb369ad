//! Block formats that published files have and the engine does not.
//!
//! All become Q8_0 while they are loaded. Q5_0 and IQ4_NL are a scale times integers of 8 bits, so
//! that nothing changes; of IQ4_XS only the scales are rounded, to f16. The others have minimums
//! or scales within a block of 32, so that their values are quantized once more: where zero lies in
//! the range of a block of Q5_K, a step of Q8_0 is at most a quarter of a step of it.

mod iq4;
mod k;
mod legacy;

use super::{Format, QuantError};

/// A format that is read but never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnlyFormat {
    /// 32 nibbles, a scale and a minimum.
    Q4_1,
    /// 32 integers of 5 bits and a scale.
    Q5_0,
    /// 32 integers of 5 bits, a scale and a minimum.
    Q5_1,
    /// 256 integers of 2 bits, with a 4-bit scale and minimum for each 16.
    Q2K,
    /// 256 integers of 3 bits, with a 6-bit scale for each 16.
    Q3K,
    /// 256 integers of 5 bits, with a 6-bit scale and minimum for each 32.
    Q5K,
    /// 32 places in a table of 16 values, and a scale.
    Iq4Nl,
    /// 256 places in a table of 16 values, with a 6-bit scale for each 32.
    Iq4Xs,
}

impl ReadOnlyFormat {
    pub const ALL: [Self; 8] = [
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q2K,
        Self::Q3K,
        Self::Q5K,
        Self::Iq4Nl,
        Self::Iq4Xs,
    ];

    /// Name as llama.cpp prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q2K => "Q2_K",
            Self::Q3K => "Q3_K",
            Self::Q5K => "Q5_K",
            Self::Iq4Nl => "IQ4_NL",
            Self::Iq4Xs => "IQ4_XS",
        }
    }

    /// `ggml_type` in the tensor table of a GGUF file.
    pub fn ggml_type(self) -> u32 {
        match self {
            Self::Q4_1 => 3,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q2K => 10,
            Self::Q3K => 11,
            Self::Q5K => 13,
            Self::Iq4Nl => 20,
            Self::Iq4Xs => 23,
        }
    }

    pub(super) fn from_ggml_type(number: u32) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|format| format.ggml_type() == number)
    }

    /// Values that share a block.
    pub fn block_len(self) -> usize {
        match self {
            Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Iq4Nl => super::BLOCK_LEN,
            Self::Q2K | Self::Q3K | Self::Q5K | Self::Iq4Xs => super::SUPER_BLOCK_LEN,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::Q4_1 => legacy::Q4_1_BYTES,
            Self::Q5_0 => legacy::Q5_0_BYTES,
            Self::Q5_1 => legacy::Q5_1_BYTES,
            Self::Q2K => k::Q2_K_BYTES,
            Self::Q3K => k::Q3_K_BYTES,
            Self::Q5K => k::Q5_K_BYTES,
            Self::Iq4Nl => iq4::IQ4_NL_BYTES,
            Self::Iq4Xs => iq4::IQ4_XS_BYTES,
        }
    }

    /// The values that bytes of this format stand for.
    ///
    /// # Errors
    /// [`QuantError::ByteLength`] where the bytes end inside a block.
    pub fn dequantize(self, bytes: &[u8]) -> Result<Vec<f32>, QuantError> {
        self.whole_blocks(bytes)?;
        Ok(match self {
            Self::Q4_1 => each(bytes, legacy::q4_1),
            Self::Q5_0 => each(bytes, legacy::q5_0),
            Self::Q5_1 => each(bytes, legacy::q5_1),
            Self::Q2K => each(bytes, k::q2_k),
            Self::Q3K => each(bytes, k::q3_k),
            Self::Q5K => each(bytes, k::q5_k),
            Self::Iq4Nl => each(bytes, iq4::iq4_nl),
            Self::Iq4Xs => each(bytes, iq4::iq4_xs),
        })
    }

    /// The same values in Q8_0, as near as it has them.
    ///
    /// # Errors
    /// [`QuantError::ByteLength`] where the bytes end inside a block, [`QuantError::NotFinite`]
    /// where a damaged scale makes values that are no numbers.
    pub fn to_q8_0(self, bytes: &[u8]) -> Result<Vec<u8>, QuantError> {
        self.whole_blocks(bytes)?;
        match self {
            Self::Q5_0 => Ok(each(bytes, legacy::q5_0_to_q8_0)),
            Self::Iq4Nl => Ok(each(bytes, iq4::iq4_nl_to_q8_0)),
            Self::Iq4Xs => Ok(each(bytes, iq4::iq4_xs_to_q8_0)),
            _ => Format::Q8_0.quantize(&self.dequantize(bytes)?),
        }
    }

    fn whole_blocks(self, bytes: &[u8]) -> Result<(), QuantError> {
        if bytes.len().is_multiple_of(self.block_bytes()) {
            Ok(())
        } else {
            Err(QuantError::ByteLength {
                len: bytes.len(),
                format: self.name(),
                block_bytes: self.block_bytes(),
            })
        }
    }
}

/// Every block of `N` bytes by itself.
fn each<const N: usize, const M: usize, T>(bytes: &[u8], block: fn(&[u8; N]) -> [T; M]) -> Vec<T> {
    bytes.as_chunks().0.iter().flat_map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_blocks_are_refused() {
        for format in ReadOnlyFormat::ALL {
            let bytes = vec![0; format.block_bytes() + 1];
            assert!(format.dequantize(&bytes).is_err());
            assert!(format.to_q8_0(&bytes).is_err());
            let values = format.dequantize(&bytes[1..]).unwrap();
            assert_eq!(values.len(), format.block_len());
        }
    }

    #[track_caller]
    fn check(format: ReadOnlyFormat, bytes: &[u8], values: &[u8]) -> Vec<f32> {
        let want = Format::F32.dequantize(values).unwrap();
        let found = format.dequantize(bytes).unwrap();
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(&want), "{}", format.name());
        let q8_0 = format.to_q8_0(bytes).unwrap();
        let engine = Format::Q8_0.dequantize(&q8_0).unwrap();
        engine.iter().zip(&want).map(|(a, b)| a - b).collect()
    }

    macro_rules! golden {
        ($format:expr, $name:literal) => {
            check(
                $format,
                include_bytes!(concat!("../../../../tests/fixtures/quant/", $name, ".bin")),
                include_bytes!(concat!("../../../../tests/fixtures/quant/", $name, ".f32")),
            )
        };
    }

    #[test]
    fn integers_with_one_scale_are_exact_in_q8_0() {
        let q5_0 = golden!(ReadOnlyFormat::Q5_0, "q5_0");
        let iq4_nl = golden!(ReadOnlyFormat::Iq4Nl, "iq4_nl");
        assert!(q5_0.iter().chain(&iq4_nl).all(|error| *error == 0.0));
    }

    #[test]
    fn scales_of_iq4_xs_are_rounded_to_f16() {
        let error = golden!(ReadOnlyFormat::Iq4Xs, "iq4_xs");
        let values = include_bytes!("../../../../tests/fixtures/quant/iq4_xs.f32");
        let values = Format::F32.dequantize(values).unwrap();
        let within = |(error, value): (&f32, &f32)| error.abs() <= value.abs() / 2048.0;
        assert!(error.iter().zip(&values).all(within));
        assert!(error.iter().any(|error| *error != 0.0));
    }

    /// Squared errors of Q8_0 over the squares of the values: a step of 1/127 of a block's largest
    /// value is off by 1/440 of it in the mean, and the values here are about half the largest.
    fn check_once_more(errors: &[f32], values: &[u8]) {
        let square = |values: &[f32]| -> f64 {
            let squares = values.iter().map(|x| f64::from(*x) * f64::from(*x));
            squares.sum()
        };
        let values = Format::F32.dequantize(values).unwrap();
        let relative = (square(errors) / square(&values)).sqrt();
        assert!(relative > 1e-4 && relative < 1e-2, "{relative}");
    }

    macro_rules! quantized_once_more {
        ($format:expr, $name:literal) => {
            check_once_more(
                &golden!($format, $name),
                include_bytes!(concat!("../../../../tests/fixtures/quant/", $name, ".f32")),
            )
        };
    }

    #[test]
    fn minimums_and_finer_scales_are_quantized_once_more() {
        quantized_once_more!(ReadOnlyFormat::Q4_1, "q4_1");
        quantized_once_more!(ReadOnlyFormat::Q5_1, "q5_1");
        quantized_once_more!(ReadOnlyFormat::Q2K, "q2_k");
        quantized_once_more!(ReadOnlyFormat::Q3K, "q3_k");
        quantized_once_more!(ReadOnlyFormat::Q5K, "q5_k");
    }
}
