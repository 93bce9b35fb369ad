// top_tokens_merge — the best N_TOP tokens of all slices; the best one becomes the next input
//
// Every slice brings its tokens in order, so each lane holds the head of one slice's list.
//
// Bindings   0 candidates  read            array<u32>  as top_tokens_slice writes them
//            1 top         write           array<u32>  [1 + 2 N_TOP]: bits of log sum exp, N_TOP ids,
//                                                      bits of their N_TOP logits
//            2 ids         write           array<u32>  ids[0] = the best token
//            3 state       read and write  array<u32>  position += advance, n_generated += 1
//            4 params      uniform Params  (mirrors gpu::ops::top_tokens::MergeParams)
// Dispatch   (1, 1, 1)
// Requires   n_slices <= WORKGROUP
// Uses       WORKGROUP invocations (256), 8 bytes of workgroup memory each; lib/reduce or lib/reduce_subgroups
// Oracle     tests/kernels/top_tokens.rs

override N_TOP: u32 = 1u;

const LOWEST: f32 = -3.4e38;
const NONE: u32 = 0xffffffffu;

struct Params {
    n_slices: u32,
    advance: u32,
    pad0: u32,
    pad1: u32,
}

@group(0) @binding(0) var<storage, read> candidates: array<u32>;
@group(0) @binding(1) var<storage, read_write> top: array<u32>;
@group(0) @binding(2) var<storage, read_write> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    let at = lane * (2u * N_TOP + 2u);
    var mine = Candidate(LOWEST, NONE);
    if lane < params.n_slices {
        mine = Candidate(bitcast<f32>(candidates[at]), candidates[at + 1u]);
    }

    var cursor = 0u;
    var largest = LOWEST;
    var best = NONE;
    for (var n = 0u; n < N_TOP; n += 1u) {
        let winner = workgroup_best(mine, lane);
        if n == 0u {
            largest = winner.value;
            best = winner.id;
        }
        if lane == 0u {
            top[1u + n] = winner.id;
            top[1u + N_TOP + n] = bitcast<u32>(winner.value);
        }
        if mine.id == winner.id {
            cursor += 1u;
            mine = Candidate(LOWEST, NONE);
            if lane < params.n_slices && cursor < N_TOP {
                let next = at + 2u * cursor;
                mine = Candidate(bitcast<f32>(candidates[next]), candidates[next + 1u]);
            }
        }
    }

    var sum = 0.0;
    if lane < params.n_slices {
        let slice_largest = bitcast<f32>(candidates[at + 2u * N_TOP]);
        sum = bitcast<f32>(candidates[at + 2u * N_TOP + 1u]) * exp(slice_largest - largest);
    }
    let total = workgroup_sum(sum, lane);
    if lane == 0u {
        top[0] = bitcast<u32>(largest + log(total));
        // Without a single number among the logits there is no best token; 0 is at least one.
        ids[0] = select(best, 0u, best == NONE);
        state[0] += params.advance;
        state[1] += 1u;
    }
}
