//! Q6_K: 256 integers of 6 bits in 16 sub-blocks of 16, each with a signed byte as scale, 210 bytes.
//!
//! `x ≈ d s q`, with `d` one f16 for the whole block, `s` of the sub-block, `q` from -32 to 31
//! stored with 32 added. Layout `[128 bytes of low nibbles][64 bytes of high bits][16 s][d]`.
//! Each half of the block has its own 64 and 32 bytes; there, values 0 to 63 are low nibbles and
//! values 64 to 127 high ones, and byte i of the high bits serves values i, i + 32, i + 64 and
//! i + 96, two bits each from the lowest on (ggml, `block_q6_K`).
//!
//! Writing takes each sub-block's largest value as it is; ggml also searches for scales with less
//! error.

use half::f16;

use super::format::SUPER_BLOCK_LEN;

pub(super) const SUB_LEN: usize = 16;
const N_SUBS: usize = SUPER_BLOCK_LEN / SUB_LEN;
const HIGH_AT: usize = SUPER_BLOCK_LEN / 2;
const SCALES_AT: usize = HIGH_AT + SUPER_BLOCK_LEN / 4;
const D_AT: usize = SCALES_AT + N_SUBS;

pub(super) const BLOCK_BYTES: usize = D_AT + 2;

/// `x ≈ scale q`.
pub(super) struct SubBlock {
    pub(super) scale: f32,
    pub(super) quants: [i8; SUB_LEN],
}

/// Where a value's low nibble and high bits are: `(byte, shift)` twice.
fn place(value: usize) -> ((usize, usize), (usize, usize)) {
    let (half, i) = (value / 128, value % 128);
    (
        (64 * half + i % 64, 4 * (i / 64)),
        (HIGH_AT + 32 * half + i % 32, 2 * (i / 32)),
    )
}

pub(super) fn dequantize(block: &[u8; BLOCK_BYTES]) -> [f32; SUPER_BLOCK_LEN] {
    let mut values = [0.0; SUPER_BLOCK_LEN];
    for (sub, values) in sub_blocks(block).iter().zip(values.chunks_mut(SUB_LEN)) {
        for (value, q) in values.iter_mut().zip(sub.quants) {
            *value = sub.scale * f32::from(q);
        }
    }
    values
}

pub(super) fn sub_blocks(block: &[u8; BLOCK_BYTES]) -> [SubBlock; N_SUBS] {
    let d = f16::from_le_bytes([block[D_AT], block[D_AT + 1]]).to_f32();
    std::array::from_fn(|sub| SubBlock {
        scale: d * f32::from(block[SCALES_AT + sub] as i8),
        quants: std::array::from_fn(|i| {
            let ((low, low_shift), (high, high_shift)) = place(sub * SUB_LEN + i);
            let low = (block[low] >> low_shift) & 0x0f;
            let high = (block[high] >> high_shift) & 0x03;
            (low | (high << 4)) as i8 - 32
        }),
    })
}

pub(super) fn quantize(values: &[f32; SUPER_BLOCK_LEN]) -> [u8; BLOCK_BYTES] {
    let (groups, _) = values.as_chunks::<SUB_LEN>();
    let scales: Vec<f32> = groups.iter().map(|group| largest(group) / -32.0).collect();
    let mut block = [0; BLOCK_BYTES];
    let d = f16::from_f32(largest(&scales).abs() / 127.0);
    block[D_AT..].copy_from_slice(&d.to_le_bytes());
    let d = d.to_f32();
    for (sub, (group, scale)) in groups.iter().zip(&scales).enumerate() {
        let scale = nearest(*scale, d, 127.0);
        block[SCALES_AT + sub] = scale as i8 as u8;
        for (i, x) in group.iter().enumerate() {
            // -32 to 31 is the range; 32 would be one too many.
            let q = nearest(*x, d * scale, 32.0).min(31.0);
            let q = (q as i8 + 32) as u8;
            let ((low, low_shift), (high, high_shift)) = place(sub * SUB_LEN + i);
            block[low] |= (q & 0x0f) << low_shift;
            block[high] |= (q >> 4) << high_shift;
        }
    }
    block
}

/// The value of largest magnitude, with its sign.
fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: &f32| if b.abs() > a.abs() { *b } else { a };
    values.iter().fold(0.0, larger)
}

/// How many times `step` is next to `x`, at most `most` either way.
fn nearest(x: f32, step: f32, most: f32) -> f32 {
    if step == 0.0 {
        0.0
    } else {
        (x / step).round().clamp(-most, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_bits_of_its_own() {
        let mut used = [0u8; SCALES_AT];
        for value in 0..SUPER_BLOCK_LEN {
            let ((low, low_shift), (high, high_shift)) = place(value);
            for (byte, mask) in [(low, 0x0f << low_shift), (high, 0x03 << high_shift)] {
                assert_eq!(used[byte] & mask, 0, "value {value}");
                used[byte] |= mask;
            }
        }
        assert!(used.iter().all(|byte| *byte == 0xff));
    }

    #[test]
    fn values_are_a_step_away_at_most() {
        let values = std::array::from_fn(|i| (i as f32 * 0.7).sin() * (1.0 + (i / 64) as f32));
        let found = dequantize(&quantize(&values));
        for (i, (found, value)) in found.iter().zip(&values).enumerate() {
            // A step and a half of the sub-block's 1/32: rounding, and the missing 32.
            let bound = 1.5 * (1.0 + (i / 64) as f32) / 32.0 + 32.0 * 0.5 * (4.0 / 32.0 / 127.0);
            assert!((found - value).abs() < bound, "{i}: {found} {value}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let block = quantize(&[0.0; SUPER_BLOCK_LEN]);
        assert_eq!(dequantize(&block), [0.0; SUPER_BLOCK_LEN]);
    }
}
