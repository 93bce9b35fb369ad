// soft_cap — values bent below a cap in magnitude, in place
//
//   x[i] = cap tanh(x[i] / cap)
//
// Bindings   0 x       read and write  array<f32>  [n]
//            1 params  uniform Params  (mirrors gpu::ops::soft_cap::Params)
// Dispatch   (min(ceil(n / 256), ROW), ceil(n / 256 / ROW), 1), ROW as many as a device takes
// Requires   cap > 0
// Uses       256 invocations, no workgroup memory
// Oracle     tests/kernels/soft_cap.rs

struct Params {
    n: u32,
    cap: f32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) n_groups: vec3u,
) {
    let i = id.y * n_groups.x * 256u + id.x;
    if i < params.n {
        // Beyond 15 the tangent is 1 in f32, and some drivers overflow.
        x[i] = params.cap * tanh(clamp(x[i] / params.cap, -15.0, 15.0));
    }
}
