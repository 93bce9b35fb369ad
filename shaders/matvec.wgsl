// matvec — y = W x (+ bias) for up to four tokens: the decode path, bound by reading W once
//
//   y[t, n] (+)= scale (sum_k w[n, k] x[t, k] + bias[n])
//
// Bindings   0 x        read   array<vec4f>  x_width/4 between tokens
//            1 bias     read   array<f32>    [n]; any buffer where has_bias is 0
//            2 y        write  array<f32>    y_stride between tokens
//            3 params   uniform Params       (mirrors gpu::linear::LinearParams)
// Group 1    W          read   as lib/weights_*.wgsl says
// Dispatch   WORKGROUP / LANES * ROWS rows a workgroup, spread over x and y
// Requires   k % 4 == 0; n is free (rows beyond it are masked); LANES is a power of two
// Uses       64 invocations, 4 KiB workgroup memory; subgroups in the variant that sums by them
// Oracle     veneer_core::quant::matvec — tests/kernels/linear.rs

override TOKENS: u32 = 1u;
/// Invocations that share their rows.
override LANES: u32 = 64u;

const WORKGROUP: u32 = 64u;
const ROWS: u32 = 4u;
const MAX_TOKENS: u32 = 4u;

fn add_unit(unit: u32, row: u32, acc: ptr<function, array<vec4f, MAX_TOKENS>>) {
    let last = params.n_rows - 1u;
    let a = load_unit(min(row, last), unit, params.row_units);
    let b = load_unit(min(row + 1u, last), unit, params.row_units);
    let c = load_unit(min(row + 2u, last), unit, params.row_units);
    let d = load_unit(min(row + 3u, last), unit, params.row_units);
    var part: array<vec4f, UNIT_VEC4>;
    for (var t = 0u; t < TOKENS; t++) {
        let start = params.x_offset + t * params.x_stride;
        var sums = vec2f(0.0);
        for (var j = 0u; j < UNIT_VEC4; j++) {
            let at = unit_x(unit, j);
            var value = vec4f(0.0);
            if !RAGGED || at < params.x_len {
                value = x[start + at];
            }
            part[j] = value;
            let sum = dot(value, vec4f(1.0));
            sums += select(vec2f(sum, 0.0), vec2f(0.0, sum), 2u * j >= UNIT_VEC4);
        }
        (*acc)[t] += vec4f(
            unit_dot(a, part, sums),
            unit_dot(b, part, sums),
            unit_dot(c, part, sums),
            unit_dot(d, part, sums),
        );
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(num_workgroups) n_workgroups: vec3u,
    @builtin(local_invocation_index) i: u32,
) {
    let lane = i % LANES;
    let number = workgroup.x + workgroup.y * n_workgroups.x;
    let row = (number * (WORKGROUP / LANES) + i / LANES) * ROWS;

    var acc: array<vec4f, MAX_TOKENS>;
    for (var unit = lane; unit < params.row_units; unit += LANES) {
        add_unit(unit, row, &acc);
    }
    sum_over_lanes(i, lane, &acc);

    if lane != 0u {
        return;
    }
    for (var t = 0u; t < TOKENS; t++) {
        store(t, row, acc[t].x);
        store(t, row + 1u, acc[t].y);
        store(t, row + 2u, acc[t].z);
        store(t, row + 3u, acc[t].w);
    }
}
