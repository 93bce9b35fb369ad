//! Rows of block formats to f32, a few blocks at a time, in loops that compilers vectorise.
//!
//! Everything is inlined, so that it is compiled for the vectors of whoever calls it.
//! The values are those of [`Format::dequantize`] bit for bit; a test compares them.

use crate::quant::Format;

/// Values decoded at once: whole blocks of every format, and little enough to stay in the cache.
pub(super) const PIECE: usize = 256;

/// Integers that share a block of Q8_0 and Q4_0.
const QUANTS: usize = 32;
/// Integers that share a block of the K formats.
const SUPER: usize = 256;

/// Decodes the values from `start` on into `out`. `start` is a multiple of [`PIECE`]; `row` holds
/// whole blocks up to the end of `out` at least.
#[expect(
    clippy::redundant_closure,
    reason = "only a closure can be told to be inlined where it is called"
)]
#[inline(always)]
pub(super) fn decode(format: Format, row: &[u8], start: usize, out: &mut [f32]) {
    let block_bytes = format.block_bytes();
    let from = start / format.block_len() * block_bytes;
    let n_bytes = out.len() / format.block_len() * block_bytes;
    let bytes = row.get(from..from + n_bytes).unwrap_or_default();
    match format {
        Format::F32 => words(
            bytes,
            out,
            #[inline(always)]
            |word| f32::from_le_bytes(word),
        ),
        Format::F16 => words(
            bytes,
            out,
            #[inline(always)]
            |word| f16_value(u16::from_le_bytes(word)),
        ),
        Format::Bf16 => words(
            bytes,
            out,
            #[inline(always)]
            |word| f32::from_bits(u32::from(u16::from_le_bytes(word)) << 16),
        ),
        Format::Q8_0 => blocks(
            bytes,
            out,
            #[inline(always)]
            |block, out| q8_0(block, out),
        ),
        Format::Q4_0 => blocks(
            bytes,
            out,
            #[inline(always)]
            |block, out| q4_0(block, out),
        ),
        Format::Q4K => blocks(
            bytes,
            out,
            #[inline(always)]
            |block, out| q4_k(block, out),
        ),
        Format::Q6K => blocks(
            bytes,
            out,
            #[inline(always)]
            |block, out| q6_k(block, out),
        ),
    }
}

#[inline(always)]
fn words<const N: usize>(bytes: &[u8], out: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    for (out, word) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *out = value(*word);
    }
}

#[inline(always)]
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

#[inline(always)]
fn q8_0(block: &[u8; 2 + QUANTS], out: &mut [f32; QUANTS]) {
    let (scale, quants) = scaled(block);
    for i in 0..QUANTS {
        out[i] = i32::from(quants[i] as i8) as f32 * scale;
    }
}

#[inline(always)]
fn q4_0(block: &[u8; 2 + QUANTS / 2], out: &mut [f32; QUANTS]) {
    let (scale, quants) = scaled(block);
    for i in 0..QUANTS / 2 {
        out[i] = (i32::from(quants[i] & 0x0f) - 8) as f32 * scale;
    }
    for i in 0..QUANTS / 2 {
        out[QUANTS / 2 + i] = (i32::from(quants[i] >> 4) - 8) as f32 * scale;
    }
}

/// An f16 and the bytes after it.
#[inline(always)]
fn scaled<const BYTES: usize>(block: &[u8; BYTES]) -> (f32, &[u8]) {
    (
        f16_value(u16::from_le_bytes([block[0], block[1]])),
        &block[2..],
    )
}

/// Two f16, 8 scales and minima of 6 bits in 12 bytes, 256 nibbles.
#[inline(always)]
fn q4_k(block: &[u8; 16 + SUPER / 2], out: &mut [f32; SUPER]) {
    let (d, rest) = scaled(block);
    let d_min = f16_value(u16::from_le_bytes([rest[0], rest[1]]));
    let (packed, quants) = rest[2..].split_at(12);
    let groups = quants.as_chunks::<QUANTS>().0.iter();
    let outs = out.as_chunks_mut::<{ 2 * QUANTS }>().0.iter_mut();
    for (group, (quants, out)) in groups.zip(outs).enumerate() {
        let sub = |sub: usize| {
            let (scale, min) = six_bits(packed, sub);
            (d * f32::from(scale), d_min * f32::from(min))
        };
        let (low_scale, low_min) = sub(2 * group);
        let (high_scale, high_min) = sub(2 * group + 1);
        for i in 0..QUANTS {
            out[i] = low_scale * i32::from(quants[i] & 0x0f) as f32 - low_min;
        }
        for i in 0..QUANTS {
            out[QUANTS + i] = high_scale * i32::from(quants[i] >> 4) as f32 - high_min;
        }
    }
}

/// Scale and minimum of a sub-block of Q4_K: four whole ones, then four whose low nibbles stand
/// in the last four bytes and whose high bits stand on top of the first eight.
#[inline(always)]
fn six_bits(packed: &[u8], sub: usize) -> (u8, u8) {
    if sub < 4 {
        return (packed[sub] & 0x3f, packed[sub + 4] & 0x3f);
    }
    let low = packed[sub + 4];
    let high = |at: usize| packed[at] >> 6 << 4;
    ((low & 0x0f) | high(sub - 4), (low >> 4) | high(sub))
}

/// 256 low nibbles, 256 pairs of high bits, 16 scales of 8 bits, an f16; in two halves.
#[inline(always)]
fn q6_k(block: &[u8; 3 * SUPER / 4 + SUPER / 16 + 2], out: &mut [f32; SUPER]) {
    let (quants, tail) = block.split_at(3 * SUPER / 4);
    let (low, high) = quants.split_at(SUPER / 2);
    let (scales, d) = tail.split_at(SUPER / 16);
    let d = f16_value(u16::from_le_bytes([d[0], d[1]]));
    for (half, out) in out.chunks_mut(SUPER / 2).enumerate() {
        let (low, high) = (&low[64 * half..][..64], &high[32 * half..][..32]);
        for (quarter, out) in out.chunks_mut(QUANTS).enumerate() {
            let low = &low[QUANTS * (quarter % 2)..][..QUANTS];
            let (low_shift, high_shift) = (4 * (quarter / 2), 2 * quarter);
            for i in 0..QUANTS {
                let low = i32::from(low[i] >> low_shift) & 0x0f;
                let high = (i32::from(high[i] >> high_shift) & 0x03) << 4;
                out[i] = ((low | high) - 32) as f32;
            }
            for (which, out) in out.chunks_mut(16).enumerate() {
                let scale = scales[8 * half + 2 * quarter + which] as i8;
                let scale = d * f32::from(scale);
                out.iter_mut().for_each(|x| *x *= scale);
            }
        }
    }
}

/// A finite f16 without branches: its exponent and fraction stand at the same place in an f32
/// whose exponent counts from 127 instead of 15. Exact for subnormal numbers too.
#[inline(always)]
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
