// kv_read — two neighbouring values of a cached key or value
//
// A cache is `array<u32>`, [position, g, k]: pairs of halves, or single floats. The kernel
// declares the bindings `k_cache` and `v_cache`.

override KV_F16: bool = true;

fn k_pair(pair: u32) -> vec2f {
    if KV_F16 {
        return unpack2x16float(k_cache[pair]);
    }
    return vec2f(bitcast<f32>(k_cache[2u * pair]), bitcast<f32>(k_cache[2u * pair + 1u]));
}

fn v_pair(pair: u32) -> vec2f {
    if KV_F16 {
        return unpack2x16float(v_cache[pair]);
    }
    return vec2f(bitcast<f32>(v_cache[2u * pair]), bitcast<f32>(v_cache[2u * pair + 1u]));
}
