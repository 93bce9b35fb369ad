//! Linear maps of every format against the scalar product.

use veneer_core::{
    gpu::{GpuMatrix, Linear, Rows, linear},
    quant::{Format, matvec},
};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run, unwritten},
};

/// Another order of f32 sums over a row; the scalar twin is no closer to the exact sum.
const SUMS: f32 = 2e-5;
/// As Granite's, of what is added to the residual stream.
const SCALE: f32 = 0.22;

/// `n` outputs from `k` inputs for `t` tokens.
#[track_caller]
fn check(n: usize, k: usize, t: usize, formats: &[Format]) {
    for gpu in devices() {
        for &format in formats {
            let weights = format.quantize(&normal(1, n * k)).unwrap();
            let inputs = normal(2, t * k);
            let want: Vec<f32> = inputs
                .chunks(k)
                .flat_map(|x| matvec(format, &weights, x).unwrap())
                .collect();
            let shape = [n as u32, k as u32];
            let weight = GpuMatrix::upload(&gpu, "w", format, shape, &weights).unwrap();
            let x = floats(&gpu, "x", &inputs);
            let y = unwritten(&gpu, "y", t * n);
            let op = Linear {
                weight: &weight,
                x: Rows::packed(&x, k as u32),
                y: Rows::packed(&y, n as u32),
                bias: None,
                scale: 1.0,
                accumulate: false,
                n_tokens: t as u32,
            };
            run(&gpu, &linear(&gpu, "test", &op).unwrap());
            let case = format!(
                "{} [{n}, {k}] for {t} tokens with {}",
                format.name(),
                gpu.profile().name()
            );
            assert_close(&values(&gpu, &y), &want, SUMS, &case);
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

/// Outputs as columns of wider rows, with biases, scaled, on top of what is there: fused projections.
#[track_caller]
fn check_placed(t: usize) {
    let (n, k, x_stride, y_stride, column) = (21, 64, 72, 40, 7);
    for gpu in devices() {
        let weights = Format::Q8_0.quantize(&normal(1, n * k)).unwrap();
        let inputs = normal(2, 8 + t * x_stride);
        let before = normal(3, t * y_stride);
        let biases = normal(4, n);
        let mut want = before.clone();
        for token in 0..t {
            let x = &inputs[8 + token * x_stride..][..k];
            let products = matvec(Format::Q8_0, &weights, x).unwrap();
            for (row, product) in products.iter().enumerate() {
                want[token * y_stride + column + row] += SCALE * (product + biases[row]);
            }
        }
        let shape = [n as u32, k as u32];
        let weight = GpuMatrix::upload(&gpu, "w", Format::Q8_0, shape, &weights).unwrap();
        let (x, y) = (floats(&gpu, "x", &inputs), floats(&gpu, "y", &before));
        let op = Linear {
            weight: &weight,
            x: Rows::packed(&x, x_stride as u32).from_column(8),
            y: Rows::packed(&y, y_stride as u32).from_column(column as u32),
            bias: Some(&floats(&gpu, "bias", &biases)),
            scale: SCALE,
            accumulate: true,
            n_tokens: t as u32,
        };
        run(&gpu, &linear(&gpu, "test", &op).unwrap());
        let case = format!("{t} tokens with {}", gpu.profile().name());
        assert_close(&values(&gpu, &y), &want, SUMS, &case);
    }
}

#[test]
fn outputs_go_to_columns_with_biases_on_top_of_what_is_there() {
    check_placed(1);
    check_placed(3);
    check_placed(34);
}

#[test]
fn what_does_not_fit_is_refused() {
    for gpu in devices() {
        let weights = Format::F32.quantize(&normal(1, 8 * 4)).unwrap();
        assert!(GpuMatrix::upload(&gpu, "w", Format::F32, [9, 4], &weights).is_err());
        assert!(GpuMatrix::upload(&gpu, "w", Format::F32, [2, 16], &weights[..120]).is_err());
        let weight = GpuMatrix::upload(&gpu, "w", Format::F32, [8, 4], &weights).unwrap();
        let (x, y) = (floats(&gpu, "x", &[1.0; 16]), unwritten(&gpu, "y", 16));
        let good = Linear {
            weight: &weight,
            x: Rows::packed(&x, 4),
            y: Rows::packed(&y, 8),
            bias: None,
            scale: 1.0,
            accumulate: false,
            n_tokens: 2,
        };
        assert!(linear(&gpu, "good", &good).is_ok());
        let x = Rows {
            offset: 8,
            ..good.x
        };
        let bad = [
            Linear {
                n_tokens: 0,
                ..good
            },
            Linear {
                n_tokens: 3,
                ..good
            },
            Linear {
                x: x.from_column(4),
                ..good
            },
            Linear {
                x: x.from_column(1),
                n_tokens: 1,
                ..good
            },
            Linear {
                y: good.y.from_column(1),
                ..good
            },
            Linear { y: good.x, ..good },
            Linear {
                bias: Some(&floats(&gpu, "b", &[0.0; 7])),
                ..good
            },
        ];
        for bad in bad {
            assert!(linear(&gpu, "bad", &bad).is_err());
        }
    }
}

#[test]
fn matrices_beyond_the_binding_limit_are_split_by_rows() {
    // One row more than 128 MiB, the limit of core WebGPU.
    let (n, k) = (8193, 4096);
    let Some(gpu) = devices().into_iter().next() else {
        return;
    };
    assert_eq!(gpu.limits().max_binding_bytes, 128 << 20);
    let mut weights = vec![0; 4 * n * k];
    let ends = [0, 4096, 4097, 8192];
    for (row, value) in ends.into_iter().zip([1.0f32, 2.0, 3.0, 4.0]) {
        weights[4 * (row + 1) * k - 4..][..4].copy_from_slice(&value.to_le_bytes());
    }
    let weight = GpuMatrix::upload(&gpu, "w", Format::F32, [n as u32, k as u32], &weights).unwrap();
    assert_eq!(weight.shards().len(), 2);
    let x = floats(&gpu, "x", &vec![0.5; k]);
    let y = unwritten(&gpu, "y", n);
    let op = Linear {
        weight: &weight,
        x: Rows::packed(&x, k as u32),
        y: Rows::packed(&y, n as u32),
        bias: None,
        scale: 1.0,
        accumulate: false,
        n_tokens: 1,
    };
    run(&gpu, &linear(&gpu, "split", &op).unwrap());
    let mut want = vec![0.0; n];
    for (row, value) in ends.into_iter().zip([0.5, 1.0, 1.5, 2.0]) {
        want[row] = value;
    }
    assert_eq!(values(&gpu, &y), want);
}

#[test]
fn shapes_of_real_models() {
    // Down projection of Qwen3-0.6B and the queries of SmolLM2-135M.
    check(1024, 3072, 1, &[Format::Q4_0, Format::Q4K]);
    check(576, 576, 1, &[Format::Q8_0, Format::F16]);
    check(128, 1024, 64, &[Format::Q6K]);
}
