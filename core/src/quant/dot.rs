//! Scalar products with quantized rows: what a kernel must reproduce.
//!
//! Two ways, as engines have two: with f32 activations (`sum d q x`), and with activations cut
//! into Q8_0 blocks so that products are of integers (`sum d_w d_x (q_w . q_x)`, ggml's
//! `vec_dot_q4_0_q8_0` and `vec_dot_q8_0_q8_0`).

use super::{
    format::{BLOCK_LEN, Format, QuantError},
    q4_0, q4_k, q6_k, q8_0,
};

/// `row · x` with the row in `format` and `x` in f32.
///
/// # Errors
/// [`QuantError::ByteLength`] where the row's bytes do not hold `x.len()` values.
pub fn dot(format: Format, row: &[u8], x: &[f32]) -> Result<f32, QuantError> {
    check_row(format, row, x.len())?;
    Ok(match format {
        Format::Q8_0 => blocks(row, x, q8_0::parts),
        Format::Q4_0 => blocks(row, x, q4_0::parts),
        Format::Q4K => q4_k_blocks(row, x),
        Format::Q6K => q6_k_blocks(row, x),
        Format::F32 | Format::F16 | Format::Bf16 => {
            let row = format.dequantize(row)?;
            row.iter().zip(x).map(|(w, x)| w * x).sum()
        }
    })
}

/// `row · x` with both in blocks: the row in `format`, `x` in Q8_0.
///
/// # Errors
/// [`QuantError::ByteLength`] where the two do not hold the same number of whole blocks.
pub fn dot_quantized(format: Format, row: &[u8], x_q8_0: &[u8]) -> Result<f32, QuantError> {
    let n_values = x_q8_0.len() / q8_0::BLOCK_BYTES * BLOCK_LEN;
    check_row(Format::Q8_0, x_q8_0, n_values)?;
    check_row(format, row, n_values)?;
    match format {
        Format::Q8_0 => Ok(integer_blocks(row, x_q8_0, q8_0::parts)),
        Format::Q4_0 => Ok(integer_blocks(row, x_q8_0, q4_0::parts)),
        Format::Q4K => Ok(integer_q4_k_blocks(row, x_q8_0)),
        Format::Q6K => Ok(integer_q6_k_blocks(row, x_q8_0)),
        Format::F32 | Format::F16 | Format::Bf16 => {
            dot(format, row, &Format::Q8_0.dequantize(x_q8_0)?)
        }
    }
}

/// `W x` for `W` `[rows, x.len()]` in `format`.
///
/// # Errors
/// [`QuantError::RowLength`] where rows are no whole blocks, [`QuantError::ByteLength`] where
/// the bytes end inside a row.
pub fn matvec(format: Format, weight: &[u8], x: &[f32]) -> Result<Vec<f32>, QuantError> {
    let row_bytes = format.n_bytes(x.len()).filter(|bytes| *bytes > 0);
    let row_bytes = row_bytes.ok_or(QuantError::RowLength {
        len: x.len(),
        format: format.name(),
        block_len: format.block_len(),
    })?;
    weight
        .chunks(row_bytes)
        .map(|row| dot(format, row, x))
        .collect()
}

fn check_row(format: Format, row: &[u8], n_values: usize) -> Result<(), QuantError> {
    if format.n_bytes(n_values) == Some(row.len()) {
        Ok(())
    } else {
        Err(QuantError::ByteLength {
            len: row.len(),
            format: format.name(),
            block_bytes: format.block_bytes(),
        })
    }
}

fn blocks<const N: usize>(
    row: &[u8],
    x: &[f32],
    parts: fn(&[u8; N]) -> (f32, [i8; BLOCK_LEN]),
) -> f32 {
    let values = x.as_chunks::<BLOCK_LEN>().0;
    let row = row.as_chunks::<N>().0;
    row.iter()
        .zip(values)
        .map(|(block, x)| {
            let (scale, quants) = parts(block);
            let sum: f32 = quants.iter().zip(x).map(|(q, x)| f32::from(*q) * x).sum();
            scale * sum
        })
        .sum()
}

fn integer_blocks<const N: usize>(
    row: &[u8],
    x: &[u8],
    parts: fn(&[u8; N]) -> (f32, [i8; BLOCK_LEN]),
) -> f32 {
    let row = row.as_chunks::<N>().0;
    let x = x.as_chunks::<{ q8_0::BLOCK_BYTES }>().0;
    row.iter()
        .zip(x)
        .map(|(w, x)| {
            let (w_scale, w) = parts(w);
            let (x_scale, x) = q8_0::parts(x);
            let products = w.iter().zip(&x).map(|(w, x)| i32::from(*w) * i32::from(*x));
            products.sum::<i32>() as f32 * (w_scale * x_scale)
        })
        .sum()
}

