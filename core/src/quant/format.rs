//! The formats by name, size and number, and the one way into each.
//!
//! A row is cut into blocks of 32 values, or of 256 in the K formats. Numbers are those of `ggml_type` in GGUF files.

use half::f16;

use super::{q4_0, q4_k, q6_k, q8_0};

/// Values in a block of Q8_0 and Q4_0.
pub const BLOCK_LEN: usize = 32;
/// Values in a block of the K formats.
pub const SUPER_BLOCK_LEN: usize = 256;

/// How weights are stored in a GGUF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    F32,
    F16,
    Bf16,
    /// 32 signed bytes and one f16 scale.
    Q8_0,
    /// 32 nibbles and one f16 scale.
    Q4_0,
    /// 256 nibbles, with a 6-bit scale and a 6-bit minimum for each 32.
    Q4K,
    /// 256 integers of 6 bits, with an 8-bit scale for each 16.
    Q6K,
}

/// Why values have no place in a format.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantError {
    #[error("value {index} is {value}, expected a finite number")]
    NotFinite { index: usize, value: f32 },

    #[error("value {index} is {value}, beyond what {format} can hold ({limit})")]
    TooLarge {
        index: usize,
        value: f32,
        format: &'static str,
        limit: f32,
    },

    #[error("a row of {len} values cannot be cut into blocks of {block_len} for {format}")]
    RowLength {
        len: usize,
        format: &'static str,
        block_len: usize,
    },

    #[error("{len} bytes are not a whole number of {format} blocks of {block_bytes} bytes")]
    ByteLength {
        len: usize,
        format: &'static str,
        block_bytes: usize,
    },
}

impl Format {
    pub const ALL: [Self; 7] = [
        Self::F32,
        Self::F16,
        Self::Bf16,
        Self::Q8_0,
        Self::Q4_0,
        Self::Q4K,
        Self::Q6K,
    ];

    /// Name as llama.cpp prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q8_0 => "Q8_0",
            Self::Q4_0 => "Q4_0",
            Self::Q4K => "Q4_K",
            Self::Q6K => "Q6_K",
        }
    }

    /// `ggml_type` in the tensor table of a GGUF file.
    pub fn ggml_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 8,
            Self::Q4K => 12,
            Self::Q6K => 14,
            Self::Bf16 => 30,
        }
    }

    /// The format of a `ggml_type`, where Veneer reads it.
    pub fn from_ggml_type(number: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.ggml_type() == number)
    }

    /// Values that share a block.
    pub fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q8_0 | Self::Q4_0 => BLOCK_LEN,
            Self::Q4K | Self::Q6K => SUPER_BLOCK_LEN,
        }
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q8_0 => q8_0::BLOCK_BYTES,
            Self::Q4_0 => q4_0::BLOCK_BYTES,
            Self::Q4K => q4_k::BLOCK_BYTES,
            Self::Q6K => q6_k::BLOCK_BYTES,
        }
    }

    /// Bytes of `n_values` in whole blocks; `None` where they do not fill blocks or overflow.
    pub fn n_bytes(self, n_values: usize) -> Option<usize> {
        if n_values.is_multiple_of(self.block_len()) {
            (n_values / self.block_len()).checked_mul(self.block_bytes())
        } else {
            None
        }
    }

    /// Values as bytes of this format, but for the K formats equal bit for bit to ggml's
    /// reference quantizer.
    ///
    /// # Errors
    /// Where a value is not finite or too large, or the values do not fill whole blocks.
    pub fn quantize(self, values: &[f32]) -> Result<Vec<u8>, QuantError> {
        self.check(values)?;
        Ok(match self {
            Self::F32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::F16 => values
                .iter()
                .flat_map(|&x| f16::from_f32(x).to_le_bytes())
                .collect(),
            Self::Bf16 => values
                .iter()
                .flat_map(|&x| half::bf16::from_f32(x).to_le_bytes())
                .collect(),
            Self::Q8_0 => blocks(values).flat_map(q8_0::quantize).collect(),
            Self::Q4_0 => blocks(values).flat_map(q4_0::quantize).collect(),
            Self::Q4K => blocks(values).flat_map(q4_k::quantize).collect(),
            Self::Q6K => blocks(values).flat_map(q6_k::quantize).collect(),
        })
    }

    fn check(self, values: &[f32]) -> Result<(), QuantError> {
        self.check_values(values)?;
        if !values.len().is_multiple_of(self.block_len()) {
            return Err(QuantError::RowLength {
                len: values.len(),
                format: self.name(),
                block_len: self.block_len(),
            });
        }
        Ok(())
    }

    /// Whether values have a place in this format.
    pub(super) fn check_values(self, values: &[f32]) -> Result<(), QuantError> {
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            let value = values[index];
            return Err(QuantError::NotFinite { index, value });
        }
        let limit = self.largest();
        if let Some(index) = values.iter().position(|x| x.abs() > limit) {
            return Err(QuantError::TooLarge {
                index,
                value: values[index],
                format: self.name(),
                limit,
            });
        }
        Ok(())
    }

    /// The values that bytes of this format stand for.
    ///
    /// # Errors
    /// [`QuantError::ByteLength`] where the bytes end inside a block.
    pub fn dequantize(self, bytes: &[u8]) -> Result<Vec<f32>, QuantError> {
        if !bytes.len().is_multiple_of(self.block_bytes()) {
            return Err(QuantError::ByteLength {
                len: bytes.len(),
                format: self.name(),
                block_bytes: self.block_bytes(),
            });
        }
        Ok(match self {
            Self::F32 => chunks(bytes).map(f32::from_le_bytes).collect(),
            Self::F16 => chunks(bytes)
                .map(|word| f16::from_le_bytes(word).to_f32())
                .collect(),
            Self::Bf16 => chunks(bytes)
                .map(|word| half::bf16::from_le_bytes(word).to_f32())
                .collect(),
            Self::Q8_0 => chunks(bytes).flat_map(|b| q8_0::dequantize(&b)).collect(),
            Self::Q4_0 => chunks(bytes).flat_map(|b| q4_0::dequantize(&b)).collect(),
            Self::Q4K => chunks(bytes).flat_map(|b| q4_k::dequantize(&b)).collect(),
            Self::Q6K => chunks(bytes).flat_map(|b| q6_k::dequantize(&b)).collect(),
        })
    }

    /// Largest magnitude whose scale (or value) still fits.
    fn largest(self) -> f32 {
        let largest_f16 = f16::MAX.to_f32();
        match self {
            Self::F32 => f32::MAX,
            Self::F16 => largest_f16,
            Self::Bf16 => half::bf16::MAX.to_f32(),
            Self::Q8_0 => largest_f16 * 127.0,
            Self::Q4_0 => largest_f16 * 8.0,
            Self::Q4K => largest_f16 * 63.0,
            Self::Q6K => largest_f16 * 127.0 * 31.0,
        }
    }
}

