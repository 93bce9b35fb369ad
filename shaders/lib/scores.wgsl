// scores — what becomes of a product of query and key before the softmax

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

// Whether a query at `position` sees the key at `key`; a window of 0 is no window.
fn sees(position: u32, key: u32, window: u32) -> bool {
    return key <= position && (window == 0u || position - key < window);
}

// First key that a query at `position` sees.
fn first_seen(position: u32, window: u32) -> u32 {
    return select(0u, position + 1u - window, window != 0u && position + 1u > window);
}
