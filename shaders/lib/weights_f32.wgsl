// Weights in f32. Unit 4 values, one vec4.
//
// Group 1    0 weights  read   array<vec4f>  [n, k/4]
// Every weights_*.wgsl gives: UNIT_VEC4, RAGGED, Unit, load_unit, unit_x, unit_dot, weights4.

@group(1) @binding(0) var<storage, read> weights: array<vec4f>;

/// vec4s of x that one unit meets.
const UNIT_VEC4: u32 = 1u;
/// Whether the last unit of a row may reach beyond the row's values.
const RAGGED: bool = false;

struct Unit { w: vec4f }

/// Unit `unit` of a row of `row_units`.
fn load_unit(row: u32, unit: u32, row_units: u32) -> Unit {
    return Unit(weights[row * row_units + unit]);
}

/// Which vec4 of x the part `part` of a unit meets.
fn unit_x(unit: u32, part: u32) -> u32 {
    return unit;
}

/// The unit times its part of x; `sums` are the sums of the first and second half of that part.
fn unit_dot(unit: Unit, x: array<vec4f, UNIT_VEC4>, sums: vec2f) -> f32 {
    return dot(unit.w, x[0]);
}

/// Values 4 at to 4 at + 3 of a row.
fn weights4(row: u32, at: u32, row_units: u32) -> vec4f {
    return weights[row * row_units + at];
}
