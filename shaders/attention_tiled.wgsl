// attention_tiled — causal grouped-query attention of several tokens, tile by tile with an
// online softmax (Dao et al. 2022)
//
// The query heads that share a key/value head are stacked under their tokens: row = token * r +
// head, r = h / g. A workgroup holds 32 rows against all keys in their sight, 32 keys at a time.
//
// Bindings   0 q         read   array<f32>  [t, h, k]
//            1 k_cache   read   array<u32>  [capacity, g, k], f16 pairs or f32; the tokens' own included
//            2 v_cache   read   array<u32>  the same
//            3 state     read   array<u32>  position of the first token, ...
//            4 slopes    read   array<f32>  [h], any buffer without ALIBI
//            5 o         write  array<f32>  [t, h, k]
//            6 params    uniform Params     (mirrors gpu::ops::attention::Params)
// Dispatch   (ceil(t r / 32), g, ceil(k / 128)), columns of a head shared out by 128
// Requires   k even; tokens at positions >= capacity get no meaningful row
// Uses       64 invocations, 14 KiB of workgroup memory; lib/kv_read, lib/scores; core WebGPU only
// Oracle     tests/kernels/attention.rs

override HEAD_DIM: u32 = 64u;
override PAIRS: u32 = HEAD_DIM / 2u;
// Runs of 32 values of a head, the last one filled up with zeros.
override N_SLABS: u32 = (HEAD_DIM + 31u) / 32u;

// Rows and keys of a tile; 8 by 8 lanes hold 4 by 4 scores each.
const TILE: u32 = 32u;
// vec4s of a slab row, and one more so that lanes on different rows use different banks.
const SLAB: u32 = 8u;
const SLAB_STRIDE: u32 = 9u;

struct Params {
    n_heads: u32,
    n_kv_heads: u32,
    capacity: u32,
    window: u32,
    scale: f32,
    cap: f32,
    n_tokens: u32,
    alibi_scale: f32,
}

@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k_cache: array<u32>;
@group(0) @binding(2) var<storage, read> v_cache: array<u32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read> slopes: array<f32>;
@group(0) @binding(5) var<storage, read_write> o: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> q_slab: array<vec4f, 288>;
// Keys, then values.
var<workgroup> kv_slab: array<vec4f, 288>;
// Scores, then weights, [key, row].
var<workgroup> weights: array<f32, 1024>;
var<workgroup> maxima: array<f32, 32>;
var<workgroup> sums: array<f32, 32>;
var<workgroup> factors: array<f32, 32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let heads_per_kv = params.n_heads / params.n_kv_heads;
    let n_rows = params.n_tokens * heads_per_kv;
    let first_row = group.x * TILE;
    let last_row = min(first_row + TILE, n_rows) - 1u;
    let kv_head = group.y;
    let first_column = group.z * 128u;
    let n_out_slabs = min(N_SLABS - first_column / 32u, 4u);
    let row_block = 4u * (lane / 8u);
    let column = lane % 8u;

    let first_position = state[0] + first_row / heads_per_kv;
    let last_position = min(state[0] + last_row / heads_per_kv, params.capacity - 1u);
    // Tiles begin at multiples of their length, so that windows do not shift them.
    let start = first_seen(first_position, params.window) / TILE * TILE;

    if lane < TILE {
        maxima[lane] = LOWEST;
        sums[lane] = 0.0;
    }
    // Row i of slab s at [4 s + i].
    var totals: array<vec4f, 16>;

    for (var tile = start; tile <= last_position; tile += TILE) {
        // Row i against the keys column, column + 8, column + 16, column + 24.
        var scores = array<vec4f, 4>();
        for (var slab = 0u; slab < N_SLABS; slab += 1u) {
            workgroupBarrier();
            for (var i = lane; i < TILE * SLAB; i += 64u) {
                let c = 32u * slab + 4u * (i % SLAB);
                let at = i / SLAB * SLAB_STRIDE + i % SLAB;
                q_slab[at] = query(first_row + i / SLAB, n_rows, kv_head, c);
                kv_slab[at] = key_vec4(tile + i / SLAB, last_position, kv_head, c);
            }
            workgroupBarrier();
            for (var c = 0u; c < SLAB; c += 1u) {
                let k0 = kv_slab[column * SLAB_STRIDE + c];
                let k1 = kv_slab[(column + 8u) * SLAB_STRIDE + c];
                let k2 = kv_slab[(column + 16u) * SLAB_STRIDE + c];
                let k3 = kv_slab[(column + 24u) * SLAB_STRIDE + c];
                for (var i = 0u; i < 4u; i += 1u) {
                    let row = q_slab[(row_block + i) * SLAB_STRIDE + c];
                    scores[i] += vec4f(dot(row, k0), dot(row, k1), dot(row, k2), dot(row, k3));
                }
            }
        }

        for (var i = 0u; i < 4u; i += 1u) {
            let row = first_row + row_block + i;
            let position = state[0] + row / heads_per_kv;
            for (var j = 0u; j < 4u; j += 1u) {
                let key = column + 8u * j;
                var score = bent_score(scores[i][j], params.scale, params.cap);
                if ALIBI {
                    let slope = slopes[kv_head * heads_per_kv + row % heads_per_kv];
                    score += alibi_bias(slope, tile + key, params.alibi_scale);
                }
                let seen = tile + key <= last_position && sees(position, tile + key, params.window);
                weights[key * TILE + row_block + i] = select(LOWEST, score, seen);
            }
        }
        workgroupBarrier();

        if lane < TILE {
            soften(lane);
        }
        workgroupBarrier();

        for (var slab = 0u; slab < n_out_slabs; slab += 1u) {
            for (var i = lane; i < TILE * SLAB; i += 64u) {
                let c = first_column + 32u * slab + 4u * (i % SLAB);
                kv_slab[i / SLAB * SLAB_STRIDE + i % SLAB] =
                    value_vec4(tile + i / SLAB, last_position, kv_head, c);
            }
            workgroupBarrier();
            for (var i = 0u; i < 4u; i += 1u) {
                var total = totals[4u * slab + i] * factors[row_block + i];
                for (var key = 0u; key < TILE; key += 1u) {
                    total += weights[key * TILE + row_block + i] * kv_slab[key * SLAB_STRIDE + column];
                }
                totals[4u * slab + i] = total;
            }
            workgroupBarrier();
        }
    }

    for (var i = 0u; i < 4u; i += 1u) {
        let row = first_row + row_block + i;
        if row < n_rows {
            let to = (row / heads_per_kv * params.n_heads + kv_head * heads_per_kv + row % heads_per_kv) * HEAD_DIM;
            for (var slab = 0u; slab < n_out_slabs; slab += 1u) {
                let result = totals[4u * slab + i] / sums[row_block + i];
                for (var j = 0u; j < 4u; j += 1u) {
                    let c = first_column + 32u * slab + 4u * column + j;
                    if c < HEAD_DIM {
                        o[to + c] = result[j];
                    }
                }
            }
        }
    }
}

