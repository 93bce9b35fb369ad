// Weights in Q6_K: w = d s (q - 32), with a signed byte s for each 16 values. Unit 32 values:
// 16 bytes of low bits, whose low nibbles belong to 16 values and whose high nibbles to the 16
// that lie 64 further.
//
// Group 1    0 weights  read   array<vec4u>  13 a block of 256 values: 8 of low nibbles, 4 of
//                                            upper bit pairs, 1 of s. [n, 13 k/256]
//            1 scales   read   array<u32>    d: 2 x f16 per word, block b of the matrix is half b

@group(1) @binding(0) var<storage, read> weights: array<vec4u>;
@group(1) @binding(1) var<storage, read> scales: array<u32>;

const UNIT_VEC4: u32 = 8u;
const RAGGED: bool = false;

/// `upper` has the bit pairs of the low nibbles in bits 0 and 1 of each byte and those of the
/// high nibbles in bits 4 and 5.
struct Unit { lower: vec4u, upper: vec4u, scales: vec2f }

fn scale_of(block: u32) -> f32 {
    let pair = unpack2x16float(scales[block / 2u]);
    return select(pair.x, pair.y, (block & 1u) == 1u);
}

/// Signed byte `i` of four words.
fn signed_byte(words: vec4u, i: u32) -> f32 {
    return f32(bitcast<i32>(words[i / 4u] << (24u - 8u * (i & 3u))) >> 24u);
}

fn load_unit(row: u32, unit: u32, row_units: u32) -> Unit {
    let block = row * (row_units / 8u) + unit / 8u;
    // Half n of the block, pair p of 32 bytes in it, half h of the pair.
    let n = (unit & 4u) / 4u;
    let p = (unit & 2u) / 2u;
    let h = unit & 1u;
    let sub_scales = weights[13u * block + 12u];
    let sub = 8u * n + 2u * p + h;
    let factors = vec2f(signed_byte(sub_scales, sub), signed_byte(sub_scales, sub + 4u));
    return Unit(
        weights[13u * block + (unit & 7u)],
        weights[13u * block + 8u + 2u * n + h] >> vec4u(2u * p),
        scale_of(block) * factors,
    );
}

fn unit_x(unit: u32, part: u32) -> u32 {
    return 64u * (unit / 8u) + 8u * (unit & 4u) + 4u * (unit & 3u) + (part & 3u) + 4u * (part & 4u);
}

/// Six bits of four bytes: the nibble and the pair above it.
fn four(lower: u32, upper: u32) -> vec4f {
    let word = (lower & 0x0f0f0f0fu) | ((upper & 0x03030303u) << 4u);
    return vec4f((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(63u));
}

fn unit_dot(unit: Unit, x: array<vec4f, UNIT_VEC4>, sums: vec2f) -> f32 {
    let low = unit.lower;
    let high = unit.lower >> vec4u(4u);
    let low_pairs = unit.upper;
    let high_pairs = unit.upper >> vec4u(4u);
    let products = vec2f(
        dot(four(low.x, low_pairs.x), x[0]) + dot(four(low.y, low_pairs.y), x[1])
        + dot(four(low.z, low_pairs.z), x[2]) + dot(four(low.w, low_pairs.w), x[3]),
        dot(four(high.x, high_pairs.x), x[4]) + dot(four(high.y, high_pairs.y), x[5])
        + dot(four(high.z, high_pairs.z), x[6]) + dot(four(high.w, high_pairs.w), x[7]),
    );
    return dot(unit.scales, products - 32.0 * sums);
}

fn weights4(row: u32, at: u32, row_units: u32) -> vec4f {
    let block = row * (row_units / 8u) + at / 64u;
    // Value v = 128 n + 32 q + l; its nibble is in byte 64 n + 32 (q mod 2) + l.
    let n = (at & 32u) / 32u;
    let q = (at & 24u) / 8u;
    let l4 = at & 7u;
    let lower_at = 16u * n + 8u * (q & 1u) + l4;
    let upper_at = 8u * n + l4;
    let lower = weights[13u * block + lower_at / 4u][lower_at & 3u] >> (2u * (q & 2u));
    let upper = weights[13u * block + 8u + upper_at / 4u][upper_at & 3u] >> (2u * q);
    let factor = signed_byte(weights[13u * block + 12u], 8u * n + 2u * q + l4 / 4u);
    return scale_of(block) * factor * (four(lower, upper) - vec4f(32.0));
}
