//! Numbers from seeds, buffers that hold them, and launches that use them.

use veneer_core::{
    gpu::{Buffer, Dispatch, Gpu},
    rng::Rng,
};

/// Standard normal numbers.
pub(crate) fn normal(seed: u64, n: usize) -> Vec<f32> {
    let mut rng = Rng::new(seed, 0);
    (0..n).map(|_| rng.normal() as f32).collect()
}

pub(crate) fn floats(gpu: &Gpu, label: &str, values: &[f32]) -> Buffer {
    gpu.upload(label, bytemuck::cast_slice(values)).unwrap()
}

pub(crate) fn words(gpu: &Gpu, label: &str, values: &[u32]) -> Buffer {
    gpu.upload(label, bytemuck::cast_slice(values)).unwrap()
}

/// A result buffer full of a number that no kernel computes, so that what is not written shows.
pub(crate) fn unwritten(gpu: &Gpu, label: &str, n_values: usize) -> Buffer {
    floats(gpu, label, &vec![12_345.678; n_values])
}

pub(crate) fn run(gpu: &Gpu, steps: &[Dispatch]) {
    gpu.submit(&[steps], &[]).unwrap();
}

pub(crate) fn read_words(gpu: &Gpu, buffer: &Buffer) -> Vec<u32> {
    bytemuck::pod_collect_to_vec(&read_bytes(gpu, buffer))
}

pub(crate) fn read_bytes(gpu: &Gpu, buffer: &Buffer) -> Vec<u8> {
    pollster::block_on(gpu.read(buffer, 0, buffer.n_bytes())).unwrap()
}
