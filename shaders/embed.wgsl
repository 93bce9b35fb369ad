// embed — rows of the embedding table, by token, or of a table of positions, added to them
//
//   x[i, c] = scale * table[ids[i], c]
//   with BY_POSITION   x[i, c] += scale * table[ids[0] + i, c]
//
// Only the tokens whose row lies in this shard are touched.
//
// Bindings   0 ids     read   array<u32>    [t]; BY_POSITION: the position of the first token, ...
//            1 x       read and write  array<vec4f>  [t, d / 4]
//            2 params  uniform Params       (mirrors gpu::ops::embed::Params)
// Group 1    table     read   as lib/weights_*.wgsl says
// Dispatch   (ceil(d / 4 / 64), t, 1) for every shard; each token's row is written by one of them
// Requires   d % 4 == 0; the row of an id beyond the table is not written
// Uses       64 invocations, no workgroup memory; lib/weights_*
// Oracle     veneer_core::quant::Format::dequantize — tests/kernels/embed.rs

override BY_POSITION: bool = false;

struct Params {
    d4: u32,
    row_units: u32,
    first_row: u32,
    n_rows: u32,
    scale: f32,
    pad0: u32,
    pad1: u32,
    pad2: u32,
}

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    var row = 0u;
    if BY_POSITION {
        row = ids[0] + id.y;
    } else {
        row = ids[id.y];
    }
    // Tokens of earlier shards wrap around to large numbers.
    row -= params.first_row;
    if id.x < params.d4 && row < params.n_rows {
        let at = id.y * params.d4 + id.x;
        let value = params.scale * weights4(row, id.x, params.row_units);
        if BY_POSITION {
            x[at] += value;
        } else {
            x[at] = value;
        }
    }
}
