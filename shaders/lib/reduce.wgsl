// reduce — sums and the best candidate over a workgroup, through workgroup memory
//
// Every function must be called by all WORKGROUP lanes, and gives all of them the same result.
// WORKGROUP is a power of two. `reduce_subgroups.wgsl` has the same functions.

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
    reduce_values[lane] = value;
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
        if lane < width {
            reduce_values[lane] += reduce_values[lane + width];
        }
        workgroupBarrier();
    }
    let total = reduce_values[0];
    // The next call writes where this one was read.
    workgroupBarrier();
    return total;
}

fn workgroup_best(candidate: Candidate, lane: u32) -> Candidate {
    reduce_values[lane] = candidate.value;
    reduce_ids[lane] = candidate.id;
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
        if lane < width {
            let mine = Candidate(reduce_values[lane], reduce_ids[lane]);
            let other = Candidate(reduce_values[lane + width], reduce_ids[lane + width]);
            if beats(other, mine) {
                reduce_values[lane] = other.value;
                reduce_ids[lane] = other.id;
            }
        }
        workgroupBarrier();
    }
    let best = Candidate(reduce_values[0], reduce_ids[0]);
    workgroupBarrier();
    return best;
}
