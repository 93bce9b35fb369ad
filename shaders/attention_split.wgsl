// attention_split — one token's causal grouped-query attention, the keys shared out to splits
//
//   score[j] = bent(scale q · k[j]) (+ alibi[j]),  j in sight;   partial = sum_j exp(score[j] - m) v[j]
//
// Bindings   0 q         read   array<f32>  [h, k]
//            1 k_cache   read   array<u32>  [capacity, g, k], f16 pairs or f32
//            2 v_cache   read   array<u32>  the same
//            3 state     read   array<u32>  position of the token, ...
//            4 slopes    read   array<f32>  [h], any buffer without ALIBI
//            5 partials  write  array<f32>  [h, N_SPLITS, k + 2]: the sum, then m, then sum of exp
//            6 params    uniform Params     (mirrors gpu::ops::attention::Params)
// Dispatch   (N_SPLITS, g, ceil(h / g / HEADS)), one workgroup a split and HEADS heads of a group
// Requires   k even; ceil(HEADS * k / 2 / WORKGROUP) <= 8; position < capacity
// Uses       WORKGROUP invocations (128), 4 HEADS k + 4 KV_TILE (k + 2 + HEADS) + 12 HEADS bytes of
//            workgroup memory; lib/kv_read, lib/scores; core WebGPU only
// Oracle     tests/kernels/attention.rs

override WORKGROUP: u32 = 128u;
override HEAD_DIM: u32 = 64u;
override N_SPLITS: u32 = 8u;
// Query heads of one key/value head that a workgroup serves together.
override HEADS: u32 = 1u;
// Keys that are in workgroup memory at a time.
override KV_TILE: u32 = 16u;
override PAIRS: u32 = HEAD_DIM / 2u;
override Q_LEN: u32 = HEADS * PAIRS;
// A row of the tile is one pair longer, so that lanes on different keys use different banks.
override K_LEN: u32 = KV_TILE * (PAIRS + 1u);
override SCORES_LEN: u32 = HEADS * KV_TILE;
override PAIRS_PER_LANE: u32 = (Q_LEN + WORKGROUP - 1u) / WORKGROUP;

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
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

var<workgroup> q_heads: array<vec2f, Q_LEN>;
var<workgroup> k_tile: array<vec2f, K_LEN>;
var<workgroup> scores: array<f32, SCORES_LEN>;
var<workgroup> maxima: array<f32, HEADS>;
var<workgroup> sums: array<f32, HEADS>;
var<workgroup> factors: array<f32, HEADS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let heads_per_kv = params.n_heads / params.n_kv_heads;
    let kv_head = group.y;
    let first_head = group.z * HEADS;
    let n_heads = min(HEADS, heads_per_kv - first_head);
    let head_start = kv_head * heads_per_kv + first_head;

    // Keys in sight, in equal runs of whole tiles.
    let position = min(state[0], params.capacity - 1u);
    let first = first_seen(position, params.window);
    let run_tiles = (position + 1u - first + N_SPLITS * KV_TILE - 1u) / (N_SPLITS * KV_TILE);
    let start = first + group.x * run_tiles * KV_TILE;
    let end = min(position + 1u, start + run_tiles * KV_TILE);

    for (var i = lane; i < n_heads * PAIRS; i += WORKGROUP) {
        let at = 2u * (head_start * PAIRS + i);
        q_heads[i] = vec2f(q[at], q[at + 1u]);
    }
    if lane < HEADS {
        maxima[lane] = LOWEST;
        sums[lane] = 0.0;
    }
    var totals: array<vec2f, 8>;
    workgroupBarrier();

    for (var tile = start; tile < end; tile += KV_TILE) {
        let n_keys = min(KV_TILE, end - tile);
        for (var i = lane; i < n_keys * PAIRS; i += WORKGROUP) {
            let key = i / PAIRS;
            let pair = i % PAIRS;
            k_tile[key * (PAIRS + 1u) + pair] =
                k_pair(((tile + key) * params.n_kv_heads + kv_head) * PAIRS + pair);
        }
        workgroupBarrier();

        for (var i = lane; i < n_heads * KV_TILE; i += WORKGROUP) {
            let head = i / KV_TILE;
            let key = i % KV_TILE;
            if key < n_keys {
                var product = 0.0;
                for (var pair = 0u; pair < PAIRS; pair += 1u) {
                    product += dot(q_heads[head * PAIRS + pair], k_tile[key * (PAIRS + 1u) + pair]);
                }
                var score = bent_score(product, params.scale, params.cap);
                if ALIBI {
                    score += alibi_bias(slopes[head_start + head], tile + key, params.alibi_scale);
                }
                scores[i] = score;
            }
        }
        workgroupBarrier();

        if lane < n_heads {
            soften(lane, n_keys);
        }
        workgroupBarrier();

        for (var c = 0u; c < PAIRS_PER_LANE; c += 1u) {
            let i = lane + c * WORKGROUP;
            if i < n_heads * PAIRS {
                let head = i / PAIRS;
                let pair = i % PAIRS;
                var total = totals[c] * factors[head];
                for (var key = 0u; key < n_keys; key += 1u) {
                    let at = ((tile + key) * params.n_kv_heads + kv_head) * PAIRS + pair;
                    total += scores[head * KV_TILE + key] * v_pair(at);
                }
                totals[c] = total;
            }
        }
        // `scores` and `factors` are written again only after two more barriers.
    }

    for (var c = 0u; c < PAIRS_PER_LANE; c += 1u) {
        let i = lane + c * WORKGROUP;
        if i < n_heads * PAIRS {
            let at = ((head_start + i / PAIRS) * N_SPLITS + group.x) * (HEAD_DIM + 2u);
            partials[at + 2u * (i % PAIRS)] = totals[c].x;
            partials[at + 2u * (i % PAIRS) + 1u] = totals[c].y;
        }
    }
    if lane < n_heads {
        let at = ((head_start + lane) * N_SPLITS + group.x) * (HEAD_DIM + 2u) + HEAD_DIM;
        partials[at] = maxima[lane];
        partials[at + 1u] = sums[lane];
    }
}

// Turns one head's scores of a tile into weights against the largest score so far.
fn soften(head: u32, n_keys: u32) {
    let before = maxima[head];
    var largest = before;
    for (var key = 0u; key < n_keys; key += 1u) {
        largest = max(largest, scores[head * KV_TILE + key]);
    }
    let factor = exp(before - largest);
    var sum = sums[head] * factor;
    for (var key = 0u; key < n_keys; key += 1u) {
        let weight = exp(scores[head * KV_TILE + key] - largest);
        scores[head * KV_TILE + key] = weight;
        sum += weight;
    }
    maxima[head] = largest;
    sums[head] = sum;
    factors[head] = factor;
}
