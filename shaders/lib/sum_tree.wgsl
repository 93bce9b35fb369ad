// Sums over groups of LANES invocations through workgroup memory: core WebGPU.

var<workgroup> partial: array<vec4f, MAX_TOKENS * WORKGROUP>;

/// Adds up `acc` over the invocations of a group; its first one has the sums afterwards.
fn sum_over_lanes(i: u32, lane: u32, acc: ptr<function, array<vec4f, MAX_TOKENS>>) {
    for (var t = 0u; t < TOKENS; t++) {
        partial[t * WORKGROUP + i] = (*acc)[t];
    }
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            for (var t = 0u; t < TOKENS; t++) {
                partial[t * WORKGROUP + i] += partial[t * WORKGROUP + i + half];
            }
        }
        workgroupBarrier();
    }
    for (var t = 0u; t < TOKENS; t++) {
        (*acc)[t] = partial[t * WORKGROUP + i];
    }
}
