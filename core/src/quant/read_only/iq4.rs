//! IQ4_NL and IQ4_XS: nibbles that are places in a table of 16 signed bytes, denser around zero.
//!
//! IQ4_NL lies as Q4_0. IQ4_XS has 8 sub-blocks of 32, each with 16 bytes of nibbles and a scale
//! of 6 bits (less 32): layout `[d][high bits: 2 bytes][low bits: 4 bytes][128 bytes]`
//! (ggml, `block_iq4_nl`, `block_iq4_xs`).

use half::f16;

use crate::quant::{BLOCK_LEN, SUPER_BLOCK_LEN, q8_0};

const HALF: usize = BLOCK_LEN / 2;
const N_SUBS: usize = SUPER_BLOCK_LEN / BLOCK_LEN;
const XS_QUANTS_AT: usize = 8;

pub(super) const IQ4_NL_BYTES: usize = 2 + HALF;
pub(super) const IQ4_XS_BYTES: usize = XS_QUANTS_AT + SUPER_BLOCK_LEN / 2;

/// `kvalues_iq4nl` of ggml.
const TABLE: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

pub(super) fn iq4_nl(block: &[u8; IQ4_NL_BYTES]) -> [f32; BLOCK_LEN] {
    let d = f16::from_le_bytes([block[0], block[1]]).to_f32();
    integers(&block[2..]).map(|q| d * f32::from(q))
}

/// Scale and integers are those of the block itself.
pub(super) fn iq4_nl_to_q8_0(block: &[u8; IQ4_NL_BYTES]) -> [u8; q8_0::BLOCK_BYTES] {
    q8_0::from_parts([block[0], block[1]], integers(&block[2..]))
}

pub(super) fn iq4_xs(block: &[u8; IQ4_XS_BYTES]) -> [f32; SUPER_BLOCK_LEN] {
    let mut values = [0.0; SUPER_BLOCK_LEN];
    for (sub, values) in values.chunks_mut(BLOCK_LEN).enumerate() {
        let (scale, integers) = iq4_xs_parts(block, sub);
        for (value, q) in values.iter_mut().zip(integers) {
            *value = scale * f32::from(q);
        }
    }
    values
}

/// The integers stay, the scales are rounded to f16.
pub(super) fn iq4_xs_to_q8_0(block: &[u8; IQ4_XS_BYTES]) -> [u8; N_SUBS * q8_0::BLOCK_BYTES] {
    let mut bytes = [0; N_SUBS * q8_0::BLOCK_BYTES];
    for (sub, bytes) in bytes.chunks_mut(q8_0::BLOCK_BYTES).enumerate() {
        let (scale, integers) = iq4_xs_parts(block, sub);
        let scale = f16::from_f32(scale).to_le_bytes();
        bytes.copy_from_slice(&q8_0::from_parts(scale, integers));
    }
    bytes
}

fn iq4_xs_parts(block: &[u8; IQ4_XS_BYTES], sub: usize) -> (f32, [i8; BLOCK_LEN]) {
    let d = f16::from_le_bytes([block[0], block[1]]).to_f32();
    let high = u16::from_le_bytes([block[2], block[3]]) >> (2 * sub) & 0x03;
    let low = block[4 + sub / 2] >> (4 * (sub % 2)) & 0x0f;
    let scale = (low | ((high as u8) << 4)) as i8 - 32;
    let quants = &block[XS_QUANTS_AT + sub * HALF..][..HALF];
    (d * f32::from(scale), integers(quants))
}

fn integers(nibbles: &[u8]) -> [i8; BLOCK_LEN] {
    std::array::from_fn(|i| {
        let nibble = nibbles[i % HALF] >> (4 * (i / HALF)) & 0x0f;
        TABLE[usize::from(nibble)]
    })
}
