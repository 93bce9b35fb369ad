//! NF4, the 4-bit code of QLoRA: 16 values between the quantiles of a normal distribution, times the
//! largest magnitude of a block of 64 (Dettmers et al. 2023, appendix E; `quantize_4bit` of
//! bitsandbytes with `quant_type="nf4"`).
//!
//! `q = index of the code nearest to x / max|x|`, `x ≈ max|x| · CODES[q]`.

/// Values that share a scale.
pub(super) const BLOCK_LEN: usize = 64;

/// The values between which codes choose, rising.
pub(super) const CODES: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// Half way between neighbours, and none above the last; a value there goes to the lower one.
const MIDPOINTS: [f32; 16] = {
    let mut midpoints = [f32::INFINITY; 16];
    let mut i = 0;
    while i < 15 {
        midpoints[i] = (CODES[i] + CODES[i + 1]) / 2.0;
        i += 1;
    }
    midpoints
};

/// Codes of a block, of which only the last may be short, and its scale.
pub(super) fn quantize(values: &[f32]) -> ([u8; BLOCK_LEN], f32) {
    let largest = values.iter().fold(0.0f32, |max, x| max.max(x.abs()));
    // bitsandbytes' guard for blocks of zeros.
    let inverse = 1.0 / largest.max(1e-38);
    let mut codes = [0; BLOCK_LEN];
    for (code, x) in codes.iter_mut().zip(values) {
        *code = nearest(x * inverse);
    }
    (codes, largest)
}

/// Midpoints below a value, by halving.
fn nearest(scaled: f32) -> u8 {
    [8, 4, 2, 1].into_iter().fold(0, |code, step| {
        let is_above = scaled > MIDPOINTS[(code + step - 1) & 15];
        code + if is_above { step } else { 0 }
    }) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(bytes: &[u8]) -> Vec<f32> {
        let words = bytes.as_chunks().0.iter();
        words.map(|&word| f32::from_le_bytes(word)).collect()
    }

    #[test]
    fn the_table_is_that_of_bitsandbytes() {
        let want = floats(include_bytes!("../../../tests/fixtures/nf4/table.f32"));
        assert_eq!(CODES.map(f32::to_bits).to_vec(), bits(&want));
    }

    #[test]
    fn codes_and_scales_are_those_of_bitsandbytes() {
        let values = floats(include_bytes!("../../../tests/fixtures/nf4/values.f32"));
        let codes = include_bytes!("../../../tests/fixtures/nf4/codes.u8");
        let scales = floats(include_bytes!("../../../tests/fixtures/nf4/absmax.f32"));
        let dequantized = floats(include_bytes!(
            "../../../tests/fixtures/nf4/dequantized.f32"
        ));
        assert_eq!(scales.len(), values.len().div_ceil(BLOCK_LEN));
        let blocks = values.chunks(BLOCK_LEN).zip(codes.chunks(BLOCK_LEN));
        for (block_idx, (block, want)) in blocks.enumerate() {
            let (got, scale) = quantize(block);
            assert_eq!(got[..block.len()], *want, "block {block_idx}");
            assert_eq!(
                scale.to_bits(),
                scales[block_idx].to_bits(),
                "block {block_idx}"
            );
            let restored = got[..block.len()].iter();
            let restored: Vec<f32> = restored.map(|&c| CODES[usize::from(c)] * scale).collect();
            let want = &dequantized[block_idx * BLOCK_LEN..][..block.len()];
            assert_eq!(bits(&restored), bits(want), "block {block_idx}");
        }
    }

    #[test]
    fn nothing_is_further_from_its_code_than_half_a_gap() {
        let values: Vec<f32> = (0..BLOCK_LEN)
            .map(|i| (i as f32 * 0.7).sin() * 0.01)
            .collect();
        let (codes, scale) = quantize(&values);
        let widest = (0..15).map(|i| CODES[i + 1] - CODES[i]).fold(0.0, f32::max);
        for (x, &code) in values.iter().zip(&codes) {
            let off = (CODES[usize::from(code)] * scale - x).abs();
            assert!(off <= 0.5001 * widest * scale, "{x} became code {code}");
        }
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|x| x.to_bits()).collect()
    }
}
