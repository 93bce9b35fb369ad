//! Which tokens stay and how likely they are, against transformers' logits processors.

use serde::Deserialize;

use super::{Sampler, Sampling};

/// transformers computes in f32 what is f64 here.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    logits: Vec<f32>,
    ids: Vec<u32>,
    settings: Sampling,
    kept: Vec<u32>,
    probabilities: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../../../tests/fixtures/sampling/golden.json");
    serde_json::from_str::<Golden>(text).unwrap().cases
}

fn has_ties(logits: &[f32]) -> bool {
    let mut sorted = logits.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

#[test]
fn what_stays_is_what_transformers_leaves() {
    let cases = cases();
    assert_eq!(cases.len(), 51);
    for case in cases {
        // Temperature 1 is transformers' default, 0 is ours.
        let temperature = match case.settings.temperature {
            0.0 => 1.0,
            given => given,
        };
        let settings = Sampling {
            temperature,
            ..case.settings
        };
        let mut sampler = Sampler::new(settings.clone(), 0);
        sampler.see_prompt(&case.ids);
        let mut found = sampler.distribution(&case.logits);
        found.sort_by_key(|(id, _)| *id);
        let (mut ids, mut probabilities): (Vec<u32>, Vec<f64>) = found.into_iter().unzip();
        let (mut kept, mut want) = (case.kept, case.probabilities);
        if settings.top_p < 1.0 && has_ties(&case.logits) {
            // Which of equals top-p keeps is up to the sort: here the first, there the last.
            ids.clear();
            kept.clear();
            probabilities.sort_by(f64::total_cmp);
            want.sort_by(f64::total_cmp);
        }
        assert_eq!(ids, kept, "{settings:?}");
        assert_eq!(probabilities.len(), want.len(), "{settings:?}");
        for (got, want) in probabilities.iter().zip(&want) {
            assert!((got - want).abs() < TOLERANCE, "{settings:?}: {got} {want}");
        }
    }
}

#[test]
fn draws_follow_the_distribution() {
    for case in cases().into_iter().take(3) {
        let settings = Sampling {
            temperature: 1.3,
            top_p: 0.9,
            seed: 5,
            ..Sampling::default()
        };
        let mut sampler = Sampler::new(settings, 0);
        let n_draws = 20_000;
        let mut counts = vec![0; case.logits.len()];
        for _ in 0..n_draws {
            counts[sampler.choose(&case.logits) as usize] += 1;
        }
        let mut n_seen = 0;
        for (id, probability) in sampler.distribution(&case.logits) {
            let share = f64::from(counts[id as usize]) / f64::from(n_draws);
            // Five standard deviations.
            let spread = (probability * (1.0 - probability) / f64::from(n_draws)).sqrt();
            assert!((share - probability).abs() < 5.0 * spread + 1e-9, "{id}");
            n_seen += counts[id as usize];
        }
        assert_eq!(n_seen, n_draws, "tokens outside of it are never drawn");
    }
}

#[test]
fn streams_of_a_seed_differ_and_repeat() {
    let logits = cases()[17].logits.clone();
    let draw = |seed, stream| -> Vec<u32> {
        let settings = Sampling {
            temperature: 1.0,
            seed,
            ..Sampling::default()
        };
        let mut sampler = Sampler::new(settings, stream);
        (0..20).map(|_| sampler.choose(&logits)).collect()
    };
    assert_eq!(draw(7, 0), draw(7, 0));
    assert_ne!(draw(7, 0), draw(7, 1));
    assert_ne!(draw(7, 0), draw(8, 0));
}

/// Ids that training's `generate` drew before this module was; seeds of users keep their answers.
#[test]
fn a_seed_draws_what_it_always_drew() {
    let logits = cases()[0].logits.clone();
    let settings = Sampling {
        temperature: 0.9,
        top_k: 30,
        top_p: 0.95,
        seed: 42,
        ..Sampling::default()
    };
    let mut sampler = Sampler::new(settings, 0);
    let ids: Vec<u32> = (0..12).map(|_| sampler.choose(&logits)).collect();
    assert_eq!(ids, BEFORE);
}

const BEFORE: [u32; 12] = [23, 31, 10, 23, 10, 10, 10, 39, 39, 10, 10, 9];
