//! attention (split and combine for one token, tiled for several) against the scalar softmax.

use half::{bf16, f16};
use veneer_core::gpu::{
    Gpu,
    ops::{Attention, HeadSlopes, KvCache, KvFormat, KvShape, attention, attention_scratch_bytes},
};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run, unwritten, words},
};

/// Sums of up to some hundred weighted values, and exponentials on the device.
const TOLERANCE: f32 = 1e-5;
/// Small enough that far keys do not outweigh all others.
const ALIBI_SCALE: f32 = 0.03;

#[derive(Debug, Clone, Copy)]
struct Case {
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    n_tokens: usize,
    position: usize,
    capacity: usize,
    window: Option<usize>,
    cap: Option<f32>,
    has_slopes: bool,
}

const SMALL: Case = Case {
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 8,
    n_tokens: 1,
    position: 0,
    capacity: 100,
    window: None,
    cap: None,
    has_slopes: false,
};

/// `keys, values: [capacity, g, k]`, as the cache holds them.
fn oracle(case: &Case, q: &[f32], keys: &[f32], values: &[f32]) -> Vec<f32> {
    let (h, g, k) = (case.n_heads, case.n_kv_heads, case.head_dim);
    let scale = 1.0 / (k as f64).sqrt();
    let mut out = Vec::new();
    for (row, query) in q.chunks(k).enumerate() {
        let (token, head) = (row / h, row % h);
        let position = case.position + token;
        let kv_head = head / (h / g);
        let first = case.window.map_or(0, |w| (position + 1).saturating_sub(w));
        let at = |key: usize| (key * g + kv_head) * k;
        let scores: Vec<f64> = (first..=position)
            .map(|key_position| {
                let key = &keys[at(key_position)..][..k];
                let product = query
                    .iter()
                    .zip(key)
                    .map(|(&a, &b)| f64::from(a) * f64::from(b));
                let score = product.sum::<f64>() * scale;
                let bent = case
                    .cap
                    .map(f64::from)
                    .map_or(score, |cap| cap * (score / cap).tanh());
                bent + bias(case, head, key_position)
            })
            .collect();
        let largest = scores.iter().copied().fold(f64::MIN, f64::max);
        let weights: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
        let sum: f64 = weights.iter().sum();
        out.extend((0..k).map(|c| {
            let total: f64 = weights
                .iter()
                .zip(first..)
                .map(|(weight, key)| weight * f64::from(values[at(key) + c]))
                .sum();
            (total / sum) as f32
        }));
    }
    out
}

/// Slopes that a bf16 holds, other ones for every head.
fn slopes(n_heads: usize) -> Vec<f32> {
    let slope = |head| bf16::from_f32(0.9f32.powi(head as i32 + 1)).to_f32();
    (0..n_heads).map(slope).collect()
}

/// What a slope adds, rounded as transformers does it for Falcon.
fn bias(case: &Case, head: usize, position: usize) -> f64 {
    if !case.has_slopes {
        return 0.0;
    }
    let position = bf16::from_f32(position as f32).to_f32();
    let product = bf16::from_f32(slopes(case.n_heads)[head] * position).to_f32();
    f64::from(product) * f64::from(ALIBI_SCALE)
}

/// The bytes of a cache, and the values that it then holds.
fn stored(values: &[f32], format: KvFormat) -> (Vec<u8>, Vec<f32>) {
    match format {
        KvFormat::F32 => (bytemuck::cast_slice(values).to_vec(), values.to_vec()),
        KvFormat::F16 => {
            let halves: Vec<f16> = values.iter().map(|&x| f16::from_f32(x)).collect();
            let rounded = halves.iter().map(|x| x.to_f32()).collect();
            (bytemuck::cast_slice(&halves).to_vec(), rounded)
        }
    }
}

#[track_caller]
fn check(case: Case) {
    // There are no variants for profiles; core WebGPU's limits are the narrowest.
    for gpu in devices().into_iter().take(1) {
        for format in [KvFormat::F32, KvFormat::F16] {
            check_on(&gpu, case, format);
        }
    }
}

#[track_caller]
fn check_on(gpu: &Gpu, case: Case, format: KvFormat) {
    let (h, g, k, t) = (case.n_heads, case.n_kv_heads, case.head_dim, case.n_tokens);
    // Larger than the model's, so that weights differ much and the maximum moves between tiles.
    let q: Vec<f32> = normal(1, t * h * k).iter().map(|x| 3.0 * x).collect();
    let (key_bytes, rounded_keys) = stored(&normal(2, case.capacity * g * k), format);
    let (value_bytes, rounded_values) = stored(&normal(3, case.capacity * g * k), format);
    let shape = KvShape {
        capacity: case.capacity,
        n_kv_heads: g,
        head_dim: k,
        format,
    };
    let cache = KvCache::new(gpu, "cache", shape).unwrap();
    gpu.write(&cache.keys, 0, &key_bytes).unwrap();
    gpu.write(&cache.values, 0, &value_bytes).unwrap();
    let out = unwritten(gpu, "out", t * h * k);
    let slopes = floats(gpu, "slopes", &slopes(h));
    let op = Attention {
        q: &floats(gpu, "q", &q),
        cache: &cache,
        state: &words(gpu, "state", &[case.position as u32, 0, 0, 0]),
        scratch: &gpu
            .empty("scratch", attention_scratch_bytes(h, g, k))
            .unwrap(),
        out: &out,
        n_heads: h,
        n_tokens: t,
        window: case.window,
        scale: 1.0 / (k as f32).sqrt(),
        cap: case.cap,
        slopes: case.has_slopes.then_some(HeadSlopes {
            slopes: &slopes,
            scale: ALIBI_SCALE,
        }),
    };
    run(gpu, &attention(gpu, "attention", &op).unwrap());
    let expected = oracle(&case, &q, &rounded_keys, &rounded_values);
    let name = format!("{case:?}, {format:?}");
    assert_close(&values(gpu, &out), &expected, TOLERANCE, &name);
}

