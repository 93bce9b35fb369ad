//! rope_append against the scalar formula, with angles as transformers computes them in f32.

use half::f16;
use veneer_core::gpu::{
    Gpu,
    ops::{KvCache, KvFormat, KvShape, QkNorm, RopeAppend, rope_append},
};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, read_bytes, run, unwritten, words},
};

/// Sines of angles that are far from zero, and for normed heads a sum of squares.
const TOLERANCE: f32 = 5e-6;
/// Half a unit in the last place of an f16.
const F16_TOLERANCE: f32 = 4.9e-4;
const EPS: f32 = 1e-6;

#[derive(Debug, Clone, Copy)]
struct Case {
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    n_tokens: usize,
    position: usize,
    capacity: usize,
    normed: bool,
}

const SMALL: Case = Case {
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 8,
    n_tokens: 3,
    position: 0,
    capacity: 5,
    normed: false,
};

/// One head, normalized if there is a weight, and rotated.
fn oracle(head: &[f32], weight: Option<&[f32]>, position: usize, frequencies: &[f32]) -> Vec<f32> {
    let mut head: Vec<f64> = head.iter().map(|&x| f64::from(x)).collect();
    if let Some(weight) = weight {
        let mean_square = head.iter().map(|x| x * x).sum::<f64>() / head.len() as f64;
        let factor = 1.0 / (mean_square + f64::from(EPS)).sqrt();
        for (x, &w) in head.iter_mut().zip(weight) {
            *x *= factor * f64::from(w);
        }
    }
    let half = head.len() / 2;
    let mut rotated = vec![0.0; head.len()];
    for p in 0..half {
        let (sin, cos) = f64::from(position as f32 * frequencies[p]).sin_cos();
        rotated[p] = (head[p] * cos - head[p + half] * sin) as f32;
        rotated[p + half] = (head[p + half] * cos + head[p] * sin) as f32;
    }
    rotated
}

fn frequencies(head_dim: usize) -> Vec<f32> {
    (0..head_dim / 2)
        .map(|pair| 10_000f32.powf(-2.0 * pair as f32 / head_dim as f32))
        .collect()
}

fn cached(gpu: &Gpu, cache: &KvCache) -> [Vec<f32>; 2] {
    [&cache.keys, &cache.values].map(|buffer| match cache.shape.format {
        KvFormat::F32 => values(gpu, buffer),
        KvFormat::F16 => bytemuck::pod_collect_to_vec::<_, f16>(&read_bytes(gpu, buffer))
            .into_iter()
            .map(f16::to_f32)
            .collect(),
    })
}

#[track_caller]
fn check(case: Case) {
    for gpu in devices() {
        for format in [KvFormat::F32, KvFormat::F16] {
            check_on(&gpu, case, format);
        }
    }
}

