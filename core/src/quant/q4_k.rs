//! Q4_K: 256 nibbles in 8 sub-blocks of 32, each with a 6-bit scale and a 6-bit minimum, 144 bytes.
//!
//! `x ≈ d s q - m n`, with `d` and `m` one f16 each for the whole block, `s` and `n` of the
//! sub-block, `q` from 0 to 15. Layout `[d][m][12 bytes of s and n][128 bytes of q]`. Byte i of
//! group g of 32 bytes holds value `64 g + i` in its low nibble and value `64 g + 32 + i` in its
//! high one (ggml, `block_q4_K`).
//!
//! Writing takes each sub-block's range as it is; ggml also searches for scales with less error.

use half::f16;

use super::format::SUPER_BLOCK_LEN;

pub(super) const SUB_LEN: usize = 32;
const N_SUBS: usize = SUPER_BLOCK_LEN / SUB_LEN;
const N_SCALE_BYTES: usize = 12;
const QUANTS_AT: usize = 4 + N_SCALE_BYTES;

pub(super) const BLOCK_BYTES: usize = QUANTS_AT + SUPER_BLOCK_LEN / 2;

/// `x ≈ scale q - min`.
pub(super) struct SubBlock {
    pub(super) scale: f32,
    pub(super) min: f32,
    pub(super) quants: [u8; SUB_LEN],
}

pub(super) fn dequantize(block: &[u8; BLOCK_BYTES]) -> [f32; SUPER_BLOCK_LEN] {
    let mut values = [0.0; SUPER_BLOCK_LEN];
    for (sub, values) in sub_blocks(block).iter().zip(values.chunks_mut(SUB_LEN)) {
        for (value, q) in values.iter_mut().zip(sub.quants) {
            *value = sub.scale * f32::from(q) - sub.min;
        }
    }
    values
}

pub(super) fn sub_blocks(block: &[u8; BLOCK_BYTES]) -> [SubBlock; N_SUBS] {
    let half = |at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
    let (d, d_min) = (half(0), half(2));
    std::array::from_fn(|sub| {
        let (scale, min) = six_bits(&block[4..QUANTS_AT], sub);
        let bytes = &block[QUANTS_AT + sub / 2 * SUB_LEN..][..SUB_LEN];
        SubBlock {
            scale: d * f32::from(scale),
            min: d_min * f32::from(min),
            quants: std::array::from_fn(|i| (bytes[i] >> (4 * (sub % 2))) & 0x0f),
        }
    })
}

/// Scale and minimum of a sub-block. The first four are the low 6 bits of bytes 0 to 7; the
/// others have their low nibbles in bytes 8 to 11 and their high bits on top of bytes 0 to 7.
pub(super) fn six_bits(bytes: &[u8], sub: usize) -> (u8, u8) {
    if sub < 4 {
        (bytes[sub] & 0x3f, bytes[sub + 4] & 0x3f)
    } else {
        let low = bytes[sub + 4];
        (
            (low & 0x0f) | (bytes[sub - 4] >> 6 << 4),
            (low >> 4) | (bytes[sub] >> 6 << 4),
        )
    }
}

pub(super) fn quantize(values: &[f32; SUPER_BLOCK_LEN]) -> [u8; BLOCK_BYTES] {
    let ranges: [(f32, f32); N_SUBS] = std::array::from_fn(|sub| {
        let values = &values[sub * SUB_LEN..][..SUB_LEN];
        let least = values.iter().fold(0.0f32, |least, x| least.min(*x));
        let most = values.iter().fold(f32::MIN, |most, x| most.max(*x));
        ((most - least) / 15.0, -least)
    });
    let largest = ranges.iter().fold((0.0f32, 0.0f32), |(scale, min), range| {
        (scale.max(range.0), min.max(range.1))
    });
    let mut block = [0; BLOCK_BYTES];
    block[..2].copy_from_slice(&f16::from_f32(largest.0 / 63.0).to_le_bytes());
    block[2..4].copy_from_slice(&f16::from_f32(largest.1 / 63.0).to_le_bytes());
    let half = |at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
    let (d, d_min) = (half(0), half(2));
    for (sub, (scale, min)) in ranges.into_iter().enumerate() {
        let rounded = (nearest(scale, d, 63), nearest(min, d_min, 63));
        put_six_bits(&mut block[4..QUANTS_AT], sub, rounded);
        let (scale, min) = (d * f32::from(rounded.0), d_min * f32::from(rounded.1));
        let bytes = &mut block[QUANTS_AT + sub / 2 * SUB_LEN..][..SUB_LEN];
        for (byte, x) in bytes.iter_mut().zip(&values[sub * SUB_LEN..]) {
            *byte |= nearest(x + min, scale, 15) << (4 * (sub % 2));
        }
    }
    block
}

fn put_six_bits(bytes: &mut [u8], sub: usize, (scale, min): (u8, u8)) {
    if sub < 4 {
        bytes[sub] |= scale;
        bytes[sub + 4] |= min;
    } else {
        bytes[sub + 4] |= (scale & 0x0f) | (min << 4);
        bytes[sub - 4] |= scale >> 4 << 6;
        bytes[sub] |= min >> 4 << 6;
    }
}

/// The multiple of `step` next to `x`, from 0 to `most`.
fn nearest(x: f32, step: f32, most: u8) -> u8 {
    if step > 0.0 {
        // The cast takes what is below 0 to 0.
        ((x / step).round() as u8).min(most)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_come_back_from_their_twelve_bytes() {
        let mut bytes = [0; N_SCALE_BYTES];
        let scales: [(u8, u8); N_SUBS] =
            std::array::from_fn(|sub| (63 - 7 * sub as u8, 9 * sub as u8));
        for (sub, pair) in scales.into_iter().enumerate() {
            put_six_bits(&mut bytes, sub, pair);
        }
        let found: [(u8, u8); N_SUBS] = std::array::from_fn(|sub| six_bits(&bytes, sub));
        assert_eq!(found, scales);
    }

    #[test]
    fn values_are_a_step_away_at_most() {
        let values = std::array::from_fn(|i| (i as f32 * 0.7).sin() * (1.0 + (i / 32) as f32));
        let found = dequantize(&quantize(&values));
        for (i, (found, value)) in found.iter().zip(&values).enumerate() {
            let step = 2.0 * (1.0 + (i / 32) as f32) / 15.0;
            // Half a step, and what rounding scale and minimum to 6 bits of the largest adds.
            let bound = 0.5 * step + 15.0 * 0.5 * (16.0 / 15.0 / 63.0) + 0.5 * 8.0 / 63.0;
            assert!((found - value).abs() < bound, "{i}: {found} {value}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let block = quantize(&[0.0; SUPER_BLOCK_LEN]);
        assert_eq!(dequantize(&block), [0.0; SUPER_BLOCK_LEN]);
    }
}
