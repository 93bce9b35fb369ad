//! The activations of feed-forward layers.

use std::f64::consts::FRAC_2_SQRT_PI;

use crate::arch::Activation;

/// Applies an activation to every value.
pub(super) fn activate(activation: Activation, x: &mut [f32]) {
    let apply: fn(f32) -> f32 = match activation {
        Activation::Silu => |x| x / (1.0 + (-x).exp()),
        Activation::Gelu => |x| (0.5 * f64::from(x) * (1.0 + erf(f64::from(x) / SQRT_2))) as f32,
        Activation::GeluTanh => gelu_tanh,
        Activation::Relu => |x| x.max(0.0),
    };
    x.iter_mut().for_each(|x| *x = apply(*x));
}

const SQRT_2: f64 = std::f64::consts::SQRT_2;

fn gelu_tanh(x: f32) -> f32 {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    0.5 * x * (1.0 + (SQRT_2_OVER_PI * (x + 0.044_715 * x * x * x)).tanh())
}

/// Where the series gives way to one, in f64: erf(6) is 1 up to 2e-17.
const FLAT: f64 = 6.0;

/// `2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1))`, whose terms are all positive.
fn erf(x: f64) -> f64 {
    if x.abs() > FLAT {
        return x.signum();
    }
    let square = x * x;
    let (mut term, mut sum) = (x, x);
    let mut odd = 1.0;
    while term.abs() > sum.abs() * f64::EPSILON {
        odd += 2.0;
        term *= 2.0 * square / odd;
        sum += term;
    }
    FRAC_2_SQRT_PI * (-square).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_is_that_of_tables() {
        for (x, want) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (-1.0, -0.842_700_792_949_714_9),
            (2.5, 0.999_593_047_982_555),
            (5.9, 1.0),
            (40.0, 1.0),
        ] {
            assert!((erf(x) - want).abs() < 1e-14, "{x}: {}", erf(x));
        }
    }

    #[test]
    fn activations_are_those_of_torch() {
        // torch 2.15, f32: silu, gelu, gelu(approximate="tanh"), relu at -1.5 and 0.75.
        for (activation, want) in [
            (Activation::Silu, [-0.273_638_1, 0.509_384_3]),
            (Activation::Gelu, [-0.100_210_8, 0.580_029_4]),
            (Activation::GeluTanh, [-0.100_428_4, 0.579_960_6]),
            (Activation::Relu, [0.0, 0.75]),
        ] {
            let mut x = [-1.5, 0.75];
            activate(activation, &mut x);
            for (got, want) in x.iter().zip(want) {
                assert!((got - want).abs() < 1e-6, "{activation:?}: {got} {want}");
            }
        }
    }
}
