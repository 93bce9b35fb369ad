//! Q4_0: 32 nibbles and a scale, 18 bytes a block.
//!
//! `d = m / -8` with m the value of largest magnitude (the first of equals), sign kept;
//! `q = min(15, trunc(x / d + 8.5))`, `x ≈ d (q - 8)`. Layout `[d: f16][16 bytes]`, where byte i
//! holds value i in its low nibble and value i + 16 in its high one
//! (ggml, `quantize_row_q4_0_ref`).

use half::f16;

use super::format::BLOCK_LEN;

const HALF: usize = BLOCK_LEN / 2;

pub(super) const BLOCK_BYTES: usize = 2 + HALF;

pub(super) fn quantize(values: &[f32; BLOCK_LEN]) -> [u8; BLOCK_BYTES] {
    let mut largest = values[0];
    for &x in &values[1..] {
        if x.abs() > largest.abs() {
            largest = x;
        }
    }
    let scale = largest / -8.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    // A sum below 0 cannot occur and one of 16.5 can; the cast drops the fraction.
    let nibble = |x: f32| ((x * inverse + 8.5) as u8).min(15);
    let mut block = [0; BLOCK_BYTES];
    block[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    for i in 0..HALF {
        block[2 + i] = nibble(values[i]) | (nibble(values[i + HALF]) << 4);
    }
    block
}

pub(super) fn dequantize(block: &[u8; BLOCK_BYTES]) -> [f32; BLOCK_LEN] {
    let (scale, quants) = parts(block);
    quants.map(|q| f32::from(q) * scale)
}

/// Scale and integers (-8 to 7) of a block.
pub(super) fn parts(block: &[u8; BLOCK_BYTES]) -> (f32, [i8; BLOCK_LEN]) {
    let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
    let quants = std::array::from_fn(|i| {
        let nibble = if i < HALF {
            block[2 + i] & 0x0f
        } else {
            block[2 + i - HALF] >> 4
        };
        nibble as i8 - 8
    });
    (scale, quants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_magnitude_gets_minus_eight_whatever_its_sign() {
        for sign in [1.0, -1.0] {
            let mut values = [0.0; BLOCK_LEN];
            values[5] = sign * 8.0;
            values[20] = sign * -7.0;
            let block = quantize(&values);
            let (scale, quants) = parts(&block);
            assert_eq!((scale, quants[5], quants[20]), (-sign, -8, 7));
            assert_eq!(dequantize(&block), values);
        }
    }

    #[test]
    fn halves_share_bytes_low_nibble_first() {
        let mut values = [0.0; BLOCK_LEN];
        values[0] = -8.0;
        values[HALF] = 3.0;
        let block = quantize(&values);
        assert_eq!(block[2], (11 << 4));
        assert_eq!(block[3], 0x88);
    }

    #[test]
    fn the_opposite_of_the_largest_is_clipped_to_seven() {
        let mut values = [0.0; BLOCK_LEN];
        values[0] = 8.0;
        values[1] = -8.0;
        assert_eq!(parts(&quantize(&values)).1[1], 7);
    }

    #[test]
    fn zeros_stay_zeros() {
        let block = quantize(&[0.0; BLOCK_LEN]);
        assert_eq!(dequantize(&block), [0.0; BLOCK_LEN]);
    }
}
