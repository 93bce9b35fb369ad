// attention_combine — the splits of `attention_split` put together
//
//   M = max_s m[s];   o = sum_s exp(m[s] - M) partial[s] / sum_s exp(m[s] - M) sum[s]
//
// Bindings   0 partials  read   array<f32>  [h, splits, k + 2]: the sum, then m, then sum of exp
//            1 o         write  array<f32>  [h, k]
//            2 params    uniform Params     (mirrors gpu::ops::attention::CombineParams)
// Dispatch   (h, 1, 1), one workgroup a head
// Requires   at least one split saw a key
// Uses       64 invocations, no workgroup memory; core WebGPU only
// Oracle     tests/kernels/attention.rs

// Below every score; finite, because shaders may assume that infinities do not occur.
const LOWEST: f32 = -1e30;

struct Params {
    head_dim: u32,
    n_splits: u32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> o: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.n_splits * (params.head_dim + 2u);
    var largest = LOWEST;
    for (var split = 0u; split < params.n_splits; split += 1u) {
        largest = max(largest, partials[start + split * (params.head_dim + 2u) + params.head_dim]);
    }
    for (var c = lane; c < params.head_dim; c += 64u) {
        var total = 0.0;
        var sum = 0.0;
        for (var split = 0u; split < params.n_splits; split += 1u) {
            let at = start + split * (params.head_dim + 2u);
            // A split without keys has m = LOWEST and sums of zero.
            let factor = exp(partials[at + params.head_dim] - largest);
            total += factor * partials[at + c];
            sum += factor * partials[at + params.head_dim + 1u];
        }
        o[group.x * params.head_dim + c] = total / sum;
    }
}
