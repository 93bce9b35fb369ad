//! Frozen weights as training keeps them: a matrix cut into blocks along its rows, codes in words of
//! 32 bits, one f32 scale a block.
//!
//! A block is eight words, whatever its format. The codes of `w` neighbouring values fill a half
//! word, and half `h` of a block is in word `h mod 8`, low halves first. So a tensor library unpacks
//! a block with two shifts and one look-up of 65 536 rows of `w` values ([`PackedFormat::table`]),
//! with no operation on single nibbles.

use std::borrow::Cow;

use super::{Format, QuantError, format, nf4, q8_0};

/// Words of a block.
pub const BLOCK_WORDS: usize = 8;
const HALF_WORDS: usize = 2 * BLOCK_WORDS;
const N_HALVES: usize = 1 << 16;

/// How a frozen weight is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackedFormat {
    /// Blocks of 32 signed bytes: the values of GGUF's Q8_0.
    Q8_0,
    /// Blocks of 64 nibbles: the values of bitsandbytes' NF4.
    Nf4,
}

/// A packed tensor, row-major; only its last block may be padded.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedBlocks {
    pub format: PackedFormat,
    pub n_values: usize,
    /// [`BLOCK_WORDS`] a block.
    pub words: Vec<u32>,
    /// One a block.
    pub scales: Vec<f32>,
}

impl PackedFormat {
    /// Values that share a scale.
    pub fn block_len(self) -> usize {
        match self {
            Self::Q8_0 => format::BLOCK_LEN,
            Self::Nf4 => nf4::BLOCK_LEN,
        }
    }

    /// Values of a half word.
    pub fn half_len(self) -> usize {
        self.block_len() / HALF_WORDS
    }

    /// Bytes of words and scales of `n_values`.
    pub fn n_bytes(self, n_values: usize) -> u64 {
        n_values.div_ceil(self.block_len()) as u64 * (4 * BLOCK_WORDS + 4) as u64
    }

    /// What the codes of every half word stand for, before the scale: `[65536, half_len]`.
    pub fn table(self) -> Vec<f32> {
        let width = self.half_len();
        let halves = (0..N_HALVES as u32).flat_map(|half| (0..width).map(move |i| (half, i)));
        halves.map(|(half, i)| self.value(half, i)).collect()
    }

    /// The `i`-th value of a half word, before the scale.
    fn value(self, half: u32, i: usize) -> f32 {
        match self {
            Self::Q8_0 => f32::from((half >> (8 * i)) as u8 as i8),
            Self::Nf4 => nf4::CODES[(half >> (4 * i)) as usize & 15],
        }
    }

    /// # Errors
    /// Where a value is not finite, or its scale too large for the format.
    pub fn quantize(self, values: &[f32]) -> Result<PackedBlocks, QuantError> {
        let (codes, bits, scales) = match self {
            Self::Q8_0 => q8_0_codes(values)?,
            Self::Nf4 => nf4_codes(values)?,
        };
        let mut words = vec![0; scales.len() * BLOCK_WORDS];
        let width = self.half_len();
        let blocks = codes.chunks_exact(self.block_len());
        for (block, words) in blocks.zip(words.as_chunks_mut::<BLOCK_WORDS>().0) {
            for (h, half) in block.chunks_exact(width).enumerate() {
                let half = half
                    .iter()
                    .rev()
                    .fold(0, |packed, &code| packed << bits | u32::from(code));
                words[h % BLOCK_WORDS] |= half << (16 * (h / BLOCK_WORDS));
            }
        }
        Ok(PackedBlocks {
            format: self,
            n_values: values.len(),
            words,
            scales,
        })
    }
}

impl PackedBlocks {
    /// The values that the blocks stand for.
    pub fn dequantize(&self) -> Vec<f32> {
        let (format, block_len) = (self.format, self.format.block_len());
        let width = format.half_len();
        let value = |at: usize| {
            let (block_idx, j) = (at / block_len, at % block_len);
            let h = j / width;
            let word = self.words[block_idx * BLOCK_WORDS + h % BLOCK_WORDS];
            let half = word >> (16 * (h / BLOCK_WORDS)) & 0xffff;
            format.value(half, j % width) * self.scales[block_idx]
        };
        (0..self.n_values).map(value).collect()
    }
}

/// Codes of whole blocks, bits of a code, scales.
type Codes = (Vec<u8>, u32, Vec<f32>);

