//! norm and add_rms_norm against the scalar formulas.

use veneer_core::gpu::{
    Gpu,
    ops::{AddRmsNorm, Norm, NormWeights, add_rms_norm, norm},
};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run, unwritten},
};

/// Sums of up to some thousand squares in f32, in another order than the oracle's.
const TOLERANCE: f32 = 5e-6;
const EPS: f32 = 1e-5;
/// Of what is added to the residual stream.
const SCALE: f32 = 0.22;

/// RMSNorm, or centred LayerNorm, of rows as long as the weight.
fn oracle(x: &[f32], weight: &[f32], bias: Option<&[f32]>, is_centred: bool) -> Vec<f32> {
    let mut normed = Vec::with_capacity(x.len());
    for row in x.chunks(weight.len()) {
        let n = row.len() as f64;
        let sum: f64 = row.iter().map(|&x| f64::from(x)).sum();
        let mean = if is_centred { sum / n } else { 0.0 };
        let squares: f64 = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum();
        let factor = 1.0 / (squares / n + f64::from(EPS)).sqrt();
        normed.extend(row.iter().zip(weight).enumerate().map(|(c, (&x, &w))| {
            let bias = bias.map_or(0.0, |bias| f64::from(bias[c]));
            ((f64::from(x) - mean) * factor * f64::from(w) + bias) as f32
        }));
    }
    normed
}

#[track_caller]
fn check(n_rows: usize, d: usize) {
    // A mean that LayerNorm must take off.
    let x: Vec<f32> = normal(1, n_rows * d).iter().map(|x| x + 0.7).collect();
    let (weight, bias) = (normal(3, d), normal(4, d));
    for gpu in devices() {
        for (is_centred, has_bias) in [(false, false), (true, true), (true, false), (false, true)] {
            let bias = has_bias.then_some(bias.as_slice());
            check_norm(&gpu, &x, &weight, bias, is_centred);
        }
        check_add_rms_norm(&gpu, &x, &weight);
    }
}

#[track_caller]
fn check_norm(gpu: &Gpu, x: &[f32], weight: &[f32], bias: Option<&[f32]>, is_centred: bool) {
    let d = weight.len();
    let n_rows = x.len() / d;
    let biases = bias.is_some();
    let case = format!(
        "{n_rows} by {d}, centred {is_centred}, biased {biases}, {}",
        gpu.profile().name()
    );
    let bias_buffer = bias.map(|bias| floats(gpu, "bias", bias));
    let out = unwritten(gpu, "out", n_rows * d);
    let op = Norm {
        x: &floats(gpu, "x", x),
        weights: NormWeights {
            weight: &floats(gpu, "weight", weight),
            bias: bias_buffer.as_ref(),
            is_centred,
            eps: EPS,
        },
        out: &out,
        added: None,
        d,
        first_row: 0,
        n_rows,
    };
    let want = oracle(x, weight, bias, is_centred);
    run(gpu, &[norm(gpu, "norm", &op).unwrap()]);
    assert_close(&values(gpu, &out), &want, TOLERANCE, &case);

    let last = unwritten(gpu, "last", d);
    let of_last = Norm {
        out: &last,
        first_row: n_rows - 1,
        n_rows: 1,
        ..op
    };
    run(gpu, &[norm(gpu, "last norm", &of_last).unwrap()]);
    assert_close(
        &values(gpu, &last),
        &want[(n_rows - 1) * d..],
        TOLERANCE,
        &case,
    );

    let before = normal(5, n_rows * d);
    let sum = floats(gpu, "sum", &before);
    let added = Norm {
        out: &sum,
        added: Some(SCALE),
        ..op
    };
    run(gpu, &[norm(gpu, "norm after", &added).unwrap()]);
    let want = before
        .iter()
        .zip(&want)
        .map(|(x, normed)| x + SCALE * normed);
    let want: Vec<f32> = want.collect();
    assert_close(&values(gpu, &sum), &want, TOLERANCE, &case);
}

#[track_caller]
fn check_add_rms_norm(gpu: &Gpu, x: &[f32], weight: &[f32]) {
    let d = weight.len();
    let n_tokens = x.len() / d;
    let case = format!("{n_tokens} by {d}, {}", gpu.profile().name());
    let delta = normal(2, x.len());
    let sum: Vec<f32> = x.iter().zip(&delta).map(|(x, delta)| x + delta).collect();
    let x_buffer = floats(gpu, "x", x);
    let out = unwritten(gpu, "out", x.len());
    let op = AddRmsNorm {
        x: &x_buffer,
        delta: &floats(gpu, "delta", &delta),
        weight: &floats(gpu, "weight", weight),
        out: &out,
        n_tokens,
        d,
        eps: EPS,
    };
    run(gpu, &[add_rms_norm(gpu, "add norm", &op).unwrap()]);
    let want = oracle(&sum, weight, None, false);
    assert_close(&values(gpu, &out), &want, TOLERANCE, &case);
    assert_close(&values(gpu, &x_buffer), &sum, 0.0, &case);
}

#[test]
fn one_element() {
    check(1, 1);
}

#[test]
fn widths_that_fill_no_workgroup() {
    check(3, 7);
    check(2, 257);
}

#[test]
fn a_row_of_equal_values() {
    for gpu in devices() {
        for (value, is_centred) in [(0.0, false), (0.0, true), (3.0, true)] {
            check_norm(&gpu, &[value; 64], &[1.0; 64], None, is_centred);
        }
    }
}

#[test]
fn the_shapes_of_llama_3_1_8b_and_phi_2() {
    check(5, 4096);
    check(2, 2560);
}

#[test]
fn what_does_not_fit_is_refused() {
    for gpu in devices() {
        let [x, short] = [8, 3].map(|n| floats(&gpu, "x", &vec![0.0; n]));
        let weights = NormWeights {
            weight: &x,
            bias: None,
            is_centred: false,
            eps: EPS,
        };
        let op = Norm {
            x: &x,
            weights,
            out: &unwritten(&gpu, "out", 8),
            added: None,
            d: 4,
            first_row: 1,
            n_rows: 1,
        };
        assert!(norm(&gpu, "norm", &op).is_ok());
        let biased = NormWeights {
            bias: Some(&short),
            ..weights
        };
        let bad = [
            Norm { first_row: 2, ..op },
            Norm { out: &short, ..op },
            Norm { d: 0, ..op },
            Norm {
                weights: biased,
                ..op
            },
        ];
        for bad in bad {
            assert!(norm(&gpu, "norm", &bad).is_err());
        }
    }
}
