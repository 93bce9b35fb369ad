//! Rows of block formats to f32, a few blocks at a time, in loops that compilers vectorise.
//!
//! The values are those of [`Format::dequantize`] bit for bit; a test compares them.

use crate::quant::Format;

/// Values decoded at once: whole blocks of every format, and little enough to stay in the cache.
pub(super) const PIECE: usize = 256;

const QUANTS: usize = 32;

/// Decodes the values from `start` on into `out`. `start` is a multiple of [`PIECE`]; `row` holds
/// whole blocks up to the end of `out` at least.
pub(super) fn decode(format: Format, row: &[u8], start: usize, out: &mut [f32]) {
    let block_bytes = format.block_bytes();
    let from = start / format.block_len() * block_bytes;
    let n_bytes = out.len() / format.block_len() * block_bytes;
    let bytes = row.get(from..from + n_bytes).unwrap_or_default();
    match format {
        Format::F32 => words(bytes, out, f32::from_le_bytes),
        Format::F16 => words(bytes, out, |word| f16_value(u16::from_le_bytes(word))),
        Format::Bf16 => words(bytes, out, |word| {
            f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16)
        }),
        Format::Q8_0 => blocks(bytes, out, q8_0),
        Format::Q4_0 => blocks(bytes, out, q4_0),
        // Lengths were compared when the model was loaded, so there is no error to come.
        _ => {
            let values = format.dequantize(bytes).unwrap_or_default();
            out.iter_mut().zip(values).for_each(|(out, x)| *out = x);
        }
    }
}

fn words<const N: usize>(bytes: &[u8], out: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    for (out, word) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *out = value(*word);
    }
}

fn blocks<const BYTES: usize, const LEN: usize>(
    bytes: &[u8],
    out: &mut [f32],
    decode: impl Fn(&[u8; BYTES], &mut [f32; LEN]),
) {
    let (blocks, out) = (bytes.as_chunks().0, out.as_chunks_mut().0);
    for (block, out) in blocks.iter().zip(out) {
        decode(block, out);
    }
}

fn q8_0(block: &[u8; 2 + QUANTS], out: &mut [f32; QUANTS]) {
    let scale = f16_value(u16::from_le_bytes([block[0], block[1]]));
    for (out, q) in out.iter_mut().zip(&block[2..]) {
        *out = f32::from(*q as i8) * scale;
    }
}

fn q4_0(block: &[u8; 2 + QUANTS / 2], out: &mut [f32; QUANTS]) {
    let scale = f16_value(u16::from_le_bytes([block[0], block[1]]));
    let (low, high) = out.split_at_mut(QUANTS / 2);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(&block[2..]) {
        *low = (f32::from(byte & 0x0f) - 8.0) * scale;
        *high = (f32::from(byte >> 4) - 8.0) * scale;
    }
}

/// A finite f16 without branches: its exponent and fraction stand at the same place in an f32
/// whose exponent counts from 127 instead of 15. Exact for subnormal numbers too.
fn f16_value(bits: u16) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits((112 + 127) << 23);
    let magnitude = f32::from_bits(u32::from(bits & 0x7fff) << 13) * TWO_TO_112;
    f32::from_bits(magnitude.to_bits() | u32::from(bits & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn every_finite_f16_is_exact() {
        for bits in 0..=u16::MAX {
            let want = f16::from_bits(bits);
            if want.is_finite() {
                assert_eq!(f16_value(bits).to_bits(), want.to_f32().to_bits(), "{bits}");
            }
        }
    }

    #[test]
    fn every_format_decodes_as_it_is_defined() {
        let values: Vec<f32> = (0..2 * PIECE)
            .map(|i| (i as f32 * 0.7).sin() * 3.0)
            .collect();
        for format in Format::ALL {
            let row = format.quantize(&values).unwrap();
            let want = format.dequantize(&row).unwrap();
            for start in [0, PIECE] {
                let mut out = [f32::NAN; PIECE];
                decode(format, &row, start, &mut out);
                let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(
                    bits(&out),
                    bits(&want[start..start + PIECE]),
                    "{}",
                    format.name()
                );
            }
        }
    }
}
