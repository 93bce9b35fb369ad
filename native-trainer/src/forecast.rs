//! What a run will take, shown before its first step, and refused where it cannot fit.

use std::time::Instant;

use anyhow::{Result, bail};
use burn::tensor::{Distribution, Tensor};
use veneer_core::{
    model::packed_format,
    nn::{Packing, Weight},
    protocol::{LoadIn, TrainJob},
    train::{Plan, PlanInput, plan},
};

use crate::{
    device::Place,
    memory::{self, human, human_seconds},
};

pub(crate) struct Forecast {
    plan: Plan,
    /// `None` where it is not known (GPUs, other systems).
    available: Option<u64>,
}

/// Computes and prints the forecast.
pub(crate) fn show(input: &PlanInput, place: &Place, quiet: bool) -> Forecast {
    let plan = plan(input);
    let seconds = plan.flops / gemm_rate(place) / SHARE_OF_GEMM
        + plan.weights_seen * seconds_a_weight(place, input.job.load_in);
    // The weights are loaded by now, so what is available comes on top of them.
    let available = memory::available_bytes()
        .filter(|_| place.name == "cpu")
        .map(|free| free + plan.weights_bytes);
    if !quiet {
        let [rows, length] = plan.largest_batch;
        eprintln!(
            "this run will take about {} of memory on {}:",
            human(plan.total_bytes()),
            place.name
        );
        eprintln!("  base model       {}", human(plan.weights_bytes));
        if plan.unpacked_bytes > 0 {
            let bytes = human(plan.unpacked_bytes);
            eprintln!("  unpacked block   {bytes} (one at a time)");
        }
        eprintln!("  adapter, Adam    {}", human(plan.trained_bytes));
        eprintln!(
            "  activations      {} (largest batch {rows} × {length} tokens)",
            human(plan.activation_bytes)
        );
        eprintln!("  logits           {}", human(plan.logits_bytes));
        eprintln!(
            "and about {} for {} steps",
            human_seconds(seconds),
            input.total_steps
        );
    }
    Forecast { plan, available }
}

/// Share of the machine's matrix-product rate that training reaches: `veneer bench train` measures
/// 0.7 to 0.8 on 2 cores, small models reach less. A rough guide for the time only.
const SHARE_OF_GEMM: f64 = 0.7;

/// Floating-point operations a second of a square product, measured for a moment.
pub(crate) fn gemm_rate(place: &Place) -> f64 {
    const N: usize = 512;
    let random =
        || Tensor::<2>::random([N, N], Distribution::Default, (&place.device, place.dtype));
    let (a, b) = (random(), random());
    let multiply = || {
        let product = a.clone().matmul(b.clone());
        drop(product.sum().into_data());
    };
    2.0 * (N * N * N) as f64 / seconds_each(200, multiply)
}

/// Seconds that it takes, as the mean of some milliseconds; the first time does not count.
fn seconds_each(n_ms: u128, act: impl Fn()) -> f64 {
    act();
    let started = Instant::now();
    let mut n = 0;
    while started.elapsed().as_millis() < n_ms {
        act();
        n += 1;
    }
    started.elapsed().as_secs_f64() / f64::from(n)
}

/// Seconds for one weight to come from memory, unpacked where the base is packed, into a product
/// with a single row; measured for a moment.
fn seconds_a_weight(place: &Place, load_in: Option<LoadIn>) -> f64 {
    const N: usize = 2048;
    let on = (&place.device, place.dtype);
    let row = Tensor::<2>::random([1, N], Distribution::Default, on);
    let random = Tensor::<2>::random([N, N], Distribution::Default, on);
    let weight = match load_in.map(packed_format) {
        None => Weight::frozen(random),
        Some(format) => {
            // What the values are does not matter.
            let values: Vec<f32> = (0..N * N).map(|i| (i % 251) as f32 - 125.0).collect();
            match format.quantize(&values) {
                Ok(blocks) => {
                    let packing = Packing::new(format, &place.device);
                    Weight::packed(packing.matrix(blocks, [N, N]))
                }
                Err(_) => Weight::frozen(random),
            }
        }
    };
    let multiply = || {
        let product = row.clone().matmul(weight.value_as(place.dtype).transpose());
        drop(product.sum().into_data());
    };
    seconds_each(100, multiply) / (N * N) as f64
}

impl Forecast {
    /// # Errors
    /// Says by how much it is too large, and which setting helps most.
    pub(crate) fn refuse_if_too_large(&self, job: &TrainJob) -> Result<()> {
        let Some(available) = self.available else {
            return Ok(());
        };
        let total = self.plan.total_bytes();
        if total <= available {
            return Ok(());
        }
        let [rows, length] = self.plan.largest_batch;
        let advice = if self.plan.weights_bytes > available && job.load_in.is_none() {
            "the base model alone does not fit; keep it packed with --load-in 4bit"
        } else if self.plan.weights_bytes > available {
            "the base model alone does not fit; use a smaller one"
        } else if !job.gradient_checkpointing {
            "add --gradient-checkpointing"
        } else if rows > 1 {
            "use --per-device-train-batch-size 1 with more --gradient-accumulation-steps"
        } else {
            "use a smaller --max-length"
        };
        bail!(
            "the run needs about {}, but {} is available (largest batch {rows} × {length} tokens); \
             {advice}, or --ignore-memory to start all the same",
            human(total),
            human(available),
        )
    }
}
