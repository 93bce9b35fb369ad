//! Q2_K, Q3_K and Q5_K: 256 values with scales (and minimums) for sub-blocks.
//!
//! Integers of 2 bits lie four to a byte: value `v` of a half of the block is in byte `v mod 32`
//! of that half, its bits at `2 (v / 32)` (ggml, `block_q2_K`, `block_q3_K`, `block_q5_K`).

use half::f16;

use crate::quant::{SUPER_BLOCK_LEN, q4_k};

pub(super) const Q2_K_BYTES: usize = 16 + 64 + 4;
pub(super) const Q3_K_BYTES: usize = 32 + 64 + 12 + 2;
pub(super) const Q5_K_BYTES: usize = 4 + 12 + 32 + 128;

/// `d s q - m n`; a byte holds `s` (low) and `n` of 16 values. Layout `[16 of them][q][d][m]`.
pub(super) fn q2_k(block: &[u8; Q2_K_BYTES]) -> [f32; SUPER_BLOCK_LEN] {
    let (d, m) = (half(block, 80), half(block, 82));
    std::array::from_fn(|i| {
        let scales = block[i / 16];
        let (scale, min) = (d * f32::from(scales & 0x0f), m * f32::from(scales >> 4));
        scale * f32::from(two_bits(&block[16..80], i)) - min
    })
}

/// `d (s - 32) (q - 4)`. Layout `[third bits][q][12 bytes of s][d]`; bit `v / 32` of byte
/// `v mod 32` is the third of value `v`.
pub(super) fn q3_k(block: &[u8; Q3_K_BYTES]) -> [f32; SUPER_BLOCK_LEN] {
    let d = half(block, 108);
    std::array::from_fn(|i| {
        let third = (block[i % 32] >> (i / 32)) & 1;
        let q = (two_bits(&block[32..96], i) | (third << 2)) as i8 - 4;
        let scale = q3_k_scale(&block[96..108], i / 16) as i8 - 32;
        d * f32::from(scale) * f32::from(q)
    })
}

/// Six bits: the low four in the first 8 bytes, low nibbles first, the high two in the last 4.
fn q3_k_scale(bytes: &[u8], sub: usize) -> u8 {
    let low = (bytes[sub % 8] >> (4 * (sub / 8))) & 0x0f;
    let high = (bytes[8 + sub % 4] >> (2 * (sub / 4))) & 0x03;
    low | (high << 4)
}

/// `d s q - m n`: Q4_K with a fifth bit. Layout `[d][m][12 bytes of s and n][fifth bits][q]`; bit
/// `v / 32` of byte `v mod 32` is the fifth of value `v`.
pub(super) fn q5_k(block: &[u8; Q5_K_BYTES]) -> [f32; SUPER_BLOCK_LEN] {
    let (d, m) = (half(block, 0), half(block, 2));
    std::array::from_fn(|i| {
        let sub = i / 32;
        let (scale, min) = q4_k::six_bits(&block[4..16], sub);
        let low = (block[48 + sub / 2 * 32 + i % 32] >> (4 * (sub % 2))) & 0x0f;
        let fifth = (block[16 + i % 32] >> sub) & 1;
        let (scale, min) = (d * f32::from(scale), m * f32::from(min));
        scale * f32::from(low | (fifth << 4)) - min
    })
}

fn two_bits(bytes: &[u8], i: usize) -> u8 {
    let (half, i) = (i / 128, i % 128);
    (bytes[32 * half + i % 32] >> (2 * (i / 32))) & 0x03
}

fn half(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}