/// `sum scale (q . x) - min (sum x)` over sub-blocks.
fn q4_k_blocks(row: &[u8], x: &[f32]) -> f32 {
    let subs = row.as_chunks().0.iter().flat_map(q4_k::sub_blocks);
    let values = x.as_chunks::<{ q4_k::SUB_LEN }>().0;
    subs.zip(values)
        .map(|(sub, x)| {
            let products: f32 = sub
                .quants
                .iter()
                .zip(x)
                .map(|(q, x)| f32::from(*q) * x)
                .sum();
            sub.scale * products - sub.min * x.iter().sum::<f32>()
        })
        .sum()
}

fn q6_k_blocks(row: &[u8], x: &[f32]) -> f32 {
    let subs = row.as_chunks().0.iter().flat_map(q6_k::sub_blocks);
    let values = x.as_chunks::<{ q6_k::SUB_LEN }>().0;
    subs.zip(values)
        .map(|(sub, x)| {
            let products: f32 = sub
                .quants
                .iter()
                .zip(x)
                .map(|(q, x)| f32::from(*q) * x)
                .sum();
            sub.scale * products
        })
        .sum()
}

/// A sub-block of Q4_K is as long as a block of Q8_0.
fn integer_q4_k_blocks(row: &[u8], x: &[u8]) -> f32 {
    let subs = row.as_chunks().0.iter().flat_map(q4_k::sub_blocks);
    let x = x.as_chunks::<{ q8_0::BLOCK_BYTES }>().0;
    subs.zip(x)
        .map(|(sub, x)| {
            let (x_scale, x) = q8_0::parts(x);
            let products = sub.quants.iter().zip(&x);
            let products: i32 = products.map(|(q, x)| i32::from(*q) * i32::from(*x)).sum();
            let sum: i32 = x.iter().map(|x| i32::from(*x)).sum();
            x_scale * (sub.scale * products as f32 - sub.min * sum as f32)
        })
        .sum()
}

/// Two sub-blocks of Q6_K share a block of Q8_0.
fn integer_q6_k_blocks(row: &[u8], x: &[u8]) -> f32 {
    let subs = row.as_chunks().0.iter().flat_map(q6_k::sub_blocks);
    let x = x.as_chunks::<{ q8_0::BLOCK_BYTES }>().0;
    let halves = x.iter().flat_map(|x| {
        let (scale, x) = q8_0::parts(x);
        let (low, high) = x.split_at(q6_k::SUB_LEN);
        [(scale, low.to_vec()), (scale, high.to_vec())]
    });
    subs.zip(halves)
        .map(|(sub, (x_scale, x))| {
            let products = sub.quants.iter().zip(&x);
            let products: i32 = products.map(|(q, x)| i32::from(*q) * i32::from(*x)).sum();
            x_scale * sub.scale * products as f32
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f32 sums of a few hundred products in another order.
    const SUM_TOLERANCE: f64 = 1e-5;

    fn wave(n: usize, step: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * step).sin()).collect()
    }

    fn exact(a: &[f32], b: &[f32]) -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    }

    #[track_caller]
    fn check(n: usize) {
        let x = wave(n, 0.37);
        for format in Format::ALL {
            if !n.is_multiple_of(format.block_len()) {
                continue;
            }
            let row = format.quantize(&wave(n, 1.3)).unwrap();
            let weights = format.dequantize(&row).unwrap();
            let got = dot(format, &row, &x).unwrap();
            let want = exact(&weights, &x);
            assert!((f64::from(got) - want).abs() < SUM_TOLERANCE * n as f64);

            let x_q8_0 = Format::Q8_0.quantize(&x).unwrap();
            let got = dot_quantized(format, &row, &x_q8_0).unwrap();
            let want = exact(&weights, &Format::Q8_0.dequantize(&x_q8_0).unwrap());
            assert!((f64::from(got) - want).abs() < SUM_TOLERANCE * n as f64);
        }
    }

    #[test]
    fn one_block() {
        check(32);
    }

    #[test]
    fn one_block_of_the_k_formats() {
        check(256);
    }

    #[test]
    fn a_row_of_a_real_model() {
        check(896);
        check(2048);
    }

    #[test]
    fn matvec_is_dot_for_each_row() {
        let x = wave(64, 0.2);
        let weight = Format::Q4_0.quantize(&wave(64 * 3, 0.9)).unwrap();
        let rows = matvec(Format::Q4_0, &weight, &x).unwrap();
        let row_bytes = weight.len() / 3;
        for (got, row) in rows.iter().zip(weight.chunks(row_bytes)) {
            assert_eq!(*got, dot(Format::Q4_0, row, &x).unwrap());
        }
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn lengths_that_disagree_are_errors() {
        let row = Format::Q8_0.quantize(&[1.0; 64]).unwrap();
        assert!(dot(Format::Q8_0, &row, &[1.0; 32]).is_err());
        assert!(dot_quantized(Format::Q8_0, &row, &row[..34]).is_err());
        assert!(dot_quantized(Format::Q8_0, &row, &row[..35]).is_err());
        assert!(matvec(Format::Q8_0, &row[..50], &[1.0; 32]).is_err());
        assert!(matvec(Format::Q8_0, &row, &[1.0; 31]).is_err());
        assert!(matvec(Format::Q8_0, &row, &[]).is_err());
    }
}
