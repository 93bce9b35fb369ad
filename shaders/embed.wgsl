// embed — rows of the embedding table, in whatever format it is stored
//
//   x[i, c] = table[ids[i], c]
//
// Bindings   0 ids     read   array<u32>    [t]
//            1 x       write  array<vec4f>  [t, d/4]
//            2 params  uniform Params       (mirrors gpu::embed::EmbedParams)
// Group 1    table     read   as lib/weights_*.wgsl says, some rows of it
// Dispatch   (t, 1, 1), one workgroup a token
// Requires   d % 4 == 0; tokens whose rows are in another shard are left alone
// Uses       64 invocations, no workgroup memory; core WebGPU only
// Oracle     veneer_core::quant::Format::dequantize — tests/kernels/embed.rs

struct Params {
    first_row: u32,
    n_rows: u32,
    row_units: u32,
    /// vec4s in a row.
    x_len: u32,
}

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
    // Rows before the shard wrap around to numbers that are too large as well.
    let row = ids[group.x] - params.first_row;
    if row >= params.n_rows {
        return;
    }
    for (var at = lane; at < params.x_len; at += 64u) {
        x[group.x * params.x_len + at] = weights4(row, at, params.row_units);
    }
}
