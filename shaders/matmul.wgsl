// matmul — Y = X Wᵀ (+ bias) for many tokens: the prefill path, weights unpacked once a tile
//
//   y[t, n] (+)= scale (sum_k w[n, k] x[t, k] + bias[n])
//
// Bindings   as matvec: 0 x, 1 bias, 2 y, 3 params (gpu::linear::LinearParams); group 1: W
// Dispatch   (ceil(n / 32), ceil(n_tokens / 32), 1); a workgroup computes 32 x 32 outputs,
//            an invocation 4 x 4 of them, 8 apart
// Requires   k % 4 == 0; n and n_tokens are free (masked)
// Uses       64 invocations, 9 KiB workgroup memory; core WebGPU only
// Oracle     veneer_core::quant::matvec — tests/kernels/linear.rs

const TILE: u32 = 32u;
const SIDE: u32 = 8u;
/// vec4s of k in a tile.
const DEPTH: u32 = 8u;
/// One more than DEPTH, so that neighbouring rows lie in different banks.
const PITCH: u32 = 9u;

var<workgroup> w_tile: array<vec4f, TILE * PITCH>;
var<workgroup> x_tile: array<vec4f, TILE * PITCH>;

/// Fills both tiles from column 4 `start` on, with zeros beyond the edges.
fn fill_tiles(i: u32, first: vec2u, start: u32) {
    for (var part = i; part < TILE * DEPTH; part += SIDE * SIDE) {
        let line = part / DEPTH;
        let at = start + part % DEPTH;
        let slot = line * PITCH + part % DEPTH;
        var weight = vec4f(0.0);
        if at < params.x_len && first.x + line < params.n_rows {
            weight = weights4(first.x + line, at, params.row_units);
        }
        w_tile[slot] = weight;
        var value = vec4f(0.0);
        if at < params.x_len && first.y + line < params.n_tokens {
            value = x[params.x_offset + (first.y + line) * params.x_stride + at];
        }
        x_tile[slot] = value;
    }
}

@compute @workgroup_size(SIDE * SIDE)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(local_invocation_index) i: u32,
) {
    // First row of W and first token of this tile, and this invocation's place in it.
    let first = workgroup.xy * TILE;
    let row = i % SIDE;
    let token = i / SIDE;

    // acc[c] has 4 rows of token 8 c.
    var acc: array<vec4f, 4>;
    for (var start = 0u; start < params.x_len; start += DEPTH) {
        fill_tiles(i, first, start);
        workgroupBarrier();
        for (var j = 0u; j < DEPTH; j++) {
            let w0 = w_tile[row * PITCH + j];
            let w1 = w_tile[(row + SIDE) * PITCH + j];
            let w2 = w_tile[(row + 2u * SIDE) * PITCH + j];
            let w3 = w_tile[(row + 3u * SIDE) * PITCH + j];
            for (var c = 0u; c < 4u; c++) {
                let value = x_tile[(token + c * SIDE) * PITCH + j];
                acc[c] += vec4f(dot(w0, value), dot(w1, value), dot(w2, value), dot(w3, value));
            }
        }
        workgroupBarrier();
    }

    for (var c = 0u; c < 4u; c++) {
        let t = first.y + token + c * SIDE;
        store(t, first.x + row, acc[c].x);
        store(t, first.x + row + SIDE, acc[c].y);
        store(t, first.x + row + 2u * SIDE, acc[c].z);
        store(t, first.x + row + 3u * SIDE, acc[c].w);
    }
}
