//! The same runs through Vulkan: processor and GPU give the same loss trace.
//!
//! On a machine without a GPU this is lavapipe, Mesa's software driver. `VENEER_REQUIRE_GPU=1`
//! (CI) turns a missing driver from a skipped test into a failed one.

use burn::tensor::{Device, DeviceType};
use veneer_tests::assert_close;

use crate::{
    load_in::check_unpacked,
    training::{Case, run},
};

/// GPU drivers may fuse multiplications with additions and sum in other orders: the first step's
/// loss moves in the last bits, and a few steps at these large learning rates multiply that.
const LOSS: f64 = 2e-4;
const GRAD_NORM_RELATIVE: f64 = 2e-3;
const N_STEPS: usize = 4;

fn device() -> Option<Device> {
    let device = Device::enumerate(DeviceType::Wgpu)
        .into_vec()
        .into_iter()
        .next();
    if device.is_none() {
        assert!(
            std::env::var_os("VENEER_REQUIRE_GPU").is_none(),
            "VENEER_REQUIRE_GPU is set, but no Vulkan driver was found"
        );
        eprintln!("skipped: no Vulkan driver");
    }
    device
}

#[test]
fn processor_and_gpu_train_alike() {
    check_alike("lora");
}

#[test]
fn processor_and_gpu_train_alike_on_packed_bases() {
    check_alike("quantized/llama-biases-4bit");
    check_alike("quantized/starcoder-8bit");
}

/// Unpacking multiplies once and adds nothing: there is no order to differ in.
#[test]
fn processor_and_gpu_unpack_to_the_same_bits() {
    let Some(gpu) = device() else { return };
    for name in ["llama31", "phi3", "falcon-7b"] {
        check_unpacked(name, &gpu);
    }
}

#[track_caller]
fn check_alike(name: &str) {
    let Some(gpu) = device() else { return };
    let case = Case::open(name);
    let mut job = case.job.clone();
    job.max_steps = Some(N_STEPS as u64);
    let [want, got] =
        [Device::flex(), gpu].map(|device| run(&mut case.training(job.clone(), &device)));
    assert_eq!(got.len(), N_STEPS);
    for (got, want) in got.iter().zip(&want) {
        let what = format!("step {}", got.step);
        assert_close(&[got.loss], &[want.loss], LOSS, &what);
        let tolerance = GRAD_NORM_RELATIVE * want.grad_norm;
        assert_close(&[got.grad_norm], &[want.grad_norm], tolerance, &what);
    }
}
