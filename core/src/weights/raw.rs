//! A tensor as a file holds it.

use std::{borrow::Cow, ops::Range};

use half::{bf16, f16};

/// Float types of checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    F32,
    F16,
    Bf16,
}

impl Dtype {
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// Little-endian, row-major elements.
#[derive(Debug, Clone, PartialEq)]
pub struct RawTensor<'a> {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Cow<'a, [u8]>,
}

/// A tensor before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawInfo {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
}

impl RawTensor<'_> {
    /// The elements as f32; exact for all three types.
    pub fn to_f32(&self) -> Vec<f32> {
        self.range_to_f32(0..self.n_values())
    }

    /// Some of the elements as f32, none where they are not there.
    pub fn range_to_f32(&self, range: Range<usize>) -> Vec<f32> {
        match self.dtype {
            Dtype::F32 => self.words(range).map(f32::from_le_bytes).collect(),
            Dtype::F16 => {
                let words = self.words(range);
                words.map(|w| f16::from_le_bytes(w).to_f32()).collect()
            }
            Dtype::Bf16 => {
                let words = self.words(range);
                words.map(|w| bf16::from_le_bytes(w).to_f32()).collect()
            }
        }
    }

    pub fn n_values(&self) -> usize {
        self.bytes.len() / self.dtype.size_bytes()
    }

    fn words<const N: usize>(&self, range: Range<usize>) -> impl Iterator<Item = [u8; N]> {
        let words = self.bytes.as_chunks::<N>().0;
        words.get(range).unwrap_or_default().iter().copied()
    }
}

impl RawTensor<'static> {
    /// `values` rounded to `dtype` (to nearest, ties to even).
    pub fn from_f32(values: &[f32], shape: Vec<usize>, dtype: Dtype) -> Self {
        let bytes = match dtype {
            Dtype::F32 => bytes_of(values, f32::to_le_bytes),
            Dtype::F16 => bytes_of(values, |x| f16::from_f32(x).to_le_bytes()),
            Dtype::Bf16 => bytes_of(values, |x| bf16::from_f32(x).to_le_bytes()),
        };
        Self {
            dtype,
            shape,
            bytes: Cow::Owned(bytes),
        }
    }
}

/// The bytes of each value, in memory that is asked for once.
fn bytes_of<const N: usize>(values: &[f32], word: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    let words: Vec<[u8; N]> = values.iter().map(|x| word(*x)).collect();
    words.into_flattened()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dtype_round_trips_what_it_can_hold() {
        let values = [0.0, -1.5, 3.0, 0.25];
        for dtype in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
            let raw = RawTensor::from_f32(&values, vec![2, 2], dtype);
            assert_eq!(raw.bytes.len(), 4 * dtype.size_bytes());
            assert_eq!(raw.to_f32(), values);
        }
    }
}
