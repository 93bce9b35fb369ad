//! top_tokens against a full sort.

use veneer_core::gpu::ops::{Top, TopShape, TopTokens, top_tokens};

use crate::{
    devices::devices,
    inputs::{floats, normal, read_bytes, read_words, run, words},
};

/// Relative error of the sum of exponentials is an absolute one of its logarithm.
const TOLERANCE: f64 = 2e-5;

fn oracle(logits: &[f32], n_top: usize) -> Top {
    let mut ids: Vec<u32> = (0..logits.len() as u32).collect();
    ids.sort_by(|&a, &b| {
        let [x, y] = [a, b].map(|id| logits[id as usize]);
        y.total_cmp(&x).then(a.cmp(&b))
    });
    ids.truncate(n_top);
    let largest = f64::from(logits[ids[0] as usize]);
    let sum: f64 = logits.iter().map(|&x| (f64::from(x) - largest).exp()).sum();
    Top {
        logits: ids.iter().map(|&id| logits[id as usize]).collect(),
        ids,
        log_sum_exp: (largest + sum.ln()) as f32,
    }
}

#[track_caller]
fn check(logits: &[f32], n_top: usize) {
    for gpu in devices() {
        let case = format!("{} of {}, {}", n_top, logits.len(), gpu.profile().name());
        let shape = TopShape::new(logits.len(), n_top);
        let result = gpu.empty("result", shape.result_bytes()).unwrap();
        let ids = words(&gpu, "ids", &[7, 8]);
        let state = words(&gpu, "state", &[40, 3, 0, 0]);
        let op = TopTokens {
            logits: &floats(&gpu, "logits", logits),
            shape,
            candidates: &gpu.empty("candidates", shape.candidates_bytes()).unwrap(),
            result: &result,
            ids: &ids,
            state: &state,
            advance: 5,
        };
        run(&gpu, &top_tokens(&gpu, "top", &op).unwrap());

        let found = shape.read(&read_bytes(&gpu, &result)).unwrap();
        let expected = oracle(logits, shape.n_top());
        assert_eq!(found.ids, expected.ids, "{case}");
        assert_eq!(found.logits, expected.logits, "{case}");
        let error = f64::from(found.log_sum_exp - expected.log_sum_exp).abs();
        assert!(error <= TOLERANCE, "{case}: {found:?}, {expected:?}");
        assert_eq!(read_words(&gpu, &ids), [expected.ids[0], 8], "{case}");
        assert_eq!(read_words(&gpu, &state), [45, 4, 0, 0], "{case}");
    }
}

#[test]
fn one_token() {
    check(&[-3.5], 1);
}

#[test]
fn more_than_there_are() {
    check(&[0.5, -1.0, 2.0], 9);
}

#[test]
fn all_alternatives_of_a_vocabulary_that_fills_no_slice() {
    check(&normal(1, 1500), 64);
}

#[test]
fn equal_logits_go_by_id() {
    let mut logits = vec![-1.0; 3000];
    for id in [2999, 17, 1024, 1023, 5] {
        logits[id] = 2.0;
    }
    check(&logits, 8);
    check(&[0.0; 300], 3);
}

#[test]
fn the_best_ones_all_in_one_slice() {
    let mut logits = normal(2, 5000);
    for (logit, step) in logits[2048..2100].iter_mut().zip(0..) {
        *logit = 50.0 - step as f32;
    }
    check(&logits, 40);
}

#[test]
fn logits_far_apart() {
    check(&[-3e4, 2e4, 2e4 - 1.0, -1e9, 0.0], 5);
    check(&[-1e30, -1.1e30], 2);
}

#[test]
fn the_vocabulary_of_qwen3() {
    let logits: Vec<f32> = normal(3, 151_936).iter().map(|x| 4.0 * x).collect();
    check(&logits, 20);
}

#[test]
fn a_vocabulary_with_longer_slices() {
    check(&normal(4, 262_145), 2);
}
