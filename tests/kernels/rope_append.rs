//! rope_append against the scalar formula, with angles as transformers computes them in f32.

use half::f16;
use veneer_core::gpu::{
    Gpu,
    ops::{KvCache, KvFormat, KvShape, NormedHeads, QkNorm, RopeAppend, Rotation, rope_append},
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
    n_rotated: usize,
    factor: f32,
    norm: Option<CaseNorm>,
    is_grouped: bool,
}

#[derive(Debug, Clone, Copy)]
struct CaseNorm {
    heads: NormedHeads,
    is_centred: bool,
    has_bias: bool,
}

/// As Qwen 3 has it.
const RMS: CaseNorm = CaseNorm {
    heads: NormedHeads::OneWeight,
    is_centred: false,
    has_bias: false,
};

const SMALL: Case = Case {
    n_heads: 4,
    n_kv_heads: 2,
    head_dim: 8,
    n_tokens: 3,
    position: 0,
    capacity: 5,
    n_rotated: 8,
    factor: 1.0,
    norm: None,
    is_grouped: false,
};

/// Heads of one kind of one token, normalized. `weight` and `bias` are one head long, or all.
fn normed(case: &Case, heads: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let Some(norm) = case.norm else {
        return heads.to_vec();
    };
    let n_together = match norm.heads {
        NormedHeads::Together => heads.len(),
        NormedHeads::OneWeight | NormedHeads::OwnWeight => case.head_dim,
    };
    let mut normed = Vec::with_capacity(heads.len());
    for together in heads.chunks(n_together) {
        let n = n_together as f64;
        let sum: f64 = together.iter().map(|&x| f64::from(x)).sum();
        let mean = if norm.is_centred { sum / n } else { 0.0 };
        let squares = together.iter().map(|&x| (f64::from(x) - mean).powi(2));
        let factor = 1.0 / (squares.sum::<f64>() / n + f64::from(EPS)).sqrt();
        for &x in together {
            let at = normed.len() % weight.len();
            let bias = if norm.has_bias {
                f64::from(bias[at])
            } else {
                0.0
            };
            normed.push(((f64::from(x) - mean) * factor * f64::from(weight[at]) + bias) as f32);
        }
    }
    normed
}

/// One head, its first values rotated.
fn turned(case: &Case, head: &[f32], position: usize, frequencies: &[f32]) -> Vec<f32> {
    let half = case.n_rotated / 2;
    let mut turned = head.to_vec();
    for p in 0..half {
        let (sin, cos) = f64::from(position as f32 * frequencies[p]).sin_cos();
        let (a, b) = (f64::from(head[p]), f64::from(head[p + half]));
        turned[p] = (f64::from(case.factor) * (a * cos - b * sin)) as f32;
        turned[p + half] = (f64::from(case.factor) * (b * cos + a * sin)) as f32;
    }
    turned
}

/// Rows of queries, keys and values as a model gives them that keeps groups together.
fn grouped(case: &Case, qkv: &[f32]) -> Vec<f32> {
    let (h, g, k) = (case.n_heads, case.n_kv_heads, case.head_dim);
    let mut rows = Vec::with_capacity(qkv.len());
    for row in qkv.chunks((h + 2 * g) * k) {
        let heads: Vec<&[f32]> = row.chunks(k).collect();
        for group in 0..g {
            rows.extend(heads[group * h / g..(group + 1) * h / g].concat());
            rows.extend([heads[h + group], heads[h + g + group]].concat());
        }
    }
    rows
}

