//! Does an engine compute what another implementation computes? Asked before anything is timed.

use anyhow::{Context as _, Result};
use veneer_core::{
    infer::{AdapterId, Engine},
    quant::{Drift, DriftMeter},
    rng::Rng,
};

/// Ids of the vocabulary, the same every time.
pub(super) fn drawn_ids(n: usize, vocab_size: usize) -> Vec<u32> {
    let mut rng = Rng::new(0, 0);
    (0..n).map(|_| rng.below(vocab_size) as u32).collect()
}

/// The engine's logits at every position.
pub(super) fn engine_logits(
    engine: &Engine,
    ids: &[u32],
    adapter: Option<AdapterId>,
) -> Result<Vec<Vec<f32>>> {
    let mut session = engine.new_session()?;
    let logits = engine.logits_of(&mut session, ids, adapter);
    Ok(pollster::block_on(logits)?)
}

/// Distance of two runs over the same ids.
pub(super) fn drift(expected: &[Vec<f32>], found: &[Vec<f32>]) -> Result<Drift> {
    let mut meter = DriftMeter::default();
    for (expected, found) in expected.iter().zip(found) {
        meter.add(expected, found)?;
    }
    meter.finish().context("comparing the logits")
}
