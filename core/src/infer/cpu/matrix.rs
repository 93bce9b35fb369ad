//! A weight matrix in its block format, and its product with activations.

use super::{
    decode::{PIECE, decode},
    widest::widest,
};
use crate::{
    quant::Format,
    weights::{LoadError, PackedSource},
};

/// Sums that run beside each other, so that the compiler can keep them in vector registers.
const LANES: usize = 16;

/// `[n_rows, n_cols]`, row major.
#[derive(Debug, Clone)]
pub(super) struct Matrix {
    format: Format,
    n_rows: usize,
    n_cols: usize,
    row_bytes: usize,
    bytes: Vec<u8>,
}

impl Matrix {
    /// Reads a matrix and compares its shape and length.
    pub(super) fn load(
        source: &dyn PackedSource,
        name: &str,
        [n_rows, n_cols]: [usize; 2],
    ) -> Result<Self, LoadError> {
        let tensor = source.packed(name)?;
        let row_bytes = tensor.format.n_bytes(n_cols);
        let n_bytes = row_bytes.and_then(|bytes| bytes.checked_mul(n_rows));
        match row_bytes {
            Some(row_bytes)
                if tensor.shape == [n_rows, n_cols] && n_bytes == Some(tensor.bytes.len()) =>
            {
                Ok(Self {
                    format: tensor.format,
                    n_rows,
                    n_cols,
                    row_bytes,
                    bytes: tensor.bytes.into_owned(),
                })
            }
            _ => Err(LoadError::Shape {
                name: name.to_owned(),
                expected: vec![n_rows, n_cols],
                found: tensor.shape,
            }),
        }
    }

    pub(super) fn n_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn row(&self, row: usize) -> &[u8] {
        let from = row * self.row_bytes;
        self.bytes
            .get(from..from + self.row_bytes)
            .unwrap_or_default()
    }

    /// One row as f32.
    pub(super) fn row_values(&self, row: usize) -> Vec<f32> {
        let mut values = vec![0.0; self.n_cols];
        for (piece, values) in values.chunks_mut(PIECE).enumerate() {
            decode(self.format, self.row(row), piece * PIECE, values);
        }
        values
    }

    /// `y = W x` for every token. `x: [t, n_cols] -> [t, n_rows]`
    pub(super) fn product(&self, x: &[f32]) -> Vec<f32> {
        widest(
            #[inline(always)]
            || self.product_here(x),
        )
    }

    /// Inlined, and what it calls too, so that it is compiled anew for each instruction set.
    #[inline(always)]
    fn product_here(&self, x: &[f32]) -> Vec<f32> {
        let t = x.len() / self.n_cols;
        let mut y = vec![0.0; t * self.n_rows];
        let mut weights = [0.0; PIECE];
        let mut sums = vec![[0.0; LANES]; t];
        for row in 0..self.n_rows {
            sums.fill([0.0; LANES]);
            let mut start = 0;
            while start < self.n_cols {
                let weights = &mut weights[..PIECE.min(self.n_cols - start)];
                decode(self.format, self.row(row), start, weights);
                for (sums, x) in sums.iter_mut().zip(x.chunks(self.n_cols)) {
                    add_products(sums, weights, &x[start..start + weights.len()]);
                }
                start += weights.len();
            }
            for (token, sums) in sums.iter().enumerate() {
                y[token * self.n_rows + row] = total(sums);
            }
        }
        y
    }
}

/// `a · b` of vectors in f32.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    add_products(&mut sums, a, b);
    total(&sums)
}

/// Adds the products of lane i, of lane i + LANES and so on to sum i.
#[inline(always)]
fn add_products(sums: &mut [f32; LANES], a: &[f32], b: &[f32]) {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * b;
    }
}

#[inline(always)]
fn total(sums: &[f32; LANES]) -> f32 {
    let mut sums = *sums;
    let mut n = LANES;
    while n > 1 {
        n /= 2;
        for lane in 0..n {
            sums[lane] += sums[lane + n];
        }
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant;

    /// f32 sums of a few thousand products in another order.
    const SUM_TOLERANCE: f32 = 2e-4;

    fn wave(n: usize, step: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * step).sin()).collect()
    }

    fn matrix(format: Format, n_rows: usize, n_cols: usize) -> Matrix {
        let bytes = format.quantize(&wave(n_rows * n_cols, 1.3)).unwrap();
        Matrix {
            format,
            n_rows,
            n_cols,
            row_bytes: bytes.len() / n_rows,
            bytes,
        }
    }

    #[track_caller]
    fn check(n_rows: usize, n_cols: usize) {
        let x = wave(3 * n_cols, 0.37);
        for format in Format::ALL {
            if !n_cols.is_multiple_of(format.block_len()) {
                continue;
            }
            let matrix = matrix(format, n_rows, n_cols);
            let together = matrix.product(&x);
            for (x, got) in x.chunks(n_cols).zip(together.chunks(n_rows)) {
                let want = quant::matvec(format, &matrix.bytes, x).unwrap();
                for (got, want) in got.iter().zip(&want) {
                    let error = (got - want).abs();
                    assert!(
                        error < SUM_TOLERANCE,
                        "{} {n_rows} {n_cols}: {got} {want}",
                        format.name()
                    );
                }
                assert_eq!(matrix.product(x), got, "tokens alone give the same bits");
            }
        }
    }

    #[test]
    fn rows_of_floats_end_anywhere() {
        check(3, 1);
        check(5, 44);
        check(2, 257);
    }

    #[test]
    fn one_block() {
        check(1, 32);
    }

    #[test]
    fn pieces_that_end_inside() {
        check(7, 256 + 32);
    }

    #[test]
    fn rows_of_real_models() {
        check(4, 896);
        check(3, 3072);
    }

    #[test]
    fn a_row_alone_is_a_row_of_the_whole() {
        for format in Format::ALL {
            let matrix = matrix(format, 3, 512);
            let whole = format.dequantize(&matrix.bytes).unwrap();
            assert_eq!(matrix.row_values(1), whole[512..1024]);
        }
    }
}
