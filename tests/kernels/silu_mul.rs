//! silu_mul against the scalar formula.

use veneer_core::gpu::ops::{SiluMul, silu_mul};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run, unwritten},
};

/// An exponential and a division on the device.
const TOLERANCE: f32 = 2e-6;

fn oracle(gate_up: &[f32], f: usize) -> Vec<f32> {
    gate_up
        .chunks(2 * f)
        .flat_map(|row| {
            let (gate, up) = row.split_at(f);
            gate.iter().zip(up).map(|(&gate, &up)| {
                let gate = f64::from(gate);
                (gate / (1.0 + (-gate).exp()) * f64::from(up)) as f32
            })
        })
        .collect()
}

#[track_caller]
fn check(gate_up: &[f32], n_tokens: usize, f: usize) {
    for gpu in devices() {
        let buffer = floats(&gpu, "gate_up", gate_up);
        let a = unwritten(&gpu, "a", n_tokens * f);
        let op = SiluMul {
            gate_up: &buffer,
            a: &a,
            n_tokens,
            f,
        };
        run(&gpu, &[silu_mul(&gpu, "silu", &op).unwrap()]);
        let case = format!("{n_tokens} by {f}");
        assert_close(&values(&gpu, &a), &oracle(gate_up, f), TOLERANCE, &case);
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

#[test]
fn gates_beyond_the_range_of_the_exponential() {
    for gate in [-1e4, -200.0, -89.0, -80.0, 80.0, 200.0, 1e4, 0.0] {
        check(&[gate, 1.0, 1.0, 1.0], 1, 2);
    }
}

#[test]
fn the_shape_of_llama_3_2_1b() {
    check(&normal(2, 2 * 2 * 8192), 2, 8192);
}
