//! Linear maps of every format against the scalar product.

use veneer_core::{
    gpu::{GpuMatrix, Linear, Rows, linear},
    quant::{Format, matvec},
};

use crate::devices::{assert_close, bytes, devices, values, wave};

/// Another order of f32 sums over a row; the scalar twin itself is no closer to the exact sum.
const SUMS: f32 = 2e-5;

/// `n` outputs from `k` inputs for `t` tokens.
#[track_caller]
fn check(n: usize, k: usize, t: usize, formats: &[Format]) {
    for gpu in devices() {
        for &format in formats {
            let weights: Vec<u8> = (0..n)
                .flat_map(|row| {
                    format
                        .quantize(&wave(k, 0.37 + row as f32 * 0.011))
                        .unwrap()
                })
                .collect();
            let x = wave(t * k, 0.23);
            let want: Vec<f32> = x
                .chunks(k)
                .flat_map(|x| matvec(format, &weights, x).unwrap())
                .collect();
            let shape = [n as u32, k as u32];
            let weight = GpuMatrix::upload(&gpu, "w", format, shape, &weights).unwrap();
            let x = gpu.upload("x", &bytes(&x)).unwrap();
            let y = gpu.empty("y", 4 * (t * n) as u64).unwrap();
            let op = Linear {
                weight: &weight,
                x: Rows::packed(&x, k as u32),
                y: Rows::packed(&y, n as u32),
                bias: None,
                accumulate: false,
                n_tokens: t as u32,
            };
            let step = linear(&gpu, "test", &op).unwrap();
            gpu.submit(&[&step], &[]).unwrap();
            let what = format!(
                "{} [{n}, {k}] for {t} tokens with {}",
                format.name(),
                gpu.profile().name()
            );
            assert_close(&values(&gpu, &y), &want, SUMS, &what);
        }
    }
}

const PLAIN: [Format; 3] = [Format::F32, Format::F16, Format::Bf16];
const BLOCKS: [Format; 2] = [Format::Q8_0, Format::Q4_0];
const SUPER_BLOCKS: [Format; 2] = [Format::Q4K, Format::Q6K];

#[test]
fn one_output_from_four_inputs() {
    check(1, 4, 1, &PLAIN);
    check(1, 4, 5, &PLAIN);
}

#[test]
fn one_block() {
    check(1, 32, 1, &BLOCKS);
    check(1, 32, 6, &BLOCKS);
    check(1, 256, 1, &SUPER_BLOCKS);
    check(1, 256, 6, &SUPER_BLOCKS);
}

#[test]
fn rows_that_fill_no_workgroup() {
    check(37, 100, 1, &PLAIN);
    check(37, 96, 1, &BLOCKS);
    check(37, 768, 1, &SUPER_BLOCKS);
}

#[test]
fn up_to_four_tokens_share_the_weights() {
    for t in [2, 3, 4] {
        check(9, 96, t, &[Format::F16, Format::Q4_0]);
        check(9, 512, t, &[Format::Q4K]);
    }
}

#[test]
fn tiles_with_ragged_edges() {
    check(37, 100, 33, &PLAIN);
    check(37, 96, 33, &BLOCKS);
    check(37, 512, 33, &SUPER_BLOCKS);
    check(33, 44, 5, &PLAIN);
}

#[test]
fn rows_longer_than_a_workgroup_takes_at_once() {
    check(5, 32 * 131, 1, &BLOCKS);
    check(5, 256 * 17, 1, &SUPER_BLOCKS);
    check(5, 4 * 513, 1, &PLAIN);
}

#[test]
fn shapes_of_real_models() {
    // Down projection of Qwen3-0.6B and the queries of SmolLM2-135M.
    check(1024, 3072, 1, &[Format::Q4_0, Format::Q4K]);
    check(576, 576, 1, &[Format::Q8_0, Format::F16]);
    check(128, 1024, 64, &[Format::Q6K]);
}