#[test]
fn the_first_token_sees_itself() {
    check(SMALL);
    check(Case {
        n_heads: 1,
        n_kv_heads: 1,
        head_dim: 2,
        capacity: 1,
        ..SMALL
    });
}

#[test]
fn one_token_behind_others() {
    for position in [1, 31, 32, 33, 99] {
        check(Case { position, ..SMALL });
    }
}

#[test]
fn one_token_behind_more_than_all_splits_hold() {
    check(Case {
        position: 1098,
        capacity: 1100,
        ..SMALL
    });
}

#[test]
fn one_token_with_a_window() {
    for (position, window) in [(0, 1), (5, 1), (40, 7), (6, 7), (7, 7), (90, 40), (3, 1000)] {
        check(Case {
            position,
            window: Some(window),
            ..SMALL
        });
    }
}

#[test]
fn several_tokens_from_the_start() {
    for n_tokens in [2, 3, 17, 33] {
        check(Case { n_tokens, ..SMALL });
    }
}

#[test]
fn several_tokens_behind_others() {
    for position in [1, 30, 31, 67] {
        check(Case {
            n_tokens: 33,
            position,
            ..SMALL
        });
    }
}

#[test]
fn several_tokens_with_a_window() {
    for window in [1, 5, 32, 33] {
        check(Case {
            n_tokens: 45,
            position: 50,
            window: Some(window),
            ..SMALL
        });
    }
}

#[test]
fn heads_in_groups_of_seven_and_of_twelve() {
    for (n_heads, n_kv_heads) in [(14, 2), (12, 1), (3, 3)] {
        for n_tokens in [1, 6] {
            check(Case {
                n_heads,
                n_kv_heads,
                n_tokens,
                position: 20,
                ..SMALL
            });
        }
    }
}

#[test]
fn widths_that_fill_no_tile() {
    for head_dim in [6, 34, 80, 130, 256] {
        for n_tokens in [1, 5] {
            check(Case {
                head_dim,
                n_tokens,
                position: 40,
                ..SMALL
            });
        }
    }
}

#[test]
fn scores_are_bent_below_their_cap() {
    for n_tokens in [1, 4] {
        check(Case {
            n_tokens,
            position: 20,
            cap: Some(1.5),
            ..SMALL
        });
    }
}

#[test]
fn slopes_of_heads_favour_later_keys() {
    for n_tokens in [1, 7] {
        for (n_heads, n_kv_heads) in [(4, 2), (12, 1)] {
            check(Case {
                n_heads,
                n_kv_heads,
                n_tokens,
                // Positions that a bf16 rounds.
                position: 600,
                capacity: 610,
                has_slopes: true,
                ..SMALL
            });
        }
    }
    check(Case {
        n_tokens: 3,
        position: 40,
        window: Some(9),
        cap: Some(2.0),
        has_slopes: true,
        ..SMALL
    });
}

/// Head widths and groups of Phi-2, Gemma 2 2B, StableLM 2 12B, Falcon 7B and StarCoder.
#[test]
fn the_heads_of_published_models() {
    for (n_heads, n_kv_heads, head_dim) in [
        (32, 32, 80),
        (8, 4, 256),
        (32, 8, 160),
        (71, 1, 64),
        (48, 1, 128),
    ] {
        for n_tokens in [1, 3] {
            check(Case {
                n_heads,
                n_kv_heads,
                head_dim,
                n_tokens,
                position: 70,
                capacity: 74,
                ..SMALL
            });
        }
    }
}

#[test]
fn the_shape_of_llama_3_2_1b() {
    for n_tokens in [1, 9] {
        check(Case {
            n_heads: 32,
            n_kv_heads: 8,
            head_dim: 64,
            n_tokens,
            position: 290,
            capacity: 300,
            ..SMALL
        });
    }
}

#[test]
fn heads_that_cannot_be_shared_are_refused() {
    for gpu in devices() {
        let buffer = floats(&gpu, "any", &[0.0; 64]);
        let shape = KvShape {
            capacity: 1,
            n_kv_heads: 2,
            head_dim: 2,
            format: KvFormat::F32,
        };
        let op = Attention {
            q: &buffer,
            cache: &KvCache::new(&gpu, "cache", shape).unwrap(),
            state: &buffer,
            scratch: &buffer,
            out: &buffer,
            n_heads: 3,
            n_tokens: 1,
            window: None,
            scale: 1.0,
            cap: None,
            slopes: None,
        };
        assert!(attention(&gpu, "attention", &op).is_err());
    }
}
