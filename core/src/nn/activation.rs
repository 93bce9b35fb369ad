//! Activations of feed-forward layers.
//!
//! Both forms of GELU are written out: their gradients are then those of the formula, where burn's
//! own backward pass of the form with the error function is an approximation.

use burn::tensor::{
    Tensor,
    activation::{relu, silu},
};

use crate::arch::Activation;

/// `f(x)`, element by element.
pub fn activate(activation: Activation, x: Tensor<3>) -> Tensor<3> {
    match activation {
        Activation::Silu => silu(x),
        Activation::Relu => relu(x),
        Activation::Gelu => {
            let erf = x.clone().mul_scalar(std::f64::consts::FRAC_1_SQRT_2).erf();
            x.mul_scalar(0.5) * erf.add_scalar(1.0)
        }
        Activation::GeluTanh => {
            const SQRT_2_OVER_PI: f64 =
                std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2;
            let cubed = x.clone().square() * x.clone();
            let inner = (x.clone() + cubed.mul_scalar(0.044_715)).mul_scalar(SQRT_2_OVER_PI);
            x.mul_scalar(0.5) * inner.tanh().add_scalar(1.0)
        }
    }
}

/// `cap · tanh(x / cap)`
pub fn soft_cap<const D: usize>(x: Tensor<D>, cap: f64) -> Tensor<D> {
    x.div_scalar(cap).tanh().mul_scalar(cap)
}
