// embed — rows of the embedding table, by token
//
//   x[i, c] = table[ids[i], c]      for the tokens whose row lies in this shard
//
// Bindings   0 ids     read   array<u32>    [t]
//            1 x       write  array<vec4f>  [t, d / 4]
//            2 params  uniform Params       (mirrors gpu::ops::embed::Params)
// Group 1    table     read   as lib/weights_*.wgsl says
// Dispatch   (ceil(d / 4 / 64), t, 1) for every shard; each token's row is written by one of them
// Requires   d % 4 == 0; the row of an id beyond the table is not written
// Uses       64 invocations, no workgroup memory; lib/weights_*
// Oracle     veneer_core::quant::Format::dequantize — tests/kernels/embed.rs

struct Params {
    d4: u32,
    row_units: u32,
    first_row: u32,
    n_rows: u32,
}

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = ids[id.y] - params.first_row;
    // Tokens of earlier shards wrap around to large numbers.
    if id.x < params.d4 && row < params.n_rows {
        x[id.y * params.d4 + id.x] = weights4(row, id.x, params.row_units);
    }
}