fn frequencies(n_rotated: usize) -> Vec<f32> {
    (0..n_rotated / 2)
        .map(|pair| 10_000f32.powf(-2.0 * pair as f32 / n_rotated as f32))
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
    // Means that a centred norm must take off.
    let qkv: Vec<f32> = normal(1, t * (h + 2 * g) * k)
        .iter()
        .map(|x| x + 0.6)
        .collect();
    let frequencies = frequencies(case.n_rotated);
    let is_shared = case
        .norm
        .is_none_or(|norm| norm.heads == NormedHeads::OneWeight);
    let [n_q, n_k] = if is_shared { [k, k] } else { [h * k, g * k] };
    let [q_weight, k_weight, q_bias, k_bias] =
        [(2, n_q), (3, n_k), (4, n_q), (5, n_k)].map(|(seed, n)| normal(seed, n));

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
    let rows = if case.is_grouped {
        grouped(&case, &qkv)
    } else {
        qkv.clone()
    };
    let weights = [&q_weight, &k_weight, &q_bias, &k_bias].map(Vec::as_slice);
    let has_bias = case.norm.is_some_and(|norm| norm.has_bias);
    let weights = floats(
        gpu,
        "norms",
        &weights[..if has_bias { 4 } else { 2 }].concat(),
    );
    let frequencies_buffer = (case.n_rotated > 0).then(|| floats(gpu, "turns", &frequencies));
    let op = RopeAppend {
        qkv: &floats(gpu, "qkv", &rows),
        is_grouped: case.is_grouped,
        rotation: frequencies_buffer.as_ref().map(|frequencies| Rotation {
            frequencies,
            n_rotated: case.n_rotated,
            factor: case.factor,
        }),
        state: &words(gpu, "state", &[case.position as u32, 0, 0, 0]),
        norm: case.norm.map(|norm| QkNorm {
            weights: &weights,
            heads: norm.heads,
            is_centred: norm.is_centred,
            has_bias: norm.has_bias,
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
        let turned = |heads: &[f32]| -> Vec<f32> {
            let heads = heads.chunks(k);
            heads
                .flat_map(|head| turned(&case, head, position, &frequencies))
                .collect()
        };
        let (queries, rest) = row.split_at(h * k);
        let (new_keys, new_values) = rest.split_at(g * k);
        expected_q.extend(turned(&normed(&case, queries, &q_weight, &q_bias)));
        if position < case.capacity {
            let at = position * g * k;
            let new_keys = turned(&normed(&case, new_keys, &k_weight, &k_bias));
            keys[at..at + g * k].copy_from_slice(&new_keys);
            plain_values[at..at + g * k].copy_from_slice(new_values);
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
        norm: Some(RMS),
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
        n_rotated: 2,
        ..SMALL
    });
}

#[test]
fn halves_of_an_odd_length() {
    check(Case {
        head_dim: 6,
        n_rotated: 6,
        norm: Some(RMS),
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
        n_rotated: 128,
        norm: Some(RMS),
        ..SMALL
    });
}

#[test]
fn a_part_of_every_head_turns() {
    for n_rotated in [0, 2, 4, 6] {
        check(Case {
            n_rotated,
            position: 1,
            ..SMALL
        });
    }
    // Phi-2's.
    check(Case {
        n_heads: 3,
        n_kv_heads: 3,
        head_dim: 80,
        n_rotated: 32,
        position: 2,
        ..SMALL
    });
}

#[test]
fn turned_values_are_scaled() {
    check(Case {
        n_rotated: 6,
        factor: 1.19,
        position: 2,
        ..SMALL
    });
}

#[test]
fn heads_by_groups_find_their_places() {
    for (n_heads, n_kv_heads) in [(6, 2), (3, 3), (4, 1)] {
        for norm in [None, Some(RMS)] {
            check(Case {
                n_heads,
                n_kv_heads,
                norm,
                is_grouped: true,
                position: 1,
                ..SMALL
            });
        }
    }
}

/// OLMo 2 normalizes all heads together, StableLM 12B each with its own weight, Phi with a bias.
#[test]
fn norms_of_every_kind() {
    use NormedHeads::{OneWeight, OwnWeight, Together};
    for heads in [OneWeight, OwnWeight, Together] {
        for (is_centred, has_bias, is_grouped) in [
            (false, false, false),
            (true, false, false),
            (true, true, false),
            (false, true, true),
        ] {
            let norm = CaseNorm {
                heads,
                is_centred,
                has_bias,
            };
            check(Case {
                n_rotated: 4,
                norm: Some(norm),
                is_grouped,
                ..SMALL
            });
        }
    }
}

#[test]
fn all_heads_of_olmo_2_7b_together() {
    let norm = CaseNorm {
        heads: NormedHeads::Together,
        ..RMS
    };
    check(Case {
        n_heads: 32,
        n_kv_heads: 32,
        head_dim: 128,
        n_rotated: 128,
        n_tokens: 1,
        norm: Some(norm),
        ..SMALL
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    for gpu in devices() {
        let any = floats(&gpu, "any", &[0.0; 64]);
        let short = floats(&gpu, "short", &[0.0; 1]);
        let shape = KvShape {
            capacity: 1,
            n_kv_heads: 2,
            head_dim: 8,
            format: KvFormat::F32,
        };
        let rotation = Rotation {
            frequencies: &any,
            n_rotated: 8,
            factor: 1.0,
        };
        let good = RopeAppend {
            qkv: &any,
            is_grouped: false,
            rotation: Some(rotation),
            state: &any,
            norm: None,
            q: &unwritten(&gpu, "q", 16),
            cache: &KvCache::new(&gpu, "cache", shape).unwrap(),
            n_heads: 2,
            n_tokens: 1,
        };
        assert!(rope_append(&gpu, "good", &good).is_ok());
        let turning = |n_rotated, frequencies| RopeAppend {
            rotation: Some(Rotation {
                frequencies,
                n_rotated,
                factor: 1.0,
            }),
            ..good
        };
        let norm = QkNorm {
            weights: &short,
            heads: NormedHeads::OwnWeight,
            is_centred: false,
            has_bias: false,
            eps: EPS,
        };
        let bad = [
            turning(10, &any),
            turning(3, &any),
            turning(0, &any),
            turning(8, &short),
            RopeAppend { n_heads: 3, ..good },
            RopeAppend {
                n_tokens: 2,
                ..good
            },
            RopeAppend {
                norm: Some(norm),
                ..good
            },
        ];
        for bad in bad {
            assert!(rope_append(&gpu, "bad", &bad).is_err());
        }
    }
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
            is_grouped: false,
            rotation: Some(Rotation {
                frequencies: &floats(&gpu, "frequencies", &[1.0]),
                n_rotated: 2,
                factor: 1.0,
            }),
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
