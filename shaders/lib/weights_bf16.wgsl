// Weights in bf16: the upper half of an f32. Unit 8 values; rows are padded to whole units.
//
// Group 1    0 weights  read   array<vec4u>  2 x bf16 per word, [n, ceil(k/8)]

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

fn four(pairs: vec2u) -> vec4f {
    return bitcast<vec4f>(vec4u(
        pairs.x << 16u, pairs.x & 0xffff0000u,
        pairs.y << 16u, pairs.y & 0xffff0000u,
    ));
}

fn unit_dot(unit: Unit, x: array<vec4f, UNIT_VEC4>, sums: vec2f) -> f32 {
    return dot(four(unit.pairs.xy), x[0]) + dot(four(unit.pairs.zw), x[1]);
}

fn weights4(row: u32, at: u32, row_units: u32) -> vec4f {
    let pairs = weights[row * row_units + at / 2u];
    return four(select(pairs.xy, pairs.zw, (at & 1u) == 1u));
}
