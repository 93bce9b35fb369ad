//! lora_up against the scalar product.

use half::f16;
use veneer_core::{
    gpu::ops::{LoraSegment, LoraUp, LoraUpWeights, lora_up},
    quant::Format,
};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run},
};

/// Sums of up to 64 products in f32.
const TOLERANCE: f32 = 5e-6;
/// Of all segments.
const SCALE: f32 = 0.5;

/// `(column, n_columns, u_column, rank, scale)`
type Part = (usize, usize, usize, usize, f32);

#[track_caller]
fn check(n_tokens: usize, u_stride: usize, y_stride: usize, parts: &[Part]) {
    let u = normal(1, n_tokens * u_stride);
    let y = normal(2, n_tokens * y_stride);
    let bs: Vec<Vec<f32>> = parts
        .iter()
        .zip(3..)
        .map(|(&(_, n_columns, _, rank, _), seed)| normal(seed, n_columns * rank))
        .collect();
    for gpu in devices() {
        for format in [Format::F32, Format::F16] {
            let mut expected = y.clone();
            for (&(column, n_columns, u_column, rank, scale), b) in parts.iter().zip(&bs) {
                for token in 0..n_tokens {
                    for n in 0..n_columns {
                        let product = (0..rank).map(|j| {
                            let b = match format {
                                Format::F16 => f16::from_f32(b[n * rank + j]).to_f32(),
                                _ => b[n * rank + j],
                            };
                            f64::from(b) * f64::from(u[token * u_stride + u_column + j])
                        });
                        let update = f64::from(SCALE * scale) * product.sum::<f64>();
                        expected[token * y_stride + column + n] += update as f32;
                    }
                }
            }

            let segments: Vec<LoraSegment<'_>> = parts
                .iter()
                .zip(&bs)
                .map(
                    |(&(column, n_columns, u_column, rank, scale), b)| LoraSegment {
                        column,
                        n_columns,
                        u_column,
                        rank,
                        scale,
                        b,
                    },
                )
                .collect();
            let weights = LoraUpWeights::upload(&gpu, "b", format, &segments).unwrap();
            let y_buffer = floats(&gpu, "y", &y);
            let op = LoraUp {
                weights: &weights,
                u: &floats(&gpu, "u", &u),
                u_stride,
                y: &y_buffer,
                y_stride,
                scale: SCALE,
                n_tokens,
            };
            run(&gpu, &[lora_up(&gpu, "lora", &op).unwrap()]);
            let case = format!("{n_tokens} tokens, {parts:?}, {}", format.name());
            assert_close(&values(&gpu, &y_buffer), &expected, TOLERANCE, &case);
        }
    }
}

#[test]
fn one_element() {
    check(1, 1, 1, &[(0, 1, 0, 1, 2.0)]);
}

#[test]
fn odd_columns_and_a_slice_of_wider_rows() {
    check(5, 7, 20, &[(3, 13, 2, 3, 0.5)]);
}

#[test]
fn segments_of_different_ranks_share_their_input() {
    let parts = [
        (0, 33, 0, 4, 2.0),
        (33, 5, 4, 8, -1.0),
        (40, 6, 12, 1, 0.25),
    ];
    for n_tokens in [1, 4, 6] {
        check(n_tokens, 13, 50, &parts);
    }
}

#[test]
fn the_shape_of_qwen2_5_0_5b() {
    let parts = [
        (0, 896, 0, 16, 2.0),
        (896, 128, 16, 16, 2.0),
        (1024, 128, 32, 16, 2.0),
    ];
    check(2, 48, 1152, &parts);
}

/// A zero of padding added to -0 would make it 0.
#[test]
fn columns_beside_a_segment_stay_as_they_are() {
    for gpu in devices() {
        let segment = LoraSegment {
            column: 0,
            n_columns: 3,
            u_column: 0,
            rank: 1,
            scale: 1.0,
            b: &[1.0; 3],
        };
        let y = floats(&gpu, "y", &[-0.0; 4]);
        let op = LoraUp {
            weights: &LoraUpWeights::upload(&gpu, "b", Format::F32, &[segment]).unwrap(),
            u: &floats(&gpu, "u", &[1.0]),
            u_stride: 1,
            y: &y,
            y_stride: 4,
            scale: 1.0,
            n_tokens: 1,
        };
        run(&gpu, &[lora_up(&gpu, "lora", &op).unwrap()]);
        let bits: Vec<u32> = values(&gpu, &y).into_iter().map(f32::to_bits).collect();
        assert_eq!(bits, [1.0f32, 1.0, 1.0, -0.0].map(f32::to_bits));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for gpu in devices() {
        let segment = LoraSegment {
            column: 2,
            n_columns: 2,
            u_column: 0,
            rank: 2,
            scale: 1.0,
            b: &[1.0; 4],
        };
        let upload = |segment| LoraUpWeights::upload(&gpu, "b", Format::F32, &[segment]);
        assert!(upload(LoraSegment { rank: 3, ..segment }).is_err());
        assert!(LoraUpWeights::upload(&gpu, "b", Format::Q8_0, &[segment]).is_err());
        let op = LoraUp {
            weights: &upload(segment).unwrap(),
            u: &floats(&gpu, "u", &[0.0; 2]),
            u_stride: 2,
            y: &floats(&gpu, "y", &[0.0; 4]),
            y_stride: 4,
            scale: 1.0,
            n_tokens: 1,
        };
        assert!(lora_up(&gpu, "lora", &op).is_ok());
        assert!(lora_up(&gpu, "lora", &LoraUp { y_stride: 3, ..op }).is_err());
        assert!(lora_up(&gpu, "lora", &LoraUp { n_tokens: 2, ..op }).is_err());
    }
}
