//! Inputs from seeds, and comparisons that say where and how far results are off.

use veneer_core::rng::Rng;

/// Standard normal numbers.
pub(crate) fn normal(seed: u64, n: usize) -> Vec<f32> {
    let mut rng = Rng::new(seed, 0);
    (0..n).map(|_| rng.normal() as f32).collect()
}

/// Fails unless every value is within `tolerance · max(1, |expected|)`.
#[track_caller]
pub(crate) fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, case: &str) {
    assert_eq!(found.len(), expected.len(), "{case}: lengths");
    let error = |i: usize| (found[i] - expected[i]).abs() / expected[i].abs().max(1.0);
    // Written so that NaN is wrong.
    let is_close = |i: usize| error(i) <= tolerance;
    let wrong: Vec<usize> = (0..found.len()).filter(|&i| !is_close(i)).collect();
    let worst = wrong
        .iter()
        .copied()
        .max_by(|&a, &b| error(a).total_cmp(&error(b)));
    if let Some(worst) = worst {
        panic!(
            "{case}: {} of {} are off by more than {tolerance}; first at {}, worst at {worst}: \
             found {}, expected {}",
            wrong.len(),
            found.len(),
            wrong[0],
            found[worst],
            expected[worst],
        );
    }
}
