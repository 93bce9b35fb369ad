//! The adapter under its profiles, opened once for all tests of a thread.
//!
//! `VENEER_REQUIRE_GPU=1` (CI) turns a missing driver from a skipped test into a failed one.

use std::cell::OnceCell;

use veneer_core::gpu::{Gpu, GpuError, GpuOptions, GpuProfile};

const SUBGROUPS: GpuProfile = GpuProfile {
    subgroups: true,
    f16: false,
};

/// The device with the limits and abilities that all have, and with everything it can do.
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
        ..GpuOptions::default()
    };
    let baseline = match pollster::block_on(Gpu::open(&baseline)) {
        Ok(gpu) => gpu,
        Err(error @ GpuError::NoAdapter { .. }) => {
            assert!(
                std::env::var_os("VENEER_REQUIRE_GPU").is_none(),
                "VENEER_REQUIRE_GPU is set, but {error}"
            );
            eprintln!("skipped: {error}");
            return Vec::new();
        }
        Err(error) => panic!("{error}"),
    };
    let full = pollster::block_on(Gpu::open(&GpuOptions::default())).unwrap();
    let mut devices = vec![baseline];
    if full.profile() != GpuProfile::BASELINE {
        devices.push(full.clone());
    }
    if full.profile().subgroups && full.profile() != SUBGROUPS {
        let subgroups = GpuOptions {
            profile: Some(SUBGROUPS),
            ..GpuOptions::default()
        };
        devices.push(pollster::block_on(Gpu::open(&subgroups)).unwrap());
    }
    devices
}

/// A buffer's values.
pub(crate) fn values(gpu: &Gpu, buffer: &veneer_core::gpu::Buffer) -> Vec<f32> {
    let bytes = pollster::block_on(gpu.read(buffer, 0, buffer.n_bytes())).unwrap();
    let words = bytes.as_chunks().0.iter();
    words.map(|word| f32::from_le_bytes(*word)).collect()
}

/// Fails where a value is further away than `relative` times the largest magnitude expected.
#[track_caller]
pub(crate) fn assert_close(got: &[f32], want: &[f32], relative: f32, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    let scale = want.iter().fold(1e-30f32, |max, x| max.max(x.abs()));
    // Written so that NaN is far.
    let near = |(got, want): (&f32, &f32)| (got - want).abs() <= relative * scale;
    let far = |pair: (&f32, &f32)| !near(pair);
    let n_far = got.iter().zip(want).filter(|pair| far(*pair)).count();
    if let Some(at) = got.iter().zip(want).position(far) {
        panic!(
            "{what}: {n_far} of {} values are off, first at {at}: {} instead of {} (largest {scale})",
            want.len(),
            got[at],
            want[at]
        );
    }
}
