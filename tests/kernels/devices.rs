//! The adapter of this machine, opened once for every profile that it offers.

use veneer_core::gpu::{Buffer, Dispatch, Gpu, GpuError, GpuOptions, GpuProfile};

/// Core WebGPU, and subgroups where the adapter has them; no limit beyond those of every device.
///
/// Without an adapter the list is empty and a line says so; `VENEER_REQUIRE_GPU=1` fails instead.
pub(crate) fn devices() -> Vec<Gpu> {
    let subgroups = GpuProfile {
        subgroups: true,
        f16: false,
    };
    let mut devices = Vec::new();
    for profile in [GpuProfile::BASELINE, subgroups] {
        let options = GpuOptions {
            profile: Some(profile),
            core_limits: true,
            ..Default::default()
        };
        match pollster::block_on(Gpu::open(&options)) {
            Ok(gpu) => devices.push(gpu),
            Err(GpuError::MissingFeature { .. }) => {}
            Err(error) => {
                let required = std::env::var_os("VENEER_REQUIRE_GPU").is_some();
                assert!(!required, "{error}");
                eprintln!("skipped, no GPU: {error}");
            }
        }
    }
    devices
}

pub(crate) fn floats(gpu: &Gpu, label: &str, values: &[f32]) -> Buffer {
    gpu.upload(label, bytemuck::cast_slice(values)).unwrap()
}

pub(crate) fn words(gpu: &Gpu, label: &str, values: &[u32]) -> Buffer {
    gpu.upload(label, bytemuck::cast_slice(values)).unwrap()
}

/// A result buffer that is full of a number that no kernel computes, so that what is not written
/// shows.
pub(crate) fn unwritten(gpu: &Gpu, label: &str, n_values: usize) -> Buffer {
    floats(gpu, label, &vec![UNWRITTEN; n_values])
}

pub(crate) const UNWRITTEN: f32 = 12_345.678;

pub(crate) fn run(gpu: &Gpu, steps: &[Dispatch]) {
    gpu.submit(&[steps], &[]).unwrap();
}

pub(crate) fn read_floats(gpu: &Gpu, buffer: &Buffer) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(&read_bytes(gpu, buffer))
}

pub(crate) fn read_words(gpu: &Gpu, buffer: &Buffer) -> Vec<u32> {
    bytemuck::pod_collect_to_vec(&read_bytes(gpu, buffer))
}

pub(crate) fn read_bytes(gpu: &Gpu, buffer: &Buffer) -> Vec<u8> {
    pollster::block_on(gpu.read(buffer, 0, buffer.n_bytes())).unwrap()
}
