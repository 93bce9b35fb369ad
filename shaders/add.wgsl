// add — one buffer added to another
//
//   y[i] += x[i]
//
// Bindings   0 x       read            array<f32>  [n]
//            1 y       read and write  array<f32>  [n]
//            2 params  uniform Params  (mirrors gpu::ops::add::Params)
// Dispatch   (min(ceil(n / 256), ROW), ceil(n / 256 / ROW), 1), ROW = 32768 workgroups
// Requires   nothing of n
// Uses       256 invocations, no workgroup memory
// Oracle     tests/kernels/add.rs

struct Params {
    n: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) n_groups: vec3u,
) {
    let i = id.y * n_groups.x * 256u + id.x;
    if i < params.n {
        y[i] += x[i];
    }
}
