// activate — the activation of a feed-forward layer, of its gate where it has one
//
//   a[i, c] = act(gu[i, c]) * gu[i, f + c];   without GATED   a[i, c] = act(gu[i, c])
//   silu(x) = x / (1 + exp(-x));   relu(x) = max(x, 0);   gelu(x) = x / 2 (1 + erf(x / sqrt(2)))
//   gelu_tanh(x) = x / 2 (1 + tanh(u)) = x / (1 + exp(-2 u)),  u = sqrt(2 / pi) (x + 0.044715 x³)
//
// Bindings   0 gu      read   array<f32>  [t, 2 f], gate first; without GATED [t, f]
//            1 a       write  array<f32>  [t, f]
//            2 params  uniform Params     (mirrors gpu::ops::activate::Params)
// Dispatch   (ceil(f / 256), t, 1)
// Requires   nothing of f
// Uses       256 invocations, no workgroup memory; lib/erf
// Oracle     tests/kernels/activate.rs

// Numbers of gpu::ops::Activation.
const SILU: u32 = 0u;
const GELU: u32 = 1u;
const GELU_TANH: u32 = 2u;

override ACTIVATION: u32 = SILU;
override GATED: bool = true;

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
    if GATED {
        let up = gu[id.y * 2u * f + f + id.x];
        a[id.y * f + id.x] = activated(gu[id.y * 2u * f + id.x]) * up;
    } else {
        a[id.y * f + id.x] = activated(gu[id.y * f + id.x]);
    }
}

fn activated(x: f32) -> f32 {
    if ACTIVATION == SILU {
        return sigmoid_times(x, x);
    }
    if ACTIVATION == GELU {
        return 0.5 * x * one_plus_erf(x * 0.70710678118);
    }
    if ACTIVATION == GELU_TANH {
        return sigmoid_times(x, 1.59576912161 * (x + 0.044715 * x * x * x));
    }
    return max(x, 0.0);
}

// x / (1 + exp(-z)). Beyond 80 it is zero in f32 all the same, and the exponential stays finite.
fn sigmoid_times(x: f32, z: f32) -> f32 {
    return x / (1.0 + exp(min(-z, 80.0)));
}
