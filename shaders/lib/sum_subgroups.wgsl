// Sums over groups of LANES invocations: first in subgroups, then over those of a group.
//
// Requires that subgroups are consecutive invocations and that a group holds whole ones.

var<workgroup> partial: array<vec4f, MAX_TOKENS * WORKGROUP>;

/// Adds up `acc` over the invocations of a group; its first one has the sums afterwards.
fn sum_over_lanes(i: u32, lane: u32, acc: ptr<function, array<vec4f, MAX_TOKENS>>) {
    // The size as it is here: all invocations of a subgroup take part.
    let size = subgroupAdd(1u);
    for (var t = 0u; t < TOKENS; t++) {
        let sum = subgroupAdd((*acc)[t]);
        (*acc)[t] = sum;
        if i % size == 0u {
            partial[t * WORKGROUP + i] = sum;
        }
    }
    workgroupBarrier();
    if lane == 0u {
        for (var t = 0u; t < TOKENS; t++) {
            for (var other = size; other < LANES; other += size) {
                (*acc)[t] += partial[t * WORKGROUP + i + other];
            }
        }
    }
}
