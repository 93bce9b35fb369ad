// scores — what becomes of a product of query and key before the softmax

// Heads have slopes: attention with linear biases (Press et al. 2022).
override ALIBI: bool = false;

// Below every score; finite, because shaders may assume that infinities do not occur.
const LOWEST: f32 = -1e30;

// Scaled, and bent below `cap` in magnitude where `cap` is not zero.
fn bent_score(product: f32, scale: f32, cap: f32) -> f32 {
    let score = product * scale;
    if cap == 0.0 {
        return score;
    }
    // Beyond 15 the tangent is 1 in f32, and some drivers overflow.
    return cap * tanh(clamp(score / cap, -15.0, 15.0));
}

// What ALiBi adds for the key at a position: slope, position and their product in bf16, then scaled
// like the scores, as transformers rounds it (arch::Alibi). `slope` is a bf16.
fn alibi_bias(slope: f32, key: u32, scale: f32) -> f32 {
    return rounded_to_bf16(slope * rounded_to_bf16(f32(key))) * scale;
}

// The nearest bf16, of two as near the even one.
fn rounded_to_bf16(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return bitcast<f32>((bits + 0x7fffu + ((bits >> 16u) & 1u)) & 0xffff0000u);
}

// Whether a query at `position` sees the key at `key`; a window of 0 is no window.
fn sees(position: u32, key: u32, window: u32) -> bool {
    return key <= position && (window == 0u || position - key < window);
}

// First key that a query at `position` sees.
fn first_seen(position: u32, window: u32) -> u32 {
    return select(0u, position + 1u - window, window != 0u && position + 1u > window);
}
