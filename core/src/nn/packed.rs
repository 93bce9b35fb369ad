//! A frozen matrix that stays packed on its device.
//!
//! It is unpacked where it is used and kept by nobody: a forward pass holds one unpacked matrix at
//! a time, the backward pass those of one block ([`crate::nn::Block::tracked`]).
//! [`PackedBlocks::dequantize`] is the same on the host.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::quant::{BLOCK_WORDS, PackedBlocks, PackedFormat};

/// What the codes of a format stand for, on a device; shared by all matrices of a model.
#[derive(Debug, Clone)]
pub struct CodeTable {
    format: PackedFormat,
    /// `[65536, half_len]`
    values: Tensor<2>,
}

/// `[rows, columns]` in blocks along the rows.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    table: CodeTable,
    /// `[blocks, 8]`
    words: Tensor<2, Int>,
    /// `[blocks, 1]`, f32.
    scales: Tensor<2>,
    dims: [usize; 2],
}

impl CodeTable {
    pub fn new(format: PackedFormat, device: &Device) -> Self {
        let values = format.table();
        let shape = [values.len() / format.half_len(), format.half_len()];
        let data = TensorData::new(values, shape);
        Self {
            format,
            values: Tensor::from_data(data, (device, DType::F32)),
        }
    }

    pub fn format(&self) -> PackedFormat {
        self.format
    }

    /// Puts blocks of this table's format on its device.
    ///
    /// # Panics
    /// Where the blocks are of another format, or do not hold the values of `dims`.
    pub fn matrix(&self, blocks: PackedBlocks, dims: [usize; 2]) -> PackedMatrix {
        assert_eq!(blocks.format, self.format, "a table of another format");
        assert_eq!(blocks.n_values, dims[0] * dims[1], "values of {dims:?}");
        let device = self.values.device();
        let n_blocks = blocks.scales.len();
        let words: Vec<i32> = blocks.words.into_iter().map(u32::cast_signed).collect();
        let words = TensorData::new(words, [n_blocks, BLOCK_WORDS]);
        let scales = TensorData::new(blocks.scales, [n_blocks, 1]);
        PackedMatrix {
            table: self.clone(),
            words: Tensor::from_data(words, (&device, DType::I32)),
            scales: Tensor::from_data(scales, (&device, DType::F32)),
            dims,
        }
    }
}

impl PackedMatrix {
    pub fn dims(&self) -> [usize; 2] {
        self.dims
    }

    /// Bytes of words and scales.
    pub fn n_bytes(&self) -> u64 {
        let n_words: usize = self.words.dims().iter().product();
        let n_scales: usize = self.scales.dims().iter().product();
        4 * (n_words + n_scales) as u64
    }

    /// The matrix in f32, outside autodiff.
    pub fn unpack(&self) -> Tensor<2> {
        let CodeTable { format, values } = &self.table;
        let [n_blocks, _] = self.words.dims();
        let half = |shift: i32| {
            // The shift of a negative word brings ones in from the left.
            let shifted = self.words.clone().bitwise_right_shift_scalar(shift);
            shifted.bitwise_and_scalar(0xffff)
        };
        let halves = Tensor::cat(vec![half(0), half(16)], 1);
        let codes = values.clone().select(0, halves.flatten::<1>(0, 1));
        let blocks = codes.reshape([n_blocks, format.block_len()]) * self.scales.clone();
        let [rows, columns] = self.dims;
        blocks
            .reshape([n_blocks * format.block_len()])
            .narrow(0, 0, rows * columns)
            .reshape([rows, columns])
    }
}
