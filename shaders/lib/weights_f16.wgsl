// Weights in f16. Unit 8 values, one vec4 of pairs; rows are padded to whole units.
//
// Group 1    0 weights  read   array<vec4u>  2 x f16 per word, [n, ceil(k/8)]

@group(1) @binding(0) var<storage, read> weights: array<vec4u>;

const UNIT_VEC4: u32 = 2u;
const RAGGED: bool = true;

struct Unit { pairs: vec4u }

fn load_unit(row: u32, unit: u32, row_units: u32) -> Unit {
    return Unit(weights[row * row_units + unit]);
}

fn unit_x(unit: u32, part: u32) -> u32 {
    return 2u * unit + part;
}

fn unit_dot(unit: Unit, x: array<vec4f, UNIT_VEC4>, sums: vec2f) -> f32 {
    let low = vec4f(unpack2x16float(unit.pairs.x), unpack2x16float(unit.pairs.y));
    let high = vec4f(unpack2x16float(unit.pairs.z), unpack2x16float(unit.pairs.w));
    return dot(low, x[0]) + dot(high, x[1]);
}

fn weights4(row: u32, at: u32, row_units: u32) -> vec4f {
    let pairs = weights[row * row_units + at / 2u];
    let two = select(pairs.xy, pairs.zw, (at & 1u) == 1u);
    return vec4f(unpack2x16float(two.x), unpack2x16float(two.y));
}
