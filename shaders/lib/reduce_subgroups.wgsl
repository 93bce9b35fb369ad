// reduce_subgroups — sums and the best candidate over a workgroup, by subgroups of any size
//
// The same functions as `reduce.wgsl`, with two barriers instead of ten. A subgroup's slot is
// found from its first lane and its size, so no builtin beyond `subgroups` is needed.

override WORKGROUP: u32 = 256u;

var<workgroup> reduce_values: array<f32, WORKGROUP>;
var<workgroup> reduce_ids: array<u32, WORKGROUP>;

// A value and where it stands. The larger value is better, and the lower id among equals.
struct Candidate {
    value: f32,
    id: u32,
}

fn beats(a: Candidate, b: Candidate) -> bool {
    return a.value > b.value || (a.value == b.value && a.id < b.id);
}

fn workgroup_sum(value: f32, lane: u32) -> f32 {
    let sum = subgroupAdd(value);
    let size = subgroupAdd(1u);
    let first = subgroupMin(lane);
    if lane == first {
        reduce_values[first / size] = sum;
    }
    workgroupBarrier();
    var total = 0.0;
    for (var slot = 0u; slot * size < WORKGROUP; slot += 1u) {
        total += reduce_values[slot];
    }
    // The next call writes where this one was read.
    workgroupBarrier();
    return total;
}

fn workgroup_best(candidate: Candidate, lane: u32) -> Candidate {
    let value = subgroupMax(candidate.value);
    let id = subgroupMin(select(0xffffffffu, candidate.id, candidate.value == value));
    let size = subgroupAdd(1u);
    let first = subgroupMin(lane);
    if lane == first {
        reduce_values[first / size] = value;
        reduce_ids[first / size] = id;
    }
    workgroupBarrier();
    var best = Candidate(reduce_values[0], reduce_ids[0]);
    for (var slot = 1u; slot * size < WORKGROUP; slot += 1u) {
        let other = Candidate(reduce_values[slot], reduce_ids[slot]);
        if beats(other, best) {
            best = other;
        }
    }
    workgroupBarrier();
    return best;
}
