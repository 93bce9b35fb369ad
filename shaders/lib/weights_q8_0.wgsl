// Weights in Q8_0: w = d q. Unit 32 values, one block.
//
// Group 1    0 quants   read   array<vec4u>  16 signed bytes each, [n, k/16]
//            1 scales   read   array<u32>    2 x f16 per word, block b of the matrix is half b

@group(1) @binding(0) var<storage, read> quants: array<vec4u>;
@group(1) @binding(1) var<storage, read> scales: array<u32>;

const UNIT_VEC4: u32 = 8u;
const RAGGED: bool = false;

struct Unit { low: vec4u, high: vec4u, scale: f32 }

fn scale_of(block: u32) -> f32 {
    let pair = unpack2x16float(scales[block / 2u]);
    return select(pair.x, pair.y, (block & 1u) == 1u);
}

fn load_unit(row: u32, unit: u32, row_units: u32) -> Unit {
    let block = row * row_units + unit;
    return Unit(quants[2u * block], quants[2u * block + 1u], scale_of(block));
}

fn unit_x(unit: u32, part: u32) -> u32 {
    return 8u * unit + part;
}

/// Four signed bytes, lowest first.
fn four(word: u32) -> vec4f {
    return vec4f(bitcast<vec4i>(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

fn unit_dot(unit: Unit, x: array<vec4f, UNIT_VEC4>, sums: vec2f) -> f32 {
    return unit.scale * (
        dot(four(unit.low.x), x[0]) + dot(four(unit.low.y), x[1])
        + dot(four(unit.low.z), x[2]) + dot(four(unit.low.w), x[3])
        + dot(four(unit.high.x), x[4]) + dot(four(unit.high.y), x[5])
        + dot(four(unit.high.z), x[6]) + dot(four(unit.high.w), x[7])
    );
}

fn weights4(row: u32, at: u32, row_units: u32) -> vec4f {
    let block = row * row_units + at / 8u;
    let word = quants[2u * block + (at & 7u) / 4u][at & 3u];
    return scale_of(block) * four(word);
}
