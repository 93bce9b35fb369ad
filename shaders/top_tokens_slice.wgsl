// top_tokens_slice — the best N_TOP tokens of a slice of the vocabulary, and its sum of exponentials
//
// The next best is the best among those that the last one beats, so nothing is marked or moved:
// only the lane that owned the last one looks again.
//
// Bindings   0 logits      read   array<f32>  [v]
//            1 candidates  write  array<u32>  [slices, 2 N_TOP + 2]: N_TOP of (logit bits, id), then
//                                             the bits of the largest logit and of sum exp(x - largest)
//            2 params      uniform Params     (mirrors gpu::ops::top_tokens::SliceParams)
// Dispatch   (ceil(v / slice_len), 1, 1), one workgroup a slice
// Requires   no slice is empty; a slice with fewer than N_TOP tokens ends in id 0xffffffff
// Uses       WORKGROUP invocations (256), 8 bytes of workgroup memory each; lib/reduce or lib/reduce_subgroups
// Oracle     tests/kernels/top_tokens.rs

override N_TOP: u32 = 1u;

const HIGHEST: f32 = 3.4e38;
const LOWEST: f32 = -3.4e38;
const NONE: u32 = 0xffffffffu;

struct Params {
    n_logits: u32,
    slice_len: u32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> candidates: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    let start = group.x * params.slice_len;
    let end = min(start + params.slice_len, params.n_logits);
    let to = group.x * (2u * N_TOP + 2u);

    var mine = best_after(Candidate(HIGHEST, 0u), start + lane, end);
    var largest = LOWEST;
    for (var n = 0u; n < N_TOP; n += 1u) {
        let winner = workgroup_best(mine, lane);
        if n == 0u {
            largest = winner.value;
        }
        if lane == 0u {
            candidates[to + 2u * n] = bitcast<u32>(winner.value);
            candidates[to + 2u * n + 1u] = winner.id;
        }
        if mine.id == winner.id {
            mine = best_after(winner, start + lane, end);
        }
    }

    var sum = 0.0;
    for (var id = start + lane; id < end; id += WORKGROUP) {
        sum += exp(logits[id] - largest);
    }
    let total = workgroup_sum(sum, lane);
    if lane == 0u {
        candidates[to + 2u * N_TOP] = bitcast<u32>(largest);
        candidates[to + 2u * N_TOP + 1u] = bitcast<u32>(total);
    }
}

// The best of this lane's tokens that `last` beats.
fn best_after(last: Candidate, start: u32, end: u32) -> Candidate {
    var best = Candidate(LOWEST, NONE);
    for (var id = start; id < end; id += WORKGROUP) {
        let candidate = Candidate(logits[id], id);
        if beats(last, candidate) && beats(candidate, best) {
            best = candidate;
        }
    }
    return best;
}
