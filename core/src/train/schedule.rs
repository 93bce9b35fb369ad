//! Learning rates as transformers computes them (`optimization.py`): the rate of update `t`
//! (from 0) is set before the update, so the first update of a warm-up has rate 0.

use crate::protocol::{LrScheduler, TrainJob};

/// Steps over which the rate rises: `warmup_steps`, or `ceil(warmup_ratio · total)`.
pub fn warmup_steps(job: &TrainJob, total_steps: u64) -> u64 {
    if job.warmup_steps > 0 {
        job.warmup_steps
    } else {
        (job.warmup_ratio * total_steps as f64).ceil() as u64
    }
}

/// Rate of update `step` (from 0) of `total_steps`.
pub fn learning_rate(job: &TrainJob, step: u64, total_steps: u64) -> f64 {
    job.learning_rate * factor(job, step, total_steps)
}

fn factor(job: &TrainJob, step: u64, total_steps: u64) -> f64 {
    let warmup = match job.lr_scheduler_type {
        LrScheduler::Constant => 0,
        _ => warmup_steps(job, total_steps),
    };
    if step < warmup {
        return step as f64 / warmup.max(1) as f64;
    }
    let left = total_steps.saturating_sub(warmup).max(1) as f64;
    let progress = (step - warmup) as f64 / left;
    match job.lr_scheduler_type {
        LrScheduler::Constant | LrScheduler::ConstantWithWarmup => 1.0,
        LrScheduler::Linear => (1.0 - progress).max(0.0),
        LrScheduler::Cosine => (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(kind: LrScheduler) -> Vec<f64> {
        let job = TrainJob {
            learning_rate: 1.0,
            lr_scheduler_type: kind,
            warmup_ratio: 0.25,
            ..TrainJob::default()
        };
        (0..8).map(|step| learning_rate(&job, step, 8)).collect()
    }

    #[test]
    fn first_update_of_a_warm_up_has_rate_zero() {
        for kind in [
            LrScheduler::Linear,
            LrScheduler::Cosine,
            LrScheduler::ConstantWithWarmup,
        ] {
            assert_eq!(rates(kind)[..3], [0.0, 0.5, 1.0]);
        }
        assert_eq!(rates(LrScheduler::Constant), [1.0; 8]);
    }

    #[test]
    fn linear_and_cosine_fall_to_zero() {
        assert!((rates(LrScheduler::Linear)[5] - 0.5).abs() < 1e-12);
        assert!((rates(LrScheduler::Cosine)[5] - 0.5).abs() < 1e-12);
    }
}
