// add_rms_norm — the residual sum and the normalization after it in one pass
//
//   x[i, c] += delta[i, c];   out[i, c] = x[i, c] / sqrt(mean_c(x²) + eps) * weight[c]
//
// Bindings   0 x       read and write  array<f32>  [t, d]
//            1 delta   read   array<f32>  [t, d]
//            2 weight  read   array<f32>  [d]
//            3 out     write  array<f32>  [t, d]
//            4 params  uniform Params     (mirrors gpu::ops::add_rms_norm::Params)
// Dispatch   (t, 1, 1), one workgroup a row
// Requires   nothing of d
// Uses       WORKGROUP invocations (256), 8 bytes of workgroup memory each; lib/reduce or lib/reduce_subgroups
// Oracle     tests/kernels/norm.rs

struct Params {
    d: u32,
    eps: f32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read> delta: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.d;
    var squares = 0.0;
    for (var c = lane; c < params.d; c += WORKGROUP) {
        let value = x[start + c] + delta[start + c];
        x[start + c] = value;
        squares += value * value;
    }
    let mean_square = workgroup_sum(squares, lane) / f32(params.d);
    let factor = inverseSqrt(mean_square + params.eps);
    // Each lane reads only what it wrote itself.
    for (var c = lane; c < params.d; c += WORKGROUP) {
        out[start + c] = x[start + c] * factor * weight[c];
    }
}
