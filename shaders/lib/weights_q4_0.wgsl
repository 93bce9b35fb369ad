// Weights in Q4_0: w = d (q - 8). Unit 32 values, one block.
//
// Group 1    0 quants   read   array<vec4u>  a block each: byte i has value i in its low nibble
//                                            and value i + 16 in its high one, [n, k/32]
//            1 scales   read   array<u32>    2 x f16 per word, block b of the matrix is half b

@group(1) @binding(0) var<storage, read> quants: array<vec4u>;
@group(1) @binding(1) var<storage, read> scales: array<u32>;

const UNIT_VEC4: u32 = 8u;
const RAGGED: bool = false;

struct Unit { quants: vec4u, scale: f32 }

fn scale_of(block: u32) -> f32 {
    let pair = unpack2x16float(scales[block / 2u]);
    return select(pair.x, pair.y, (block & 1u) == 1u);
}

fn load_unit(row: u32, unit: u32, row_units: u32) -> Unit {
    let block = row * row_units + unit;
    return Unit(quants[block], scale_of(block));
}

fn unit_x(unit: u32, part: u32) -> u32 {
    return 8u * unit + part;
}

/// The low nibbles of four bytes, lowest first.
fn four(word: u32) -> vec4f {
    return vec4f((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(15u));
}

fn unit_dot(unit: Unit, x: array<vec4f, UNIT_VEC4>, sums: vec2f) -> f32 {
    let low = unit.quants;
    let high = unit.quants >> vec4u(4u);
    let products =
        dot(four(low.x), x[0]) + dot(four(low.y), x[1])
        + dot(four(low.z), x[2]) + dot(four(low.w), x[3])
        + dot(four(high.x), x[4]) + dot(four(high.y), x[5])
        + dot(four(high.z), x[6]) + dot(four(high.w), x[7]);
    return unit.scale * (products - 8.0 * (sums.x + sums.y));
}

fn weights4(row: u32, at: u32, row_units: u32) -> vec4f {
    let block = row * row_units + at / 8u;
    let word = quants[block][at & 3u] >> (at & 4u);
    return scale_of(block) * (four(word) - vec4f(8.0));
}
