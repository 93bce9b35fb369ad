//! Frozen weights as training keeps them: a matrix cut into blocks along its rows, codes in words of
//! 32 bits, one f32 scale a block.
//!
//! A block is eight words, whatever its format. The codes of `w` neighbouring values fill a half
//! word, and half `h` of a block is in word `h mod 8`, low halves first. So a tensor library unpacks
//! a block with two shifts and one look-up of 65 536 rows of `w` values ([`PackedFormat::table`]),
//! with no operation on single nibbles.

use super::{Format, QuantError, format, nf4, q8_0};
#[cfg(feature = "train")]
use crate::cores;

/// Words of a block.
pub const BLOCK_WORDS: usize = 8;
const HALF_WORDS: usize = 2 * BLOCK_WORDS;
const N_HALVES: usize = 1 << 16;

/// Fewer blocks than this are not worth another core.
#[cfg(feature = "train")]
const BLOCKS_A_CORE: usize = 1 << 12;

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
        match self {
            // Its scales are 16 bits wide.
            Self::Q8_0 => Format::Q8_0.check_values(values)?,
            Self::Nf4 => Format::F32.check_values(values)?,
        }
        let blocks = values
            .chunks(self.block_len())
            .map(|block| self.pack(block));
        let (words, scales): (Vec<[u32; BLOCK_WORDS]>, Vec<f32>) = blocks.unzip();
        Ok(PackedBlocks {
            format: self,
            n_values: values.len(),
            words: words.into_flattened(),
            scales,
        })
    }

    /// Words and scale of a block, of which only the last may be short.
    fn pack(self, values: &[f32]) -> ([u32; BLOCK_WORDS], f32) {
        match self {
            Self::Q8_0 => {
                let mut block = [0.0; format::BLOCK_LEN];
                block[..values.len()].copy_from_slice(values);
                let (scale, quants) = q8_0::parts(&q8_0::quantize(&block));
                (words::<2, _>(&quants.map(|q| q as u8), 8), scale)
            }
            Self::Nf4 => {
                let (codes, scale) = nf4::quantize(values);
                (words::<4, _>(&codes, 4), scale)
            }
        }
    }
}

/// The words of a block's codes, `W` to a half word, each of `n_bits`.
fn words<const W: usize, const N: usize>(codes: &[u8; N], n_bits: u32) -> [u32; BLOCK_WORDS] {
    let mut words = [0; BLOCK_WORDS];
    for (h, half) in codes.as_chunks::<W>().0.iter().enumerate() {
        let half = half.iter().rev();
        let half = half.fold(0, |packed, &code| packed << n_bits | u32::from(code));
        words[h % BLOCK_WORDS] |= half << (16 * (h / BLOCK_WORDS));
    }
    words
}

impl PackedBlocks {
    /// The values that the blocks stand for, one after the other; [`Self::unpack`] is the fast way.
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

    /// The same to the bit, a block at a time on all cores.
    #[cfg(feature = "train")]
    pub fn unpack(&self) -> Vec<f32> {
        match self.format {
            PackedFormat::Q8_0 => self.unpack_by(q8_0_values),
            PackedFormat::Nf4 => self.unpack_by(nf4_values),
        }
    }

    #[cfg(feature = "train")]
    fn unpack_by<const N: usize>(
        &self,
        values: impl Fn(&[u32; BLOCK_WORDS], f32) -> [f32; N] + Send + Sync,
    ) -> Vec<f32> {
        let blocks = self.words.as_chunks::<BLOCK_WORDS>().0;
        let block = |block_idx: usize| values(&blocks[block_idx], self.scales[block_idx]);
        let blocks = cores::parts(self.scales.len(), BLOCKS_A_CORE, block);
        let mut values = blocks.into_flattened();
        values.truncate(self.n_values);
        values
    }

    /// Pieces of one tensor, put together; all but the last are whole blocks.
    #[cfg(feature = "train")]
    pub fn join(format: PackedFormat, pieces: Vec<Self>) -> Self {
        let n_blocks = pieces.iter().map(|piece| piece.scales.len()).sum();
        let mut joined = Self {
            format,
            n_values: 0,
            words: Vec::with_capacity(n_blocks * BLOCK_WORDS),
            scales: Vec::with_capacity(n_blocks),
        };
        for piece in pieces {
            joined.n_values += piece.n_values;
            joined.words.extend(piece.words);
            joined.scales.extend(piece.scales);
        }
        joined
    }
}

#[cfg(feature = "train")]
fn nf4_values(words: &[u32; BLOCK_WORDS], scale: f32) -> [f32; nf4::BLOCK_LEN] {
    let scaled = nf4::CODES.map(|value| value * scale);
    let mut values = [0.0; nf4::BLOCK_LEN];
    let halves = values.as_chunks_mut::<{ nf4::BLOCK_LEN / HALF_WORDS }>().0;
    let (low, high) = halves.split_at_mut(BLOCK_WORDS);
    for (word, (low, high)) in words.iter().zip(low.iter_mut().zip(high)) {
        *low = [0, 4, 8, 12].map(|shift| scaled[(word >> shift & 15) as usize]);
        *high = [16, 20, 24, 28].map(|shift| scaled[(word >> shift & 15) as usize]);
    }
    values
}

#[cfg(feature = "train")]
fn q8_0_values(words: &[u32; BLOCK_WORDS], scale: f32) -> [f32; format::BLOCK_LEN] {
    let mut values = [0.0; format::BLOCK_LEN];
    let halves = values
        .as_chunks_mut::<{ format::BLOCK_LEN / HALF_WORDS }>()
        .0;
    let (low, high) = halves.split_at_mut(BLOCK_WORDS);
    for (word, (low, high)) in words.iter().zip(low.iter_mut().zip(high)) {
        let [a, b, c, d] = word.to_le_bytes().map(|code| f32::from(code as i8) * scale);
        (*low, *high) = ([a, b], [c, d]);
    }
    values
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
            for n in [1, 31, 33, 65, 1000, 300_001] {
                let values = values(n);
                let packed = format.quantize(&values).unwrap();
                let got = packed.dequantize();
                assert_eq!(got.len(), n);
                #[cfg(feature = "train")]
                assert_eq!(packed.unpack(), got, "{format:?} {n}");
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
    #[cfg(feature = "train")]
    fn pieces_are_the_whole() {
        let values = values(500);
        for format in FORMATS {
            let pieces = values
                .chunks(128)
                .map(|piece| format.quantize(piece).unwrap());
            let joined = PackedBlocks::join(format, pieces.collect());
            assert_eq!(joined, format.quantize(&values).unwrap());
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
