// silu_mul — the gate of a gated feed-forward layer
//
//   a[i, c] = silu(gu[i, c]) * gu[i, f + c],   silu(x) = x / (1 + exp(-x))
//
// Bindings   0 gu      read   array<f32>  [t, 2 f], gate first
//            1 a       write  array<f32>  [t, f]
//            2 params  uniform Params     (mirrors gpu::ops::silu_mul::Params)
// Dispatch   (ceil(f / 256), t, 1)
// Requires   nothing of f
// Uses       256 invocations, no workgroup memory
// Oracle     tests/kernels/silu_mul.rs

struct Params {
    f: u32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

@group(0) @binding(0) var<storage, read> gu: array<f32>;
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let f = params.f;
    if id.x >= f {
        return;
    }
    let gate = gu[id.y * 2u * f + id.x];
    let up = gu[id.y * 2u * f + f + id.x];
    // Beyond 80 the result is zero in f32 all the same, and the exponential stays finite.
    a[id.y * f + id.x] = gate / (1.0 + exp(min(-gate, 80.0))) * up;
}
