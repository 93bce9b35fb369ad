//! add against the sum.

use veneer_core::gpu::ops::{Add, add};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run},
};

#[test]
fn adds_what_is_asked_and_nothing_more() {
    for gpu in devices() {
        for n in [1, 255, 257, 70_001] {
            let x = normal(1, n + 3);
            let y = normal(2, n + 3);
            let mut expected = y.clone();
            for (y, x) in expected.iter_mut().zip(&x).take(n) {
                *y += x;
            }

            let (x, y) = (floats(&gpu, "x", &x), floats(&gpu, "y", &y));
            run(&gpu, &[add(&gpu, "add", &Add { x: &x, y: &y, n }).unwrap()]);
            assert_close(&values(&gpu, &y), &expected, 0.0, &format!("{n}"));
        }
    }
}

#[test]
fn a_short_buffer_is_refused() {
    for gpu in devices() {
        let (x, y) = (floats(&gpu, "x", &[0.0; 3]), floats(&gpu, "y", &[0.0; 4]));
        let error = add(&gpu, "add", &Add { x: &x, y: &y, n: 4 }).err().unwrap();
        assert!(error.to_string().contains("`x`"), "{error}");
    }
}
