//! soft_cap against the scalar formula.

use veneer_core::gpu::ops::{SoftCap, soft_cap};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run},
};

/// A tangent on the device.
const TOLERANCE: f32 = 5e-6;

#[track_caller]
fn check(x: &[f32], cap: f32) {
    // There are no variants for profiles.
    for gpu in devices().into_iter().take(1) {
        // The last value is none of those that are bent.
        let buffer = floats(&gpu, "x", &[x, &[100.0]].concat());
        let op = SoftCap {
            x: &buffer,
            cap,
            n: x.len(),
        };
        run(&gpu, &[soft_cap(&gpu, "cap", &op).unwrap()]);
        let bent = |x: &f32| (f64::from(cap) * (f64::from(*x) / f64::from(cap)).tanh()) as f32;
        let want: Vec<f32> = x.iter().map(bent).chain([100.0]).collect();
        let got = values(&gpu, &buffer);
        assert_close(
            &got[..x.len()],
            &want[..x.len()],
            TOLERANCE,
            &format!("{cap}"),
        );
        assert_eq!(got[x.len()], 100.0);
    }
}

#[test]
fn one_value() {
    check(&[1.0], 2.0);
}

#[test]
fn values_that_fill_no_workgroup() {
    let x: Vec<f32> = normal(1, 1000).iter().map(|x| 40.0 * x).collect();
    check(&x, 30.0);
}

#[test]
fn values_far_beyond_the_cap_reach_it() {
    check(&[1e6, -1e6, 449.0, -451.0, 0.0], 30.0);
}

#[test]
fn the_vocabulary_of_gemma_2() {
    let x: Vec<f32> = normal(2, 256_000).iter().map(|x| 20.0 * x).collect();
    check(&x, 30.0);
}