fn blocks<const N: usize>(values: &[f32]) -> impl Iterator<Item = &[f32; N]> {
    values.as_chunks().0.iter()
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_weights_are_refused_by_index() {
        let mut values = vec![0.0; 256];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            values[40] = bad;
            for format in Format::ALL {
                let error = format.quantize(&values).unwrap_err();
                assert!(matches!(error, QuantError::NotFinite { index: 40, .. }));
            }
        }
    }

    #[test]
    fn scales_beyond_f16_are_refused() {
        let mut values = vec![0.0; 32];
        values[3] = 70_000.0;
        assert!(matches!(
            Format::F16.quantize(&values),
            Err(QuantError::TooLarge { index: 3, .. })
        ));
        assert!(Format::Q8_0.quantize(&values).is_ok());
        values[3] = 600_000.0;
        assert!(Format::Q8_0.quantize(&values).is_ok());
        assert!(Format::Q4_0.quantize(&values).is_err());
    }

    #[test]
    fn half_blocks_are_refused_both_ways() {
        for format in [Format::Q8_0, Format::Q4_0, Format::Q4K, Format::Q6K] {
            let n = format.block_len();
            assert!(format.quantize(&vec![0.5; n + 1]).is_err());
            assert!(format.dequantize(&[0; 17]).is_err());
            assert_eq!(format.n_bytes(n + 1), None);
            assert_eq!(format.n_bytes(2 * n), Some(2 * format.block_bytes()));
        }
    }

    #[test]
    fn plain_formats_round_trip() {
        let values = [0.0, -1.5, 0.25, 3.0];
        for format in [Format::F32, Format::F16, Format::Bf16] {
            let bytes = format.quantize(&values).unwrap();
            assert_eq!(format.dequantize(&bytes).unwrap(), values);
        }
    }

    #[test]
    fn numbers_lead_back_to_formats() {
        for format in Format::ALL {
            assert_eq!(Format::from_ggml_type(format.ggml_type()), Some(format));
        }
        assert_eq!(Format::from_ggml_type(16), None);
    }

    fn floats(bytes: &[u8]) -> Vec<f32> {
        Format::F32.dequantize(bytes).unwrap()
    }

    #[track_caller]
    fn check_golden(format: Format, blocks: &[u8], values: &[u8]) {
        let source = floats(include_bytes!("../../../tests/fixtures/quant/values.f32"));
        let mine = format.quantize(&source).unwrap();
        let differs = mine.iter().zip(blocks).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{} differs at this byte", format.name());
        assert_eq!(mine.len(), blocks.len());
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert_eq!(
            bits(format.dequantize(blocks).unwrap()),
            bits(floats(values))
        );
    }

    #[test]
    fn q8_0_equals_the_gguf_package_bit_for_bit() {
        check_golden(
            Format::Q8_0,
            include_bytes!("../../../tests/fixtures/quant/q8_0.bin"),
            include_bytes!("../../../tests/fixtures/quant/q8_0.f32"),
        );
    }

    #[test]
    fn q4_0_equals_the_gguf_package_bit_for_bit() {
        check_golden(
            Format::Q4_0,
            include_bytes!("../../../tests/fixtures/quant/q4_0.bin"),
            include_bytes!("../../../tests/fixtures/quant/q4_0.f32"),
        );
    }

    #[test]
    fn halves_equal_the_gguf_package_bit_for_bit() {
        check_golden(
            Format::F16,
            include_bytes!("../../../tests/fixtures/quant/f16.bin"),
            include_bytes!("../../../tests/fixtures/quant/f16.f32"),
        );
        check_golden(
            Format::Bf16,
            include_bytes!("../../../tests/fixtures/quant/bf16.bin"),
            include_bytes!("../../../tests/fixtures/quant/bf16.f32"),
        );
    }

    #[track_caller]
    fn check_read(format: Format, blocks: &[u8], values: &[u8]) {
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert_eq!(
            bits(format.dequantize(blocks).unwrap()),
            bits(floats(values))
        );
    }

    #[test]
    fn k_formats_are_read_as_the_gguf_package_does_bit_for_bit() {
        check_read(
            Format::Q4K,
            include_bytes!("../../../tests/fixtures/quant/q4_k.bin"),
            include_bytes!("../../../tests/fixtures/quant/q4_k.f32"),
        );
        check_read(
            Format::Q6K,
            include_bytes!("../../../tests/fixtures/quant/q6_k.bin"),
            include_bytes!("../../../tests/fixtures/quant/q6_k.f32"),
        );
    }
}
