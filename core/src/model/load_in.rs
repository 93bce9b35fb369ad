//! Bases whose frozen linear layers are packed, as QLoRA trains on (Dettmers et al. 2023).
//!
//! Packed are the linear layers of the blocks, as bitsandbytes does; embedding, norms, biases and
//! head keep the type of the run.

use crate::{
    arch::{Arch, LinearModule},
    protocol::LoadIn,
    quant::PackedFormat,
};

/// What a base takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaseBytes {
    /// While nothing computes.
    pub resident: u64,
    /// On top, while a block computes: its weights unpacked. 0 where nothing is packed.
    pub unpacked: u64,
}

/// What the setting packs into.
pub fn packed_format(load_in: LoadIn) -> PackedFormat {
    match load_in {
        LoadIn::EightBits => PackedFormat::Q8_0,
        LoadIn::FourBits => PackedFormat::Nf4,
    }
}

/// Bytes of a base whose plain elements have `element_bytes`.
pub fn base_bytes(arch: &Arch, element_bytes: u64, load_in: Option<LoadIn>) -> BaseBytes {
    let plain = arch.n_parameters() * element_bytes;
    let Some(load_in) = load_in else {
        return BaseBytes {
            resident: plain,
            unpacked: 0,
        };
    };
    let format = packed_format(load_in);
    let n_values = |module: &LinearModule| module.d_out * module.d_in;
    let linear = arch.linear_modules();
    let n_linear: usize = linear.iter().map(n_values).sum();
    let packed: u64 = linear
        .iter()
        .map(|module| format.n_bytes(n_values(module)))
        .sum();
    let blocks = linear.chunk_by(|a, b| a.layer_idx == b.layer_idx);
    let largest: usize = blocks
        .map(|block| block.iter().map(n_values).sum())
        .max()
        .unwrap_or_default();
    BaseBytes {
        resident: plain - n_linear as u64 * element_bytes + packed,
        unpacked: largest as u64 * element_bytes,
    }
}
