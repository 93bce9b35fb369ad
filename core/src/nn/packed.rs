//! A frozen matrix that stays packed on its device.
//!
//! It is unpacked where it is used and kept by nobody: a forward pass holds one unpacked matrix at
//! a time, the backward pass those of one block ([`crate::nn::Block::tracked`]).
//! [`PackedBlocks::dequantize`] is the same on the host.
//!
//! A device has no operation on codes: it looks half words up in a table. On the processor, whose
//! memory is the host's, the blocks stay as they are and [`PackedBlocks::unpack`] makes the matrix at
//! once, where the look-up would write four tensors of its size.

use std::sync::Arc;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::quant::{BLOCK_WORDS, PackedBlocks, PackedFormat};

/// How and where the matrices of a model are packed; shared by all of them.
#[derive(Debug, Clone)]
pub struct Packing {
    format: PackedFormat,
    device: Device,
    /// What the codes stand for, `[65536, half_len]`; `None` on the processor.
    table: Option<Tensor<2>>,
}

/// `[rows, columns]` in blocks along the rows.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    stored: Stored,
    dims: [usize; 2],
}

#[derive(Debug, Clone)]
enum Stored {
    Host(Device, Arc<PackedBlocks>),
    Device(Box<OnDevice>),
}

#[derive(Debug, Clone)]
struct OnDevice {
    format: PackedFormat,
    /// `[65536, half_len]`
    table: Tensor<2>,
    /// `[blocks, 8]`
    words: Tensor<2, Int>,
    /// `[blocks, 1]`, f32.
    scales: Tensor<2>,
}

impl Packing {
    pub fn new(format: PackedFormat, device: &Device) -> Self {
        match *device == Device::flex() {
            true => Self {
                format,
                device: device.clone(),
                table: None,
            },
            false => Self::by_table(format, device),
        }
    }

    /// As on a GPU, wherever the device is.
    pub fn by_table(format: PackedFormat, device: &Device) -> Self {
        let values = format.table();
        let shape = [values.len() / format.half_len(), format.half_len()];
        let data = TensorData::new(values, shape);
        Self {
            format,
            device: device.clone(),
            table: Some(Tensor::from_data(data, (device, DType::F32))),
        }
    }

    pub fn format(&self) -> PackedFormat {
        self.format
    }

    /// Puts blocks of this format on the device.
    ///
    /// # Panics
    /// Where the blocks are of another format, or do not hold the values of `dims`.
    pub fn matrix(&self, blocks: PackedBlocks, dims: [usize; 2]) -> PackedMatrix {
        assert_eq!(blocks.format, self.format, "another format");
        assert_eq!(blocks.n_values, dims[0] * dims[1], "values of {dims:?}");
        let device = &self.device;
        let stored = match &self.table {
            None => Stored::Host(device.clone(), Arc::new(blocks)),
            Some(table) => {
                let n_blocks = blocks.scales.len();
                let words: Vec<i32> = blocks.words.into_iter().map(u32::cast_signed).collect();
                let words = TensorData::new(words, [n_blocks, BLOCK_WORDS]);
                let scales = TensorData::new(blocks.scales, [n_blocks, 1]);
                Stored::Device(Box::new(OnDevice {
                    format: self.format,
                    table: table.clone(),
                    words: Tensor::from_data(words, (device, DType::I32)),
                    scales: Tensor::from_data(scales, (device, DType::F32)),
                }))
            }
        };
        PackedMatrix { stored, dims }
    }
}

impl PackedMatrix {
    pub fn dims(&self) -> [usize; 2] {
        self.dims
    }

    /// Bytes of words and scales.
    pub fn n_bytes(&self) -> u64 {
        let [n_words, n_scales] = match &self.stored {
            Stored::Host(_, blocks) => [blocks.words.len(), blocks.scales.len()],
            Stored::Device(on_device) => {
                let OnDevice { words, scales, .. } = &**on_device;
                [words.shape().num_elements(), scales.shape().num_elements()]
            }
        };
        4 * (n_words + n_scales) as u64
    }

    /// The matrix in f32, outside autodiff.
    pub fn unpack(&self) -> Tensor<2> {
        match &self.stored {
            Stored::Host(device, blocks) => {
                let data = TensorData::new(blocks.unpack(), self.dims);
                Tensor::from_data(data, (device, DType::F32))
            }
            Stored::Device(on_device) => on_device.unpack(self.dims),
        }
    }
}

impl OnDevice {
    fn unpack(&self, [rows, columns]: [usize; 2]) -> Tensor<2> {
        let [n_blocks, _] = self.words.dims();
        let half = |shift: i32| {
            // The shift of a negative word brings ones in from the left.
            let shifted = self.words.clone().bitwise_right_shift_scalar(shift);
            shifted.bitwise_and_scalar(0xffff)
        };
        let halves = Tensor::cat(vec![half(0), half(16)], 1);
        let codes = self.table.clone().select(0, halves.flatten::<1>(0, 1));
        let block_len = self.format.block_len();
        let blocks = codes.reshape([n_blocks, block_len]) * self.scales.clone();
        blocks
            .reshape([n_blocks * block_len])
            .narrow(0, 0, rows * columns)
            .reshape([rows, columns])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_same_bits() {
        let device = Device::flex();
        for format in [PackedFormat::Q8_0, PackedFormat::Nf4] {
            for dims in [[3, 50], [128, 320]] {
                let values = (0..dims[0] * dims[1]).map(|i| (i as f32 * 0.7).sin());
                let blocks = format.quantize(&values.collect::<Vec<_>>()).unwrap();
                let host = Packing::new(format, &device).matrix(blocks.clone(), dims);
                let table = Packing::by_table(format, &device).matrix(blocks, dims);
                assert_eq!(host.n_bytes(), table.n_bytes());
                let [host, table] = [host, table].map(|matrix| matrix.unpack());
                assert_eq!(host.dims(), dims);
                assert_eq!(host.into_data(), table.into_data(), "{format:?} {dims:?}");
            }
        }
    }
}
