//! Q4_1, Q5_0 and Q5_1: 32 values with one scale, and one minimum where the name ends in 1.
//!
//! Layout `[d: f16][m: f16]?[fifth bits: 4 bytes]?[16 bytes]`; nibbles lie as in Q4_0, bit i of
//! the fifth bits (little-endian) belongs to value i (ggml, `block_q4_1`, `block_q5_0`,
//! `block_q5_1`).

use half::f16;

use crate::quant::{BLOCK_LEN, q8_0};

const HALF: usize = BLOCK_LEN / 2;

pub(super) const Q4_1_BYTES: usize = 4 + HALF;
pub(super) const Q5_0_BYTES: usize = 6 + HALF;
pub(super) const Q5_1_BYTES: usize = 8 + HALF;

/// `d q + m`
pub(super) fn q4_1(block: &[u8; Q4_1_BYTES]) -> [f32; BLOCK_LEN] {
    let (d, m) = (half(block, 0), half(block, 2));
    std::array::from_fn(|i| d * f32::from(nibble(&block[4..], i)) + m)
}

/// `d (q - 16)`
pub(super) fn q5_0(block: &[u8; Q5_0_BYTES]) -> [f32; BLOCK_LEN] {
    let d = half(block, 0);
    q5_0_integers(block).map(|q| d * f32::from(q))
}

/// Scale and integers are those of the block itself.
pub(super) fn q5_0_to_q8_0(block: &[u8; Q5_0_BYTES]) -> [u8; q8_0::BLOCK_BYTES] {
    q8_0::from_parts([block[0], block[1]], q5_0_integers(block))
}

fn q5_0_integers(block: &[u8; Q5_0_BYTES]) -> [i8; BLOCK_LEN] {
    std::array::from_fn(|i| five_bits(&block[2..], i) as i8 - 16)
}

/// `d q + m`
pub(super) fn q5_1(block: &[u8; Q5_1_BYTES]) -> [f32; BLOCK_LEN] {
    let (d, m) = (half(block, 0), half(block, 2));
    std::array::from_fn(|i| d * f32::from(five_bits(&block[4..], i)) + m)
}

fn half(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

fn nibble(bytes: &[u8], i: usize) -> u8 {
    (bytes[i % HALF] >> (4 * (i / HALF))) & 0x0f
}

/// `bytes` are the fifth bits and the nibbles.
fn five_bits(bytes: &[u8], i: usize) -> u8 {
    let fifth = (bytes[i / 8] >> (i % 8)) & 1;
    nibble(&bytes[4..], i) | (fifth << 4)
}
