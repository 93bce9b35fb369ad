// Weights in Q4_K: w = d s q - m n, with s and n of 6 bits for each 32 values. Unit 32 values:
// 16 bytes, whose low nibbles belong to one sub-block and whose high nibbles to the next.
//
// Group 1    0 weights  read   array<vec4u>  9 a block of 256 values, as in the file: d and m,
//                                            12 bytes of s and n; then 8 of nibbles. [n, 9 k/256]

@group(1) @binding(0) var<storage, read> weights: array<vec4u>;

const UNIT_VEC4: u32 = 8u;
const RAGGED: bool = false;

/// `scales` and `mins` of the low nibbles and of the high ones.
struct Unit { quants: vec4u, scales: vec2f, mins: vec2f }

/// Byte `i` of three words.
fn byte_of(words: vec3u, i: u32) -> u32 {
    return (words[i / 4u] >> (8u * (i & 3u))) & 255u;
}

/// d s and m n of a sub-block.
fn scale_and_min(head: vec4u, sub: u32) -> vec2f {
    let bytes = head.yzw;
    let factors = unpack2x16float(head.x);
    let first = vec2u(byte_of(bytes, sub & 3u), byte_of(bytes, (sub & 3u) + 4u));
    let rest = byte_of(bytes, 8u + (sub & 3u));
    let high = vec2u(rest & 15u, rest >> 4u) | ((first >> vec2u(6u)) << vec2u(4u));
    return factors * vec2f(select(first & vec2u(63u), high, sub >= 4u));
}

fn load_unit(row: u32, unit: u32, row_units: u32) -> Unit {
    let block = 9u * (row * (row_units / 8u) + unit / 8u);
    let head = weights[block];
    let sub = (unit & 6u);
    let low = scale_and_min(head, sub);
    let high = scale_and_min(head, sub + 1u);
    return Unit(weights[block + 1u + (unit & 7u)], vec2f(low.x, high.x), vec2f(low.y, high.y));
}

fn unit_x(unit: u32, part: u32) -> u32 {
    return 64u * (unit / 8u) + 8u * (unit & 6u) + 4u * (unit & 1u) + (part & 3u) + 2u * (part & 4u);
}

/// The low nibbles of four bytes, lowest first.
fn four(word: u32) -> vec4f {
    return vec4f((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(15u));
}

fn unit_dot(unit: Unit, x: array<vec4f, UNIT_VEC4>, sums: vec2f) -> f32 {
    let low = unit.quants;
    let high = unit.quants >> vec4u(4u);
    let products = vec2f(
        dot(four(low.x), x[0]) + dot(four(low.y), x[1])
        + dot(four(low.z), x[2]) + dot(four(low.w), x[3]),
        dot(four(high.x), x[4]) + dot(four(high.y), x[5])
        + dot(four(high.z), x[6]) + dot(four(high.w), x[7]),
    );
    return dot(unit.scales, products) - dot(unit.mins, sums);
}

fn weights4(row: u32, at: u32, row_units: u32) -> vec4f {
    let block = 9u * (row * (row_units / 8u) + at / 64u);
    let sub = (at & 63u) / 8u;
    let word_at = 8u * (sub / 2u) + (at & 7u);
    let word = weights[block + 1u + word_at / 4u][word_at & 3u] >> (4u * (sub & 1u));
    let factors = scale_and_min(weights[block], sub);
    return factors.x * four(word) - vec4f(factors.y);
}
