// rms_norm — root-mean-square normalization of rows
//
//   out[i, c] = x[first_row + i, c] / sqrt(mean_c(x²) + eps) * weight[c]
//
// Bindings   0 x       read   array<f32>  [rows, d]
//            1 weight  read   array<f32>  [d]
//            2 out     write  array<f32>  [n_rows, d]
//            3 params  uniform Params     (mirrors gpu::ops::rms_norm::Params)
// Dispatch   (n_rows, 1, 1), one workgroup a row
// Requires   nothing of d
// Uses       WORKGROUP invocations (256), 8 bytes of workgroup memory each; lib/reduce or lib/reduce_subgroups
// Oracle     tests/kernels/rms_norm.rs

struct Params {
    d: u32,
    first_row: u32,
    eps: f32,
    pad0: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = (params.first_row + group.x) * params.d;
    var squares = 0.0;
    for (var c = lane; c < params.d; c += WORKGROUP) {
        let value = x[start + c];
        squares += value * value;
    }
    let mean_square = workgroup_sum(squares, lane) / f32(params.d);
    let factor = inverseSqrt(mean_square + params.eps);
    let to = group.x * params.d;
    for (var c = lane; c < params.d; c += WORKGROUP) {
        out[to + c] = x[start + c] * factor * weight[c];
    }
}
