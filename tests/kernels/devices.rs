//! The adapter of this machine under each of its profiles.

use std::cell::OnceCell;

use veneer_core::gpu::{Buffer, Dispatch, Gpu, GpuError, GpuOptions, GpuProfile};

/// Core WebGPU with the limits that every device has, then whatever more the adapter offers.
///
/// Without an adapter the list is empty and a line says so; `VENEER_REQUIRE_GPU=1` fails instead.
pub(crate) fn devices() -> Vec<Gpu> {
    thread_local! {
        static DEVICES: OnceCell<Vec<Gpu>> = const { OnceCell::new() };
    }
    DEVICES.with(|devices| devices.get_or_init(open_all).clone())
}

fn open_all() -> Vec<Gpu> {
    let baseline = GpuOptions {
        profile: Some(GpuProfile::BASELINE),
        core_limits: true,
        ..Default::default()
    };
    let subgroups = GpuOptions {
        profile: Some(GpuProfile {
            subgroups: true,
            f16: false,
        }),
        ..Default::default()
    };
    let mut devices: Vec<Gpu> = Vec::new();
    for options in [baseline, subgroups, GpuOptions::default()] {
        match pollster::block_on(Gpu::open(&options)) {
            Ok(gpu) if devices.iter().any(|other| other.profile() == gpu.profile()) => {}
            Ok(gpu) => devices.push(gpu),
            Err(GpuError::MissingFeature { .. }) => {}
            Err(error) => {
                let required = std::env::var_os("VENEER_REQUIRE_GPU").is_some();
                assert!(!required, "{error}");
                eprintln!("skipped, no GPU: {error}");
                return devices;
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
