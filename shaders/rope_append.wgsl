// rope_append — queries and keys normalized (where the model does) and rotated; keys and values
// appended to the cache
//
//   position = state[0] + i;   (s, c) = sin_cos(position * frequencies[p])
//   (a, b) = (head[p], head[p + k/2])  ->  (a c - b s, b c + a s)
//
// Bindings   0 qkv          read   array<f32>  [t, (h + 2 g) k], queries, keys, values
//            1 frequencies  read   array<f32>  [k / 2]
//            2 state        read   array<u32>  position of the first token, ...
//            3 q_norm       read   array<f32>  [k], any buffer without NORMED
//            4 k_norm       read   array<f32>  [k], any buffer without NORMED
//            5 q            write  array<f32>  [t, h, k]
//            6 k_cache      write  array<u32>  [capacity, g, k], f16 pairs or f32
//            7 v_cache      write  array<u32>  the same
//            8 params       uniform Params     (mirrors gpu::ops::rope_append::Params)
// Dispatch   (h + 2 g, t, 1), one workgroup a head and token
// Requires   k even; tokens at positions >= capacity are not appended
// Uses       WORKGROUP invocations (64), 4 k + 512 bytes of workgroup memory; lib/reduce or
//            lib/reduce_subgroups, lib/sin_cos
// Oracle     tests/kernels/rope_append.rs

override HEAD_DIM: u32 = 64u;
override NORMED: bool = false;
override KV_F16: bool = true;

struct Params {
    n_heads: u32,
    n_kv_heads: u32,
    capacity: u32,
    eps: f32,
}

@group(0) @binding(0) var<storage, read> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> frequencies: array<f32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read> q_norm: array<f32>;
@group(0) @binding(4) var<storage, read> k_norm: array<f32>;
@group(0) @binding(5) var<storage, read_write> q: array<f32>;
@group(0) @binding(6) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(7) var<storage, read_write> v_cache: array<u32>;
@group(0) @binding(8) var<uniform> params: Params;

var<workgroup> head: array<f32, HEAD_DIM>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let slot = group.x;
    let token = group.y;
    let n_rotated = params.n_heads + params.n_kv_heads;
    let position = state[0] + token;

    let start = (token * (n_rotated + params.n_kv_heads) + slot) * HEAD_DIM;
    var squares = 0.0;
    for (var c = lane; c < HEAD_DIM; c += WORKGROUP) {
        let value = qkv[start + c];
        head[c] = value;
        squares += value * value;
    }
    if NORMED && slot < n_rotated {
        let mean_square = workgroup_sum(squares, lane) / f32(HEAD_DIM);
        let factor = inverseSqrt(mean_square + params.eps);
        for (var c = lane; c < HEAD_DIM; c += WORKGROUP) {
            let weight = select(k_norm[c], q_norm[c], slot < params.n_heads);
            head[c] *= factor * weight;
        }
    }
    workgroupBarrier();

    if slot < n_rotated {
        let half = HEAD_DIM / 2u;
        for (var p = lane; p < half; p += WORKGROUP) {
            let turn = sin_cos(f32(position) * frequencies[p]);
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
            if slot < n_rotated {
                append_key(to + p, pair);
            } else {
                append_value(to + p, pair);
            }
        }
    }
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
