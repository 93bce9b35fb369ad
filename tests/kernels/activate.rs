//! activate against the scalar formulas, the error function by its series in f64.

use std::f64::consts::{FRAC_2_SQRT_PI, PI, SQRT_2};

use veneer_core::gpu::ops::{Activate, Activation, activate};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run, unwritten},
};

/// An exponential and a division on the device; the error function is within 1.5e-7 there.
const TOLERANCE: f32 = 2e-6;

const ALL: [Activation; 4] = [
    Activation::Silu,
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Relu,
];

/// `2/√π · Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n+1))`, one beyond 6.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut power, mut sum) = (x, x);
    for n in 1..200 {
        power *= -x * x / f64::from(n);
        sum += power / f64::from(2 * n + 1);
    }
    FRAC_2_SQRT_PI * sum
}

fn activated(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / SQRT_2)),
        Activation::GeluTanh => {
            let u = (2.0 / PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + u.tanh())
        }
        Activation::Relu => x.max(0.0),
    }
}

fn oracle(activation: Activation, is_gated: bool, x: &[f32], f: usize) -> Vec<f32> {
    let of = |x: f32| activated(activation, f64::from(x));
    if !is_gated {
        return x.iter().map(|&x| of(x) as f32).collect();
    }
    x.chunks(2 * f)
        .flat_map(|row| {
            let (gate, up) = row.split_at(f);
            gate.iter()
                .zip(up)
                .map(|(&gate, &up)| (of(gate) * f64::from(up)) as f32)
        })
        .collect()
}

#[track_caller]
fn check(x: &[f32], n_tokens: usize, f: usize) {
    for gpu in devices() {
        for activation in ALL {
            for is_gated in [true, false] {
                let x = if is_gated { x } else { &x[..n_tokens * f] };
                let buffer = floats(&gpu, "x", x);
                let a = unwritten(&gpu, "a", n_tokens * f);
                let op = Activate {
                    activation,
                    is_gated,
                    x: &buffer,
                    a: &a,
                    n_tokens,
                    f,
                };
                run(&gpu, &[activate(&gpu, "activation", &op).unwrap()]);
                let case = format!("{activation:?}, {is_gated}, {n_tokens} by {f}");
                let want = oracle(activation, is_gated, x, f);
                assert_close(&values(&gpu, &a), &want, TOLERANCE, &case);
            }
        }
    }
}

#[test]
fn one_element() {
    check(&[0.5, -2.0], 1, 1);
}

#[test]
fn a_width_that_fills_no_workgroup() {
    check(&normal(1, 3 * 2 * 301), 3, 301);
}

/// Every activation is near zero or near its input there.
#[test]
fn values_beyond_the_range_of_the_exponential() {
    for x in [
        -1e4, -200.0, -89.0, -80.0, -13.0, -6.0, 6.0, 80.0, 200.0, 1e4, 0.0,
    ] {
        check(&[x, 1.0, 1.0, 1.0], 1, 2);
    }
}

#[test]
fn a_fine_row_of_values_around_zero() {
    let x: Vec<f32> = (-600..600).map(|i| i as f32 / 100.0).collect();
    check(&[x.clone(), vec![1.0; x.len()]].concat(), 1, x.len());
}

#[test]
fn the_shape_of_llama_3_2_1b() {
    check(&normal(2, 2 * 2 * 8192), 2, 8192);
}

#[test]
fn what_is_too_short_is_refused() {
    for gpu in devices() {
        let x = floats(&gpu, "x", &[0.0; 7]);
        let op = Activate {
            activation: Activation::Gelu,
            is_gated: true,
            x: &x,
            a: &unwritten(&gpu, "a", 4),
            n_tokens: 1,
            f: 4,
        };
        assert!(activate(&gpu, "activation", &op).is_err());
        let plain = Activate {
            is_gated: false,
            ..op
        };
        assert!(activate(&gpu, "activation", &plain).is_ok());
    }
}