#[track_caller]
fn check_on(gpu: &Gpu, case: Case, format: KvFormat) {
    let (h, g, k, t) = (case.n_heads, case.n_kv_heads, case.head_dim, case.n_tokens);
    let name = format!("{case:?}, {format:?}, {}", gpu.profile().name());
    let qkv = normal(1, t * (h + 2 * g) * k);
    let frequencies = frequencies(k);
    let (q_weight, k_weight) = (normal(2, k), normal(3, k));

    let shape = KvShape {
        capacity: case.capacity + 2,
        n_kv_heads: g,
        head_dim: k,
        format,
    };
    let mut cache = KvCache::new(gpu, "cache", shape).unwrap();
    // Behind its end lies memory that must stay as it is.
    cache.shape.capacity = case.capacity;
    let q = unwritten(gpu, "q", t * h * k);
    let [qkv_buffer, frequencies_buffer, q_norm, k_norm] =
        [&qkv, &frequencies, &q_weight, &k_weight].map(|values| floats(gpu, "input", values));
    let op = RopeAppend {
        qkv: &qkv_buffer,
        frequencies: &frequencies_buffer,
        state: &words(gpu, "state", &[case.position as u32, 0, 0, 0]),
        norm: case.normed.then_some(QkNorm {
            q: &q_norm,
            k: &k_norm,
            eps: EPS,
        }),
        q: &q,
        cache: &cache,
        n_heads: h,
        n_tokens: t,
    };
    run(gpu, &[rope_append(gpu, "rope", &op).unwrap()]);

    let mut expected_q = Vec::new();
    let mut keys = vec![0.0; shape.capacity * g * k];
    let mut plain_values = keys.clone();
    for (token, row) in qkv.chunks((h + 2 * g) * k).enumerate() {
        let position = case.position + token;
        let turned = |head, weight: &[f32]| {
            oracle(head, case.normed.then_some(weight), position, &frequencies)
        };
        let heads: Vec<&[f32]> = row.chunks(k).collect();
        expected_q.extend(heads[..h].iter().flat_map(|head| turned(head, &q_weight)));
        if position < case.capacity {
            let at = position * g * k;
            let new_keys = heads[h..h + g]
                .iter()
                .flat_map(|head| turned(head, &k_weight));
            keys[at..at + g * k].copy_from_slice(&new_keys.collect::<Vec<_>>());
            plain_values[at..at + g * k].copy_from_slice(&heads[h + g..].concat());
        }
    }
    let tolerance = match format {
        KvFormat::F32 => TOLERANCE,
        KvFormat::F16 => F16_TOLERANCE,
    };
    assert_close(&values(gpu, &q), &expected_q, TOLERANCE, &name);
    let [found_keys, found_values] = cached(gpu, &cache);
    assert_close(&found_keys, &keys, tolerance, &format!("{name}, keys"));
    assert_close(
        &found_values,
        &plain_values,
        tolerance,
        &format!("{name}, values"),
    );
}

#[test]
fn grouped_heads_from_the_start() {
    check(SMALL);
}

#[test]
fn one_token_behind_others() {
    check(Case {
        n_tokens: 1,
        position: 4,
        ..SMALL
    });
}

#[test]
fn heads_are_normed_before_they_turn() {
    check(Case {
        normed: true,
        position: 1,
        ..SMALL
    });
}

#[test]
fn the_narrowest_head() {
    check(Case {
        n_heads: 1,
        n_kv_heads: 1,
        head_dim: 2,
        ..SMALL
    });
}

#[test]
fn halves_of_an_odd_length() {
    check(Case {
        head_dim: 6,
        normed: true,
        ..SMALL
    });
}

#[test]
fn tokens_beyond_the_capacity_are_not_appended() {
    check(Case {
        position: 3,
        ..SMALL
    });
}

#[test]
fn angles_far_into_a_context() {
    check(Case {
        n_kv_heads: 1,
        position: 99_998,
        capacity: 100_001,
        ..SMALL
    });
}

#[test]
fn the_shape_of_qwen3_0_6b() {
    check(Case {
        n_heads: 16,
        n_kv_heads: 8,
        head_dim: 128,
        n_tokens: 2,
        position: 777,
        capacity: 779,
        normed: true,
    });
}

#[test]
fn values_that_halves_cannot_hold_stay_finite() {
    for gpu in devices() {
        let shape = KvShape {
            capacity: 1,
            n_kv_heads: 1,
            head_dim: 2,
            format: KvFormat::F16,
        };
        let cache = KvCache::new(&gpu, "cache", shape).unwrap();
        let op = RopeAppend {
            qkv: &floats(&gpu, "qkv", &[0.0, 0.0, 1e6, -1e6, 1e6, -1e6]),
            frequencies: &floats(&gpu, "frequencies", &[1.0]),
            state: &words(&gpu, "state", &[0; 4]),
            norm: None,
            q: &unwritten(&gpu, "q", 2),
            cache: &cache,
            n_heads: 1,
            n_tokens: 1,
        };
        run(&gpu, &[rope_append(&gpu, "rope", &op).unwrap()]);
        let largest = vec![65_504.0, -65_504.0];
        assert_eq!(cached(&gpu, &cache), [largest.clone(), largest]);
    }
}
