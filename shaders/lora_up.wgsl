// lora_up — the second half of low-rank updates, added to what the frozen weights gave
//
//   y[i, column + n] += params.scale * scale * sum_j B[n, j] u[i, u_column + j]      for every segment
//
// Projections that share an input (q, k, v) share one `u`; each is a segment with its own slice.
//
// Bindings   0 u       read            array<f32>  [t, u_stride]
//            1 b       read            array<u32>  B of every segment transposed, [r, ceil(n / 2)] pairs
//            2 segments  read          array<Segment>  (mirrors gpu::ops::lora_up::Segment)
//            3 y       read and write  array<f32>  [t, y_stride]
//            4 params  uniform Params  (mirrors gpu::ops::lora_up::Params)
// Dispatch   (ceil(pairs of all segments / 64), ceil(t / 4), 1), one lane a pair of columns
// Requires   segments do not overlap in y
// Uses       64 invocations, no workgroup memory
// Oracle     tests/kernels/lora_up.rs

override B_F16: bool = false;

struct Segment {
    // First column in y, and how many.
    column: u32,
    n_columns: u32,
    // First column in u, and how many.
    u_column: u32,
    rank: u32,
    // First pair in b.
    first_pair: u32,
    scale: f32,
    pad0: u32,
    pad1: u32,
}

struct Params {
    n_tokens: u32,
    n_segments: u32,
    u_stride: u32,
    y_stride: u32,
    scale: f32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

@group(0) @binding(0) var<storage, read> u: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read> segments: array<Segment>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // Which segment this lane's pair lies in.
    var pair = id.x;
    var at = 0u;
    for (; at < params.n_segments; at += 1u) {
        let n_pairs = (segments[at].n_columns + 1u) / 2u;
        if pair < n_pairs {
            break;
        }
        pair -= n_pairs;
    }
    if at == params.n_segments {
        return;
    }
    let segment = segments[at];
    let scale = params.scale * segment.scale;
    let n_pairs = (segment.n_columns + 1u) / 2u;
    let first_token = 4u * id.y;
    let last_token = params.n_tokens - 1u;

    // Even columns and odd columns of four tokens; tokens past the end repeat the last one.
    var even = vec4f(0.0);
    var odd = vec4f(0.0);
    for (var j = 0u; j < segment.rank; j += 1u) {
        let weights = b_pair(segment.first_pair + j * n_pairs + pair);
        let c = segment.u_column + j;
        let inputs = vec4f(
            u[first_token * params.u_stride + c],
            u[min(first_token + 1u, last_token) * params.u_stride + c],
            u[min(first_token + 2u, last_token) * params.u_stride + c],
            u[min(first_token + 3u, last_token) * params.u_stride + c],
        );
        even += weights.x * inputs;
        odd += weights.y * inputs;
    }
    for (var i = 0u; i < min(4u, params.n_tokens - first_token); i += 1u) {
        let to = (first_token + i) * params.y_stride + segment.column + 2u * pair;
        y[to] += scale * even[i];
        if 2u * pair + 1u < segment.n_columns {
            y[to + 1u] += scale * odd[i];
        }
    }
}

fn b_pair(pair: u32) -> vec2f {
    if B_F16 {
        return unpack2x16float(b[pair]);
    }
    return vec2f(bitcast<f32>(b[2u * pair]), bitcast<f32>(b[2u * pair + 1u]));
}