// Turns one row's scores of a tile into weights against the largest score so far.
fn soften(row: u32) {
    let before = maxima[row];
    var largest = before;
    for (var key = 0u; key < TILE; key += 1u) {
        largest = max(largest, weights[key * TILE + row]);
    }
    let factor = exp(before - largest);
    var sum = sums[row] * factor;
    for (var key = 0u; key < TILE; key += 1u) {
        // Weights of a row that has seen no key yet count for nothing: its next factor is zero.
        let weight = exp(weights[key * TILE + row] - largest);
        weights[key * TILE + row] = weight;
        sum += weight;
    }
    maxima[row] = largest;
    sums[row] = sum;
    factors[row] = factor;
}

// Four values of a stacked query row from column c on; zeros outside.
fn query(row: u32, n_rows: u32, kv_head: u32, c: u32) -> vec4f {
    if row >= n_rows || c >= HEAD_DIM {
        return vec4f(0.0);
    }
    let heads_per_kv = params.n_heads / params.n_kv_heads;
    let head = row / heads_per_kv * params.n_heads + kv_head * heads_per_kv + row % heads_per_kv;
    let at = head * HEAD_DIM + c;
    if c + 2u >= HEAD_DIM {
        return vec4f(q[at], q[at + 1u], 0.0, 0.0);
    }
    return vec4f(q[at], q[at + 1u], q[at + 2u], q[at + 3u]);
}

// Four values of a key from column c on; zeros outside.
fn key_vec4(position: u32, last_position: u32, kv_head: u32, c: u32) -> vec4f {
    if position > last_position || c >= HEAD_DIM {
        return vec4f(0.0);
    }
    let pair = (position * params.n_kv_heads + kv_head) * PAIRS + c / 2u;
    if c + 2u >= HEAD_DIM {
        return vec4f(k_pair(pair), 0.0, 0.0);
    }
    return vec4f(k_pair(pair), k_pair(pair + 1u));
}

// Four values of a value from column c on; zeros outside.
fn value_vec4(position: u32, last_position: u32, kv_head: u32, c: u32) -> vec4f {
    if position > last_position || c >= HEAD_DIM {
        return vec4f(0.0);
    }
    let pair = (position * params.n_kv_heads + kv_head) * PAIRS + c / 2u;
    if c + 2u >= HEAD_DIM {
        return vec4f(v_pair(pair), 0.0, 0.0);
    }
    return vec4f(v_pair(pair), v_pair(pair + 1u));
}
