// norm — RMSNorm or LayerNorm of rows, instead of what `out` holds or added to it
//
//   n[i, c] = (x[first_row + i, c] - m) / sqrt(mean_c((x - m)²) + eps) * weight[c] (+ bias[c])
//   m = 0 for RMSNorm, mean_c(x) with CENTRED for LayerNorm
//   out[i, c] = n[i, c];   with ADDED   out[i, c] += scale * n[i, c]
//
// Bindings   0 x       read   array<f32>  [rows, d]
//            1 weight  read   array<f32>  [d]
//            2 bias    read   array<f32>  [d], any buffer without BIASED
//            3 out     read and write  array<f32>  [n_rows, d]
//            4 params  uniform Params     (mirrors gpu::ops::norm::Params)
// Dispatch   (n_rows, 1, 1), one workgroup a row
// Requires   nothing of d
// Uses       WORKGROUP invocations (256), 8 bytes of workgroup memory each; lib/reduce or lib/reduce_subgroups
// Oracle     tests/kernels/norm.rs

override CENTRED: bool = false;
override BIASED: bool = false;
override ADDED: bool = false;

struct Params {
    d: u32,
    first_row: u32,
    eps: f32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = (params.first_row + group.x) * params.d;
    var mean = 0.0;
    if CENTRED {
        var sum = 0.0;
        for (var c = lane; c < params.d; c += WORKGROUP) {
            sum += x[start + c];
        }
        mean = workgroup_sum(sum, lane) / f32(params.d);
    }
    var squares = 0.0;
    for (var c = lane; c < params.d; c += WORKGROUP) {
        let value = x[start + c] - mean;
        squares += value * value;
    }
    let mean_square = workgroup_sum(squares, lane) / f32(params.d);
    let factor = inverseSqrt(mean_square + params.eps);
    let to = group.x * params.d;
    for (var c = lane; c < params.d; c += WORKGROUP) {
        var value = (x[start + c] - mean) * factor * weight[c];
        if BIASED {
            value += bias[c];
        }
        if ADDED {
            value = out[to + c] + params.scale * value;
        }
        out[to + c] = value;
    }
}
