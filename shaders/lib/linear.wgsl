// What both forms of a linear map share: parameters, bindings, and the way into y.

struct Params {
    n_rows: u32,
    /// Units of weights in a row, as lib/weights_*.wgsl cuts it.
    row_units: u32,
    /// vec4s in a row of x.
    x_len: u32,
    n_tokens: u32,
    x_offset: u32,
    x_stride: u32,
    y_offset: u32,
    y_stride: u32,
    /// First row of this shard: where its outputs lie in y and its biases in bias.
    first_row: u32,
    has_bias: u32,
    accumulate: u32,
    /// Of product and bias together.
    scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

/// Writes the output of a row of this shard, unless the tile reaches beyond the edge there.
fn store(token: u32, row: u32, product: f32) {
    if token >= params.n_tokens || row >= params.n_rows {
        return;
    }
    let n = params.first_row + row;
    let at = params.y_offset + token * params.y_stride + n;
    var value = product;
    if params.has_bias != 0u {
        value += bias[n];
    }
    value *= params.scale;
    if params.accumulate != 0u {
        value += y[at];
    }
    y[at] = value;
}