/// The blocks of [`Format::Q8_0`], taken apart.
fn q8_0_codes(values: &[f32]) -> Result<Codes, QuantError> {
    let padded = match values.len() % format::BLOCK_LEN {
        0 => Cow::Borrowed(values),
        rest => {
            let zeros = std::iter::repeat_n(0.0, format::BLOCK_LEN - rest);
            Cow::Owned(values.iter().copied().chain(zeros).collect())
        }
    };
    Format::Q8_0.check(&padded)?;
    let blocks = padded.as_chunks::<{ format::BLOCK_LEN }>().0.iter();
    let parts = blocks.map(|block| {
        let (scale, quants) = q8_0::parts(&q8_0::quantize(block));
        (quants.map(|q| q as u8), scale)
    });
    let (codes, scales): (Vec<_>, Vec<_>) = parts.unzip();
    Ok((codes.into_flattened(), 8, scales))
}

fn nf4_codes(values: &[f32]) -> Result<Codes, QuantError> {
    if let Some(index) = values.iter().position(|x| !x.is_finite()) {
        let value = values[index];
        return Err(QuantError::NotFinite { index, value });
    }
    let blocks = values.chunks(nf4::BLOCK_LEN).map(nf4::quantize);
    let (codes, scales): (Vec<_>, Vec<_>) = blocks.unzip();
    Ok((codes.into_flattened(), 4, scales))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: [PackedFormat; 2] = [PackedFormat::Q8_0, PackedFormat::Nf4];

    fn values(n: usize) -> Vec<f32> {
        let at = |i| (i as f32 * 0.37).sin() + (i as f32 * 1.91).cos();
        (0..n).map(|i| 0.02 * at(i)).collect()
    }

    #[test]
    fn eight_bits_are_the_values_of_q8_0() {
        for n in [32, 320] {
            let values = values(n);
            let packed = PackedFormat::Q8_0.quantize(&values).unwrap();
            let bytes = Format::Q8_0.quantize(&values).unwrap();
            assert_eq!(
                packed.dequantize(),
                Format::Q8_0.dequantize(&bytes).unwrap()
            );
        }
    }

    #[test]
    fn four_bits_are_the_values_of_nf4() {
        let values = values(200);
        let packed = PackedFormat::Nf4.quantize(&values).unwrap();
        let want = values.chunks(nf4::BLOCK_LEN).flat_map(|block| {
            let (codes, scale) = nf4::quantize(block);
            let codes = codes.into_iter().take(block.len());
            codes.map(move |code| nf4::CODES[usize::from(code)] * scale)
        });
        assert_eq!(packed.dequantize(), want.collect::<Vec<f32>>());
    }

    #[test]
    fn odd_lengths_keep_every_value_and_take_the_bytes_that_are_planned() {
        for format in FORMATS {
            for n in [1, 31, 33, 65, 1000] {
                let values = values(n);
                let packed = format.quantize(&values).unwrap();
                let got = packed.dequantize();
                assert_eq!(got.len(), n);
                let largest = values.iter().fold(0.0f32, |max, x| max.max(x.abs()));
                for (x, y) in values.iter().zip(&got) {
                    assert!((x - y).abs() <= 0.16 * largest, "{format:?} {n}");
                }
                let bytes = 4 * (packed.words.len() + packed.scales.len());
                assert_eq!(format.n_bytes(n), bytes as u64);
            }
        }
    }

    #[test]
    fn packing_what_was_unpacked_changes_nothing() {
        for format in FORMATS {
            let once = format.quantize(&values(333)).unwrap().dequantize();
            let twice = format.quantize(&once).unwrap().dequantize();
            assert_eq!(once, twice, "{format:?}");
        }
    }

    #[test]
    fn tables_hold_the_values_of_every_half_word() {
        let table = PackedFormat::Q8_0.table();
        assert_eq!(table.len(), N_HALVES * 2);
        assert_eq!(table[0x80ff * 2..][..2], [-1.0, -128.0]);
        let table = PackedFormat::Nf4.table();
        assert_eq!(table.len(), N_HALVES * 4);
        assert_eq!(table[0xf070 * 4..][..4], [-1.0, 0.0, -1.0, 1.0]);
    }

    #[test]
    fn damaged_weights_are_refused_by_index() {
        for format in FORMATS {
            let mut values = values(100);
            values[70] = f32::NAN;
            let error = format.quantize(&values).unwrap_err();
            assert!(matches!(error, QuantError::NotFinite { index: 70, .. }));
        }
    }
}
