// rope_append — queries and keys normalized (where the model does) and rotated; keys and values
// appended to the cache
//
//   position = state[0] + i;   (s, c) = factor * sin_cos(position * frequencies[p])
//   (a, b) = (head[p], head[p + ROTATED/2])  ->  (a c - b s, b c + a s);   values behind stay
//
// Norms are RMSNorm, with CENTRED LayerNorm: of every head with one weight for all (NORM 1) or one
// of its own (NORM 2), or of all heads of queries and again of keys together (NORM 3).
//
// Bindings   0 qkv          read   array<f32>  [t, (h + 2 g) k]: queries, keys, values; GROUPED:
//                                  a group's h/g queries, its key, its value, then the next group
//            1 frequencies  read   array<f32>  [ROTATED / 2], any buffer where that is 0
//            2 state        read   array<u32>  position of the first token, ...
//            3 norms        read   array<f32>  weights of queries, of keys (NORM 1: [k] each, else
//                                  [h, k] and [g, k]), with BIASED their biases likewise; any
//                                  buffer where NORM is 0
//            4 q            write  array<f32>  [t, h, k]
//            5 k_cache      write  array<u32>  [capacity, g, k], f16 pairs or f32
//            6 v_cache      write  array<u32>  the same
//            7 params       uniform Params     (mirrors gpu::ops::rope_append::Params)
// Dispatch   (h + 2 g, t, 1), one workgroup a head and token
// Requires   k and ROTATED even, ROTATED <= k; tokens at positions >= capacity are not appended
// Uses       WORKGROUP invocations (64), 4 k + 512 bytes of workgroup memory; lib/reduce or
//            lib/reduce_subgroups, lib/sin_cos
// Oracle     tests/kernels/rope_append.rs

// Numbers of gpu::ops::NormedHeads; 0 is none.
const ONE_WEIGHT: u32 = 1u;
const ALL_TOGETHER: u32 = 3u;

override HEAD_DIM: u32 = 64u;
override ROTATED: u32 = HEAD_DIM;
override NORM: u32 = 0u;
override CENTRED: bool = false;
override BIASED: bool = false;
override GROUPED: bool = false;
override KV_F16: bool = true;

struct Params {
    n_heads: u32,
    n_kv_heads: u32,
    capacity: u32,
    eps: f32,
    factor: f32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> frequencies: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read> norms: array<f32>;
@group(0) @binding(4) var<storage, read_write> q: array<f32>;
@group(0) @binding(5) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(6) var<storage, read_write> v_cache: array<u32>;
@group(0) @binding(7) var<uniform> params: Params;

var<workgroup> head: array<f32, HEAD_DIM>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let slot = group.x;
    let token = group.y;
    let n_turned = params.n_heads + params.n_kv_heads;
    let position = state[0] + token;

    let row = token * (n_turned + params.n_kv_heads);
    let start = (row + place(slot)) * HEAD_DIM;
    for (var c = lane; c < HEAD_DIM; c += WORKGROUP) {
        head[c] = qkv[start + c];
    }
    if NORM != 0u && slot < n_turned {
        normalize(row, slot, lane);
    }
    workgroupBarrier();

    if ROTATED > 0u && slot < n_turned {
        let half = ROTATED / 2u;
        for (var p = lane; p < half; p += WORKGROUP) {
            let turn = params.factor * sin_cos(f32(position) * frequencies[p]);
            let a = head[p];
            let b = head[p + half];
            head[p] = a * turn.y - b * turn.x;
            head[p + half] = b * turn.y + a * turn.x;
        }
    }
    workgroupBarrier();

    if slot < params.n_heads {
        let to = (token * params.n_heads + slot) * HEAD_DIM;
        for (var c = lane; c < HEAD_DIM; c += WORKGROUP) {
            q[to + c] = head[c];
        }
    } else if position < params.capacity {
        let kv_head = (slot - params.n_heads) % params.n_kv_heads;
        let to = (position * params.n_kv_heads + kv_head) * (HEAD_DIM / 2u);
        for (var p = lane; p < HEAD_DIM / 2u; p += WORKGROUP) {
            let pair = vec2f(head[2u * p], head[2u * p + 1u]);
            if slot < n_turned {
                append_key(to + p, pair);
            } else {
                append_value(to + p, pair);
            }
        }
    }
}

// Where a head stands in a row of qkv, counted in heads.
fn place(slot: u32) -> u32 {
    if !GROUPED {
        return slot;
    }
    let n_queries = params.n_heads / params.n_kv_heads;
    if slot < params.n_heads {
        return slot / n_queries * (n_queries + 2u) + slot % n_queries;
    }
    let other = slot - params.n_heads;
    return other % params.n_kv_heads * (n_queries + 2u) + n_queries + other / params.n_kv_heads;
}

// Normalizes `head`, of which every lane touches only the values that it brought.
fn normalize(row: u32, slot: u32, lane: u32) {
    let is_query = slot < params.n_heads;
    // The heads over which the mean is taken: this one, or all of its kind.
    var first = slot;
    var n = HEAD_DIM;
    if NORM == ALL_TOGETHER {
        first = select(params.n_heads, 0u, is_query);
        n = select(params.n_kv_heads, params.n_heads, is_query) * HEAD_DIM;
    }
    var mean = 0.0;
    if CENTRED {
        var sum = 0.0;
        for (var i = lane; i < n; i += WORKGROUP) {
            sum += value(row, first, i);
        }
        mean = workgroup_sum(sum, lane) / f32(n);
    }
    var squares = 0.0;
    for (var i = lane; i < n; i += WORKGROUP) {
        let distance = value(row, first, i) - mean;
        squares += distance * distance;
    }
    let factor = inverseSqrt(workgroup_sum(squares, lane) / f32(n) + params.eps);

    var weights = slot * HEAD_DIM;
    var biases = (params.n_heads + params.n_kv_heads) * HEAD_DIM;
    if NORM == ONE_WEIGHT {
        weights = select(HEAD_DIM, 0u, is_query);
        biases = 2u * HEAD_DIM;
    }
    for (var c = lane; c < HEAD_DIM; c += WORKGROUP) {
        var normed = (head[c] - mean) * factor * norms[weights + c];
        if BIASED {
            normed += norms[biases + weights + c];
        }
        head[c] = normed;
    }
}

// Value i of the heads from `first` on.
fn value(row: u32, first: u32, i: u32) -> f32 {
    return qkv[(row + place(first + i / HEAD_DIM)) * HEAD_DIM + i % HEAD_DIM];
}

// The largest half is finite; a larger value must not become an infinity.
fn halves(pair: vec2f) -> u32 {
    return pack2x16float(clamp(pair, vec2f(-65504.0), vec2f(65504.0)));
}

fn append_key(at: u32, pair: vec2f) {
    if KV_F16 {
        k_cache[at] = halves(pair);
    } else {
        k_cache[2u * at] = bitcast<u32>(pair.x);
        k_cache[2u * at + 1u] = bitcast<u32>(pair.y);
    }
}

fn append_value(at: u32, pair: vec2f) {
    if KV_F16 {
        v_cache[at] = halves(pair);
    } else {
        v_cache[2u * at] = bitcast<u32>(pair.x);
        v_cache[2u * at + 1u] = bitcast<u32>(pair.y);
    }
}
