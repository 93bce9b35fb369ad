//! rms_norm and add_rms_norm against the scalar formula.

use veneer_core::gpu::ops::{AddRmsNorm, RmsNorm, add_rms_norm, rms_norm};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run, unwritten},
};

/// Sums of up to some thousand squares in f32, in another order than the oracle's.
const TOLERANCE: f32 = 5e-6;
const EPS: f32 = 1e-5;

fn oracle(x: &[f32], weight: &[f32]) -> Vec<f32> {
    x.chunks(weight.len())
        .flat_map(|row| {
            let squares: f64 = row.iter().map(|&x| f64::from(x).powi(2)).sum();
            let factor = 1.0 / (squares / row.len() as f64 + f64::from(EPS)).sqrt();
            row.iter()
                .zip(weight)
                .map(move |(&x, &w)| (f64::from(x) * factor * f64::from(w)) as f32)
        })
        .collect()
}

#[track_caller]
fn check(n_rows: usize, d: usize) {
    let x = normal(1, n_rows * d);
    let delta = normal(2, n_rows * d);
    let weight = normal(3, d);
    let sum: Vec<f32> = x.iter().zip(&delta).map(|(x, delta)| x + delta).collect();
    for gpu in devices() {
        let case = format!("{n_rows} by {d}, {}", gpu.profile().name());
        let buffers = [("x", &x), ("delta", &delta), ("weight", &weight)];
        let [x_buffer, delta_buffer, weight_buffer] =
            buffers.map(|(label, values)| floats(&gpu, label, values));
        let out = unwritten(&gpu, "out", n_rows * d);
        let op = RmsNorm {
            x: &x_buffer,
            weight: &weight_buffer,
            out: &out,
            d,
            first_row: 0,
            n_rows,
            eps: EPS,
        };
        run(&gpu, &[rms_norm(&gpu, "norm", &op).unwrap()]);
        assert_close(&values(&gpu, &out), &oracle(&x, &weight), TOLERANCE, &case);

        let last = unwritten(&gpu, "last", d);
        let op = RmsNorm {
            out: &last,
            first_row: n_rows - 1,
            n_rows: 1,
            ..op
        };
        run(&gpu, &[rms_norm(&gpu, "last norm", &op).unwrap()]);
        let expected = oracle(&x[(n_rows - 1) * d..], &weight);
        assert_close(&values(&gpu, &last), &expected, TOLERANCE, &case);

        let op = AddRmsNorm {
            x: &x_buffer,
            delta: &delta_buffer,
            weight: &weight_buffer,
            out: &out,
            n_tokens: n_rows,
            d,
            eps: EPS,
        };
        run(&gpu, &[add_rms_norm(&gpu, "add norm", &op).unwrap()]);
        assert_close(
            &values(&gpu, &out),
            &oracle(&sum, &weight),
            TOLERANCE,
            &case,
        );
        assert_close(&values(&gpu, &x_buffer), &sum, 0.0, &case);
    }
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
fn a_row_of_zeros_stays_zero() {
    for gpu in devices() {
        let x = floats(&gpu, "x", &[0.0; 64]);
        let weight = floats(&gpu, "weight", &[1.0; 64]);
        let out = unwritten(&gpu, "out", 64);
        let op = RmsNorm {
            x: &x,
            weight: &weight,
            out: &out,
            d: 64,
            first_row: 0,
            n_rows: 1,
            eps: EPS,
        };
        run(&gpu, &[rms_norm(&gpu, "norm", &op).unwrap()]);
        assert_eq!(values(&gpu, &out), [0.0; 64]);
    }
}

#[test]
fn the_shape_of_llama_3_1_8b() {
    check(5, 4096);
}

#[test]
fn a_row_beyond_the_buffer_is_refused() {
    for gpu in devices() {
        let x = floats(&gpu, "x", &[0.0; 8]);
        let op = RmsNorm {
            x: &x,
            weight: &x,
            out: &x,
            d: 4,
            first_row: 2,
            n_rows: 1,
            eps: EPS,
        };
        assert!(rms_norm(&gpu, "norm", &op).is_err());
    }
}
