//! Q8_0: 32 signed bytes and a scale, 34 bytes a block.
//!
//! `d = max|x| / 127`, `q = round(x / d)`, `x ≈ d q`; layout `[d: f16][q: i8; 32]`
//! (ggml, `quantize_row_q8_0_ref`).

use half::f16;

use super::format::BLOCK_LEN;

pub(super) const BLOCK_BYTES: usize = 2 + BLOCK_LEN;

/// One block; the division by the scale uses its f32 value, as ggml's reference does.
pub(super) fn quantize(values: &[f32; BLOCK_LEN]) -> [u8; BLOCK_BYTES] {
    let largest = values.iter().fold(0.0f32, |max, x| max.max(x.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let mut block = [0; BLOCK_BYTES];
    block[..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
    for (byte, x) in block[2..].iter_mut().zip(values) {
        *byte = (x * inverse).round() as i8 as u8;
    }
    block
}

pub(super) fn dequantize(block: &[u8; BLOCK_BYTES]) -> [f32; BLOCK_LEN] {
    let (scale, quants) = parts(block);
    quants.map(|q| f32::from(q) * scale)
}

/// Scale and integers of a block.
pub(super) fn parts(block: &[u8; BLOCK_BYTES]) -> (f32, [i8; BLOCK_LEN]) {
    let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
    (scale, std::array::from_fn(|i| block[2 + i] as i8))
}

/// A block of given integers; the scale is an f16, little-endian.
pub(super) fn from_parts(scale: [u8; 2], quants: [i8; BLOCK_LEN]) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    block[..2].copy_from_slice(&scale);
    for (byte, q) in block[2..].iter_mut().zip(quants) {
        *byte = q as u8;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_value_gets_127_and_ties_round_away_from_zero() {
        let mut values = [0.0; BLOCK_LEN];
        values[..4].copy_from_slice(&[127.0, -2.5, 2.5, -0.4]);
        let (scale, quants) = parts(&quantize(&values));
        assert_eq!(scale, 1.0);
        assert_eq!(quants[..4], [127, -3, 3, 0]);
    }

    #[test]
    fn zeros_stay_zeros() {
        assert_eq!(quantize(&[0.0; BLOCK_LEN]), [0; BLOCK_BYTES]);
        assert_eq!(dequantize(&[0; BLOCK_BYTES]), [0.0; BLOCK_LEN]);
    }

    #[test]
    fn values_below_the_smallest_scale_become_zeros() {
        let block = quantize(&[1e-40; BLOCK_LEN]);
        assert_eq!(dequantize(&block), [0.0; BLOCK_LEN]);
    }
}
